"""Candles are whole intervals of UTC, and a ticker is the trades of the last 24 hours, each counted once."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest

from carbonmarket import candles
from carbonmarket.candles import DAY_US, HOUR_US, INTERVALS, MINUTE_US, Places
from carbonmarket.records.market import Candle, Interval, Ticker

NOON = 1_467_374_400_000_000  # 2016-07-01T12:00Z
Trade = tuple[int, int, int]
"""(time, price, grams); a quote unit a gram and price."""


def folded(trades: Iterable[Trade], interval: Interval) -> dict[int, Candle]:
    """The candles of trades, by their start."""
    found: dict[int, Candle] = {}
    for time_us, price, grams in trades:
        start = candles.start_of(interval, time_us)
        if start in found:
            found[start] = candles.with_trade(found[start], price, grams, price * grams)
        else:
            found[start] = candles.of_trade(1, interval, time_us, price, grams, price * grams)
    return found


def ticker(trades: list[Trade], now_us: int) -> Ticker:
    """The figures as an adapter gets them."""

    def read(interval: Interval, places: Places) -> list[Candle]:
        found = folded(trades, interval)
        return [found[start] for _, start in places if start in found]

    return candles.ticker(1, None, candles.of_last_24h([1], now_us, read)[1], None, None)


def test_a_candle_tells_first_last_highest_and_lowest() -> None:
    trades = [(NOON, 12, 5), (NOON + 1, 15, 1), (NOON + 2, 9, 2), (NOON + MINUTE_US - 1, 10, 4)]
    [candle] = folded(trades, "1m").values()
    assert (candle.start_us, candle.trades) == (NOON, 4)
    assert (candle.open, candle.high, candle.low, candle.close) == (12, 15, 9, 10)
    assert (candle.grams, candle.quote) == (12, 60 + 15 + 18 + 40)


@pytest.mark.parametrize("interval", list(INTERVALS))
def test_a_trade_belongs_to_the_interval_that_it_is_in(interval: Interval) -> None:
    start = candles.start_of(interval, NOON + 7 * HOUR_US + 13 * MINUTE_US + 1)
    assert start % INTERVALS[interval] == 0
    assert candles.start_of(interval, start) == start
    assert candles.start_of(interval, start + INTERVALS[interval] - 1) == start
    assert candles.start_of(interval, start - 1) == start - INTERVALS[interval]


def test_a_book_without_trades_has_no_prices() -> None:
    empty = ticker([], NOON)
    assert (empty.open_24h, empty.high_24h, empty.low_24h, empty.trades_24h) == (None, None, None, 0)


def test_what_is_older_than_24_hours_is_left_out_to_the_minute() -> None:
    now = NOON + 17 * MINUTE_US + 5
    end_of_minute = NOON + 18 * MINUTE_US
    inside, outside = (end_of_minute - DAY_US, 11, 1), (end_of_minute - DAY_US - 1, 99, 1)
    found = ticker([outside, inside, (now, 12, 3)], now)
    assert (found.open_24h, found.high_24h, found.trades_24h, found.grams_24h) == (11, 12, 2, 4)


@pytest.mark.parametrize("seed", range(5))
def test_minutes_and_hours_together_count_each_trade_once(seed: int) -> None:
    chance = random.Random(seed)
    now = NOON + chance.randrange(DAY_US)
    times = sorted(now - chance.randrange(2 * DAY_US) for _ in range(400))
    trades = [(at, chance.randrange(1, 100), chance.randrange(1, 1_000)) for at in times]
    recent = [trade for trade in trades if trade[0] >= candles.window_start(now)]
    found = ticker(trades, now)
    assert found.trades_24h == len(recent)
    assert found.grams_24h == sum(grams for _, _, grams in recent)
    assert found.quote_24h == sum(price * grams for _, price, grams in recent)
    assert found.open_24h == recent[0][1]
    assert (found.high_24h, found.low_24h) == (max(p for _, p, _ in recent), min(p for _, p, _ in recent))
