"""From the certificate's hashes down to the signed readings."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from msgspec import UnsetType

from carbonmarket import merkle, readings, sensors, serials, times
from carbonmarket.certificate import bundle, credential
from carbonmarket.certificate.bundle import Anchor, Evidence, LeafRef
from carbonmarket.certificate.credential import Certificate, Origin, Subject
from carbonmarket.methodologies import registry
from carbonmarket.methodologies.report import Interval, MrvReport, parse_report
from carbonmarket.readings import Message
from carbonmarket.verification.links import Contradiction, LinkRecorder

_ARCHIVE = "evidence archive"
_MANIFEST = "evidence manifest"
_DOCUMENT = "methodology document"
_REPORT = "report hash"
_SUBJECT = "report subject"
_TRANSACTIONS = "transactions"
_ANCHORS = "anchors"
_MESSAGES = "gateway signatures"
_LEAVES = "leaves and roots"
_SUMS = "anchored sums"
_RECOMPUTED = "report recomputed"
_GRAMS = "batch grams"
_INNER = (
    _MANIFEST,
    _DOCUMENT,
    _REPORT,
    _SUBJECT,
    _TRANSACTIONS,
    _ANCHORS,
    _MESSAGES,
    _LEAVES,
    _SUMS,
    _RECOMPUTED,
    _GRAMS,
)

Messages = Mapping[tuple[str, int], Message]


def check_evidence(
    recorder: LinkRecorder, certificate: Certificate, archive: bytes | None
) -> Evidence | None:
    """Check the bundle against the certificate; answers what it holds, or None without a whole one."""
    subject = certificate.subject
    named = subject.evidence
    if isinstance(named, UnsetType):
        why = subject.origin if isinstance(subject.origin, Origin) else "the certificate names no evidence"
        recorder.skip((_ARCHIVE, *_INNER), str(why))
        return None
    if archive is None:
        recorder.skip((_ARCHIVE, *_INNER), "no evidence was given")
        return None
    evidence = recorder.attempt(
        _ARCHIVE, lambda: bundle.read(archive), "the archive holds its listed entries and not a byte more"
    )
    if evidence is None:
        recorder.skip(_INNER, "the archive is broken")
        return None
    recorder.attempt(
        _MANIFEST,
        lambda: _equal("manifest's hash", bundle.manifest_hash(archive).hex(), named.manifest),
        "the certificate signs this very archive",
    )
    recorder.attempt(
        _DOCUMENT,
        lambda: _check_document(evidence, subject),
        f"the methodology's document is {subject.methodology.id} version {subject.methodology.version}",
    )
    recorder.attempt(
        _REPORT,
        lambda: _equal("report's hash", hashlib.sha256(evidence.report).hexdigest(), named.report),
        "the report is the one that the certificate names",
    )
    recorder.attempt(
        _TRANSACTIONS,
        lambda: _check_transactions(evidence, subject),
        "the transactions of issuance and retirement are those that the certificate names",
    )
    recorder.attempt(
        _ANCHORS,
        lambda: _check_anchors(evidence, subject, named),
        f"the {named.anchors} anchored parts are those under the certificate's root",
    )
    _check_readings(recorder, evidence, subject)
    return evidence


def _check_readings(recorder: LinkRecorder, evidence: Evidence, subject: Subject) -> None:
    messages = recorder.attempt(
        _MESSAGES,
        lambda: _check_messages(evidence, subject),
        f"each of the {len(evidence.messages)} messages is signed by a gateway that the certificate names",
    )
    if messages is None:
        recorder.skip((_LEAVES, _SUMS, _SUBJECT, _RECOMPUTED, _GRAMS), "a message is broken")
        return
    leaves = recorder.attempt(
        _LEAVES,
        lambda: _check_leaves(evidence, subject, messages),
        "every reading is a leaf of its hour's root, once",
    )
    if leaves is None:
        recorder.skip((_SUMS,), "a root is broken")
    else:
        recorder.attempt(
            _SUMS,
            lambda: _check_sums(evidence, subject, messages),
            "the readings give each hour's anchored sums",
        )
    report = recorder.attempt(
        _SUBJECT,
        lambda: _check_subject(evidence, subject),
        "the report is of this project, period and methodology version",
    )
    if report is None or leaves is None:
        recorder.skip((_RECOMPUTED, _GRAMS), "report or readings are broken")
        return
    recorder.attempt(
        _RECOMPUTED,
        lambda: _check_recomputed(report, evidence, messages),
        f"the methodology gives the same report, {report.grams} g, from the {report.readings} readings",
    )
    recorder.attempt(
        _GRAMS,
        lambda: _check_grams(report, subject),
        "the batch holds no more grams than the report gives",
    )


def _equal(what: str, found: str, expected: str) -> None:
    if found != expected:
        raise Contradiction(f"the {what} is {found}, the certificate names {expected}")


def _check_document(evidence: Evidence, subject: Subject) -> None:
    found = hashlib.sha256(evidence.methodology_document).hexdigest()
    _equal("methodology document's hash", found, _document(subject))
    known = registry.get(subject.methodology.id, int(subject.methodology.version))
    _equal("known version's document hash", known.document_hash.hex(), _document(subject))


def _check_subject(evidence: Evidence, subject: Subject) -> MrvReport:
    report = parse_report(evidence.report)
    _equal("report's project", report.project, subject.project.id)
    _equal("report's start", times.format_us(report.period_start_us), subject.vintage.start)
    _equal("report's end", times.format_us(report.period_end_us), subject.vintage.end)
    _equal("report's methodology", report.methodology, subject.methodology.id)
    _equal("report's methodology version", str(report.methodology_version), subject.methodology.version)
    _equal("report's methodology document", report.methodology_document, _document(subject))
    return report


def _document(subject: Subject) -> str:
    document = subject.methodology.document
    return "" if isinstance(document, UnsetType) else document


def _check_transactions(evidence: Evidence, subject: Subject) -> None:
    named = {"issuance": subject.batch.issuance_transaction, "retirement": subject.chain.transaction}
    for name, expected in named.items():
        transaction = evidence.transactions.get(name)
        found = transaction.get("hash") if isinstance(transaction, dict) else None
        _equal(f"{name}'s transaction", str(found), str(expected))


def _check_anchors(evidence: Evidence, subject: Subject, named: credential.Evidence) -> None:
    _equal("number of anchors", str(len(evidence.anchors)), named.anchors)
    root = bundle.anchors_root(subject.project.id, evidence.anchors)
    _equal("root over the anchors", root.hex(), named.anchors_root)
    start_s, end_s = (
        times.parse_us(text, "vintage") // times.MICROSECONDS
        for text in (subject.vintage.start, subject.vintage.end)
    )
    seen: set[tuple[int, int]] = set()
    for anchor in evidence.anchors:
        if not start_s <= anchor.hour < end_s or anchor.hour % times.HOUR_S:
            raise Contradiction(f"{_name(anchor)} is no hour of the vintage")
        if (anchor.hour, anchor.part) in seen:
            raise Contradiction(f"{_name(anchor)} stands twice")
        seen.add((anchor.hour, anchor.part))


def _check_messages(evidence: Evidence, subject: Subject) -> dict[tuple[str, int], Message]:
    keys = {gateway.id: bytes.fromhex(gateway.public_key) for gateway in subject.gateways}
    messages: dict[tuple[str, int], Message] = {}
    for (gateway, sequence), content in evidence.messages.items():
        message = readings.parse_message(content)
        if (message.gateway, message.sequence) != (gateway, sequence):
            raise Contradiction(f"message {sequence} of {gateway} calls itself {message.sequence}")
        if message.project != subject.project.id:
            raise Contradiction(f"message {sequence} of {gateway} is of project {message.project}")
        if gateway not in keys:
            raise Contradiction(f"gateway {gateway} is not one that the certificate names")
        readings.verify_message(message, keys[gateway])
        for index, reading in enumerate(message.readings):
            sensors.check_reading(reading, f"/readings/{index}")
        messages[gateway, sequence] = message
    return messages


def _check_leaves(evidence: Evidence, subject: Subject, messages: Messages) -> int:
    """How many leaves there are, all of them right."""
    salts = {(salt.gateway, salt.sequence, salt.device): salt.salt for salt in evidence.salts}
    seen: set[LeafRef] = set()
    for anchor in evidence.anchors:
        leaves = []
        for ref in anchor.leaves:
            if ref in seen:
                raise Contradiction(f"reading {ref.index} of message {ref.sequence} is counted twice")
            seen.add(ref)
            reading = _reading(ref, messages)
            if times.parse_us(reading["start"], "start") // times.MICROSECONDS // times.HOUR_S != (
                anchor.hour // times.HOUR_S
            ):
                raise Contradiction(f"a reading from {reading['start']} stands under {_name(anchor)}")
            leaves.append(_leaf(ref, reading, subject.project.id, salts))
        if len(leaves) != anchor.count or merkle.root(leaves).hex() != anchor.root:
            raise Contradiction(f"the readings do not give the root of {_name(anchor)}")
    return len(seen)


def _leaf(
    ref: LeafRef, reading: Mapping[str, Any], project: str, salts: Mapping[tuple[str, int, str], str]
) -> bytes:
    salt = salts.get((ref.gateway, ref.sequence, reading["device"]))
    if salt is None:
        raise Contradiction(f"there is no salt for {reading['device']} in message {ref.sequence}")
    try:
        raw = bytes.fromhex(salt)
    except ValueError:
        raise Contradiction(f"the salt for message {ref.sequence} is not hexadecimal") from None
    return readings.leaf_hash(
        salt=raw, project=project, gateway=ref.gateway, sequence=ref.sequence, reading=reading
    )


def _check_sums(evidence: Evidence, subject: Subject, messages: Messages) -> None:
    measured = registry.get(subject.methodology.id, int(subject.methodology.version)).measures
    for anchor in evidence.anchors:
        energies = [sensors.energy_uj(_reading(ref, messages), measured) for ref in anchor.leaves]
        positive = sum(energy for energy in energies if energy > 0)
        negative = -sum(energy for energy in energies if energy < 0)
        if (str(positive), str(negative)) != (anchor.positive_uj, anchor.negative_uj):
            raise Contradiction(
                f"the readings of {_name(anchor)} give {positive} and {negative} µJ, anchored are "
                f"{anchor.positive_uj} and {anchor.negative_uj}"
            )


def _check_recomputed(report: MrvReport, evidence: Evidence, messages: Messages) -> None:
    intervals = []
    measured = registry.get(report.methodology, report.methodology_version).measures
    for anchor in evidence.anchors:
        for ref in anchor.leaves:
            reading = _reading(ref, messages)
            if reading["type"] not in measured:
                continue
            intervals.append(
                Interval(
                    device=reading["device"],
                    start_us=times.parse_us(reading["start"], "start"),
                    seconds=reading["seconds"],
                    power_uw=reading["power_uw"],
                )
            )
    again = registry.recompute(report, tuple(intervals))
    if again != report:
        raise Contradiction(
            f"the methodology gives {again.grams} g or other lines; the report says {report.grams} g"
        )


def _check_grams(report: MrvReport, subject: Subject) -> None:
    block = serials.parse(subject.batch.serials)
    if block.grams > int(report.grams):
        raise Contradiction(f"the batch has {block.grams} serials, the report gives {report.grams} g")


def _reading(ref: LeafRef, messages: Messages) -> Mapping[str, Any]:
    message = messages.get((ref.gateway, ref.sequence))
    if message is None or not 0 <= ref.index < len(message.readings):
        raise Contradiction(f"there is no reading {ref.index} in message {ref.sequence} of {ref.gateway}")
    return message.readings[ref.index]


def _name(anchor: Anchor) -> str:
    return f"hour {times.format_s(anchor.hour)}, part {anchor.part}"
