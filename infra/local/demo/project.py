"""A project's way into the market: draft, documents, validation, approval, meter, gateway."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID

from carbonmarket.methodologies.registry import ALL
from edge.agent import Identity
from edge.link import Endpoint
from infra.local.demo.cast import Cast, Party

# NREL's SERF East array: roof of the Solar Energy Research Facility, Golden, Colorado; 6 kW on the AC side.
CAPACITY_W = 6_000
INTERVAL_S = 900
START_UP = "2016-07-01T07:00:00Z"
# What the inverter draws at night: the series goes down to -6.3533 W.
STANDBY_W = 7
_MICROWATTS = 1_000_000
_METHODOLOGY = ALL[0]

_DESIGN = """Project design: {name}

A grid-connected photovoltaic array on the roof of a laboratory. It displaces electricity of the grid's
subregion RMPA. One revenue meter on the AC side reports the mean power of every 15 minutes, stamped at the
interval's start. What the inverter draws at night counts against the project.
Methodology: {methodology} version {version}.
"""


@dataclass(frozen=True)
class Gateway:
    """A registered gateway: who it is, what it signs with, how it connects."""

    identity: Identity
    signing_key: Ed25519PrivateKey
    endpoint: Endpoint


def register(cast: Cast, owner: Party, name: str, serial: str, keys: Path, stage: str) -> Gateway:
    """Bring a project of ``owner`` to approval and give it one meter and one gateway."""
    slug = name.lower().replace(" ", "-")
    project = _approved_project(cast, owner, name, slug)
    device = owner.user.post(
        f"/v1/projects/{project}/devices",
        {
            "type": "solar_output",
            "name": "AC revenue meter",
            "manufacturer": "NREL",
            "model": "SERF East AC power",
            "serial": serial,
            "nameplate": str(CAPACITY_W * _MICROWATTS),
            "standby": str(STANDBY_W * _MICROWATTS),
            "interval_seconds": INTERVAL_S,
            "error_ppm": 5_000,
            "reports_from": START_UP,
        },
        key=f"{slug}-meter",
    )["id"]
    owner.user.post(
        f"/v1/projects/{project}/devices/{device}/calibrations",
        {
            "performed": "2016-06-15T00:00:00Z",
            "valid_until": "2017-06-15T00:00:00Z",
            "laboratory": "Metrology laboratory of the site",
            "error_ppm": 800,
        },
        key=f"{slug}-calibration",
    )
    return _gateway(owner, project, device, slug, keys, stage)


def _approved_project(cast: Cast, owner: Party, name: str, slug: str) -> str:
    project: str = owner.user.post(
        "/v1/projects",
        {
            "name": name,
            "description": "Photovoltaic array on a laboratory's roof, Golden, Colorado",
            "country": "US",
            "latitude": "39.742",
            "longitude": "-105.172",
            "technology": "solar",
            "capacity_w": str(CAPACITY_W),
            "commissioned": START_UP,
            "methodology": _METHODOLOGY.id,
            "methodology_version": _METHODOLOGY.version,
        },
        key=f"{slug}-project",
    )["id"]
    design = _DESIGN.format(name=name, methodology=_METHODOLOGY.id, version=_METHODOLOGY.version).encode()
    _document(owner, project, "design.txt", "design", design)
    path = f"/v1/projects/{project}"
    owner.user.post(f"{path}/submission", {}, key=f"{slug}-submission")
    cast.validator.user.post(f"{path}/validation", {"comment": "Design is sound."}, key=f"{slug}-validation")
    cast.operator.post(f"{path}/approval", {}, key=f"{slug}-approval")
    return project


def _document(owner: Party, project: str, name: str, kind: str, content: bytes) -> None:
    declared: dict[str, Any] = owner.user.post(
        f"/v1/projects/{project}/documents",
        {
            "name": name,
            "kind": kind,
            "media_type": "text/plain",
            "sha256": hashlib.sha256(content).hexdigest(),
            "size": str(len(content)),
        },
        key=f"{project}-{name}",
    )
    target = declared["upload"]
    requests.put(target["url"], data=content, headers=target["headers"], timeout=30).raise_for_status()
    path = f"/v1/projects/{project}/documents/{declared['id']}/completion"
    owner.user.post(path, key=f"{project}-{name}-completion")


def _gateway(owner: Party, project: str, device: str, slug: str, keys: Path, stage: str) -> Gateway:
    signing_key = Ed25519PrivateKey.generate()
    tls_key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, slug)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(tls_key, hashes.SHA256())
    issued = owner.user.post(
        f"/v1/projects/{project}/gateways",
        {
            "name": f"{slug} gateway",
            "public_key": signing_key.public_key().public_bytes_raw().hex(),
            "csr": request.public_bytes(serialization.Encoding.PEM).decode(),
        },
        key=f"{slug}-gateway",
    )
    folder = keys / slug
    folder.mkdir(parents=True, exist_ok=True)
    pem = tls_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    for file, text in (
        ("certificate.pem", issued["certificate"].encode()),
        ("authority.pem", issued["authority"].encode()),
        ("key.pem", pem),
    ):
        (folder / file).touch(0o600)
        (folder / file).write_bytes(text)
    host, _, port = issued["endpoint"].partition(":")
    return Gateway(
        identity=Identity(
            environment=stage,
            project=project,
            gateway=issued["id"],
            device=device,
            type="solar_output",
            interval_seconds=INTERVAL_S,
        ),
        signing_key=signing_key,
        endpoint=Endpoint(
            host=host,
            port=int(port),
            certificate=folder / "certificate.pem",
            key=folder / "key.pem",
            authority=folder / "authority.pem",
        ),
    )
