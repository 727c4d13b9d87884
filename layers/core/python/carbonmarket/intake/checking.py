"""Whether one reading of a good message can be true, and the stable code of why not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from carbonmarket import schema, sensors, times
from carbonmarket.errors import InvalidInput
from carbonmarket.records.devices import CLOCK_AHEAD_MAX_US, HOUR_US, Device

Spans = tuple[tuple[int, int], ...]


def check(
    reading: Mapping[str, Any], index: int, start_us: int | None, device: Device | None, received_us: int
) -> tuple[str, str] | None:
    """(reason, sentence) of a reading that isn't taken, or None. ``start_us`` None: it is no time."""
    where = f"/readings/{index}"
    try:
        sensors.check_reading(reading, where)
    except InvalidInput as error:
        return "invalid_schema", error.reason
    if start_us is None:
        return "invalid_schema", f"{where}/start is no time that exists: {reading['start']}"
    end_us = start_us + reading["seconds"] * times.MICROSECONDS
    return _time_fault(reading, start_us, end_us, received_us) or _device_fault(
        reading, start_us, end_us, device
    )


def _time_fault(
    reading: Mapping[str, Any], start_us: int, end_us: int, received_us: int
) -> tuple[str, str] | None:
    if (end_us - 1) // HOUR_US != start_us // HOUR_US:
        return "crosses_hour", f"the interval from {reading['start']} crosses a UTC hour; split it there"
    if end_us > received_us + CLOCK_AHEAD_MAX_US:
        return "clock_ahead", f"the interval from {reading['start']} has not ended yet"
    return None


def _device_fault(
    reading: Mapping[str, Any], start_us: int, end_us: int, device: Device | None
) -> tuple[str, str] | None:
    if device is None:
        return "unknown_device", f"the project has no device {reading['device']}"
    if not device.reports_at(start_us, end_us):
        return "unknown_device", f"device {device.id} does not belong to the project at {reading['start']}"
    rating = sensors.Rating(type=device.type, nameplate=device.nameplate, standby=device.standby)
    sentence = sensors.check_physics(reading, rating)
    return None if sentence is None else (_physics_code(reading, device), sentence)


def claim(spans: Spans, first: int, last: int) -> Spans | None:
    """``spans`` with [first, last) taken too, merged where they touch; None if part of it is taken."""
    before = tuple(span for span in spans if span[1] < first)
    after = tuple(span for span in spans if span[0] > last)
    touching = spans[len(before) : len(spans) - len(after)]
    for start, end in touching:
        if start < last and first < end:
            return None
        first, last = min(first, start), max(last, end)
    return (*before, (first, last), *after)


def _physics_code(reading: Mapping[str, Any], device: Device) -> str:
    if reading["type"] != device.type:
        return "other_type"
    field = schema.load(f"sensors/{device.type}").get("x-rated")
    if field is not None and reading[field] > device.nameplate:
        return "above_nameplate"
    if field is not None and reading[field] < -device.standby:
        return "below_standby"
    return "contradictory"
