"""A small true world: a project's readings, anchored, quantified, issued, retired and certified."""

from __future__ import annotations

from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from carbonmarket import merkle, readings, sensors, times
from carbonmarket.certificate import bundle, credential, multikey
from carbonmarket.methodologies import registry
from carbonmarket.methodologies.report import (
    Calibrated,
    DeviceInputs,
    Interval,
    MrvReport,
    QuantifyInputs,
    report_bytes,
    report_hash,
)

PLATFORM = Ed25519PrivateKey.from_private_bytes(b"platform" * 4)
GATEWAY = Ed25519PrivateKey.from_private_bytes(b"gateway!" * 4)
STRANGER = Ed25519PrivateKey.from_private_bytes(b"stranger" * 4)
SECRET = b"the project's salt secret"
PROJECT = "SERFEAST"
METHODOLOGY = registry.get("GRID-RENEWABLES-US-RMPA", 1)
START_US = 1_467_331_200_000_000  # 2016-07-01T00:00:00Z
DAY_US = 86_400_000_000
RETIRED = 123


def platform_key() -> str:
    """The platform's key as a trust store writes it."""
    return multikey.encode(PLATFORM.public_key().public_bytes_raw())


class World(msgspec.Struct, frozen=True, kw_only=True):
    """Certificate and evidence, and what they were made of."""

    certificate: bytes
    evidence: bytes
    parts: bundle.Evidence
    subject: credential.Subject
    report: MrvReport


def quarter_hours() -> tuple[Interval, ...]:
    """A made-up day: consumption at night, then a rise without equal values."""
    powers = [-5_000_000 if q < 24 or q > 80 else 100_000_000 * (q - 23) + q for q in range(96)]
    return tuple(
        Interval(device="inv-1", start_us=START_US + q * 900_000_000, seconds=900, power_uw=power)
        for q, power in enumerate(powers)
    )


