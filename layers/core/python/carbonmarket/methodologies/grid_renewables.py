"""Grid-connected sun and wind: net energy times the grid's combined margin, less stated deductions.

Sources: CDM ACM0002 and AMS-I.D (energy, leakage), CDM TOOL07 version 7.0 (combined margin, weights 0.75
and 0.25 for wind and solar), CDM EB 52 Annex 60 (delayed calibration). The numbers below are those of the
document in ``methodologies/documents``. Integers and fractions only; each rounding stands in its line.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import groupby

import msgspec

from carbonmarket.errors import InvalidInput
from carbonmarket.methodologies.factors import Factor, round_down
from carbonmarket.methodologies.report import DeviceInputs, Interval, Line, MrvReport, QuantifyInputs
from carbonmarket.quantities import UJ_PER_WH, format_decimal, format_wh
from carbonmarket.times import MICROSECONDS

WEIGHT_OM = Fraction(3, 4)
WEIGHT_BM = Fraction(1, 4)
FACTOR_DECIMALS = 4
STALE_RUN = 4
"""How many equal readings in a row are stale: an hour of quarter-hours. A meter that resolves a milliwatt or
less does not show the same power twice in changing light."""

TYPES = frozenset({"solar_output", "wind_generation"})
_EXACT = "none: exact"


class Deductions(msgspec.Struct, frozen=True, kw_only=True):
    """Energy not counted, µJ, none negative; and how many seconds and readings caused it."""

    gap_seconds: int
    gap_uj: int
    stale_readings: int
    stale_uj: int
    uncalibrated_readings: int
    uncalibrated_uj: int

    @property
    def total_uj(self) -> int:
        """All deductions together."""
        return self.gap_uj + self.stale_uj + self.uncalibrated_uj


def combined_margin(operating: Factor, build: Factor) -> Fraction:
    """EF_CM in g/kWh: 0.75 operating and 0.25 build margin, rounded down to 0.0001 g/kWh."""
    exact = WEIGHT_OM * operating.grams_per_kwh + WEIGHT_BM * build.grams_per_kwh
    return round_down(exact, FACTOR_DECIMALS)


def quantify(
    inputs: QuantifyInputs, *, methodology: str, version: int, document: str, operating: Factor, build: Factor
) -> MrvReport:
    """The report of the period.

    Raises InvalidInput where a reading lies outside the period, is of an unknown device or overlaps another,
    or where the readings do not give the anchored sums.
    """
    by_device = _grouped(inputs)
    positive, negative = _sums(inputs)
    deductions = _deductions(inputs, by_device)
    energy_uj = positive - negative - deductions.total_uj
    margin = combined_margin(operating, build)
    baseline = Fraction(energy_uj, UJ_PER_WH * 1_000) * margin
    grams = max(0, baseline // 1)
    lines = (
        *_energy_lines(positive, negative, deductions, energy_uj),
        *_factor_lines(operating, build, margin),
        *_result_lines(baseline, grams),
    )
    return MrvReport(
        version=1,
        methodology=methodology,
        methodology_version=version,
        methodology_document=document,
        project=inputs.project,
        period_start_us=inputs.period_start_us,
        period_end_us=inputs.period_end_us,
        devices=tuple(sorted(inputs.devices, key=lambda device: device.device)),
        readings=len(inputs.intervals),
        positive_uj=str(positive),
        negative_uj=str(negative),
        grams=str(grams),
        lines=lines,
    )


def _grouped(inputs: QuantifyInputs) -> dict[str, list[Interval]]:
    """Each device's intervals in time, checked."""
    by_device: dict[str, list[Interval]] = {device.device: [] for device in inputs.devices}
    for device in inputs.devices:
        if device.type not in TYPES:
            raise InvalidInput(f"device {device.device} measures {device.type}, which is of no use here")
        if device.auxiliary_uw < 0 or device.error_ppm < 0:
            raise InvalidInput(f"device {device.device} has a negative auxiliary power or error")
    for interval in sorted(inputs.intervals, key=lambda item: (item.device, item.start_us)):
        if interval.device not in by_device:
            raise InvalidInput(f"a reading is of device {interval.device}, which is not among the inputs")
        end_us = interval.start_us + interval.seconds * MICROSECONDS
        if interval.start_us < inputs.period_start_us or end_us > inputs.period_end_us:
            raise InvalidInput(f"a reading of {interval.device} lies outside the period")
        earlier = by_device[interval.device]
        if earlier and earlier[-1].start_us + earlier[-1].seconds * MICROSECONDS > interval.start_us:
            raise InvalidInput(f"two readings of {interval.device} overlap at {interval.start_us}")
        earlier.append(interval)
    return by_device


