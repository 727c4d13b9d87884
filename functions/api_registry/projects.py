"""Projects, their documents, gateways, devices and calibrations."""

from __future__ import annotations

from carbonmarket.operations import advance_project as advancing
from carbonmarket.operations import create_device as equipping
from carbonmarket.operations import create_document as documenting
from carbonmarket.operations import create_gateway as connecting
from carbonmarket.operations import create_project as drafting
from carbonmarket.operations import find_project as finding
from carbonmarket_adapters.http import Call, connection, show
from carbonmarket_adapters.wiring import chain, devices, registry, settings
from functions.api_registry.api import api


@api.post("/v1/projects", body=drafting.CreateProject)
def create_project(call: Call) -> object:
    """Draft a project of your organisation."""
    from carbonmarket.methodologies.registry import ALL

    drafted = drafting.create_project(
        call.body,
        caller=call.caller,
        key=call.idempotency_key,
        registry=registry.registry(),
        methodologies=frozenset((methodology.id, methodology.version) for methodology in ALL),
        now_us=call.now_us,
    )
    return show.project(drafted)


@api.get("/v1/projects", paged=True)
def list_projects(call: Call) -> object:
    """The projects you may see."""
    rows = finding.list_projects(call.page.after, caller=call.caller, registry=registry.registry())
    return connection(rows, call.page.first, show.project)


@api.get("/v1/projects/{project}")
def get_project(call: Call) -> object:
    """One project."""
    found = finding.find_project(call.path["project"], caller=call.caller, registry=registry.registry())
    return show.project(found.record)


@api.post("/v1/projects/{project}/submission", body=advancing.Comment, status=200)
def submit_project(call: Call) -> object:
    """Hand the draft in for validation."""
    moved = advancing.submit_project(
        call.path["project"],
        call.body,
        caller=call.caller,
        registry=registry.registry(),
        now_us=call.now_us,
    )
    return show.project(moved)


@api.post("/v1/projects/{project}/validation", body=advancing.Comment, status=200)
def validate_project(call: Call) -> object:
    """Confirm the project's design, as a validator of another organisation."""
    moved = advancing.validate_project(
        call.path["project"],
        call.body,
        caller=call.caller,
        registry=registry.registry(),
        now_us=call.now_us,
    )
    return show.project(moved)


@api.post("/v1/projects/{project}/approval", body=advancing.Comment, status=200)
def approve_project(call: Call) -> object:
    """Approve a validated project and register it on chain."""
    moved = advancing.approve_project(
        call.path["project"],
        call.body,
        caller=call.caller,
        registry=registry.registry(),
        accounts=registry.accounts(),
        chain=chain.chain_access(),
        issuer=settings().issuer_key,
        now_us=call.now_us,
    )
    return show.project(moved)


@api.post("/v1/projects/{project}/rejection", body=advancing.Comment, status=200)
def reject_project(call: Call) -> object:
    """Turn a submitted or validated project down."""
    moved = advancing.reject_project(
        call.path["project"],
        call.body,
        caller=call.caller,
        registry=registry.registry(),
        now_us=call.now_us,
    )
    return show.project(moved)


@api.post("/v1/projects/{project}/documents", body=documenting.CreateDocument)
def create_document(call: Call) -> object:
    """Declare a document and get the URL to PUT it to."""
    declared, target = documenting.create_document(
        call.path["project"],
        call.body,
        caller=call.caller,
        key=call.idempotency_key,
        registry=registry.registry(),
        files=registry.documents(),
        now_us=call.now_us,
    )
    return show.upload(declared, target)


@api.get("/v1/projects/{project}/documents", paged=True)
def list_documents(call: Call) -> object:
    """A project's documents."""
    rows = documenting.list_documents(
        call.path["project"], call.page.after, caller=call.caller, registry=registry.registry()
    )
    return connection(rows, call.page.first, show.document)


@api.post("/v1/projects/{project}/documents/{document}/completion", status=200)
def complete_document(call: Call) -> object:
    """Have the uploaded bytes checked against the declared hash, and kept."""
    completed = documenting.complete_document(
        call.path["project"],
        call.path["document"],
        caller=call.caller,
        registry=registry.registry(),
        files=registry.documents(),
        now_us=call.now_us,
    )
    return show.document(completed)


@api.post("/v1/projects/{project}/gateways", body=connecting.CreateGateway)
def create_gateway(call: Call) -> object:
    """Register a gateway and get its X.509 certificate."""
    gateway, certificate = connecting.create_gateway(
        call.path["project"],
        call.body,
        caller=call.caller,
        key=call.idempotency_key,
        registry=registry.registry(),
        devices=devices.devices(),
        certificates=registry.device_registry(),
        now_us=call.now_us,
    )
    return show.gateway(gateway, certificate)


@api.post("/v1/projects/{project}/devices", body=equipping.CreateDevice)
def create_device(call: Call) -> object:
    """Register a meter or sensor."""
    device = equipping.create_device(
        call.path["project"],
        call.body,
        caller=call.caller,
        key=call.idempotency_key,
        registry=registry.registry(),
        devices=devices.devices(),
        now_us=call.now_us,
    )
    return show.device(device)


@api.get("/v1/projects/{project}/devices", paged=True)
def list_devices(call: Call) -> object:
    """A project's devices."""
    rows = equipping.list_devices(
        call.path["project"],
        call.page.after,
        caller=call.caller,
        registry=registry.registry(),
        devices=devices.devices(),
    )
    return connection(rows, call.page.first, show.device)


@api.post("/v1/projects/{project}/devices/{device}/calibrations", body=equipping.CreateCalibration)
def create_calibration(call: Call) -> object:
    """Enter a calibration into a device's log."""
    entered = equipping.create_calibration(
        call.path["project"],
        call.path["device"],
        call.body,
        caller=call.caller,
        key=call.idempotency_key,
        registry=registry.registry(),
        devices=devices.devices(),
        now_us=call.now_us,
    )
    return show.calibration(entered)


@api.get("/v1/projects/{project}/devices/{device}/calibrations", paged=True)
def list_calibrations(call: Call) -> object:
    """A device's calibration log."""
    rows = equipping.list_calibrations(
        call.path["project"],
        call.path["device"],
        call.page.after,
        caller=call.caller,
        registry=registry.registry(),
        devices=devices.devices(),
    )
    return connection(rows, call.page.first, show.calibration)
