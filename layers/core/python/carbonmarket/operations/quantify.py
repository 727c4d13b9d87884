"""Saga mint, step 1: close the period on chain and compute its report."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from carbonmarket.chain import calls
from carbonmarket.errors import Conflict, NotFound, NotYetFinal
from carbonmarket.methodologies import registry as methodologies
from carbonmarket.methodologies.report import (
    Calibrated,
    DeviceInputs,
    Interval,
    QuantifyInputs,
    report_bytes,
    report_hash,
)
from carbonmarket.operations.fates import event_of, final_fate
from carbonmarket.ports.chain import ChainAccess, Fate
from carbonmarket.ports.devices import AnchorStore, DevicesStore
from carbonmarket.ports.documents import ReportFiles
from carbonmarket.ports.readings import ReadingsStore
from carbonmarket.ports.registry import Kept, RegistryStore
from carbonmarket.records.audit import SYSTEM, told
from carbonmarket.records.devices import AnchorPart, Calibration, Device
from carbonmarket.records.registry import Period, Project
from carbonmarket.times import MICROSECONDS


class NothingToIssue(Conflict):
    """The report gives no gram."""

    code = "nothing-to-issue"


class PeriodRejected(Conflict):
    """The period was rejected before; its saga has nothing to do."""

    code = "period-rejected"


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """Where what was measured is kept."""

    devices: DevicesStore
    readings: ReadingsStore
    anchors: AnchorStore


def closing_key(period: str) -> str:
    """The chain key of the period's closing."""
    return f"close-period/{period}"


def load_period(project: str, period: str, registry: RegistryStore) -> Kept[Period]:
    """The period of a saga's input."""
    kept = registry.period(project, period)
    if kept is None:
        raise NotFound(f"project {project} has no period {period}")
    if kept.record.state == "rejected":
        raise PeriodRejected(f"period {period} was rejected: {kept.record.reason}")
    return kept


def quantify(
    project: str,
    period: str,
    *,
    registry: RegistryStore,
    measured: Measured,
    chain: ChainAccess,
    reports: ReportFiles,
    oracle: str,
    anchor: Callable[[str], object],
    now_us: int,
) -> Period:
    """The period with its number, grams and report hash. ``anchor`` puts all that waits on chain.

    NotYetFinal while readings wait for their anchor or the closing for its finality; NothingToIssue for a
    report of no gram.
    """
    kept = load_period(project, period, registry)
    if kept.record.report_hash:
        # The step may have died between keeping the report and refusing it.
        require_grams(kept.record)
        return kept.record
    owner = registry.project(project)
    if owner is None:
        raise NotFound(f"there is no project {project}")
    closed = _close(kept.record, chain=chain, anchors=measured.anchors, oracle=oracle, anchor=anchor)
    data = event_of(closed, "data_anchor::PeriodClosed")
    inputs = gather(owner.record, kept.record, closed, measured=measured)
    methodology = methodologies.get(owner.record.methodology.id, owner.record.methodology.version)
    report = methodology.quantify(inputs)
    hash_hex = report_hash(report).hex()
    reports.put_report(project, period, hash_hex, report_bytes(report))
    quantified = msgspec.structs.replace(
        kept.record, number=int(data["number"]), grams=int(report.grams), report_hash=hash_hex
    )
    registry.save_period(quantified, kept.revision, told(SYSTEM, "quantify", period, "quantified", now_us))
    require_grams(quantified)
    return quantified


def require_grams(period: Period) -> None:
    """Refuse a quantified period of no gram: there is nothing to review."""
    if period.grams == 0:
        raise NothingToIssue("after its deductions the period avoided no gram")


def gather(project: Project, period: Period, closed: Fate, *, measured: Measured) -> QuantifyInputs:
    """The methodology's inputs: the readings anchored before the period was closed, and only those."""
    counted = {
        (message.gateway, message.sequence, index)
        for part in counted_parts(period, closed, measured.anchors)
        for message in part.messages
        for index in message.readings
    }
    types = methodologies.get(project.methodology.id, project.methodology.version).measures
    points = measured.readings.range(project.id, from_us=period.start_us, to_us=period.end_us)
    log = measured.devices.calibrations(project.id)
    sums = event_of(closed, "data_anchor::PeriodClosed")
    return QuantifyInputs(
        project=project.id,
        period_start_us=period.start_us,
        period_end_us=period.end_us,
        devices=tuple(
            device_inputs(device, log)
            for device in measured.devices.devices(project.id)
            if device.type in types and _overlaps(device, period)
        ),
        intervals=tuple(
            Interval(
                device=point.device,
                start_us=point.start_us,
                seconds=point.seconds,
                power_uw=int(point.values["power_uw"]),
            )
            for point in points
            if point.type in types and (point.gateway, point.sequence, point.index) in counted
        ),
        anchored_positive_uj=int(sums["positive"]),
        anchored_negative_uj=int(sums["negative"]),
    )


def _overlaps(device: Device, period: Period) -> bool:
    return device.from_us < period.end_us and (device.to_us is None or device.to_us > period.start_us)


def device_inputs(device: Device, log: list[Calibration]) -> DeviceInputs:
    """A device as the methodology takes it; a gap is charged with its standby draw."""
    return DeviceInputs(
        device=device.id,
        type=device.type,
        started_us=device.from_us,
        ended_us=device.to_us,
        interval_seconds=device.interval_seconds,
        auxiliary_uw=device.standby,
        error_ppm=device.error_ppm,
        calibrations=tuple(
            Calibrated(from_us=entry.performed_us, until_us=entry.valid_until_us)
            for entry in log
            if entry.device == device.id
        ),
    )


def _close(
    period: Period,
    *,
    chain: ChainAccess,
    anchors: AnchorStore,
    oracle: str,
    anchor: Callable[[str], object],
) -> Fate:
    key = closing_key(period.id)
    if chain.fate(key).hash is None:
        anchor(period.project)
        if _waits(period, anchors):
            raise NotYetFinal("readings of the period still wait for their anchor")
    chain.submit(
        key,
        oracle,
        calls.close_period(period.project, period.start_us // MICROSECONDS, period.end_us // MICROSECONDS),
    )
    return final_fate(chain, key)


def _waits(period: Period, anchors: AnchorStore) -> bool:
    hours = [hour.record.hour_us for hour in anchors.dirty_hours(period.project)]
    hours += [part.record.hour_us for part in anchors.open_parts(period.project)]
    return any(period.start_us <= hour < period.end_us for hour in hours)


def counted_parts(period: Period, closed: Fate, anchors: AnchorStore) -> list[AnchorPart]:
    """The parts that the contract's sums of the period hold: those anchored before it was closed."""
    parts = anchors.parts(period.project, from_us=period.start_us, to_us=period.end_us)
    return [part for _, part in parts if part.version is not None and part.version < (closed.version or 0)]
