"""A project's gateway gets its identity: a certificate to connect with, and a key to sign with is known."""

from __future__ import annotations

import msgspec

from carbonmarket import ids
from carbonmarket.errors import Conflict
from carbonmarket.operations.find_project import find_own_project, require_approved
from carbonmarket.ports.devices import DevicesStore
from carbonmarket.ports.gateways import DeviceRegistry, GatewayCertificate
from carbonmarket.ports.registry import RegistryStore
from carbonmarket.records.devices import Gateway
from carbonmarket.records.principal import Principal


class CreateGateway(msgspec.Struct, frozen=True, kw_only=True):
    """``public_key`` is Ed25519, 64 hex digits; ``csr`` a PKCS #10 request in PEM for another key."""

    name: str
    public_key: str
    csr: str


def create_gateway(
    project: str,
    request: CreateGateway,
    *,
    caller: Principal,
    key: str,
    registry: RegistryStore,
    devices: DevicesStore,
    certificates: DeviceRegistry,
    now_us: int,
) -> tuple[Gateway, GatewayCertificate]:
    """Register a gateway of an approved project and issue its certificate."""
    require_approved(find_own_project(project, caller=caller, registry=registry).record)
    id = ids.derive("GW", project, caller.organisation, key)
    if devices.gateway(id) is not None:
        raise Conflict(
            "this gateway is registered and its certificate was handed out; register another with a new key"
        )
    certificate = certificates.issue_certificate(id, request.csr)
    gateway = Gateway(
        id=id,
        project=project,
        organisation=caller.organisation,
        name=request.name,
        public_key=request.public_key,
        certificate_fingerprint=certificate.fingerprint,
        created_us=now_us,
    )
    devices.save_gateway(gateway)
    return gateway, certificate
