"""What waits in a book is done without anybody's call: a large order is filled to its end."""

from __future__ import annotations

from typing import Any

import pytest

from carbonmarket.errors import Conflict, NotYetFinal
from carbonmarket.operations.work_books import work_books
from carbonmarket.ports.chain import Fate
from tests.chain.exchange import Exchange

MAKERS = 18


def test_an_order_that_waits_is_filled_to_its_end(exchange: Exchange) -> None:
    exchange.clear()
    for _ in range(MAKERS):
        exchange.place("developer", False, 10, 5)
    bid = exchange.place("buyer", True, 10, MAKERS * 5 + 7)
    book = next(book for _, book in exchange.trading.books() if book.number == 1)
    assert (bid.filled, book.pending) == (16 * 5, bid.id)

    done = work_books(chain=exchange.outbox, key_id="issuer", now_us=exchange.now_us())
    assert (done.calls, done.needing, done.refusals) == (1, 0, [])
    exchange.watch()
    rested = exchange.trading.order(1, bid.id)
    assert rested is not None
    assert (rested.filled, rested.open) == (MAKERS * 5, 7)

    again = work_books(chain=exchange.outbox, key_id="issuer", now_us=exchange.now_us())
    assert (again.calls, again.needing) == (0, 0)
    exchange.clear()


def test_a_run_without_time_leaves_it_to_the_next(exchange: Exchange) -> None:
    exchange.clear()
    for _ in range(MAKERS):
        exchange.place("developer", False, 10, 5)
    bid = exchange.place("buyer", True, 10, MAKERS * 5)
    now_us = exchange.now_us()
    cut_off = work_books(chain=exchange.outbox, key_id="issuer", now_us=now_us, goes_on=lambda: False)
    assert (cut_off.calls, cut_off.needing) == (0, 1)
    assert work_books(chain=exchange.outbox, key_id="issuer", now_us=now_us).calls == 1
    exchange.watch()
    filled = exchange.trading.order(1, bid.id)
    assert filled is not None and filled.filled == MAKERS * 5


class Crowded:
    """A chain with many books in which an order waits; it lets no account have 100 calls on their way."""

    def __init__(self, books: int) -> None:
        self.books = books
        self._waiting = set(range(1, books + 1))
        self._on_their_way: dict[str, int] = {}

    def view(self, name: str, _types: list[str], args: list[Any]) -> list[Any]:
        if name == "market_book::count":
            return [str(self.books)]
        first, limit = (int(each) for each in args)
        return [[str(book) for book in sorted(self._waiting) if first <= book < first + limit]]

    def submit(self, key: str, _sender: str, _call: Any) -> str:
        if len(self._on_their_way) == 99:
            raise Conflict("too many in flight")
        self._on_their_way[key] = int(key.split("/")[1])
        return key

    def await_fate(self, key: str, _timeout_s: float) -> Fate:
        self._waiting.discard(self._on_their_way.pop(key))
        return Fate(state="committed", success=True)


def test_more_books_than_calls_may_be_on_their_way_are_worked_one_part_after_the_other() -> None:
    crowded: Any = Crowded(250)
    done = work_books(chain=crowded, key_id="oracle", now_us=1)
    assert (done.calls, done.needing) == (250, 0)


def test_a_run_whose_time_is_up_begins_no_further_part() -> None:
    crowded: Any = Crowded(250)
    times = iter((True, True, False, False))
    done = work_books(chain=crowded, key_id="oracle", now_us=1, goes_on=lambda: next(times))
    assert (0 < done.calls < 250, done.calls + done.needing) == (True, 250)


def test_a_chain_that_stands_still_is_waited_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    crowded: Any = Crowded(30)
    waited = []

    def silent(_key: str, timeout_s: float) -> Fate:
        waited.append(timeout_s)
        raise NotYetFinal("not known yet")

    monkeypatch.setattr(crowded, "await_fate", silent)
    times = iter((True, False))
    done = work_books(chain=crowded, key_id="oracle", now_us=1, goes_on=lambda: next(times))
    assert (done.calls, done.needing, sum(waited) <= 10) == (0, 30, True)
