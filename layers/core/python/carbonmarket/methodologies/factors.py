"""Emission factors: published numbers with their unit, source, citation and rounding.

One JSON file per factor in ``methodologies/factors``. A file never changes once a registered methodology
version uses it: the version's document and the tests pin its value.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from importlib import resources

import msgspec

from carbonmarket.errors import NotFound
from carbonmarket.quantities import parse_decimal

GRAMS_PER_LB = Fraction("453.59237")
"""The international pound, exact by definition (1959)."""

_GRAMS_PER_KWH = {"g/kWh": Fraction(1), "kg/MWh": Fraction(1), "lb/MWh": GRAMS_PER_LB / 1_000}


class Factor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A published emission factor; ``value`` is as printed in ``unit``, ``note`` says what is uncertain."""

    id: str
    name: str
    value: str
    unit: str
    gases: str
    grams_per_kwh_decimals: int
    rounding: str
    source: str
    citation: str
    note: str

    @property
    def grams_per_kwh(self) -> Fraction:
        """The factor in g/kWh, rounded down to ``grams_per_kwh_decimals`` decimals."""
        exact = parse_decimal(self.value, self.id) * _GRAMS_PER_KWH[self.unit]
        return round_down(exact, self.grams_per_kwh_decimals)


@lru_cache(maxsize=64)
def load(factor_id: str) -> Factor:
    """The factor of that id; NotFound where there is none."""
    path = resources.files("carbonmarket.methodologies").joinpath("factors", f"{factor_id}.json")
    if not path.is_file():
        raise NotFound(f"there is no emission factor {factor_id}")
    return msgspec.json.decode(path.read_bytes(), type=Factor)


def round_down(value: Fraction, decimals: int) -> Fraction:
    """``value`` cut towards minus infinity to ``decimals`` decimals."""
    return Fraction(value * 10**decimals // 1, 10**decimals)
