"""What callers see of records: quantities as strings, times in ISO 8601, nothing of the inside."""

from __future__ import annotations

from typing import Any

import msgspec

from carbonmarket.issuance import approval_bytes
from carbonmarket.operations.create_retirement import certificate_url
from carbonmarket.operations.vote import Market, approval
from carbonmarket.ports.documents import Upload
from carbonmarket.ports.gateways import GatewayCertificate
from carbonmarket.quantities import format_decimal
from carbonmarket.records import chain
from carbonmarket.records.accounts import Organisation
from carbonmarket.records.credits import Retirement, Transfer
from carbonmarket.records.devices import Calibration, Device, Gateway
from carbonmarket.records.registry import Batch, Document, Period, Project, Review
from carbonmarket.times import format_us

Json = dict[str, Any]


def organisation(record: Organisation) -> Json:
    """An organisation; the salt of its commitment stays inside."""
    return {
        "id": record.id,
        "name": record.name,
        "kind": record.kind,
        "country": record.country,
        "account_address": record.account_address,
        "commitment": record.commitment,
        "reviewer_key": record.reviewer_key or None,
        "created": format_us(record.created_us),
    }


def project(record: Project) -> Json:
    """A project with how it came to its state."""
    return {
        "id": record.id,
        "organisation": record.organisation,
        "name": record.name,
        "description": record.description,
        "country": record.country,
        "latitude": format_decimal(record.location.latitude_udeg, 6),
        "longitude": format_decimal(record.location.longitude_udeg, 6),
        "technology": record.technology,
        "capacity_w": str(record.capacity_w),
        "commissioned": format_us(record.commissioned_us),
        "methodology": record.methodology.id,
        "methodology_version": record.methodology.version,
        "document_hashes": list(record.document_hashes),
        "state": record.state,
        "history": [
            {
                "state": change.state,
                "organisation": change.organisation,
                "at": format_us(change.at_us),
                "comment": change.comment,
            }
            for change in record.history
        ],
        "created": format_us(record.created_us),
    }


def document(record: Document) -> Json:
    """A document's entry."""
    return {
        "id": record.id,
        "project": record.project,
        "name": record.name,
        "kind": record.kind,
        "media_type": record.media_type,
        "sha256": record.sha256,
        "size": str(record.size),
        "state": record.state,
        "created": format_us(record.created_us),
    }


def upload(record: Document, target: Upload) -> Json:
    """A document's entry and where to PUT its bytes."""
    return {
        **document(record),
        "upload": {
            "method": "PUT",
            "url": target.url,
            "headers": target.headers,
            "expires": format_us(target.expires_us),
        },
    }


def gateway(record: Gateway, issued: GatewayCertificate) -> Json:
    """A gateway and what it connects with."""
    return {
        "id": record.id,
        "project": record.project,
        "name": record.name,
        "public_key": record.public_key,
        "certificate": issued.certificate,
        "authority": issued.authority,
        "certificate_fingerprint": issued.fingerprint,
        "endpoint": issued.endpoint,
        "created": format_us(record.created_us),
    }


def device(record: Device) -> Json:
    """A device; its plate in the unit of its type's main field."""
    return {
        "id": record.id,
        "project": record.project,
        "type": record.type,
        "name": record.name,
        "manufacturer": record.manufacturer,
        "model": record.model,
        "serial": record.serial,
        "nameplate": str(record.nameplate),
        "standby": str(record.standby),
        "interval_seconds": record.interval_seconds,
        "error_ppm": record.error_ppm,
        "reports_from": format_us(record.from_us),
        "reports_to": None if record.to_us is None else format_us(record.to_us),
        "created": format_us(record.created_us),
    }


def calibration(record: Calibration) -> Json:
    """An entry of a calibration log."""
    return {
        "id": record.id,
        "device": record.device,
        "performed": format_us(record.performed_us),
        "valid_until": format_us(record.valid_until_us),
        "laboratory": record.laboratory,
        "error_ppm": record.error_ppm,
        "document": record.document or None,
        "created": format_us(record.created_us),
    }


def period(record: Period) -> Json:
    """A monitoring period and how far its saga has come."""
    return {
        "id": record.id,
        "project": record.project,
        "start": format_us(record.start_us),
        "end": format_us(record.end_us),
        "state": record.state,
        "grams": _grams(record.grams),
        "report_hash": record.report_hash or None,
        "batch": record.batch or None,
        "reason": record.reason or None,
        "created": format_us(record.created_us),
    }


