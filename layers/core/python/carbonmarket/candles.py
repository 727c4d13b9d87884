"""Candles and the figures of the last 24 hours, from trades and from candles.

A candle covers a whole interval of UTC from its start on, in microseconds. A 24-hour figure is put together
from candles that cover the window once, the longest that fit; so it is exact to the minute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

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


def window_start(now_us: int) -> int:
    """The start of the 24 hours' first minute, 24 hours before the end of the minute of ``now_us``."""
    return start_of("1m", now_us) + MINUTE_US - DAY_US


Places = Sequence[tuple[int, int]]
"""(book, start) of candles of one interval."""


def of_last_24h(
    books: Iterable[int], now_us: int, read: Callable[[Interval, Places], Iterable[Candle]]
) -> dict[int, list[Candle]]:
    """By book, the candles that cover the 24 hours before ``now_us`` once, in order of time.

    ``read`` gives those that there are. From days down to minutes, only the candle that begins before the
    window is looked into: four reads serve all books, and of one without trades they look at two days.
    ``now_us`` must be no earlier than the last trade.
    """
    from_us = window_start(now_us)
    found: dict[int, list[Candle]] = {book: [] for book in books}
    # What is not covered yet: each book's time from the window's start up to before an end.
    left = [(book, now_us + 1) for book in found]
    for interval in reversed(INTERVALS):
        places = [(book, at) for book, end_us in left for at in _starts(interval, from_us, end_us)]
        left = []
        for candle in read(interval, places):
            if candle.start_us < from_us:
                left.append((candle.book, candle.start_us + INTERVALS[interval]))
            else:
                found[candle.book].append(candle)
    return {book: sorted(chosen, key=_start) for book, chosen in found.items()}


def _starts(interval: Interval, from_us: int, to_us: int) -> range:
    """The starts of the intervals that cover the time from ``from_us`` up to before ``to_us``."""
    return range(start_of(interval, from_us), to_us, INTERVALS[interval])


def _start(candle: Candle) -> int:
    return candle.start_us


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
