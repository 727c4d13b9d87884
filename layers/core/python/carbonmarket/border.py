"""Values of requests that are more than text: measured quantities and spans of time."""

from __future__ import annotations

from carbonmarket.errors import InvalidInput
from carbonmarket.quantities import parse_decimal
from carbonmarket.times import DAY_S, MICROSECONDS, parse_us

_DAY_US = DAY_S * MICROSECONDS
PERIOD_DAYS_MAX = 366
CHAIN_TEXT_BYTES_MAX = 256
"""What the contracts take of a reason (move/sources/inputs.move)."""


def parse_units(text: str, field: str, decimals: int) -> int:
    """Units of 10^-decimals, exactly: ("6.3533", 6) is 6,353,300. Refuses more decimals than are kept."""
    units = parse_decimal(text, field) * 10**decimals
    if units.denominator != 1:
        raise InvalidInput(f"{field} has more than {decimals} decimals", field=field)
    return int(units)


def parse_range(text: str, field: str, decimals: int, low: int, high: int) -> int:
    """As :func:`parse_units`, from ``low`` to ``high`` units."""
    units = parse_units(text, field, decimals)
    if not low <= units <= high:
        raise InvalidInput(f"{field} is out of its range", field=field)
    return units


def parse_span(start: str, end: str, prefix: str = "") -> tuple[int, int]:
    """(start, end) in microseconds of two times of which the first is earlier."""
    start_us, end_us = parse_us(start, prefix + "start"), parse_us(end, prefix + "end")
    if start_us >= end_us:
        raise InvalidInput(f"{prefix}end must be later than {prefix}start", field=prefix + "end")
    return start_us, end_us


def require_chain_text(text: str, field: str) -> str:
    """The text, if it fits on chain. Schemas count characters, the contracts bytes of UTF-8."""
    size = len(text.encode())
    if size > CHAIN_TEXT_BYTES_MAX:
        raise InvalidInput(
            f"{field} has {size} bytes in UTF-8; the chain takes at most {CHAIN_TEXT_BYTES_MAX}", field=field
        )
    return text


def parse_days(start: str, end: str) -> tuple[int, int]:
    """(start, end) of whole UTC days, at most 366 of them, as the contracts close periods."""
    start_us, end_us = parse_span(start, end)
    for field, value in (("start", start_us), ("end", end_us)):
        if value % _DAY_US:
            raise InvalidInput(f"{field} must be midnight UTC; periods are whole days", field=field)
    if end_us - start_us > PERIOD_DAYS_MAX * _DAY_US:
        raise InvalidInput(f"a period has at most {PERIOD_DAYS_MAX} days", field="end")
    return start_us, end_us
