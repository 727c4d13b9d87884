"""What waits in a book is done without anybody's call: a large order is filled to its end."""

from __future__ import annotations

from carbonmarket.operations.work_books import work_books
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
