"""A registry's report of issued credits: every row is an issuance or a reject that says why."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from carbonmarket import times
from carbonmarket.errors import InvalidInput
from carbonmarket.importing import acr
from infra.local.seed.command import SAMPLE, read_report
from infra.local.seed.prices import read_prices
from tests.seed.files import cell, report

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "registry" / "acr_issuances.csv"


def test_the_sample_is_read_whole() -> None:
    found = read_report(SAMPLE)
    assert (len(found.issuances), found.rejects) == (12, ())
    first = found.issuances[0]
    assert first.serial == "ACR9001-2015-20160418-12500-1"
    assert (first.grams, first.grams_project, first.grams_buffer) == (
        12_500_000_000,
        10_000_000_000,
        2_500_000_000,
    )
    assert times.format_us(first.issued_us) == "2016-04-18T00:00:00Z"
    assert first.certifications == ("Climate Action", "Life on Land")


def test_rows_that_agree_in_everything_are_two_issuances() -> None:
    serials = [issuance.serial for issuance in read_report(SAMPLE).issuances[-2:]]
    assert serials == ["ACR9006-2020-20210209-5200-1", "ACR9006-2020-20210209-5200-2"]


def test_a_serial_column_is_kept_and_counts_once() -> None:
    text = report(serials=["ACR-US-9-2015-1-1-12500", "ACR-US-9-2015-1-1-12500"])
    found = acr.read(text)
    assert [issuance.serial for issuance in found.issuances] == ["ACR-US-9-2015-1-1-12500"]
    [reject] = found.rejects
    assert (reject.row, reject.field) == (2, "Serial Number")
    assert "row 1" in reject.reason


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("Date Issued", "18/4/16", "month/day/year"),
        ("Date Issued", "2/30/16", "month/day/year"),
        ("Date Issued", "2016-04-18", "month/day/year"),
        ("Project ID", "acr 1", "letters and digits"),
        ("Project Name", "", "empty"),
        ("Project Developer", "", "empty"),
        ("Project Type", "x" * 257, "256 bytes"),
        ("Vintage", "2030", "a year from 1990"),
        ("Vintage", "15", "a year from 1990"),
        ("Issuance Year", "2017", "2016"),
        ("Total Credits Issued", "12501", "make 12500"),
        ("Total Credits Issued", "12.5", "whole number"),
        ("Credits Issued to Project", "-10000", "whole number"),
        ("Credits Issued to Buffer Pool", "", "whole number"),
        ("Project Site Country", "USA", "two capital letters"),
        ("CORSIA Qualified", "maybe", "Yes or No"),
    ],
)
def test_a_bad_cell_is_named_and_nothing_else_is_lost(column: str, value: str, words: str) -> None:
    found = acr.read(report(rows=2, changes={1: {column: value}}))
    assert [issuance.row for issuance in found.issuances] == [2]
    [reject] = found.rejects
    assert (reject.row, reject.field) == (1, column)
    assert words in reject.reason
    assert reject.values[column] == value.strip()


def test_no_credits_and_too_many_are_refused() -> None:
    nothing = dict.fromkeys(acr.COLUMNS[10:13], "0")
    all_of_it = {**nothing, acr.COLUMNS[10]: "1000000001", acr.COLUMNS[11]: "1000000001"}
    found = acr.read(report(rows=2, changes={1: nothing, 2: all_of_it}))
    assert [(reject.row, reject.field) for reject in found.rejects] == [
        (1, acr.COLUMNS[10]),
        (2, acr.COLUMNS[10]),
    ]


def test_a_row_of_another_width_is_refused() -> None:
    found = acr.read(report() + "8/2/06,ACR1\n")
    assert [(reject.row, reject.field) for reject in found.rejects] == [(2, "row")]


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", report().replace("Verifier", "Auditor")])
def test_another_file_is_refused_whole(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        acr.read(text)
    assert refused.value.field == "file"


def test_thousands_and_a_byte_order_mark_are_read() -> None:
    [issuance] = acr.read("\ufeff" + report(changes={1: {acr.COLUMNS[10]: "12,500"}})).issuances
    assert issuance.grams == 12_500_000_000


def test_rejects_are_written_with_row_field_and_reason() -> None:
    found = acr.read(report(rows=2, changes={2: {"Vintage": "soon"}}))
    [written] = csv.DictReader(io.StringIO(acr.rejects_csv(found.rejects)))
    assert (written["row"], written["field"], written["Vintage"]) == ("2", "Vintage", "soon")
    assert written["reason"] == found.rejects[0].reason
    assert written["Project ID"] == cell("Project ID")


def test_the_registrys_whole_report_adds_up() -> None:
    if not SHARED.exists():
        pytest.skip("the registry's report lies beside the project only where it was fetched")
    found = read_report(SHARED)
    assert (len(found.issuances), len(found.rejects)) == (1_053, 0)
    assert sum(issuance.grams for issuance in found.issuances) == 199_823_611 * acr.GRAMS_PER_CREDIT
    assert sum(issuance.grams_buffer for issuance in found.issuances) == 20_576_473 * acr.GRAMS_PER_CREDIT
    assert len({issuance.serial for issuance in found.issuances}) == 1_053


def test_every_price_is_cited() -> None:
    prices = read_prices()
    assert (prices.of("Forest Carbon").units, prices.of("Coal Mine Methane").units) == (4_730_000, 3_370_000)
    for source in prices.sources():
        assert source.url.startswith("https://"), source
        assert source.title
        assert source.year
