"""EventBridge's schedule expressions: ``rate(n unit)`` and ``cron(minute hour day month weekday year)``."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_CRON = re.compile(r"cron\(([^()]+)\)")
_UNIT_SECONDS = {"minute": 60, "hour": 3600, "day": 86_400}
# minute, hour, day of month, month, day of week (1 is Sunday), year
_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (1, 7), (1970, 2199))


class ScheduleError(ValueError):
    """An expression is not understood; the text says which."""


@dataclass(frozen=True)
class Rate:
    """Every so many seconds, the first time at once."""

    seconds: int


@dataclass(frozen=True)
class Cron:
    """At each minute (UTC) whose fields are all in the sets."""

    fields: tuple[frozenset[int], ...]

    def holds(self, at: datetime.datetime) -> bool:
        """Whether a minute is one of them."""
        values = (at.minute, at.hour, at.day, at.month, at.isoweekday() % 7 + 1, at.year)
        return all(value in field for value, field in zip(values, self.fields, strict=True))


def parse(expression: str) -> Rate | Cron:
    """Read an expression; :class:`ScheduleError` if it is not understood."""
    if rate := _RATE.fullmatch(expression):
        if int(rate[1]) < 1:
            raise ScheduleError(f"{expression} never comes: a rate counts from 1")
        return Rate(int(rate[1]) * _UNIT_SECONDS[rate[2]])
    cron = _CRON.fullmatch(expression)
    fields = cron[1].split() if cron else []
    if len(fields) != len(_RANGES):
        raise ScheduleError(f"{expression} is neither rate(n minutes) nor cron() with six fields")
    return Cron(tuple(_field(text, *span, expression) for text, span in zip(fields, _RANGES, strict=True)))


def _field(text: str, first: int, last: int, expression: str) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"(?:[*?]|(\d+)(?:-(\d+))?)(?:/(\d+))?", part)
        if match is None:
            raise ScheduleError(
                f"{part} in {expression} is not understood: use numbers, lists, ranges and steps"
            )
        low = int(match[1]) if match[1] else first
        # A step after a single number runs to the end of the field.
        high = int(match[2] or (last if match[3] else match[1])) if match[1] else last
        step = int(match[3] or 1)
        if not first <= low <= high <= last or step < 1:
            raise ScheduleError(f"{part} in {expression} is outside {first} to {last}")
        found.update(range(low, high + 1, step))
    return frozenset(found)
