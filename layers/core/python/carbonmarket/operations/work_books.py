"""Do in every book what waits for a call: the pending order's next fills, and dead orders in the way. For a
schedule.

An order that finds more to take than one transaction holds waits for the next call on its book, whoever makes
it. In a quiet book nobody does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from carbonmarket.chain import market_calls
from carbonmarket.chain.aborts import refused
from carbonmarket.errors import NotYetFinal
from carbonmarket.ports.chain import ChainAccess

_BOOKS_A_VIEW = 100
_TOGETHER = 32
"""Of one account at most 100 calls may be on their way, and others are made with the same key."""
_ROUNDS = 10
_WAIT_S = 10


class WorkedBooks(msgspec.Struct, kw_only=True):
    """The calls that one run made, the books that still need some, and the contract's sentences."""

    calls: int = 0
    needing: int = 0
    refusals: list[str] = []


def work_books(
    *, chain: ChainAccess, key_id: str, now_us: int, goes_on: Callable[[], bool] = lambda: True
) -> WorkedBooks:
    """Call ``work`` on every book that needs it, round after round while there is time; ``key_id`` signs.
    ``goes_on`` is asked before each part of a round, which takes little more than ten seconds.

    What one run leaves the next one finds, since each asks the chain.
    """
    done = WorkedBooks()
    for round in range(_ROUNDS):
        needing = list(_needing(chain))
        done.needing = len(needing)
        if not needing or done.refusals or not goes_on():
            break
        for start in range(0, len(needing), _TOGETHER):
            if start and not goes_on():
                break
            _work(chain, key_id, needing[start : start + _TOGETHER], f"{now_us}/{round}", done)
    return done


def _work(chain: ChainAccess, key_id: str, books: list[int], round: str, done: WorkedBooks) -> None:
    keys = [f"work/{book}/{round}" for book in books]
    for book, key in zip(books, keys, strict=True):
        chain.submit(key, key_id, market_calls.work_book(book))
    wait_s = _WAIT_S
    for key in keys:
        # They come one after the other: where one is late, those behind it are.
        if not _has_ended(chain, key, wait_s, done):
            wait_s = 0


def _needing(chain: ChainAccess) -> Iterator[int]:
    books = int(chain.view("market_book::count", [], [])[0])
    for first in range(1, books + 1, _BOOKS_A_VIEW):
        [found] = chain.view("market_book::needing_work", [], [str(first), str(_BOOKS_A_VIEW)])
        yield from map(int, found)


def _has_ended(chain: ChainAccess, key: str, wait_s: int, done: WorkedBooks) -> bool:
    try:
        fate = chain.await_fate(key, wait_s)
    except NotYetFinal:
        return False
    if fate.success:
        done.calls += 1
    elif fate.state == "committed":
        done.refusals.append(refused(fate).reason)
    return True
