"""What each type of sensor may say: its schema, its physical limits, and its plate's.

A schema in ``schemas/sensors`` gives a type's fields, their units and the limits that no such device on
Earth exceeds. ``x-rated`` names the field that a device's plate limits.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any

import msgspec

from carbonmarket import schema
from carbonmarket.errors import InvalidInput

SENSOR_TYPES = (
    "temperature",
    "humidity",
    "air_quality",
    "solar_output",
    "wind_generation",
    "grid_consumption",
    "factory_emissions",
    "fuel_consumption",
    "efficiency",
    "vehicle_tracking",
    "vehicle_fuel",
    "vehicle_route",
    "soil_carbon",
    "biomass",
    "water_usage",
)


class Rating(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a device's plate says, in the unit of its type's rated field (``power_uw``: µW).

    ``nameplate`` is the largest value it can deliver, ``standby`` the largest it takes itself (both 0 or
    more). A type without a rated field has no plate to check; both are 0 there.
    """

    type: str
    nameplate: int
    standby: int


def check_reading(reading: Mapping[str, Any], where: str = "") -> None:
    """Raise InvalidInput with the field below ``where`` unless the reading fits its type's schema."""
    kind = reading["type"]
    if kind not in SENSOR_TYPES:
        raise InvalidInput(f"there is no sensor type {kind!r}", field=f"{where}/type")
    schema.check(f"sensors/{kind}", reading, where)


def check_physics(reading: Mapping[str, Any], rating: Rating) -> str | None:
    """Why this device can't have measured that, as a sentence; None where it can."""
    if reading["type"] != rating.type:
        return f"the device measures {rating.type}, not {reading['type']}"
    return _beyond_plate(reading, rating) or _contradiction(reading)


def energy_uj(reading: Mapping[str, Any], measured: Collection[str]) -> int:
    """Energy of the interval in µJ (power_uw times seconds), negative where the device consumed.

    0 for a type that is not among those ``measured`` by the project's methodology: its anchors commit to the
    reading, not to energy.
    """
    if reading["type"] not in measured:
        return 0
    energy: int = reading["power_uw"] * reading["seconds"]
    return energy


@lru_cache(maxsize=64)
def _rated_field(kind: str) -> str | None:
    field: str | None = schema.load(f"sensors/{kind}").get("x-rated")
    return field


def _beyond_plate(reading: Mapping[str, Any], rating: Rating) -> str | None:
    field = _rated_field(rating.type)
    if field is None:
        return None
    value = reading[field]
    if value > rating.nameplate:
        return f"{field} {value} is above the device's nameplate of {rating.nameplate}"
    if value < -rating.standby:
        return f"{field} {value} is below the device's own consumption of at most {rating.standby}"
    return None


def _contradiction(reading: Mapping[str, Any]) -> str | None:
    """Two fields that can't both be true."""
    if reading["type"] == "efficiency" and reading["output_uw"] > reading["input_uw"]:
        return f"output_uw {reading['output_uw']} is more than input_uw {reading['input_uw']}"
    if reading["type"] == "soil_carbon" and reading["depth_top_mm"] >= reading["depth_bottom_mm"]:
        return f"the layer ends at {reading['depth_bottom_mm']} mm, above where it begins"
    return None
