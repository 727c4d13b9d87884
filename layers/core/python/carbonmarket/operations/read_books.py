"""What everybody may see of the books: terms, depth, trades, candles, tickers."""

from __future__ import annotations

from typing import get_args

import msgspec

from carbonmarket.errors import InvalidInput, NotFound
from carbonmarket.operations.acts import Desk, parse_number
from carbonmarket.operations.cancel_order import parse_order
from carbonmarket.operations.find_credits import own_organisation
from carbonmarket.records.market import Book, Candle, Interval, Level, Order, Ticker, Trade
from carbonmarket.records.principal import Principal
from carbonmarket.times import MICROSECONDS, parse_us

INTERVAL_S: dict[Interval, int] = {"1m": 60, "5m": 300, "1h": 3_600, "1d": 86_400}
CANDLES_MAX = 500
LEVELS_DEFAULT = 20
LEVELS_MAX = 100


class Depth(msgspec.Struct, frozen=True, kw_only=True):
    """The prices of both sides, the best first."""

    book: int
    bids: list[Level]
    asks: list[Level]


def get_book(book: str, *, desk: Desk) -> Book:
    """A book's terms."""
    found = desk.market.book(parse_number(book, "book"))
    if found is None:
        raise NotFound("there is no book with this number", field="book")
    return found


def get_depth(book: str, levels: str | None, *, desk: Desk) -> Depth:
    """The best prices of both sides, ``levels`` of each."""
    number = get_book(book, desk=desk).number
    text = levels if levels is not None else str(LEVELS_DEFAULT)
    if not (text.isascii() and text.isdecimal() and len(text) < 5 and 1 <= int(text) <= LEVELS_MAX):
        raise InvalidInput(f"levels must be a whole number from 1 to {LEVELS_MAX}", field="levels")
    bids, asks = (desk.market.levels(number, is_bid, first=int(text)) for is_bid in (True, False))
    return Depth(book=number, bids=bids, asks=asks)


def list_trades(book: str, after: str | None, first: int, *, desk: Desk) -> list[tuple[str, Trade]]:
    """A book's trades, the newest first."""
    return desk.market.trades(get_book(book, desk=desk).number, after=after, first=first)


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
    return desk.market.candles(get_book(book, desk=desk).number, chosen, from_us, to_us)


def get_ticker(book: str, *, desk: Desk) -> Ticker:
    """A book's figures of the last 24 hours."""
    [found] = desk.market.tickers([get_book(book, desk=desk)], ledger_now_us(desk))
    return found


def list_tickers(after: str | None, first: int, *, desk: Desk) -> list[tuple[str, Ticker]]:
    """The figures of all books."""
    rows = desk.market.books(after=after, first=first)
    tickers = desk.market.tickers([book for _, book in rows], ledger_now_us(desk))
    return [(cursor, ticker) for (cursor, _), ticker in zip(rows, tickers, strict=True)]


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
    after: str | None, first: int, *, open_only: bool, caller: Principal, desk: Desk
) -> list[tuple[str, Order]]:
    """The orders of the caller's organisation, those placed last first."""
    account = own_organisation(caller, desk.accounts).account_address
    return desk.market.orders_of(account, open_only=open_only, after=after, first=first)
