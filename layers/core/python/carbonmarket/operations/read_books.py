"""What everybody may see of the books: terms, depth, trades, candles, tickers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import msgspec

from carbonmarket.errors import InvalidInput, NotFound
from carbonmarket.halts import halt_of
from carbonmarket.operations.acts import Desk, parse_number
from carbonmarket.operations.cancel_order import parse_order
from carbonmarket.operations.find_credits import own_organisation
from carbonmarket.records.chain import Batch
from carbonmarket.records.market import Book, Candle, Halt, Interval, Level, Order, Ticker, Trade
from carbonmarket.records.principal import Principal
from carbonmarket.times import MICROSECONDS, parse_us

INTERVAL_S: dict[Interval, int] = {"1m": 60, "5m": 300, "1h": 3_600, "1d": 86_400}
CANDLES_MAX = 500
LEVELS_DEFAULT = 20
LEVELS_MAX = 100


class SeenBook(msgspec.Struct, frozen=True, kw_only=True):
    """A book with its batch, if that was seen, and why nothing can be traded in it now."""

    book: Book
    batch: Batch | None
    halt: Halt | None


class Depth(msgspec.Struct, frozen=True, kw_only=True):
    """The prices of both sides, the best first, and why none of them can be taken now."""

    book: int
    halt: Halt | None
    bids: list[Level]
    asks: list[Level]


def list_books(after: str | None, first: int, *, desk: Desk) -> list[tuple[str, SeenBook]]:
    """All books, by number."""
    rows = desk.market.books(after=after, first=first)
    seen = _seen([book for _, book in rows], desk)
    return [(cursor, book) for (cursor, _), book in zip(rows, seen, strict=True)]


def get_book(book: str, *, desk: Desk) -> SeenBook:
    """A book's terms."""
    [found] = _seen([_book(book, desk)], desk)
    return found


def _book(book: str, desk: Desk) -> Book:
    found = desk.market.book(parse_number(book, "book"))
    if found is None:
        raise NotFound("there is no book with this number", field="book")
    return found


def _seen(books: Sequence[Book], desk: Desk) -> list[SeenBook]:
    batches, frozen = desk.credits.batches_at({book.batch for book in books}), desk.credits.frozen()
    found = ((book, batches.get(book.batch)) for book in books)
    return [
        SeenBook(book=book, batch=batch, halt=None if batch is None else halt_of(batch, book.labels, frozen))
        for book, batch in found
    ]


def get_depth(book: str, levels: str | None, *, desk: Desk) -> Depth:
    """The best prices of both sides, ``levels`` of each."""
    text = levels if levels is not None else str(LEVELS_DEFAULT)
    if not (text.isascii() and text.isdecimal() and len(text) < 5 and 1 <= int(text) <= LEVELS_MAX):
        raise InvalidInput(f"levels must be a whole number from 1 to {LEVELS_MAX}", field="levels")
    seen = get_book(book, desk=desk)
    number = seen.book.number
    bids, asks = (desk.market.levels(number, is_bid, first=int(text)) for is_bid in (True, False))
    return Depth(book=number, halt=seen.halt, bids=bids, asks=asks)


def list_trades(book: str, after: str | None, first: int, *, desk: Desk) -> list[tuple[str, Trade]]:
    """A book's trades, the newest first."""
    return desk.market.trades(_book(book, desk).number, after=after, first=first)


def list_candles(book: str, query: dict[str, str], *, desk: Desk) -> list[Candle]:
    """Candles of an interval: those of the last 500 intervals, or from ``from`` up to before ``to``."""
    interval = query.get("interval", "1h")
    if interval not in get_args(Interval):
        raise InvalidInput(f"interval must be one of {', '.join(INTERVAL_S)}", field="interval")
    chosen: Interval = interval  # type: ignore[assignment]
    span_us = INTERVAL_S[chosen] * MICROSECONDS
    now_us = ledger_now_us(desk)
    to_us = parse_us(query["to"], "to") if "to" in query else now_us - now_us % span_us + span_us
    from_us = parse_us(query["from"], "from") if "from" in query else to_us - CANDLES_MAX * span_us
    if not from_us < to_us <= from_us + CANDLES_MAX * span_us:
        raise InvalidInput(f"from must be before to, by at most {CANDLES_MAX} intervals", field="from")
    return desk.market.candles(_book(book, desk).number, chosen, from_us, to_us)


def get_ticker(book: str, *, desk: Desk) -> Ticker:
    """A book's figures of the last 24 hours."""
    [found] = _tickers([_book(book, desk)], desk)
    return found


def list_tickers(after: str | None, first: int, *, desk: Desk) -> list[tuple[str, Ticker]]:
    """The figures of all books."""
    rows = desk.market.books(after=after, first=first)
    tickers = _tickers([book for _, book in rows], desk)
    return [(cursor, ticker) for (cursor, _), ticker in zip(rows, tickers, strict=True)]


def _tickers(books: Sequence[Book], desk: Desk) -> list[Ticker]:
    tickers = desk.market.tickers(books, ledger_now_us(desk))
    return [
        msgspec.structs.replace(ticker, halt=seen.halt)
        for ticker, seen in zip(tickers, _seen(books, desk), strict=True)
    ]


def ledger_now_us(desk: Desk) -> int:
    """Now, or the last time that the ledger was seen at where that is later: trades are dated by its clock,
    which on one machine can be set forward."""
    cursor = desk.credits.cursor()
    return desk.now_us if cursor is None else max(desk.now_us, cursor.ledger_us)


def get_order(book: str, order: str, *, caller: Principal, desk: Desk) -> Order:
    """An order of the caller's organisation as it was last seen."""
    account = own_organisation(caller, desk.accounts).account_address
    found = desk.market.order(parse_number(book, "book"), str(parse_order(order)))
    if found is None or found.account != account:
        raise NotFound("there is no order with this id among yours; a new one is seen within a second")
    return found


def list_orders(
    after: str | None, first: int, *, state: str | None, caller: Principal, desk: Desk
) -> list[tuple[str, Order]]:
    """The orders of the caller's organisation, those placed last first; of ``state`` "open" those alone."""
    if state not in (None, "open"):
        raise InvalidInput('state must be "open", or left out for all orders', field="state")
    account = own_organisation(caller, desk.accounts).account_address
    return desk.market.orders_of(account, open_only=state == "open", after=after, first=first)
