"""The demo's market: what was imported and traded, what the buyer bought in each way, retired and proves."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.local.demo.client import ApiRefused
from tests.e2e.market import Market


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("batches_imported", 12),
        ("books", 12),
        ("grams_by_order", [150_000, 3_000_000]),
        ("grams_by_card", 2_000_000),
        ("grams_retired", [100_000, 1_000_000]),
        ("certificates_verified", True),
    ],
)
def test_the_market_chapter_ends_with_these_numbers(market: Market, key: str, expected: Any) -> None:
    assert market.summary["market"][key] == expected


def test_criteria_were_filled_from_more_than_one_book(market: Market) -> None:
    told = market.summary["market"]
    assert told["books_by_criteria"] >= 2
    assert told["grams_by_criteria"] > 0


def test_agents_traded_and_paid_their_fees(market: Market) -> None:
    told = market.summary["market"]
    assert told["agents_orders"] >= told["agents_fills"] > 0
    # Ten and thirty basis points of what was paid, each rounded up.
    assert told["agents_quote"] * 40 // 10_000 <= told["agents_fees"]
    assert told["agents_fees"] <= told["agents_quote"] * 40 // 10_000 + 2 * told["agents_fills"]


def test_what_was_imported_says_so_and_what_was_measured_doesnt(market: Market) -> None:
    chapter, public = market.told.market, market.told.cast.public
    assert chapter.seeded is not None
    imported = {each.batch_id for each in chapter.seeded.imported}
    labels = {n["batch"]["id"]: n["batch"]["labels"] for n in public.nodes("/v1/market/batches")}
    assert {batch for batch, names in labels.items() if "not-measured-here" in names} == imported
    assert market.told.batches["2016-08"]["id"] in labels


def test_an_imported_batch_is_found_where_its_uri_leads(market: Market) -> None:
    seeded = market.told.market.seeded
    assert seeded is not None
    for each in seeded.imported[:2]:
        found = market.told.cast.buyer.user.get(f"/v1/batches/{each.batch_id}")
        assert (found["grams"], found["origin"]["serial"]) == (
            str(each.issuance.grams_project),
            each.issuance.serial,
        )
        assert found["transaction"].startswith("0x")


def test_the_certificate_of_imported_credits_names_their_registry(market: Market) -> None:
    measured, imported = market.told.market.retirements
    for name, retirement in (("measured", measured), ("imported", imported)):
        certificate = json.loads((market.out / "market" / name / "certificate.json").read_text())
        assert certificate["credentialSubject"]["grams"] == retirement["grams"]
    assert certificate["credentialSubject"]["origin"]["registry"] == "ACR"
    with pytest.raises(ApiRefused) as refused:
        market.told.cast.public.get(f"/v1/certificates/{imported['id']}/evidence")
    assert refused.value.status == 404


def test_a_card_paid_what_the_books_sold(market: Market) -> None:
    purchase = market.told.market.purchase
    units = sum(int(fill["units"]) + int(fill["fee_units"]) for fill in purchase["fills"])
    assert (purchase["state"], purchase["amount_cents"]) == ("completed", str(-(-units // 10_000)))


def test_the_developer_who_delivered_is_above_neutral(market: Market) -> None:
    assert market.summary["market"]["developers_reputation"] > 5_000
