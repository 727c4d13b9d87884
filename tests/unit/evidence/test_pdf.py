"""The printed certificate: every field of the credential on it, and a name only by consent."""

from __future__ import annotations

import io
from functools import lru_cache

import msgspec
import pytest
import zxingcpp
from pypdf import PdfReader

from carbonmarket.certificate import pdf
from carbonmarket.certificate.credential import parse_certificate
from carbonmarket.errors import InvalidInput
from tests.unit.evidence import world


@lru_cache(maxsize=1)
def true_world() -> world.World:
    return world.build()


def text_of(certificate: bytes, public_name: str | None = None) -> str:
    pages = PdfReader(io.BytesIO(pdf.render(certificate, public_name))).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


def leaves(value: object) -> list[str]:
    """Every text that the credential's subject holds."""
    if isinstance(value, dict):
        return [text for item in value.values() for text in leaves(item)]
    if isinstance(value, list | tuple):
        return [text for item in value for text in leaves(item)]
    return [str(value)]


def test_every_field_of_the_credential_is_on_the_page() -> None:
    printed = text_of(true_world().certificate)
    for text in leaves(msgspec.to_builtins(true_world().subject)):
        assert text in printed, text


def test_the_quantity_is_exact_in_tonnes() -> None:
    assert "0.000123 t CO2e" in text_of(true_world().certificate)


def test_a_name_of_another_script_is_printed() -> None:
    name = "Владимир Ελένη Łódź"
    assert name in text_of(true_world().certificate, name)


def test_a_name_that_can_not_be_printed_is_said_to_be_so_and_where_it_stands_whole() -> None:
    printed = text_of(true_world().certificate, "Kai 海")
    assert "Kai ·" in printed
    assert "This page can't print the name above" in printed
    assert "public verification shows it whole" in printed
    assert "certificate.json holds them whole" not in printed
    assert "can't print" not in text_of(true_world().certificate, "Kai")


def test_a_text_that_can_not_be_printed_is_said_to_stand_whole_in_the_certificate() -> None:
    project = msgspec.structs.replace(true_world().subject.project, name="海上风电")
    certificate = world.certified(msgspec.structs.replace(true_world().subject, project=project))
    printed = text_of(certificate)
    assert "···· (" in printed
    assert "The signed certificate.json holds them whole." in printed
    assert "海上风电" in certificate.decode()
    assert "can't print the name" not in printed


def test_a_beneficiary_who_did_not_consent_shows_as_a_commitment_only() -> None:
    printed = text_of(true_world().certificate)
    assert "on behalf of" not in printed
    assert "d1" * 32 in printed


def test_the_qr_code_leads_to_the_certificate() -> None:
    (page, *_) = PdfReader(io.BytesIO(pdf.render(true_world().certificate))).pages
    (printed,) = page.images
    (code,) = zxingcpp.read_barcodes(printed.image)
    assert code.format == zxingcpp.BarcodeFormat.QRCode
    assert code.text == parse_certificate(true_world().certificate).url


def test_the_same_certificate_prints_the_same_page() -> None:
    assert pdf.render(true_world().certificate) == pdf.render(true_world().certificate)


def test_the_longest_texts_still_print() -> None:
    subject = msgspec.structs.replace(true_world().subject, reason="long reason " * 42)
    assert text_of(world.certified(subject), "A" * 512).count("long reason") == 42


def test_what_is_no_certificate_is_not_printed() -> None:
    with pytest.raises(InvalidInput):
        pdf.render(b"{}")