def wire_messages(intervals: tuple[Interval, ...]) -> dict[tuple[str, int], bytes]:
    """One signed message an hour, as a gateway sends them."""
    hours: dict[int, list[Interval]] = {}
    for interval in intervals:
        hours.setdefault(interval.start_us // 3_600_000_000, []).append(interval)
    return {
        ("gw-1", sequence): readings.sign_message(
            environment="test",
            project=PROJECT,
            gateway="gw-1",
            sequence=sequence,
            sent_at=times.format_us((hour + 1) * 3_600_000_000),
            readings=[
                {
                    "device": item.device,
                    "type": "solar_output",
                    "start": times.format_us(item.start_us),
                    "seconds": item.seconds,
                    "power_uw": item.power_uw,
                }
                for item in items
            ],
            key=GATEWAY,
        )
        for sequence, (hour, items) in enumerate(sorted(hours.items()), start=1)
    }


def anchored(
    messages: dict[tuple[str, int], bytes],
) -> tuple[tuple[bundle.Anchor, ...], tuple[bundle.Salt, ...]]:
    """The anchors and salts of those messages, one part an hour."""
    anchors, salts = [], []
    for content in messages.values():
        message = readings.parse_message(content)
        leaves = readings.leaf_hashes(message, SECRET)
        energies = [sensors.energy_uj(reading, {"solar_output"}) for reading in message.readings]
        start = times.parse_us(message.readings[0]["start"], "start")
        anchors.append(
            bundle.Anchor(
                hour=start // 3_600_000_000 * 3_600,
                part=0,
                root=merkle.root(leaves).hex(),
                count=len(leaves),
                positive_uj=str(sum(e for e in energies if e > 0)),
                negative_uj=str(-sum(e for e in energies if e < 0)),
                uri=f"s3://evidence/anchors/{PROJECT}/{start}/0.json",
                transaction="0x" + "aa" * 32,
                leaves=tuple(
                    bundle.LeafRef(gateway=message.gateway, sequence=message.sequence, index=index)
                    for index in range(len(leaves))
                ),
            )
        )
        salt = readings.leaf_salt(SECRET, message.gateway, message.sequence, "inv-1")
        salts.append(
            bundle.Salt(gateway=message.gateway, sequence=message.sequence, device="inv-1", salt=salt.hex())
        )
    return tuple(anchors), tuple(salts)


def quantified(intervals: tuple[Interval, ...], end_us: int) -> MrvReport:
    """The report of a project with one calibrated inverter."""
    energies = [item.power_uw * item.seconds for item in intervals]
    device = DeviceInputs(
        device="inv-1",
        type="solar_output",
        started_us=intervals[0].start_us,
        ended_us=None,
        interval_seconds=900,
        auxiliary_uw=10_000_000,
        error_ppm=10_000,
        calibrations=(Calibrated(from_us=START_US - DAY_US, until_us=START_US + 365 * DAY_US),),
    )
    return METHODOLOGY.quantify(
        QuantifyInputs(
            project=PROJECT,
            period_start_us=START_US,
            period_end_us=end_us,
            devices=(device,),
            intervals=intervals,
            anchored_positive_uj=sum(e for e in energies if e > 0),
            anchored_negative_uj=-sum(e for e in energies if e < 0),
        )
    )


def evidence_of(intervals: tuple[Interval, ...], report: MrvReport) -> bundle.Evidence:
    """Everything that the bundle holds."""
    messages = wire_messages(intervals)
    anchors, salts = anchored(messages)
    return bundle.Evidence(
        report=report_bytes(report),
        methodology_document=METHODOLOGY.document_bytes,
        anchors=anchors,
        salts=salts,
        messages=messages,
        transactions={"issuance": {"hash": "0x" + "bb" * 32}, "retirement": {"hash": "0x" + "cc" * 32}},
    )


def subject_of(report: MrvReport, evidence: bundle.Evidence, archive: bytes) -> credential.Subject:
    """The retirement of the first grams of the batch."""
    block = f"CM-US-{PROJECT}-2016-BAT1"
    return credential.Subject(
        retirement="RET0000000001",
        beneficiary_commitment="d1" * 32,
        retiring_organisation="ORG0000000001",
        grams=str(RETIRED),
        serials=f"{block}-1001-{1000 + RETIRED}",
        batch=credential.Batch(
            id="BAT1",
            address="0x" + "0b" * 32,
            serials=f"{block}-1001-{1000 + int(report.grams)}",
            issuance_transaction="0x" + "bb" * 32,
        ),
        project=credential.Project(id=PROJECT, name="SERF East", country="US"),
        vintage=credential.Span(
            start=times.format_us(report.period_start_us), end=times.format_us(report.period_end_us)
        ),
        methodology=credential.Methodology(
            id=METHODOLOGY.id, version=str(METHODOLOGY.version), document=METHODOLOGY.document_hash.hex()
        ),
        labels=("ccp-approved",),
        reason="voluntary",
        country="NO",
        consumption=credential.Span(start="2016-01-01T00:00:00Z", end="2017-01-01T00:00:00Z"),
        chain=credential.Chain(
            chain_id="4",
            module_address="0x" + "ca" * 32,
            transaction="0x" + "cc" * 32,
            version="4711",
            holder="0x" + "0a" * 32,
            time="2016-10-14T12:00:00Z",
        ),
        gateways=(credential.Gateway(id="gw-1", public_key=GATEWAY.public_key().public_bytes_raw().hex()),),
        evidence=credential.Evidence(
            report=report_hash(report).hex(),
            anchors_root=bundle.anchors_root(PROJECT, evidence.anchors).hex(),
            anchors=str(len(evidence.anchors)),
            manifest=bundle.manifest_hash(archive).hex(),
        ),
    )


def certified(subject: credential.Subject, key: Ed25519PrivateKey = PLATFORM, **changes: Any) -> bytes:
    """The certificate of ``subject`` signed by ``key``."""
    fields: dict[str, Any] = {
        "url": f"https://market.example/v1/certificates/{subject.retirement}",
        "issued": "2016-10-14T12:00:05Z",
    }
    return credential.issue_certificate(
        subject=subject,
        public_key=key.public_key().public_bytes_raw(),
        sign=key.sign,
        **(fields | changes),
    )


def build(intervals: tuple[Interval, ...] | None = None, end_us: int = START_US + DAY_US) -> World:
    """The whole line, from readings to certificate."""
    intervals = quarter_hours() if intervals is None else intervals
    report = quantified(intervals, end_us)
    parts = evidence_of(intervals, report)
    archive = bundle.write(parts)
    subject = subject_of(report, parts, archive)
    return World(
        certificate=certified(subject), evidence=archive, parts=parts, subject=subject, report=report
    )
