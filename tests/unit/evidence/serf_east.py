"""NREL's SERF East array as pvanalytics ships it: 10,000 quarter-hours of AC power in W, from 2016-07-01."""

from __future__ import annotations

import csv
import importlib.util
from datetime import datetime
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

from carbonmarket.methodologies.report import Interval


@lru_cache(maxsize=1)
def series() -> tuple[Interval, ...]:
    """Every interval of the file, power in whole µW (the file has at most five decimals of W)."""
    package = importlib.util.find_spec("pvanalytics")
    assert package is not None
    assert package.submodule_search_locations
    path = Path(package.submodule_search_locations[0]) / "data" / "serf_east_15min_ac_power.csv"
    with path.open(newline="") as file:
        rows = [row for row in csv.reader(file) if row and row[0].startswith("20")]
    return tuple(
        Interval(
            device="inv-1",
            start_us=int(datetime.fromisoformat(stamp).timestamp()) * 1_000_000,
            seconds=900,
            power_uw=int(Fraction(watts) * 1_000_000),
        )
        for stamp, watts in rows
    )


def intervals_of(month: str) -> tuple[int, int, tuple[Interval, ...]]:
    """Start and end of a UTC month ("2016-07") in microseconds, and its intervals."""
    year, number = map(int, month.split("-"))
    following = f"{year + number // 12}-{number % 12 + 1:02}"
    start_us, end_us = (
        int(datetime.fromisoformat(f"{name}-01T00:00:00+00:00").timestamp()) * 1_000_000
        for name in (month, following)
    )
    return start_us, end_us, tuple(item for item in series() if start_us <= item.start_us < end_us)
