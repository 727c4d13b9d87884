"""Where a gateway reads: here a CSV file of a meter's series, replayed."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

import msgspec

_MICROWATTS = 1_000_000
_HEADER = 1


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """One interval of a meter: ``start_s`` is seconds since 1970, ``power_uw`` its mean AC power in
    microwatts, or None where ``fault`` says why the row can't be read. ``raw`` is the row's text, ``line``
    its place in the source, from 1."""

    line: int
    raw: str
    start_s: int
    power_uw: int | None
    fault: str = ""


class SourceError(Exception):
    """The source is not of the form that was promised."""


def read_csv(path: Path, *, after: int = 0) -> Iterator[Measurement]:
    """The rows of a file of (time with offset, watts), from the one after line ``after``.

    A time is the interval's start. An empty row is nothing; a row that can't be read is a fault.
    """
    with path.open(newline="") as file:
        rows = csv.reader(file)
        if len(next(rows, [])) != 2:
            raise SourceError(f"{path} must have two columns: time and watts")
        for line, row in enumerate(rows, start=_HEADER):
            if row and line > after:
                yield _measurement(line, row)


def microwatts(text: str) -> int:
    """Watts as integer microwatts; ValueError if that is not exact or is no number."""
    try:
        exact = Decimal(text) * _MICROWATTS
    except InvalidOperation:
        raise ValueError(f"{text!r} is no number of watts") from None
    if not exact.is_finite() or exact != exact.to_integral_value():
        raise ValueError(f"{text!r} W is not a whole number of microwatts")
    return int(exact)


def _measurement(line: int, row: list[str]) -> Measurement:
    raw = ",".join(row)
    try:
        time, watts = row
        moment = datetime.fromisoformat(time)
        if moment.tzinfo is None or moment.microsecond:
            raise ValueError(f"{time!r} must have an offset and whole seconds")
        start_s = int(moment.astimezone(UTC).timestamp())
        return Measurement(line=line, raw=raw, start_s=start_s, power_uw=microwatts(watts))
    except ValueError as error:
        return Measurement(line=line, raw=raw, start_s=0, power_uw=None, fault=str(error))
