"""The certificate for people: one page to print.

All but a beneficiary's name is read from the signed credential, so that page and credential can't differ. The
QR code leads to the certificate's address. FiraGO (SIL Open Font License) prints Latin, Greek, Cyrillic,
Arabic, Hebrew, Devanagari, Thai and Georgian; the page says where a text has other letters, and where to read
it whole.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import UnsetType

from carbonmarket.certificate.credential import (
    Certificate,
    Evidence,
    Methodology,
    Origin,
    Subject,
    parse_certificate,
)
from carbonmarket.quantities import format_tonnes

if TYPE_CHECKING:
    from fpdf import FPDF

_FONT = "FiraGO"
_INK, _MUTED, _GREEN = (24, 32, 28), (98, 110, 104), (22, 101, 67)
_MARGIN_MM = 18
_LABEL_MM = 46
_ROW_MM = 5
_QR_MM = 34
_PAGE_MM = 210
_REPLACEMENT = "·"
_LACKING = (
    "This page can't print every letter of the texts above: a dot stands for each that it has no type for. "
    "The signed certificate.json holds them whole."
)
# A name is not in the certificate, which nobody could erase it from.
_LACKING_NAME = (
    "This page can't print the name above: a dot stands for each letter that it has no type for. "
    "The certificate's public verification shows it whole."
)


def render(certificate: bytes, public_name: str | None = None) -> bytes:
    """The PDF of a certificate's canonical bytes. The same certificate gives the same PDF.

    ``public_name`` is the beneficiary's, where they consented to show it; the credential holds only its
    commitment. InvalidInput where the bytes are no certificate; the proof is not checked.
    """
    parsed = parse_certificate(certificate)
    with _page(parsed) as page:
        _heading(page, parsed, public_name)
        lacking = [_rows(page, title, rows) for title, rows in _sections(parsed)]
        name_lacks = public_name is not None and _printable(public_name) != public_name
        _closing(page, parsed, name_lacks, any(lacking))
        return bytes(page.output())


@contextmanager
def _page(certificate: Certificate) -> Iterator[FPDF]:
    from fpdf import FPDF

    page = FPDF(format="A4")
    page.set_margin(_MARGIN_MM)
    page.set_auto_page_break(auto=True, margin=_MARGIN_MM)
    page.set_title(f"Retirement certificate {certificate.subject.retirement}")
    page.set_creation_date(datetime.fromisoformat(certificate.valid_from))
    with tempfile.TemporaryDirectory() as folder:
        # fpdf2 takes fonts by path only.
        for style, content in _fonts().items():
            path = Path(folder) / f"{_FONT}{style}.ttf"
            path.write_bytes(content)
            page.add_font(_FONT, style, path)
        # No ligatures: a copied hash must not hold one letter for two.
        page.set_text_shaping(True, features={"liga": False})
        page.add_page()
        yield page


def _heading(page: FPDF, certificate: Certificate, public_name: str | None) -> None:
    subject = certificate.subject
    page.set_fill_color(*_GREEN)
    page.rect(0, 0, _PAGE_MM, 6, style="F")
    page.image(_qr(certificate.url), x=_PAGE_MM - _MARGIN_MM - _QR_MM, y=16, w=_QR_MM, h=_QR_MM)
    page.set_xy(_MARGIN_MM, 18)
    _text(page, "CARBON CREDIT RETIREMENT", 9, _MUTED, style="B")
    _text(page, f"{format_tonnes(int(subject.grams))} t CO2e", 26, _GREEN, style="B")
    _text(page, f"{subject.grams} grams, retired for good", 10, _INK)
    if public_name is not None:
        page.ln(2)
        _text(page, "on behalf of", 9, _MUTED)
        _text(page, _printable(public_name), 15, _INK, style="B")
    page.set_y(max(page.get_y() + 4, 16 + _QR_MM + 4))


def _sections(certificate: Certificate) -> tuple[tuple[str, list[tuple[str, str]]], ...]:
    subject = certificate.subject
    return (
        ("Retirement", _retirement_rows(subject)),
        ("Credits", _credit_rows(subject)),
        (
            "Chain",
            [
                ("Chain id", subject.chain.chain_id),
                ("Contracts", subject.chain.module_address),
                ("Transaction", subject.chain.transaction),
                ("Version", subject.chain.version),
                ("Holder", subject.chain.holder),
                ("Batch", subject.batch.address),
                *_named("Issued by transaction", subject.batch.issuance_transaction),
            ],
        ),
        _grounds(subject),
        ("Certificate", [("Issuer", certificate.issuer), ("Issued", certificate.valid_from)]),
    )


def _grounds(subject: Subject) -> tuple[str, list[tuple[str, str]]]:
    """What the grams stand on."""
    if isinstance(subject.evidence, Evidence):
        rows = [
            ("Report", subject.evidence.report),
            ("Root over anchors", f"{subject.evidence.anchors_root} ({subject.evidence.anchors} anchors)"),
            ("Manifest", subject.evidence.manifest),
            *((f"Gateway {gateway.id}", gateway.public_key) for gateway in subject.gateways),
        ]
        return "Evidence", rows
    if isinstance(subject.origin, Origin):
        registry, serial = ("Registry", subject.origin.registry), ("Its serial", subject.origin.serial)
        return "Not measured here: imported", [registry, serial]
    return "Evidence", [("None", "the certificate names none")]


def _retirement_rows(subject: Subject) -> list[tuple[str, str]]:
    return [
        ("Retirement", subject.retirement),
        ("Serials", subject.serials),
        ("Beneficiary", f"commitment {subject.beneficiary_commitment}"),
        ("Retiring organisation", subject.retiring_organisation),
        ("Reason", subject.reason),
        ("Country of the claim", subject.country),
        ("Consumption", f"{subject.consumption.start} to {subject.consumption.end}"),
        ("Retired", subject.chain.time),
    ]


def _credit_rows(subject: Subject) -> list[tuple[str, str]]:
    methodology = subject.methodology
    return [
        ("Project", f"{subject.project.name} ({subject.project.id}), {subject.project.country}"),
        ("Batch", f"{subject.batch.id}, serials {subject.batch.serials}"),
        ("Vintage", f"{subject.vintage.start[:4]}: {subject.vintage.start} to {subject.vintage.end}"),
        ("Methodology", _methodology(methodology)),
        *_named("Its document", methodology.document),
        ("Labels", ", ".join(subject.labels) or "none"),
    ]


def _named(label: str, value: str | UnsetType) -> list[tuple[str, str]]:
    return [] if isinstance(value, UnsetType) else [(label, value)]


def _methodology(methodology: Methodology) -> str:
    return (
        methodology.id if methodology.version == "0" else f"{methodology.id}, version {methodology.version}"
    )


def _rows(page: FPDF, title: str, rows: list[tuple[str, str]]) -> bool:
    """Print a section; answers whether some text could not be printed wholly."""
    page.ln(2)
    _text(page, title, 10, _GREEN, style="B")
    page.set_draw_color(*_MUTED)
    page.line(_MARGIN_MM, page.get_y(), _PAGE_MM - _MARGIN_MM, page.get_y())
    page.ln(1)
    lacking = False
    for label, value in rows:
        lacking = lacking or _printable(value) != value
        page.set_font(_FONT, "", 8)
        page.set_text_color(*_MUTED)
        page.cell(_LABEL_MM, _ROW_MM, _printable(label))
        page.set_text_color(*_INK)
        page.multi_cell(0, _ROW_MM, _printable(value), new_x="LMARGIN", new_y="NEXT", align="L")
    return lacking


def _closing(page: FPDF, certificate: Certificate, name_lacks: bool, lacking: bool) -> None:
    page.ln(3)
    if name_lacks:
        _text(page, _LACKING_NAME, 8, _INK)
    if lacking:
        _text(page, _LACKING, 8, _INK)
    _text(page, certificate.url, 8, _GREEN)
    sentence = "This page only shows the signed certificate. Check it: carbonmarket verify certificate.json"
    _text(page, sentence, 8, _MUTED)


def _text(page: FPDF, text: str, size_pt: int, colour: tuple[int, int, int], style: str = "") -> None:
    page.set_font(_FONT, style, size_pt)
    page.set_text_color(*colour)
    page.multi_cell(
        _PAGE_MM - 2 * _MARGIN_MM - _QR_MM - 4 if page.get_y() < 16 + _QR_MM else 0,
        size_pt / 2,
        text,
        new_x="LMARGIN",
        new_y="NEXT",
        align="L",
    )


def _qr(url: str) -> io.BytesIO:
    import segno

    image = io.BytesIO()
    segno.make(url, error="m").save(image, kind="png", scale=8, border=2)
    image.seek(0)
    return image


def _printable(text: str) -> str:
    letters = _letters()
    return "".join(letter if ord(letter) in letters else _REPLACEMENT for letter in text)


@lru_cache(maxsize=1)
def _letters() -> frozenset[int]:
    from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

    return frozenset(TTFont(io.BytesIO(_fonts()[""])).getBestCmap())


@lru_cache(maxsize=1)
def _fonts() -> dict[str, bytes]:
    from pymupdf_fonts import fontbuffers  # type: ignore[import-untyped]

    return {"": fontbuffers["figo"](), "B": fontbuffers["figbo"]()}
