"""A project's devices: the meters and sensors that its gateways read, and their calibrations."""

from __future__ import annotations

import msgspec

from carbonmarket import ids
from carbonmarket.border import parse_range
from carbonmarket.errors import IdempotencyMismatch, InvalidInput, NotFound
from carbonmarket.methodologies import registry as methodologies
from carbonmarket.operations.find_project import find_overseen_project, find_own_project, require_approved
from carbonmarket.ports.devices import DevicesStore
from carbonmarket.ports.registry import RegistryStore
from carbonmarket.records.devices import Calibration, Device
from carbonmarket.records.principal import Principal
from carbonmarket.records.registry import Project
from carbonmarket.times import parse_us

_PLATE_MAX = 10**17


class CreateDevice(msgspec.Struct, frozen=True, kw_only=True):
    """``nameplate`` and ``standby`` are whole numbers, as strings, in the unit of the type's main field
    (solar_output: microwatts); ``reports_from`` is when the device begins to count for the project."""

    type: str
    name: str
    manufacturer: str
    model: str
    serial: str
    nameplate: str
    standby: str
    interval_seconds: int
    error_ppm: int
    reports_from: str


class CreateCalibration(msgspec.Struct, frozen=True, kw_only=True):
    """``error_ppm`` is the error found, signed; ``document`` names the certificate among the documents."""

    performed: str
    valid_until: str
    laboratory: str
    error_ppm: int
    document: str = ""


def create_device(
    project: str,
    request: CreateDevice,
    *,
    caller: Principal,
    key: str,
    registry: RegistryStore,
    devices: DevicesStore,
    now_us: int,
) -> Device:
    """Register a device of an approved project; Conflict if its meter counts for another project then."""
    owner = find_own_project(project, caller=caller, registry=registry).record
    require_approved(owner)
    require_measured(request.type, owner)
    device = Device(
        id=ids.derive("DEV", project, caller.organisation, key),
        project=project,
        organisation=caller.organisation,
        type=request.type,
        name=request.name,
        manufacturer=request.manufacturer,
        model=request.model,
        serial=request.serial,
        nameplate=parse_range(request.nameplate, "nameplate", 0, 0, _PLATE_MAX),
        standby=parse_range(request.standby, "standby", 0, 0, _PLATE_MAX),
        interval_seconds=request.interval_seconds,
        error_ppm=request.error_ppm,
        from_us=parse_us(request.reports_from, "reports_from"),
        created_us=now_us,
    )
    existing = devices.device(project, device.id)
    if existing is None:
        devices.save_device(device)
        return device
    if msgspec.structs.replace(device, created_us=existing.created_us, to_us=existing.to_us) != existing:
        raise IdempotencyMismatch("this Idempotency-Key registered another device")
    return existing


def require_measured(type: str, project: Project) -> None:
    """Refuse a sensor type that the project's methodology does not compute with."""
    chosen = project.methodology
    measures = methodologies.get(chosen.id, chosen.version).measures
    if type not in measures:
        raise InvalidInput(
            f"type must be one of {', '.join(sorted(measures))}: no other is measured by {chosen.id} "
            f"version {chosen.version}, the project's methodology",
            field="type",
        )


def list_devices(
    project: str, after: str | None, *, caller: Principal, registry: RegistryStore, devices: DevicesStore
) -> list[tuple[str, Device]]:
    """A project's devices, in the order of ids."""
    find_overseen_project(project, caller=caller, registry=registry)
    return [(device.id, device) for device in devices.devices(project, after=after)]


def create_calibration(
    project: str,
    device: str,
    request: CreateCalibration,
    *,
    caller: Principal,
    key: str,
    registry: RegistryStore,
    devices: DevicesStore,
    now_us: int,
) -> Calibration:
    """Enter a calibration into the device's log."""
    find_own_project(project, caller=caller, registry=registry)
    if devices.device(project, device) is None:
        raise NotFound("the project has no device with this id", field="device")
    if request.document and registry.document(project, request.document) is None:
        raise InvalidInput("the project has no document with this id", field="document")
    performed_us = parse_us(request.performed, "performed")
    valid_until_us = parse_us(request.valid_until, "valid_until")
    if performed_us >= valid_until_us:
        raise InvalidInput("valid_until must be later than performed", field="valid_until")
    calibration = Calibration(
        id=ids.derive("CAL", project, caller.organisation, key),
        project=project,
        device=device,
        performed_us=performed_us,
        valid_until_us=valid_until_us,
        laboratory=request.laboratory,
        error_ppm=request.error_ppm,
        document=request.document,
        created_us=now_us,
    )
    for existing in devices.calibrations(project, device):
        if existing.id == calibration.id:
            if msgspec.structs.replace(calibration, created_us=existing.created_us) != existing:
                raise IdempotencyMismatch("this Idempotency-Key entered another calibration")
            return existing
    devices.save_calibration(calibration)
    return calibration


def list_calibrations(
    project: str,
    device: str,
    after: str | None,
    *,
    caller: Principal,
    registry: RegistryStore,
    devices: DevicesStore,
) -> list[tuple[str, Calibration]]:
    """A device's calibrations in the order of time."""
    find_overseen_project(project, caller=caller, registry=registry)
    log = [
        (f"{entry.performed_us:017d}#{entry.id}", entry) for entry in devices.calibrations(project, device)
    ]
    return [(cursor, entry) for cursor, entry in log if after is None or cursor > after]
