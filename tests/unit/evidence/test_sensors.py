"""Sensor types: what each schema takes, and what a plate rules out."""

from __future__ import annotations

from typing import Any

import pytest

from carbonmarket import schema, sensors
from carbonmarket.errors import InvalidInput

COMMON = {"device": "d1", "start": "2016-07-01T07:00:00Z", "seconds": 900}
GOOD: dict[str, dict[str, Any]] = {
    "solar_output": {"power_uw": -7_000_000},
    "wind_generation": {"power_uw": 2_000_000_000_000, "wind_speed_mm_s": 9_500},
    "grid_consumption": {"power_uw": 12_000_000_000},
    "temperature": {"temperature_mk": 293_150},
    "humidity": {"relative_humidity_ppm": 455_000},
    "air_quality": {"pm2_5_ng_m3": 12_000, "co2_ppb": 421_000},
    "factory_emissions": {"co2_ug_s": 1_000_000_000},
    "fuel_consumption": {"fuel": "natural_gas", "mass_mg": 5_000_000},
    "efficiency": {"input_uw": 1_000, "output_uw": 400},
    "vehicle_tracking": {"latitude_e7": 397_400_000, "longitude_e7": -1_051_700_000, "distance_mm": 120_000},
    "vehicle_fuel": {"fuel": "diesel", "volume_ul": 900_000},
    "vehicle_route": {"route": "R-7", "distance_mm": 5_000_000, "load_g": 800_000},
    "soil_carbon": {
        "organic_carbon_mg_kg": 21_000,
        "bulk_density_g_m3": 1_300_000,
        "depth_top_mm": 0,
        "depth_bottom_mm": 300,
    },
    "biomass": {"dry_mass_g_m2": 18_000},
    "water_usage": {"volume_ml": 250_000},
}
SOLAR = sensors.Rating(type="solar_output", nameplate=6_000_000_000, standby=10_000_000)


def solar(power_uw: int) -> dict[str, Any]:
    return COMMON | {"type": "solar_output", "power_uw": power_uw}


@pytest.mark.parametrize("kind", sensors.SENSOR_TYPES)
def test_a_reading_of_each_type_fits(kind: str) -> None:
    sensors.check_reading(COMMON | {"type": kind} | GOOD[kind])


@pytest.mark.parametrize("kind", sensors.SENSOR_TYPES)
def test_every_integer_field_states_its_unit_and_limits(kind: str) -> None:
    for name, field in schema.load(f"sensors/{kind}")["properties"].items():
        if field.get("type") == "integer":
            assert {"minimum", "maximum", "description"} <= set(field), name


@pytest.mark.parametrize("kind", sensors.SENSOR_TYPES)
def test_a_value_beyond_the_limits_of_its_type_is_refused_by_name(kind: str) -> None:
    limits = schema.load(f"sensors/{kind}")["properties"]
    name = next(name for name in GOOD[kind] if limits[name].get("type") == "integer")
    with pytest.raises(InvalidInput) as refusal:
        reading = COMMON | {"type": kind} | GOOD[kind] | {name: limits[name]["maximum"] + 1}
        sensors.check_reading(reading, "/readings/3")
    assert refusal.value.field == f"/readings/3/{name}"


@pytest.mark.parametrize("power", [1.5, "5", True, None])
def test_a_value_that_is_no_integer_is_refused(power: object) -> None:
    with pytest.raises(InvalidInput):
        sensors.check_reading(COMMON | {"type": "solar_output", "power_uw": power})


@pytest.mark.parametrize("device", ["d1\n", "", "d 1", "d" * 65])
def test_a_device_name_of_another_form_is_refused(device: str) -> None:
    with pytest.raises(InvalidInput, match="device"):
        sensors.check_reading(solar(1) | {"device": device})


def test_an_unknown_type_and_an_unknown_field_are_refused() -> None:
    with pytest.raises(InvalidInput, match="no sensor type 'tides'"):
        sensors.check_reading(COMMON | {"type": "tides"})
    with pytest.raises(InvalidInput, match="reduction_g"):
        sensors.check_reading(solar(1) | {"reduction_g": 5})


def test_night_consumption_within_standby_is_possible() -> None:
    assert sensors.check_physics(solar(-7_000_000), SOLAR) is None
    assert sensors.check_physics(solar(6_000_000_000), SOLAR) is None


@pytest.mark.parametrize(
    ("power", "said"), [(6_000_000_001, "above the device's nameplate"), (-10_000_001, "own consumption")]
)
def test_what_the_plate_rules_out_is_said(power: int, said: str) -> None:
    assert said in (sensors.check_physics(solar(power), SOLAR) or "")


def test_a_device_of_another_type_is_refused() -> None:
    temperature = COMMON | {"type": "temperature", "temperature_mk": 293_150}
    assert sensors.check_physics(temperature, SOLAR) == "the device measures solar_output, not temperature"


def test_a_plant_gives_no_more_than_it_takes() -> None:
    rating = sensors.Rating(type="efficiency", nameplate=10_000, standby=0)
    reading = COMMON | {"type": "efficiency", "input_uw": 100, "output_uw": 101}
    assert "more than input_uw" in (sensors.check_physics(reading, rating) or "")


def test_a_soil_layer_ends_below_where_it_begins() -> None:
    rating = sensors.Rating(type="soil_carbon", nameplate=0, standby=0)
    reading = COMMON | {"type": "soil_carbon"} | GOOD["soil_carbon"] | {"depth_top_mm": 300}
    assert "above where it begins" in (sensors.check_physics(reading, rating) or "")


def test_energy_is_exact_and_signed() -> None:
    assert sensors.energy_uj(solar(-7_000_000), {"solar_output"}) == -6_300_000_000
    assert (
        sensors.energy_uj(COMMON | {"type": "temperature", "temperature_mk": 293_150}, {"solar_output"}) == 0
    )


def test_energy_that_the_methodology_does_not_measure_is_none() -> None:
    assert sensors.energy_uj(solar(7_000_000), {"wind_generation"}) == 0
