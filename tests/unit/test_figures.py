"""The benchmarks' document: a figure says for itself whether it met its target."""

from __future__ import annotations

import pytest

from infra.benchmarks.figures import Number, Target, at_least, at_most, measured


@pytest.mark.parametrize(
    ("target", "number", "met"),
    [
        (at_least(500, "transfers/s"), 500, True),
        (at_least(500, "transfers/s"), 499, False),
        (at_most(3, "s"), 3, True),
        (at_most(3, "s"), 3.001, False),
    ],
)
def test_a_target_is_met_up_to_its_number(target: Target, number: Number, met: bool) -> None:
    assert target.met_by(number) is met


def test_the_median_is_told_with_its_runs_and_its_target() -> None:
    runs = iter([9, 1, 5, 7, 3])
    assert measured(lambda: next(runs), at_most(4, "s")) == {
        "figure": 5,
        "unit": "s",
        "at_most": 4,
        "met": False,
        "runs": [9, 1, 5, 7, 3],
    }
