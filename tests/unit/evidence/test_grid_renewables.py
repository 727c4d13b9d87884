"""Quantification: real generation, and each deduction on its own."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbonmarket.errors import InvalidInput, NotFound
from carbonmarket.methodologies import factors, registry
from carbonmarket.methodologies.report import (
    Calibrated,
    DeviceInputs,
    Interval,
    MrvReport,
    QuantifyInputs,
    parse_report,
    report_bytes,
    report_hash,
)
from carbonmarket.quantities import format_wh
from tests.unit.evidence.serf_east import intervals_of

DAY_US = 86_400_000_000
QUARTER_US = 900_000_000
START_US = 1_467_331_200_000_000  # 2016-07-01T00:00:00Z
METHODOLOGY = registry.get("GRID-RENEWABLES-US-RMPA", 1)
DEVICE = DeviceInputs(
    device="inv-1",
    type="solar_output",
    started_us=START_US,
    ended_us=None,
    interval_seconds=900,
    auxiliary_uw=10_000_000,
    error_ppm=10_000,
    calibrations=(Calibrated(from_us=START_US - 30 * DAY_US, until_us=START_US + 335 * DAY_US),),
)


def day(power: list[int]) -> tuple[Interval, ...]:
    """Quarter-hours from midnight of 1 July 2016 with these powers in µW."""
    return tuple(
        Interval(device="inv-1", start_us=START_US + index * QUARTER_US, seconds=900, power_uw=value)
        for index, value in enumerate(power)
    )


def quantified(
    intervals: tuple[Interval, ...], device: DeviceInputs = DEVICE, days: int = 1, **changes: Any
) -> MrvReport:
    energies = [interval.power_uw * interval.seconds for interval in intervals]
    inputs = QuantifyInputs(
        project="SERFEAST",
        period_start_us=START_US,
        period_end_us=START_US + days * DAY_US,
        devices=(device,),
        intervals=intervals,
        anchored_positive_uj=sum(energy for energy in energies if energy > 0),
        anchored_negative_uj=-sum(energy for energy in energies if energy < 0),
    )
    return METHODOLOGY.quantify(msgspec.structs.replace(inputs, **changes))


BRIGHT = [1_000_000_000 + 1_000 * quarter for quarter in range(96)]


@pytest.mark.parametrize(
    ("month", "watt_hours", "grams"),
    [
        ("2016-07", "857525.8901", 519_646),
        ("2016-08", "862496.1847", 522_658),
        ("2016-09", "869155.4708", 526_693),
    ],
)
def test_a_month_of_the_real_array(month: str, watt_hours: str, grams: int) -> None:
    start_us, end_us, intervals = intervals_of(month)
    device = msgspec.structs.replace(
        DEVICE, started_us=intervals[0].start_us if month == "2016-07" else START_US
    )
    report = quantified(intervals, device, period_start_us=start_us, period_end_us=end_us)
    assert report.line("energy_wh").value == watt_hours
    assert report.line("gap_time").value == "0"
    # An independent computation: exact fractions of the published numbers.
    margin = Fraction(3, 4) * Fraction("770.1440") + Fraction(1, 4) * Fraction("113.5")
    net_uj = sum(interval.power_uw * 900 for interval in intervals)
    assert int(report.grams) == grams == Fraction(net_uj, 3_600_000_000_000) * margin // 1
    assert format_wh(net_uj) == watt_hours


def test_the_published_factors_stand_as_cited() -> None:
    operating, build = factors.load("us-rmpa-2016-om"), factors.load("us-rmpa-2021-bm")
    assert (operating.value, operating.unit) == ("1697.877", "lb/MWh")
    assert (build.value, build.unit) == ("113.5", "kg/MWh")
    assert operating.grams_per_kwh == Fraction("770.1440")
    assert METHODOLOGY.grams_per_kwh == Fraction("605.9830")


def test_a_registered_version_never_changes() -> None:
    expected = "8be070d56db7565d546173e2dd867b6a81fdff58a1783b89f40f96d16a5160c3"
    assert METHODOLOGY.document_hash.hex() == expected
    assert (METHODOLOGY.numerator, METHODOLOGY.denominator) == (6_059_830, 36_000_000_000_000_000)


def test_hours_before_start_up_are_no_gap() -> None:
    late = msgspec.structs.replace(DEVICE, started_us=START_US + 7 * 3_600_000_000)
    report = quantified(day(BRIGHT)[28:], late)
    assert report.line("gap_time").value == "0"


def test_a_gap_counts_as_consumption_at_auxiliary_power() -> None:
    report = quantified(day(BRIGHT)[:-2])
    assert report.line("gap_time").value == "1800"
    assert report.line("gap").value == str(1_800 * 10_000_000)
    whole = quantified(day(BRIGHT))
    assert int(report.grams) < int(whole.grams)


def test_a_silent_device_earns_nothing() -> None:
    report = quantified(())
    assert (report.grams, report.line("gap_time").value) == ("0", "86400")


def test_a_device_that_left_is_not_missed_after() -> None:
    gone = msgspec.structs.replace(DEVICE, ended_us=START_US + 94 * QUARTER_US)
    assert quantified(day(BRIGHT)[:-2], gone).line("gap_time").value == "0"


@pytest.mark.parametrize(("run", "stale"), [(3, 0), (4, 3), (5, 4)])
def test_a_repeated_daylight_power_counts_once(run: int, stale: int) -> None:
    report = quantified(day([*BRIGHT[:-run], *[2_000_000_000] * run]))
    assert report.line("stale_readings").value == str(stale)
    assert report.line("stale").value == str(stale * 2_000_000_000 * 900)


def test_a_repeated_night_consumption_is_not_stale() -> None:
    assert quantified(day([*BRIGHT[:-10], *[-5_000_000] * 10])).line("stale_readings").value == "0"


def test_a_gap_breaks_a_run() -> None:
    broken = (*day([2_000_000_000] * 3), *day([2_000_000_000] * 8)[5:])
    assert quantified(broken).line("stale_readings").value == "0"


def test_readings_outside_every_calibration_lose_the_meters_error() -> None:
    noon = START_US + DAY_US // 2
    device = msgspec.structs.replace(DEVICE, calibrations=(Calibrated(from_us=START_US, until_us=noon),))
    report = quantified(day([1_000_000_000 + q for q in range(96)]), device)
    energy = sum((1_000_000_000 + q) * 900 for q in range(48, 96))
    assert report.line("uncalibrated_readings").value == "48"
    assert report.line("uncalibrated").value == str(-(-energy * 10_000 // 1_000_000))


def test_more_consumption_than_generation_is_zero_not_negative() -> None:
    report = quantified(day([-5_000_000] * 96))
    assert report.grams == "0"
    assert report.line("baseline").value.startswith("-")


def test_every_deduction_stands_in_the_report_though_it_is_zero() -> None:
    keys = {line.key for line in quantified(day(BRIGHT)).lines}
    assert {"gap", "stale", "uncalibrated", "project_emissions", "leakage"} <= keys


@given(
    st.lists(st.integers(-10_000_000, 6_000_000_000), max_size=96),
    st.integers(0, 100_000),
    st.integers(0, 100_000_000),
    st.booleans(),
)
def test_no_report_exceeds_what_the_contract_allows(
    power: list[int], error_ppm: int, auxiliary_uw: int, calibrated: bool
) -> None:
    device = msgspec.structs.replace(
        DEVICE,
        error_ppm=error_ppm,
        auxiliary_uw=auxiliary_uw,
        calibrations=DEVICE.calibrations if calibrated else (),
    )
    report = quantified(day(power), device)
    ceiling = METHODOLOGY.ceiling_grams(int(report.positive_uj), int(report.negative_uj))
    assert 0 <= int(report.grams) <= ceiling


@given(st.permutations(day(BRIGHT)))
def test_the_order_of_the_readings_changes_nothing(shuffled: list[Interval]) -> None:
    assert report_hash(quantified(tuple(shuffled))) == report_hash(quantified(day(BRIGHT)))


@pytest.mark.parametrize(
    ("intervals", "change", "said"),
    [
        (day(BRIGHT), {"anchored_positive_uj": 1}, "the anchored sums are 1"),
        (day(BRIGHT), {"period_start_us": START_US + DAY_US // 2}, "outside the period"),
        ((*day([1]), *day([2])), {}, "overlap"),
        ((msgspec.structs.replace(day([1])[0], device="inv-9"),), {}, "inv-9"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(
    intervals: tuple[Interval, ...], change: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidInput, match=said):
        quantified(intervals, **change)


def test_a_device_of_another_kind_is_refused() -> None:
    with pytest.raises(InvalidInput, match="temperature"):
        quantified((), msgspec.structs.replace(DEVICE, type="temperature"))


def test_a_report_is_read_back_and_computed_again() -> None:
    intervals = day(BRIGHT)
    report = quantified(intervals)
    assert parse_report(report_bytes(report)) == report
    assert registry.recompute(report, intervals) == report
    forged = msgspec.structs.replace(report, grams="1")
    assert registry.recompute(forged, intervals) == report


def test_an_unknown_version_is_named() -> None:
    with pytest.raises(NotFound, match="version 9 is not known"):
        registry.get("GRID-RENEWABLES-US-RMPA", 9)
