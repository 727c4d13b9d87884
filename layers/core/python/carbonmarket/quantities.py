"""Quantities at the border: decimal strings outside, integers inside, never a float between.

Inside: grams of CO2e, microjoules (µJ, that is µW x s). 1 Wh is 3,600,000,000 µJ.
"""

from __future__ import annotations

import re
from fractions import Fraction

from carbonmarket.errors import InvalidInput

UJ_PER_WH = 3_600_000_000
U64_MAX = 2**64 - 1
BATCH_GRAMS_MAX = 10**15
"""What the contract takes as one batch at most."""
GRAM_DIGITS = 20
"""Digits of the largest u64, which is what a contract can hold."""

_INTEGER = re.compile(r"-?[0-9]+")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_DECIMAL_DIGITS = 40


def parse_grams(text: object, field: str) -> int:
    """Whole grams of CO2e, 1 to 2^64 - 1, from a decimal string such as "123456".

    Raises InvalidInput, naming ``field``, for anything else: a number instead of a string, a fraction, a
    sign, a leading zero, zero, NaN, or too many digits.
    """
    if not isinstance(text, str):
        raise InvalidInput(f'{field} must be a string of digits such as "123456", not {text!r}', field=field)
    if not _INTEGER.fullmatch(text):
        raise InvalidInput(f"{field} must be whole grams, digits only, not {text[:40]!r}", field=field)
    if text.startswith("-"):
        raise InvalidInput(f"{field} must not be negative", field=field)
    if text.startswith("0"):
        zero = not text.strip("0")
        raise InvalidInput(f"{field} must {'be more than zero' if zero else 'not begin with 0'}", field=field)
    if len(text) > GRAM_DIGITS or int(text) > U64_MAX:
        raise InvalidInput(f"{field} is more than {U64_MAX} grams, the most that 64 bits hold", field=field)
    return int(text)


def parse_decimal(text: str, field: str) -> Fraction:
    """The exact value of a plain decimal string such as "-12.5" (no exponent), at most 40 characters."""
    if len(text) > _DECIMAL_DIGITS or not _DECIMAL.fullmatch(text):
        raise InvalidInput(f"{field} must be a decimal number such as 1234.5, not {text[:40]!r}", field=field)
    return Fraction(text)


def format_wh(energy_uj: int) -> str:
    """Watt-hours with four decimals, to the nearest, a tie to the even digit (ISO 80000-1, rule A).

    For people and summaries; grams are computed from the exact µJ.
    """
    return format_decimal(round(Fraction(energy_uj * 10_000, UJ_PER_WH)), 4)


def format_decimal(units: int, decimals: int) -> str:
    """``units`` of 10^-decimals as a decimal string: (8575258901, 4) is "857525.8901"."""
    sign = "-" if units < 0 else ""
    whole, fraction = divmod(abs(units), 10**decimals)
    return f"{sign}{whole}.{fraction:0{decimals}}" if decimals else f"{sign}{whole}"


def format_tonnes(grams: int) -> str:
    """Tonnes with all six decimals, exact: 123456 is "0.123456"."""
    return format_decimal(grams, 6)
