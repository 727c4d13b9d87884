"""Certificates of credits that another registry issued: they hold, and can't be taken for measured ones."""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from msgspec import UNSET
from pypdf import PdfReader

from carbonmarket.certificate import credential, pdf
from carbonmarket.cli.verify import verify_command
from carbonmarket.errors import InvalidInput
from carbonmarket.verification import VerificationReport, verify_certificate
from tests.unit.evidence import world

replace = msgspec.structs.replace
ORIGIN = credential.Origin(registry="ACR", serial="ACR-US-102-2016-1 to 5")
SAID = "not measured here: imported from ACR, serial ACR-US-102-2016-1 to 5"


@lru_cache(maxsize=1)
def measured() -> world.World:
    return world.build()


def subject(**changes: Any) -> credential.Subject:
    """The retirement of imported credits."""
    told = measured().subject
    imported = replace(
        told,
        batch=replace(told.batch, issuance_transaction=UNSET),
        methodology=credential.Methodology(id="Industrial Gas Substitution", version="0"),
        labels=("not-measured-here",),
        gateways=(),
        evidence=UNSET,
        origin=ORIGIN,
    )
    return replace(imported, **changes)


def checked(evidence: bytes | None = None) -> VerificationReport:
    return verify_certificate(world.certified(subject()), [world.platform_key()], evidence)


def test_a_certificate_of_imported_credits_is_valid_and_says_that_nothing_was_measured() -> None:
    report = checked()
    assert report.valid
    assert {link.name: link.sentence for link in report.links}["origin"] == SAID
    evidence = [link for link in report.links if link.name in ("evidence archive", "leaves and roots")]
    assert [(link.status, link.sentence) for link in evidence] == [("not checked", SAID)] * 2
    assert "nobody measured it here" in report.not_proven[0]
    assert ORIGIN.serial in report.not_proven[1]
    assert not any("sensor" in sentence for sentence in report.not_proven)


def test_evidence_of_other_credits_makes_it_no_more_measured() -> None:
    report = checked(measured().evidence)
    assert {link.status for link in report.links if "evidence" in link.name} == {"not checked"}


def test_verify_says_it_beside_the_verdict(tmp_path: Path) -> None:
    (tmp_path / "certificate.json").write_bytes(world.certified(subject()))
    arguments = [str(tmp_path / "certificate.json"), "--trust", world.platform_key()]
    result = CliRunner().invoke(verify_command, [*arguments, "--store", str(tmp_path / "store")])
    assert result.exit_code == 0, result.output
    verdict = result.output.splitlines()
    valid = next(number for number, line in enumerate(verdict) if line.startswith("VALID"))
    assert verdict[valid + 1] == f"But {SAID}"


def test_the_page_for_people_says_it() -> None:
    [sheet] = PdfReader(io.BytesIO(pdf.render(world.certified(subject())))).pages
    page = " ".join(sheet.extract_text().split())
    assert "Not measured here: imported" in page
    assert ORIGIN.serial in page
    assert "Root over anchors" not in page
    assert "Its document" not in page


LIES = {
    "both": {"evidence": measured().subject.evidence},
    "neither": {"origin": UNSET},
    "gateways": {"gateways": measured().subject.gateways},
    "document": {"methodology": measured().subject.methodology},
    "issuance": {"batch": measured().subject.batch},
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_what_claims_evidence_for_imported_credits_is_never_signed(lie: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        world.certified(subject(**lie))


def test_a_measured_certificate_keeps_its_bytes() -> None:
    told = credential.parse_certificate(measured().certificate).document["credentialSubject"]
    assert "origin" not in told
    assert told["evidence"]["anchors"] == "24"
