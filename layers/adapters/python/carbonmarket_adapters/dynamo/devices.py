"""Table devices: gateways, devices with their meters, and calibrations. See also ingest.py and anchors.py,
which write the same table's messages and anchors.

Keys: ``gateway#<id>`` / ``gateway`` (listed by gsi1 ``gateways#<project>``) · ``project#<project>`` /
``device#<id>`` and ``calibration#<device>#<time>#<id>`` · ``meter#<maker>#<serial>`` / ``meter``.
"""

from __future__ import annotations

from itertools import islice

import msgspec

from carbonmarket.errors import Conflict, NotFound, StaleWrite
from carbonmarket.records.devices import Calibration, Device, Gateway, Meter, MeterAssignment
from carbonmarket.settings import Settings
from carbonmarket_adapters.dynamo.ingest import CountingTable
from carbonmarket_adapters.dynamo.table import Kind, Stored, Write

GATEWAY = Kind("gateway", Gateway)
DEVICE = Kind("device", Device)
METER = Kind("meter", Meter)
CALIBRATION = Kind("calibration", Calibration)


class DynamoDevices:
    """The :class:`carbonmarket.ports.devices.DevicesStore` over DynamoDB."""

    def __init__(self, settings: Settings) -> None:
        self._table = CountingTable(settings)

    def save_gateway(self, gateway: Gateway) -> None:
        try:
            self._table.put(_gateway_write(gateway, 0))
        except StaleWrite:
            if self.gateway(gateway.id) != gateway:
                raise Conflict(f"another gateway has the id {gateway.id}", field="id") from None

    def revoke_gateway(self, gateway: str, at_us: int) -> None:
        stored = self._table.get(GATEWAY, f"gateway#{gateway}", "gateway")
        if stored is None:
            raise NotFound(f"there is no gateway {gateway}", field="gateway")
        if stored.record.revoked_us is None:
            revoked = msgspec.structs.replace(stored.record, revoked_us=at_us)
            self._table.put(_gateway_write(revoked, stored.revision))

    def gateway(self, gateway: str) -> Gateway | None:
        stored = self._table.get(GATEWAY, f"gateway#{gateway}", "gateway")
        return stored.record if stored else None

    def gateways(self, project: str, *, after: str | None = None, first: int | None = None) -> list[Gateway]:
        found = self._table.query_gsi1(GATEWAY, f"gateways#{project}", after=after, limit=first)
        return [stored.record for _, stored in found]

    def save_device(self, device: Device) -> None:
        existing = self.device(device.project, device.id)
        if existing == device:
            return
        if existing is not None:
            raise Conflict(f"another device has the id {device.id}", field="id")
        meter = self._meter(device.manufacturer, device.serial)
        for other in meter.record.assignments:
            if _overlap(device.from_us, device.to_us, other.from_us, other.to_us):
                raise Conflict(
                    f"meter {device.serial} of {device.manufacturer} reports to another project in that time",
                    field="serial",
                )
        assignment = MeterAssignment(
            project=device.project, device=device.id, from_us=device.from_us, to_us=device.to_us
        )
        self._table.write(
            [
                _device_write(device, 0),
                _meter_write(meter, (*meter.record.assignments, assignment)),
            ]
        )

    def end_device(self, project: str, device: str, to_us: int) -> None:
        stored = self._table.get(DEVICE, f"project#{project}", f"device#{device}")
        if stored is None:
            raise NotFound(f"project {project} has no device {device}", field="device")
        if stored.record.to_us is not None and stored.record.to_us <= to_us:
            return
        ended = msgspec.structs.replace(stored.record, to_us=to_us)
        meter = self._meter(ended.manufacturer, ended.serial)
        assignments = tuple(
            msgspec.structs.replace(a, to_us=to_us) if (a.project, a.device) == (project, device) else a
            for a in meter.record.assignments
        )
        self._table.write([_device_write(ended, stored.revision), _meter_write(meter, assignments)])

    def device(self, project: str, device: str) -> Device | None:
        stored = self._table.get(DEVICE, f"project#{project}", f"device#{device}")
        return stored.record if stored else None

    def devices(self, project: str, *, after: str | None = None, first: int | None = None) -> list[Device]:
        start = None if after is None else f"device#{after}"
        found = self._table.query(DEVICE, f"project#{project}", prefix="device#", after=start)
        return [stored.record for _, stored in islice(found, first)]

    def save_calibration(self, calibration: Calibration) -> None:
        key = (
            f"project#{calibration.project}",
            f"calibration#{calibration.device}#{calibration.performed_us:017d}#{calibration.id}",
        )
        try:
            self._table.put(Write(CALIBRATION, *key, calibration, 0))
        except StaleWrite:
            stored = self._table.get(CALIBRATION, *key)
            if stored is None or stored.record != calibration:
                raise Conflict(f"another calibration has the id {calibration.id}", field="id") from None

    def calibrations(self, project: str, device: str | None = None) -> list[Calibration]:
        prefix = "calibration#" if device is None else f"calibration#{device}#"
        found = self._table.query(CALIBRATION, f"project#{project}", prefix=prefix)
        return [stored.record for _, stored in found]

    def _meter(self, manufacturer: str, serial: str) -> Stored[Meter]:
        stored = self._table.get(METER, _meter_key(manufacturer, serial), "meter")
        return stored or Stored(Meter(manufacturer=manufacturer, serial=serial, assignments=()), 0)


def _gateway_write(gateway: Gateway, revision: int) -> Write:
    return Write(
        GATEWAY,
        f"gateway#{gateway.id}",
        "gateway",
        gateway,
        revision,
        gsi1pk=f"gateways#{gateway.project}",
        gsi1sk=gateway.id,
    )


def _device_write(device: Device, revision: int) -> Write:
    return Write(DEVICE, f"project#{device.project}", f"device#{device.id}", device, revision)


def _meter_write(meter: Stored[Meter], assignments: tuple[MeterAssignment, ...]) -> Write:
    record = msgspec.structs.replace(meter.record, assignments=assignments)
    return Write(METER, _meter_key(record.manufacturer, record.serial), "meter", record, meter.revision)


def _meter_key(manufacturer: str, serial: str) -> str:
    # A maker's name is typed by people: its case and spaces must not make a second meter of one.
    return f"meter#{''.join(manufacturer.casefold().split())}#{''.join(serial.casefold().split())}"


def _overlap(from_a: int, to_a: int | None, from_b: int, to_b: int | None) -> bool:
    return (to_b is None or from_a < to_b) and (to_a is None or from_b < to_a)
