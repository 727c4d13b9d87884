"""What a node says of the certificate: retirement, batch and anchors, asked of the contracts' views."""

from __future__ import annotations

from typing import Any, Protocol

from msgspec import UnsetType

from carbonmarket import serials, times
from carbonmarket.certificate.bundle import Anchor, Evidence
from carbonmarket.certificate.credential import Certificate, Origin, Subject
from carbonmarket.chain import addresses
from carbonmarket.verification.links import Contradiction, LinkRecorder

_CHAIN = "chain"
_RETIREMENT = "retirement on chain"
_BATCH = "batch on chain"
_ANCHORS = "anchors on chain"
# A month has 744 hours; a call for each of them would take a public node minutes. Its answer is limited.
_ANCHORS_A_CALL = 1_000
_RETIRED = 1
"""certificate_registry's kind of a retirement; 2 is a cancellation, 3 a reversal."""


class ChainView(Protocol):
    """A node of the chain, asked and never told. Refusals are EngineUnavailable or ChainRefused."""

    def chain_id(self) -> int:
        """The id of the node's chain."""
        ...

    def view(self, function: str, arguments: list[Any]) -> list[Any]:
        """Call the view ``0xaddress::module::name``; arguments and values are in the node's JSON."""
        ...


def check_chain(
    recorder: LinkRecorder, certificate: Certificate, evidence: Evidence | None, chain: ChainView | None
) -> None:
    """Compare what the certificate says with what stands on chain."""
    if chain is None:
        recorder.skip((_CHAIN, _RETIREMENT, _BATCH, _ANCHORS), "no node was asked")
        return
    subject = certificate.subject
    same = recorder.attempt(
        _CHAIN, lambda: _check_chain_id(subject, chain), f"the node is of chain {subject.chain.chain_id}"
    )
    if same is None:
        recorder.skip((_RETIREMENT, _BATCH, _ANCHORS), "the node could not be asked, or is of another chain")
        return
    recorder.attempt(
        _RETIREMENT,
        lambda: _check_retirement(subject, chain),
        f"the registry holds retirement {subject.retirement} with these serials",
    )
    recorder.attempt(
        _BATCH, lambda: _check_batch(subject, chain), f"batch {subject.batch.id} stands on chain as named"
    )
    if isinstance(subject.origin, Origin):
        recorder.skip((_ANCHORS,), str(subject.origin))
        return
    if evidence is None:
        recorder.skip((_ANCHORS,), "no whole evidence was given")
        return
    recorder.attempt(
        _ANCHORS,
        lambda: _check_anchors(subject, evidence, chain),
        f"all {len(evidence.anchors)} roots stand on chain",
    )


def _check_chain_id(subject: Subject, chain: ChainView) -> int:
    found = chain.chain_id()
    if str(found) != subject.chain.chain_id:
        raise Contradiction(f"the node is of chain {found}, the certificate of {subject.chain.chain_id}")
    return found


def _check_retirement(subject: Subject, chain: ChainView) -> None:
    (record,) = chain.view(_function(subject, "certificate_registry::record"), [subject.retirement])
    retired = serials.parse(subject.serials)
    expected = {
        "kind": str(_RETIRED),
        "batch": subject.batch.address,
        "project": subject.project.id,
        "holder": subject.chain.holder,
        "grams": subject.grams,
        "serial_first": str(retired.first),
        "serial_last": str(retired.last),
        "commitment": "0x" + subject.beneficiary_commitment,
        "reason": subject.reason,
        "country": subject.country,
        "period_start": _seconds(subject.consumption.start),
        "period_end": _seconds(subject.consumption.end),
    }
    _compare("the registry's record", record, expected)


def _check_batch(subject: Subject, chain: ChainView) -> None:
    (batch,) = chain.view(_function(subject, "credit_batch::batch"), [subject.batch.address])
    block = serials.parse(subject.batch.serials)
    report = "" if isinstance(subject.evidence, UnsetType) else subject.evidence.report
    expected = {
        "id": subject.batch.id,
        "project": subject.project.id,
        "country": subject.project.country,
        "methodology": subject.methodology.id,
        "methodology_version": subject.methodology.version,
        "report_hash": "0x" + report,
        "serial_first": str(block.first),
        "serial_last": str(block.last),
        "period_start": _seconds(subject.vintage.start),
        "period_end": _seconds(subject.vintage.end),
    }
    _compare("the batch", batch, expected)
    if isinstance(subject.origin, Origin):
        _check_origin(subject, subject.origin, chain)


def _check_origin(subject: Subject, origin: Origin, chain: ChainView) -> None:
    found = chain.view(_function(subject, "imports::origin"), [subject.batch.address])
    expected = [origin.registry, origin.serial, subject.project.name]
    if found != expected:
        raise Contradiction(f"the batch on chain comes from {found}, the certificate says {expected}")


def _check_anchors(subject: Subject, evidence: Evidence, chain: ChainView) -> None:
    for start in range(0, len(evidence.anchors), _ANCHORS_A_CALL):
        _check_some_anchors(subject, evidence.anchors[start : start + _ANCHORS_A_CALL], chain)


def _check_some_anchors(subject: Subject, anchors: tuple[Anchor, ...], chain: ChainView) -> None:
    hours, parts = [str(anchor.hour) for anchor in anchors], [str(anchor.part) for anchor in anchors]
    lists = chain.view(_function(subject, "data_anchor::anchors_of"), [subject.project.id, hours, parts])
    rows = list(zip(*lists, strict=False))
    if len(rows) != len(anchors):
        raise Contradiction(f"the node tells of {len(rows)} of {len(anchors)} anchors")
    for anchor, (*stored, late) in zip(anchors, rows, strict=True):
        expected = ["0x" + anchor.root, str(anchor.count), anchor.positive_uj, anchor.negative_uj]
        found = [str(value) for value in stored]
        place = f"hour {times.format_s(anchor.hour)}, part {anchor.part}"
        if found != expected:
            raise Contradiction(f"{place} stands on chain as {found}, not {expected}")
        if late:
            raise Contradiction(f"{place} was anchored late")


def _compare(what: str, found: Any, expected: dict[str, str]) -> None:
    for name, value in expected.items():
        text = str(found.get(name))
        if value.startswith("0x") and name in ("batch", "holder"):
            text = addresses.canonical(text)
        if text != value:
            raise Contradiction(f"{what} on chain has {name} {text!r}, the certificate says {value!r}")


def _function(subject: Subject, name: str) -> str:
    return f"{subject.chain.module_address}::{name}"


def _seconds(text: str) -> str:
    return str(times.parse_us(text, "time") // times.MICROSECONDS)