def review(record: Review) -> Json:
    """A reviewer's task and vote."""
    return {
        "id": record.id,
        "project": record.project,
        "period": record.period,
        "reviewer": record.reviewer,
        "report_hash": record.report_hash,
        "grams": str(record.grams),
        "vote": record.vote,
        "comment": record.comment or None,
        "asked": format_us(record.asked_us),
        "voted": None if record.voted_us is None else format_us(record.voted_us),
    }


def task(record: Review, of: Period, market: Market) -> Json:
    """A review with the bytes (hex) that an approval signs, and what they say."""
    said = approval(of, market)
    return {
        **review(record),
        "approval": {
            "chain_id": said.chain_id,
            "module_address": said.module_address,
            "project": said.project,
            "period_start": str(said.period_start),
            "period_end": str(said.period_end),
            "grams": str(said.grams),
            "report_hash": said.report_hash,
            "bytes": approval_bytes(said).hex(),
        },
    }


def batch(record: Batch, seen: chain.Batch | None) -> Json:
    """A batch as issued, and what has become of its grams as far as the chain was seen.

    Of an import (``origin``) the chain alone knows when it came, and by which transaction.
    """
    became = None
    transaction, issued_us = record.transaction, record.issued_us
    if record.origin is not None and seen is not None:
        transaction, issued_us = seen.transaction, seen.time_us
    if seen is not None:
        became = {
            "buffered": str(seen.buffered),
            "retired": str(seen.retired),
            "cancelled": str(seen.cancelled),
            "reversed": str(seen.reversed),
        }
    return {
        "id": record.id,
        "project": record.project,
        "period": record.period,
        "address": record.address,
        "grams": str(record.grams),
        "buffered_at_issue": str(record.buffered),
        "serial_first": str(record.serial_first),
        "serial_last": str(record.serial_last),
        "country": record.country,
        "vintage_start": format_us(record.start_us),
        "vintage_end": format_us(record.end_us),
        "methodology": record.methodology.id,
        "methodology_version": record.methodology.version,
        "report_hash": record.report_hash,
        "transaction": transaction or None,
        "issued": format_us(issued_us) if issued_us else None,
        "origin": None if record.origin is None else _origin(record.origin),
        "now": became,
    }


def _origin(record: chain.Origin) -> Json:
    return {"registry": record.registry, "serial": record.serial, "project_name": record.project_name}


def holding(record: chain.Holding, batch_id: str | None) -> Json:
    """What an organisation holds of a batch."""
    return {"batch": batch_id, "batch_address": record.batch, "grams": str(record.grams)}


def transfer(record: Transfer) -> Json:
    """A transfer."""
    return {
        "id": record.id,
        "from": record.sender,
        "to": record.receiver,
        "batch": record.batch,
        "grams": str(record.grams),
        "state": record.state,
        "transaction": record.transaction or None,
        "reason": record.reason or None,
        "created": format_us(record.created_us),
    }


def retirement(record: Retirement, public_url: str) -> Json:
    """A retirement; of its beneficiary only the commitment."""
    return {
        "id": record.id,
        "organisation": record.organisation,
        "batch": record.batch,
        "grams": str(record.grams),
        "reason": record.reason,
        "country": record.country,
        "period_start": format_us(record.start_us),
        "period_end": format_us(record.end_us),
        "beneficiary_commitment": record.beneficiary,
        "state": record.state,
        "failure": record.failure or None,
        "serial_first": _grams(record.serial_first),
        "serial_last": _grams(record.serial_last),
        "transaction": record.transaction or None,
        "retired": None if record.retired_us is None else format_us(record.retired_us),
        "certificate_url": certificate_url(public_url, record.id),
        "created": format_us(record.created_us),
    }


def reconciliation(record: chain.ReconciliationSummary) -> Json:
    """How much was compared, and what differs."""
    return {
        "at": format_us(record.at_us),
        "chain_id": record.chain_id,
        "version": str(record.version),
        "batches": record.batches,
        "assets": record.assets,
        "differences": record.differences,
        "differing_batches": [reconciled(batch) for batch in record.differing_batches],
        "differing_assets": [reconciled(asset) for asset in record.differing_assets],
    }


def reconciled(row: chain.BatchReconciliation | chain.VaultReconciliation) -> Json:
    """Serial ranges, chain supply and projection of a batch, or an asset in the vault."""
    return {name: _text(value) for name, value in msgspec.structs.asdict(row).items()}


def _text(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else str(value)


def _grams(value: int | None) -> str | None:
    return None if value is None else str(value)