def _sums(inputs: QuantifyInputs) -> tuple[int, int]:
    energies = [interval.power_uw * interval.seconds for interval in inputs.intervals]
    positive = sum(energy for energy in energies if energy > 0)
    negative = -sum(energy for energy in energies if energy < 0)
    if (positive, negative) != (inputs.anchored_positive_uj, inputs.anchored_negative_uj):
        raise InvalidInput(
            f"the readings give {positive} and {negative} µJ, the anchored sums are "
            f"{inputs.anchored_positive_uj} and {inputs.anchored_negative_uj}"
        )
    return positive, negative


def _deductions(inputs: QuantifyInputs, by_device: dict[str, list[Interval]]) -> Deductions:
    gap_seconds = gap_uj = 0
    stale: list[Interval] = []
    uncalibrated_readings = uncalibrated_uj = 0
    for device in inputs.devices:
        intervals = by_device[device.device]
        missing = _missing_seconds(inputs, device, intervals)
        gap_seconds += missing
        gap_uj += missing * device.auxiliary_uw
        repeated = _stale(intervals)
        stale.extend(repeated)
        counted = set(repeated)
        unsure = [i for i in intervals if i not in counted and not _calibrated(device, i)]
        uncalibrated_readings += len(unsure)
        energy = sum(abs(interval.power_uw) * interval.seconds for interval in unsure)
        uncalibrated_uj += -(-energy * device.error_ppm // 1_000_000)
    return Deductions(
        gap_seconds=gap_seconds,
        gap_uj=gap_uj,
        stale_readings=len(stale),
        stale_uj=sum(interval.power_uw * interval.seconds for interval in stale),
        uncalibrated_readings=uncalibrated_readings,
        uncalibrated_uj=uncalibrated_uj,
    )


def _missing_seconds(inputs: QuantifyInputs, device: DeviceInputs, intervals: Sequence[Interval]) -> int:
    start = max(inputs.period_start_us, device.started_us)
    end = inputs.period_end_us if device.ended_us is None else min(inputs.period_end_us, device.ended_us)
    # A part of a second at either end is a second: a gap is never rounded away.
    expected = max(0, -(-(end - start) // MICROSECONDS))
    reported = sum(interval.seconds for interval in intervals if start <= interval.start_us < end)
    return max(0, expected - reported)


def _stale(intervals: Sequence[Interval]) -> list[Interval]:
    """The repeats, after the first, of every run of ``STALE_RUN`` or more equal powers above zero."""
    stale: list[Interval] = []
    for _, run in groupby(intervals, key=lambda interval: interval.power_uw):
        unbroken: list[Interval] = []
        for interval in run:
            if unbroken and unbroken[-1].start_us + unbroken[-1].seconds * MICROSECONDS != interval.start_us:
                stale.extend(_repeats(unbroken))
                unbroken = []
            unbroken.append(interval)
        stale.extend(_repeats(unbroken))
    return stale


def _repeats(run: list[Interval]) -> list[Interval]:
    return run[1:] if len(run) >= STALE_RUN and run[0].power_uw > 0 else []


def _calibrated(device: DeviceInputs, interval: Interval) -> bool:
    end_us = interval.start_us + interval.seconds * MICROSECONDS
    return any(span.from_us <= interval.start_us and end_us <= span.until_us for span in device.calibrations)


def _energy_lines(positive: int, negative: int, deductions: Deductions, energy_uj: int) -> tuple[Line, ...]:
    def line(key: str, label: str, value: int, unit: str, source: str) -> Line:
        return Line(key=key, label=label, value=str(value), unit=unit, source=source, rounding=_EXACT)

    return (
        line("generation", "Energy generated", positive, "µJ", "anchored readings, power times seconds"),
        line("consumption", "Energy consumed by the plant", negative, "µJ", "anchored readings below zero"),
        line("gap_time", "Time without a reading", deductions.gap_seconds, "s", "document, rule 2"),
        line("gap", "Deduction: gaps at auxiliary power", deductions.gap_uj, "µJ", "document, rule 2"),
        line("stale_readings", "Stale readings", deductions.stale_readings, "1", "document, rule 3"),
        line("stale", "Deduction: stale readings not counted", deductions.stale_uj, "µJ", "document, rule 3"),
        line(
            "uncalibrated_readings",
            "Readings without a valid calibration",
            deductions.uncalibrated_readings,
            "1",
            "calibration log",
        ),
        Line(
            key="uncalibrated",
            label="Deduction: maximum permissible error of uncalibrated readings",
            value=str(deductions.uncalibrated_uj),
            unit="µJ",
            source="CDM EB 52 Annex 60; document, rule 4",
            rounding="up to 1 µJ for each device",
        ),
        line("energy", "Net energy that counts (EG)", energy_uj, "µJ", "the lines above"),
        Line(
            key="energy_wh",
            label="Net energy that counts, for reading",
            value=format_wh(energy_uj),
            unit="Wh",
            source="1 Wh = 3600000000 µJ",
            rounding="nearest 0.0001 Wh, ties to even; not used further",
        ),
    )


def _factor_lines(operating: Factor, build: Factor, margin: Fraction) -> tuple[Line, ...]:
    def factor(key: str, label: str, published: Factor) -> Line:
        return Line(
            key=key,
            label=label,
            value=_per_kwh(published.grams_per_kwh),
            unit="g/kWh",
            source=f"{published.id}: {published.value} {published.unit}; {published.source}",
            rounding=published.rounding,
        )

    def weight(key: str, label: str, value: Fraction) -> Line:
        text = format_decimal(int(value * 100), 2)
        return Line(key=key, label=label, value=text, unit="1", source="CDM TOOL07, 7.0", rounding=_EXACT)

    return (
        factor("ef_om", "Operating margin (EF_OM)", operating),
        factor("ef_bm", "Build margin (EF_BM)", build),
        weight("w_om", "Weight of the operating margin", WEIGHT_OM),
        weight("w_bm", "Weight of the build margin", WEIGHT_BM),
        Line(
            key="ef_cm",
            label="Combined margin (EF_CM)",
            value=_per_kwh(margin),
            unit="g/kWh",
            source="w_OM x EF_OM + w_BM x EF_BM",
            rounding="down to 0.0001 g/kWh",
        ),
    )


def _result_lines(baseline: Fraction, grams: int) -> tuple[Line, ...]:
    def zero(key: str, label: str) -> Line:
        return Line(key=key, label=label, value="0", unit="g", source="document, rule 6", rounding=_EXACT)

    return (
        Line(
            key="baseline",
            label="Baseline emissions (BE)",
            value=format_decimal(baseline * 1_000_000 // 1, 6),
            unit="g",
            source="EG x EF_CM",
            rounding="shown down to 0.000001 g; the exact value is used",
        ),
        zero("project_emissions", "Project emissions (PE)"),
        zero("leakage", "Leakage (LE)"),
        Line(
            key="reductions",
            label="Emission reductions (ER)",
            value=str(grams),
            unit="g",
            source="BE - PE - LE, never below zero",
            rounding="down to 1 g",
        ),
    )


def _per_kwh(value: Fraction) -> str:
    return format_decimal(int(value * 10**FACTOR_DECIMALS), FACTOR_DECIMALS)
