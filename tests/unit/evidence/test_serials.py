"""Serial ranges."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbonmarket import serials
from carbonmarket.errors import InvalidInput

RANGE = serials.SerialRange(
    prefix="CM", country="US", project="SERFEAST", vintage=2016, batch="BAT1", first=1_000_001, last=1_123_456
)
TEXT = "CM-US-SERFEAST-2016-BAT1-1000001-1123456"


def test_a_range_is_written_and_read() -> None:
    assert str(RANGE) == TEXT
    assert serials.parse(TEXT) == RANGE
    assert RANGE.grams == 123_456


@pytest.mark.parametrize(
    "text",
    [
        "CM-US-SERFEAST-2016-BAT1-1000001",
        "CM-us-SERFEAST-2016-BAT1-1-2",
        "CM-US-SERFEAST-16-BAT1-1-2",
        "CM-US-SERFEAST-2016-BAT1-NaN-2",
        "CM-US-SERFEAST-2016-BAT1-0-2",
        "CM-US-SERFEAST-2016-BAT1-5-4",
        "CM-US-SERFEAST-2016-BAT1-1-99999999999999999999",
        TEXT + "\n",
    ],
)
def test_another_form_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        serials.parse(text)


def test_a_part_lies_in_its_block_and_in_no_other() -> None:
    block = serials.parse("CM-US-SERFEAST-2016-BAT1-1000001-2000000")
    assert block.contains(RANGE)
    assert not RANGE.contains(block)
    assert not serials.parse("CM-US-SERFEAST-2016-BAT2-1000001-2000000").contains(RANGE)


@given(st.integers(1, 1_000), st.lists(st.integers(1, 50), min_size=1, max_size=20))
def test_taking_the_next_range_each_time_covers_the_block(first: int, sizes: list[int]) -> None:
    parts, start = [], first
    for size in sizes:
        parts.append((start, start + size - 1))
        start += size
    assert serials.overlapping(parts) is None
    assert serials.covers((first, start - 1), parts)
    assert not serials.covers((first, start), parts)
    assert not serials.covers((first, start - 1), [*parts, parts[0]])


def test_two_ranges_that_share_a_serial_are_found() -> None:
    assert serials.overlapping([(10, 20), (1, 9), (20, 30)]) == ((10, 20), (20, 30))
