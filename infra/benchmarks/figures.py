"""A figure beside its target: measured some times, and the median told."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from typing import Any

import msgspec

Number = int | float
RUNS = 5


class Target(msgspec.Struct, frozen=True):
    """What the figure should be: ``at_least`` or ``at_most`` a number of ``unit``."""

    kind: str
    number: Number
    unit: str

    def met_by(self, number: Number) -> bool:
        """Whether a figure is as good as that."""
        return number >= self.number if self.kind == "at_least" else number <= self.number


def at_least(number: Number, unit: str) -> Target:
    """A figure that should be high."""
    return Target("at_least", number, unit)


def at_most(number: Number, unit: str) -> Target:
    """A figure that should be low."""
    return Target("at_most", number, unit)


def told(number: Number, target: Target, runs: list[Number], **facts: Any) -> dict[str, Any]:
    """The figure as the document shows it; ``facts`` say more about it."""
    return {
        "figure": number,
        "unit": target.unit,
        target.kind: target.number,
        "met": target.met_by(number),
        "runs": runs,
        **facts,
    }


def measured(measure: Callable[[], Number], target: Target) -> dict[str, Any]:
    """The median of RUNS measurements."""
    figures = [measure() for _ in range(RUNS)]
    return told(median(figures), target, figures)
