"""Candles and the figures of the last 24 hours, from trades and from candles.

A candle covers a whole interval of UTC from its start on, in microseconds. A 24-hour figure is put together
from candles: minutes up to the first full hour of the window, then hours; so it is exact to the minute.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from carbonmarket.records.market import Candle, Interval, Ticker

_SECOND_US = 1_000_000
MINUTE_US = 60 * _SECOND_US
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US
INTERVALS: dict[Interval, int] = {"1m": MINUTE_US, "5m": 5 * MINUTE_US, "1h": HOUR_US, "1d": DAY_US}
"""Lengths in microseconds."""


def start_of(interval: Interval, time_us: int) -> int:
    """The start of the interval that contains a time."""
    return time_us - time_us % INTERVALS[interval]


def with_trade(candle: Candle, price: int, grams: int, quote: int) -> Candle:
    """The candle after one more trade, the newest."""
    return replace(
        candle,
        high=max(candle.high, price),
        low=min(candle.low, price),
        close=price,
        grams=candle.grams + grams,
        quote=candle.quote + quote,
        trades=candle.trades + 1,
    )


def of_trade(book: int, interval: Interval, time_us: int, price: int, grams: int, quote: int) -> Candle:
    """The candle of its first trade."""
    return Candle(
        book=book,
        interval=interval,
        start_us=start_of(interval, time_us),
        open=price,
        high=price,
        low=price,
        close=price,
        grams=grams,
        quote=quote,
        trades=1,
    )


def window(now_us: int) -> tuple[int, int]:
    """(start of the 24 hours' first minute, start of their first full hour).

    The window ends with the minute of ``now_us`` and begins 24 hours before that minute's end.
    """
    start = start_of("1m", now_us) + MINUTE_US - DAY_US
    return start, -(-start // HOUR_US) * HOUR_US


def ticker(
    book: int,
    last_price: int | None,
    candles: Sequence[Candle],
    best_bid: int | None,
    best_ask: int | None,
) -> Ticker:
    """The figures over ``candles``, which cover the window once and are in order of time."""
    return Ticker(
        book=book,
        last_price=last_price,
        open_24h=candles[0].open if candles else None,
        high_24h=max((candle.high for candle in candles), default=None),
        low_24h=min((candle.low for candle in candles), default=None),
        grams_24h=sum(candle.grams for candle in candles),
        quote_24h=sum(candle.quote for candle in candles),
        trades_24h=sum(candle.trades for candle in candles),
        best_bid=best_bid,
        best_ask=best_ask,
    )
