"""Verification: the true certificate passes, and each lie breaks the link that it is about."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from carbonmarket import canonical, merkle, readings
from carbonmarket.certificate import bundle, credential, data_integrity, multikey
from carbonmarket.errors import ChainRefused, InvalidInput
from carbonmarket.methodologies.report import report_bytes, report_hash
from carbonmarket.verification import Unreadable, VerificationReport, exit_code, verify_certificate
from tests.unit.evidence import serf_east, world

replace = msgspec.structs.replace


@lru_cache(maxsize=1)
def true_world() -> world.World:
    return world.build()


def checked(
    certificate: bytes | None = None, evidence: bytes | None = None, **kwargs: Any
) -> VerificationReport:
    true = true_world()
    return verify_certificate(
        true.certificate if certificate is None else certificate,
        [world.platform_key()],
        true.evidence if evidence is None else evidence,
        **kwargs,
    )


def broken(report: VerificationReport) -> list[str]:
    return [link.name for link in report.broken]


def resigned(document: dict[str, Any], key: Ed25519PrivateKey = world.PLATFORM) -> bytes:
    """The document signed anew: for lies that the platform itself would tell."""
    bare = {name: value for name, value in document.items() if name != "proof"}
    public = key.public_key().public_bytes_raw()
    created = document["proof"]["created"]
    return canonical.dumps(data_integrity.add_proof(bare, public_key=public, sign=key.sign, created=created))


def lying(path: str, value: Any) -> bytes:
    """The certificate with one field changed and signed by the platform."""
    document = json.loads(true_world().certificate)
    place = document
    *parents, last = path.split("/")
    for name in parents:
        place = place[name]
    place[last] = value
    return resigned(document)


def rebuilt(parts: bundle.Evidence, **evidence: str) -> tuple[bytes, bytes]:
    """Certificate and archive for changed evidence, as a lying platform would make them."""
    archive = bundle.write(parts)
    subject = true_world().subject
    named = replace(
        subject.evidence,
        manifest=bundle.manifest_hash(archive).hex(),
        anchors_root=bundle.anchors_root(world.PROJECT, parts.anchors).hex(),
        anchors=str(len(parts.anchors)),
        **evidence,
    )
    return world.certified(replace(subject, evidence=named)), archive


def test_a_true_certificate_is_valid() -> None:
    report = checked()
    assert report.valid
    assert exit_code(report) == 0
    assert {link.status for link in report.links if "chain" not in link.name} == {"passed"}


def test_a_month_of_the_real_array_is_valid() -> None:
    _, end_us, intervals = serf_east.intervals_of("2016-07")
    july = world.build(intervals, end_us)
    assert july.report.grams == "519646"
    assert verify_certificate(july.certificate, [world.platform_key()], july.evidence).valid


def test_without_evidence_its_links_are_not_checked_and_that_is_said() -> None:
    report = verify_certificate(true_world().certificate, [world.platform_key()])
    assert report.valid
    assert any(link.status == "not checked" and link.name == "leaves and roots" for link in report.links)
    assert any("no evidence was given" in sentence for sentence in report.not_proven)


def test_what_nobody_can_prove_is_said_last() -> None:
    sentences = " ".join(checked().not_proven)
    assert "a sensor told the truth" in sentences
    assert "stand on chain" in sentences


@settings(max_examples=400)
@given(st.data())
def test_any_changed_byte_of_the_certificate_breaks_a_link(data: st.DataObject) -> None:
    certificate = bytearray(true_world().certificate)
    place = data.draw(st.integers(0, len(certificate) - 1))
    certificate[place] ^= data.draw(st.integers(1, 255))
    report = verify_certificate(bytes(certificate), [world.platform_key()])
    assert exit_code(report) == 1
    assert broken(report)


@settings(max_examples=100)
@given(st.data())
def test_any_changed_byte_of_the_evidence_breaks_a_link(data: st.DataObject) -> None:
    archive = bytearray(true_world().evidence)
    place = data.draw(st.integers(0, len(archive) - 1))
    archive[place] ^= data.draw(st.integers(1, 255))
    assert "evidence archive" in broken(checked(evidence=bytes(archive)))


def test_a_certificate_wholly_signed_anew_by_a_stranger_fails() -> None:
    forged = world.certified(true_world().subject, key=world.STRANGER)
    assert broken(checked(forged)) == ["trusted key"]


def test_the_issuer_is_the_key_that_signed() -> None:
    stranger = multikey.did(world.STRANGER.public_key().public_bytes_raw())
    assert broken(checked(lying("issuer", stranger))) == ["issuer"]


@pytest.mark.parametrize(
    ("path", "value", "link"),
    [
        ("credentialSubject/grams", "124", "quantity"),
        ("credentialSubject/serials", "CM-US-SERFEAST-2016-BAT1-1-123", "serial block"),
        ("credentialSubject/batch/id", "BAT2", "serial block"),
        ("credentialSubject/project/country", "NO", "serial block"),
        ("credentialSubject/consumption/end", "2015-01-01T00:00:00Z", "dates"),
        ("credentialSubject/chain/time", "2016-06-01T00:00:00Z", "dates"),
        ("validFrom", "2016-10-14T11:59:59Z", "dates"),
        ("credentialSubject/evidence/manifest", "00" * 32, "evidence manifest"),
        ("credentialSubject/evidence/report", "00" * 32, "report hash"),
        ("credentialSubject/evidence/anchorsRoot", "00" * 32, "anchors"),
        ("credentialSubject/evidence/anchors", "25", "anchors"),
        ("credentialSubject/methodology/document", "00" * 32, "methodology document"),
        ("credentialSubject/methodology/version", "2", "methodology document"),
        ("credentialSubject/vintage/end", "2016-07-03T00:00:00Z", "report subject"),
        ("credentialSubject/batch/issuanceTransaction", "0x" + "00" * 32, "transactions"),
        ("credentialSubject/chain/transaction", "0x" + "00" * 32, "transactions"),
        ("credentialSubject/gateways", [{"id": "gw-1", "publicKey": "00" * 32}], "gateway signatures"),
        ("credentialSubject/gateways", [], "gateway signatures"),
    ],
)
def test_a_lie_signed_by_the_platform_breaks_the_link_it_is_about(path: str, value: Any, link: str) -> None:
    assert link in broken(checked(lying(path, value)))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("credentialSubject/grams", 123),
        ("credentialSubject/grams", "1.5"),
        ("credentialSubject/extra", "x"),
        ("credentialSubject/country", "Norway"),
        ("credentialSubject/country", "NO\n"),
        ("credentialSubject/evidence/report", "00" * 32 + "\n"),
        ("validFrom", "2016-10-14T12:00:05Z\n"),
        ("type", ["VerifiableCredential"]),
        ("credentialSubject", None),
    ],
)
def test_another_form_is_no_certificate(path: str, value: Any) -> None:
    assert broken(checked(lying(path, value))) == ["canonical form"]


def test_no_certificate_holds_a_name() -> None:
    assert broken(checked(lying("credentialSubject/beneficiaryName", "Ada"))) == ["canonical form"]


def test_the_same_json_with_a_space_is_another_document() -> None:
    spaced = true_world().certificate.replace(b'":"', b'": "', 1)
    assert broken(checked(spaced)) == ["canonical form"]


@pytest.mark.parametrize("data", [b"", b"  \n", b"hello", b"%PDF-1.7 ...", b"[]", b'{"a":1}', b"\xff\xfe"])
def test_what_is_no_certificate_at_all_is_unreadable(data: bytes) -> None:
    with pytest.raises(Unreadable):
        checked(data)


def test_more_serials_than_the_report_gives_are_found() -> None:
    subject = true_world().subject
    larger = subject.batch.serials.rsplit("-", 1)[0] + f"-{1000 + int(true_world().report.grams) + 1}"
    certificate = world.certified(replace(subject, batch=replace(subject.batch, serials=larger)))
    assert broken(checked(certificate)) == ["batch grams"]


def test_a_report_that_says_more_than_the_methodology_gives_is_found() -> None:
    true = true_world()
    inflated = replace(true.report, grams=str(int(true.report.grams) + 1))
    certificate, archive = rebuilt(
        replace(true.parts, report=report_bytes(inflated)), report=report_hash(inflated).hex()
    )
    assert broken(checked(certificate, archive)) == ["report recomputed"]


def test_a_report_whose_negative_deduction_adds_grams_is_found() -> None:
    true = true_world()
    device = replace(true.report.devices[0], auxiliary_uw=-1)
    forged = replace(true.report, devices=(device,))
    certificate, archive = rebuilt(
        replace(true.parts, report=report_bytes(forged)), report=report_hash(forged).hex()
    )
    assert "report subject" in broken(checked(certificate, archive))


def test_a_reading_that_its_gateway_did_not_sign_is_found() -> None:
    true = true_world()
    place, content = next(iter(true.parts.messages.items()))
    forged = dict(true.parts.messages) | {
        place: content.replace(b'"power_uw":-5000000', b'"power_uw":5000000', 1)
    }
    certificate, archive = rebuilt(replace(true.parts, messages=forged))
    assert "gateway signatures" in broken(checked(certificate, archive))


def test_a_reading_left_out_of_its_tree_is_found() -> None:
    true = true_world()
    first = true.parts.anchors[0]
    anchors = (replace(first, leaves=first.leaves[:-1]), *true.parts.anchors[1:])
    certificate, archive = rebuilt(replace(true.parts, anchors=anchors))
    assert "leaves and roots" in broken(checked(certificate, archive))


def test_a_reading_counted_twice_is_found() -> None:
    true = true_world()
    first = true.parts.anchors[0]
    message = readings.parse_message(true.parts.messages["gw-1", 1])
    leaves = readings.leaf_hashes(message, world.SECRET)
    doubled = replace(
        first,
        part=1,
        count=1,
        root=merkle.root(leaves[:1]).hex(),
        positive_uj="0",
        negative_uj=str(5_000_000 * 900),
        leaves=first.leaves[:1],
    )
    certificate, archive = rebuilt(replace(true.parts, anchors=(*true.parts.anchors, doubled)))
    assert "leaves and roots" in broken(checked(certificate, archive))


@pytest.mark.parametrize(
    ("change", "link"),
    [
        ({"root": "00" * 32}, "leaves and roots"),
        ({"count": 5}, "leaves and roots"),
        ({"positive_uj": "1"}, "anchored sums"),
        ({"negative_uj": "0"}, "anchored sums"),
        ({"hour": 1_467_331_200 + 3_600}, "anchors"),
        ({"hour": 1_467_331_200 - 3_600}, "anchors"),
        ({"hour": 1_467_331_201}, "anchors"),
    ],
)
def test_a_changed_anchor_breaks_its_link(change: dict[str, Any], link: str) -> None:
    true = true_world()
    anchors = (replace(true.parts.anchors[0], **change), *true.parts.anchors[1:])
    certificate, archive = rebuilt(replace(true.parts, anchors=anchors))
    assert link in broken(checked(certificate, archive))


@pytest.mark.parametrize("salt", ["00" * 32, "zz"])
def test_another_salt_gives_another_root(salt: str) -> None:
    true = true_world()
    salts = (replace(true.parts.salts[0], salt=salt), *true.parts.salts[1:])
    certificate, archive = rebuilt(replace(true.parts, salts=salts))
    assert "leaves and roots" in broken(checked(certificate, archive))


def test_a_missing_salt_is_named() -> None:
    true = true_world()
    certificate, archive = rebuilt(replace(true.parts, salts=true.parts.salts[1:]))
    assert any("no salt for inv-1" in link.sentence for link in checked(certificate, archive).broken)


def test_no_certificate_is_signed_that_contradicts_itself() -> None:
    with pytest.raises(InvalidInput, match="its serials are 123"):
        world.certified(replace(true_world().subject, grams="124"))
    with pytest.raises(InvalidInput, match="not in the batch's block"):
        world.certified(replace(true_world().subject, serials="CM-US-SERFEAST-2016-BAT9-1001-1123"))


class Node:
    """A chain on which the true world stands, with ``changes`` to what its views answer."""

    def __init__(self, changes: dict[str, Any] | None = None, chain_id: int = 4) -> None:
        self._changes = changes or {}
        self._chain_id = chain_id

    def chain_id(self) -> int:
        return self._chain_id

    def view(self, function: str, arguments: list[Any]) -> list[Any]:
        subject = true_world().subject
        module, name = function.removeprefix(subject.chain.module_address + "::").split("::")
        if module == "data_anchor":
            project, hours, parts = arguments
            found = [self._anchor(project, *each) for each in zip(hours, parts, strict=True)]
            return [list(column) for column in zip(*found, strict=True)]
        values = self._record(subject) if name == "record" else self._batch(subject)
        return [values | {k: v for k, v in self._changes.items() if k in values}]

    def _anchor(self, *arguments: str) -> list[Any]:
        for anchor in true_world().parts.anchors:
            if (world.PROJECT, str(anchor.hour), str(anchor.part)) == arguments:
                root = self._changes.get("root", "0x" + anchor.root)
                late = self._changes.get("late", False)
                sums = [anchor.positive_uj, anchor.negative_uj]
                return [root, str(anchor.count), *sums, late]
        raise ChainRefused("there is no such anchor")

    def _record(self, subject: credential.Subject) -> dict[str, Any]:
        return {
            "kind": 1,
            "batch": "0x" + subject.batch.address[2:].lstrip("0"),
            "project": subject.project.id,
            "holder": subject.chain.holder,
            "grams": subject.grams,
            "serial_first": "1001",
            "serial_last": "1123",
            "commitment": "0x" + subject.beneficiary_commitment,
            "reason": subject.reason,
            "country": subject.country,
            "period_start": "1451606400",
            "period_end": "1483228800",
        }

    def _batch(self, subject: credential.Subject) -> dict[str, Any]:
        return {
            "id": "BAT1",
            "project": subject.project.id,
            "country": "US",
            "methodology": subject.methodology.id,
            "methodology_version": "1",
            "report_hash": "0x" + subject.evidence.report,
            "serial_first": "1001",
            "serial_last": str(1000 + int(true_world().report.grams)),
            "period_start": "1467331200",
            "period_end": "1467417600",
        }


def test_with_a_node_every_link_is_checked() -> None:
    report = checked(chain=Node())
    assert {link.status for link in report.links} == {"passed"}
    assert not any("no node was asked" in sentence for sentence in report.not_proven)


@pytest.mark.parametrize(
    ("changes", "link"),
    [
        ({"grams": "124"}, "retirement on chain"),
        ({"kind": 2}, "retirement on chain"),
        ({"commitment": "0x00"}, "retirement on chain"),
        ({"report_hash": "0x00"}, "batch on chain"),
        ({"root": "0x00"}, "anchors on chain"),
        ({"late": True}, "anchors on chain"),
    ],
)
def test_a_chain_that_says_otherwise_breaks_its_link(changes: dict[str, Any], link: str) -> None:
    assert link in broken(checked(chain=Node(changes)))


def test_a_node_of_another_chain_is_not_asked_further() -> None:
    report = checked(chain=Node(chain_id=1))
    assert broken(report) == ["chain"]
