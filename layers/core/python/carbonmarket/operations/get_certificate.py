"""The public side of a retirement: its certificate, from the first second on, and whether it holds."""

from __future__ import annotations

import json

from carbonmarket.errors import MarketError, NotFound
from carbonmarket.operations.create_retirement import known_beneficiary
from carbonmarket.ports.documents import CertificateFiles
from carbonmarket.ports.personal import SubjectKeys
from carbonmarket.ports.registry import RegistryStore
from carbonmarket.records.credits import Retirement


class RetirementGone(MarketError):
    """The retirement failed, so there will be no certificate; nothing was retired."""

    status = 410
    code = "retirement-failed"


def get_certificate(
    retirement: str, *, registry: RegistryStore, certificates: CertificateFiles
) -> tuple[Retirement, bytes | None]:
    """The retirement and its certificate's bytes, None while they are still to come.

    NotFound only for an id that was never given; RetirementGone says why there will be none.
    """
    kept = registry.retirement(retirement)
    if kept is None:
        raise NotFound("no certificate with this id was ever asked for", field="certificate")
    if kept.record.state == "failed":
        raise RetirementGone(f"the retirement failed, nothing was retired: {kept.record.failure}")
    return kept.record, certificates.get(retirement, "certificate.json")


def require_evidence(certificate: bytes) -> None:
    """NotFound for the certificate of imported credits, of which nothing was measured here."""
    origin = json.loads(certificate)["credentialSubject"].get("origin")
    if origin is not None:
        raise NotFound(
            f"there is no evidence: {origin['statement']}, imported from {origin['registry']}, "
            f"serial {origin['serial']}",
            field="certificate",
        )


def public_name(retirement: Retirement, subjects: SubjectKeys) -> str | None:
    """The beneficiary's name where it may be shown and was not erased."""
    if not retirement.name_is_public:
        return None
    known = known_beneficiary(retirement, subjects)
    return known.name if known else None
