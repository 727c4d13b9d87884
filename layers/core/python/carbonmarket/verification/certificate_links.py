"""Verification of a retirement certificate, link by link, by anyone, without a network.

Each link is a sentence that passed, failed, or was not checked because what it needs is missing. A byte
changed anywhere in certificate or evidence breaks at least one link, which names what it broke.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec
from msgspec import UNSET

from carbonmarket import times
from carbonmarket.certificate import credential, data_integrity, multikey
from carbonmarket.certificate.credential import Certificate, Origin
from carbonmarket.errors import MarketError
from carbonmarket.verification.chain_links import ChainView, check_chain
from carbonmarket.verification.evidence_links import check_evidence
from carbonmarket.verification.links import Contradiction, Link, LinkRecorder

VALID, INVALID, UNREADABLE = 0, 1, 2

_FORM = "canonical form"
_PROOF = "proof"
_TRUST = "trusted key"
_ISSUER = "issuer"
_ORIGIN = "origin"
_QUANTITY = "quantity"
_BLOCK = "serial block"
_DATES = "dates"
_CERTIFICATE_LINKS = (_PROOF, _TRUST, _ISSUER, _ORIGIN, _QUANTITY, _BLOCK, _DATES)


class Unreadable(MarketError):
    """The file is no certificate at all, so that there is nothing to verify."""

    status = 422
    code = "unreadable-certificate"


class VerificationReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was checked, in order, and what no check here can prove."""

    links: tuple[Link, ...]
    not_proven: tuple[str, ...]
    certificate: Certificate | None

    @property
    def valid(self) -> bool:
        """Whether no link failed."""
        return all(link.status != "failed" for link in self.links)

    @property
    def broken(self) -> tuple[Link, ...]:
        """The links that failed."""
        return tuple(link for link in self.links if link.status == "failed")


def exit_code(report: VerificationReport) -> int:
    """0 where nothing failed, 1 where a link did. (2, unreadable, is for what gives no report.)"""
    return VALID if report.valid else INVALID


def verify_certificate(
    data: bytes, trusted_keys: Collection[str], evidence: bytes | None = None, chain: ChainView | None = None
) -> VerificationReport:
    """Check the certificate in ``data``.

    ``trusted_keys`` are Multikeys (z6Mk…) that the caller believes; they never come from the file.
    ``evidence`` is the bundle, ``chain`` a node to ask; links that need what is None are not checked.
    Raises Unreadable where ``data`` is nothing like a certificate, EngineUnavailable where the node that was
    to be asked does not answer.
    """
    if not data.strip():
        raise Unreadable("the file is empty")
    recorder = LinkRecorder()
    certificate = recorder.attempt(
        _FORM,
        lambda: credential.parse_certificate(data),
        "the certificate is canonical JSON (RFC 8785) and has every field in its form",
    )
    if certificate is None:
        # A damaged certificate still shows one of these; something else altogether shows neither.
        if b'"credentialSubject"' not in data and b'"DataIntegrityProof"' not in data:
            raise Unreadable(f"the file is no certificate: {recorder.links[-1].sentence}")
        recorder.skip(_CERTIFICATE_LINKS, "the certificate could not be read")
        return _report(recorder, None, evidence, chain)
    _check_signature(recorder, certificate, trusted_keys)
    recorder.attempt(
        _ORIGIN, lambda: credential.check_origin(certificate.subject), _origin_sentence(certificate)
    )
    recorder.attempt(
        _QUANTITY,
        lambda: credential.check_quantity(certificate.subject),
        f"{certificate.subject.grams} g are exactly the serials {certificate.subject.serials}",
    )
    recorder.attempt(
        _BLOCK,
        lambda: credential.check_block(certificate.subject),
        f"the serials lie in the batch's block {certificate.subject.batch.serials}",
    )
    recorder.attempt(_DATES, lambda: _check_dates(certificate), "the dates follow one another")
    checked = check_evidence(recorder, certificate, evidence)
    check_chain(recorder, certificate, checked, chain)
    return _report(recorder, certificate, evidence, chain)


def _origin_sentence(certificate: Certificate) -> str:
    origin = certificate.subject.origin
    return str(origin) if isinstance(origin, Origin) else "the credits were measured and issued here"


def _check_signature(recorder: LinkRecorder, certificate: Certificate, trusted: Collection[str]) -> None:
    key = recorder.attempt(
        _PROOF,
        lambda: data_integrity.verify_proof(certificate.document),
        "the Data Integrity proof (eddsa-jcs-2022) is the named key's over this certificate",
    )
    if key is None:
        recorder.skip((_TRUST, _ISSUER), "no proof holds")
        return
    text = multikey.encode(key)
    if text in trusted:
        recorder.passed(_TRUST, f"the signing key {text} is one you trust")
    else:
        recorder.failed(
            _TRUST,
            f"the signing key {text} is not among the {len(trusted)} keys you trust; if you know it to be "
            f"the platform's, add it with: carbonmarket trust add {text}",
        )
    if certificate.issuer == multikey.did(key):
        recorder.passed(_ISSUER, "the issuer is the signing key")
    else:
        recorder.failed(_ISSUER, f"the issuer {certificate.issuer} is not the key that signed")


def _check_dates(certificate: Certificate) -> None:
    subject = certificate.subject
    vintage_start = times.parse_us(subject.vintage.start, "vintage/start")
    vintage_end = times.parse_us(subject.vintage.end, "vintage/end")
    consumption_start = times.parse_us(subject.consumption.start, "consumption/start")
    consumption_end = times.parse_us(subject.consumption.end, "consumption/end")
    retired = times.parse_us(subject.chain.time, "chain/time")
    issued = times.parse_us(certificate.valid_from, "validFrom")
    signed = times.parse_us(certificate.document["proof"]["created"], "proof/created")
    order: tuple[tuple[bool, str], ...] = (
        (vintage_start < vintage_end, "the vintage ends before it starts"),
        (consumption_start < consumption_end, "the consumption period ends before it starts"),
        (vintage_end <= retired, "the credits were retired before their vintage had ended"),
        (retired <= issued, "the certificate is dated before the retirement"),
        (issued <= signed, "the proof is dated before the certificate"),
    )
    for holds, otherwise in order:
        if not holds:
            raise Contradiction(otherwise)


def _report(
    recorder: LinkRecorder, certificate: Certificate | None, evidence: bytes | None, chain: ChainView | None
) -> VerificationReport:
    origin = certificate.subject.origin if certificate is not None else UNSET
    if isinstance(origin, Origin):
        not_proven = [
            f"that anything was reduced or removed: {origin.registry} says so, nobody measured it here",
            f"that {origin.registry} holds serial {origin.serial} back from being sold or claimed there",
        ]
    else:
        not_proven = [
            "that a sensor told the truth: signatures prove who sent a reading, not what it measured"
        ]
        not_proven.append("that reviewers and project are independent beyond the rule that draws reviewers")
        if evidence is None:
            not_proven.append("that the grams follow from readings: no evidence was given (--evidence)")
    if chain is None:
        not_proven.append("that roots, batch and retirement stand on chain: no node was asked (--node)")
    return VerificationReport(
        links=tuple(recorder.links), not_proven=tuple(not_proven), certificate=certificate
    )
