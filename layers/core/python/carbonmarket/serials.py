"""Serial numbers: one gram, one serial, written as ranges.

The form is ``<prefix>-<country>-<project>-<vintage>-<batch>-<first>-<last>``, for example
``CM-US-SERFEAST-2016-BAT4K7Q-1000001-1123456``. First and last are both included.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence

import msgspec

from carbonmarket.errors import InvalidInput
from carbonmarket.quantities import U64_MAX

PREFIX = "CM"
_FORM = re.compile(
    r"(?P<prefix>[A-Z0-9]{1,8})-(?P<country>[A-Z]{2})-(?P<project>[A-Z0-9]{1,16})-(?P<vintage>[0-9]{4})"
    r"-(?P<batch>[A-Z0-9]{1,32})-(?P<first>[1-9][0-9]{0,19})-(?P<last>[1-9][0-9]{0,19})"
)


class SerialRange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A range of serials of one batch. ``vintage`` is the year in which the monitoring period starts."""

    prefix: str
    country: str
    project: str
    vintage: int
    batch: str
    first: int
    last: int

    @property
    def grams(self) -> int:
        """How many serials, and so how many grams."""
        return self.last - self.first + 1

    def __str__(self) -> str:
        return (
            f"{self.prefix}-{self.country}-{self.project}-{self.vintage:04}-{self.batch}"
            f"-{self.first}-{self.last}"
        )

    def contains(self, other: SerialRange) -> bool:
        """Whether ``other`` is a part of this range: the same batch in all respects, and within it."""
        same = msgspec.structs.replace(other, first=self.first, last=self.last) == self
        return same and self.first <= other.first and other.last <= self.last


def parse(text: str, field: str = "serials") -> SerialRange:
    """The range in ``text``; InvalidInput for another form, or a last serial below the first."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise InvalidInput(
            f"{field} must be like CM-US-SERFEAST-2016-BAT4K7Q-1-1000, not {text[:120]!r}", field=field
        )
    first, last = int(match["first"]), int(match["last"])
    if first > last or last > U64_MAX:
        raise InvalidInput(f"{field} runs from {first} to {last}, which is no range of serials", field=field)
    return SerialRange(
        prefix=match["prefix"],
        country=match["country"],
        project=match["project"],
        vintage=int(match["vintage"]),
        batch=match["batch"],
        first=first,
        last=last,
    )


def overlapping(ranges: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Two (first, last) ranges that share a serial, or None where all are disjoint."""
    ordered = sorted(ranges)
    for before, after in itertools.pairwise(ordered):
        if after[0] <= before[1]:
            return before, after
    return None


def covers(block: tuple[int, int], parts: Sequence[tuple[int, int]]) -> bool:
    """Whether disjoint ``parts`` fill ``block`` from its first serial to its last, with no gap."""
    if overlapping(parts) is not None or not parts:
        return False
    grams = sum(last - first + 1 for first, last in parts)
    ends = (min(first for first, _ in parts), max(last for _, last in parts))
    return ends == block and grams == block[1] - block[0] + 1
