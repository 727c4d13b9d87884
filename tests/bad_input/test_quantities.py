"""Quantities that are none, and more than is there: refused by the field's name, and nothing moves."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.bad_input.conftest import possessions, refused
from tests.sagas.test_retire import certificate, order
from tests.sagas.world import PROJECT, Site, World

pytestmark = pytest.mark.engines

# As they stand in the request's bytes: what is no text, or no JSON, included.
NO_QUANTITY = {
    "negative": '"-1"',
    "zero": '"0"',
    "a fraction": '"1.5"',
    "a float": "1.5",
    "a number where text is asked for": "5",
    "not a number": "NaN",
    "not a number, as text": '"NaN"',
    "21 digits": '"100000000000000000000"',
    "more than 64 bits": '"18446744073709551616"',
    "a leading zero": '"01"',
    "a power of ten": '"1e3"',
    "digits of another script": '"\\u0661"',
    "nothing": '""',
}
UINT64_MAX = str(2**64 - 1)


@pytest.fixture
def buyer(world: World) -> str:
    body = {"name": "Buyer", "kind": "buyer", "country": "US"}
    return str(world.post("operator", "/v1/organisations", body)["id"])


def gift(batch: str, to: str, grams: str) -> dict[str, Any]:
    return {"batch": batch, "to": to, "grams": grams}


@pytest.mark.parametrize("quantity", NO_QUANTITY)
@pytest.mark.parametrize("path", ["/v1/transfers", "/v1/retirements"])
def test_what_is_no_quantity_moves_nothing(world: World, minted: Site, path: str, quantity: str) -> None:
    body = gift(minted.batch, "ORG000000000000", "123") if path == "/v1/transfers" else order(minted.batch)
    raw = json.dumps(body).replace('"123"', NO_QUANTITY[quantity]).encode()
    before = possessions(minted)
    refusal = refused(minted, path, None, raw)
    assert (refusal.status, refusal.field) == (422, "grams")
    assert "grams" in refusal.reason
    assert possessions(minted) == before


@pytest.mark.parametrize("surplus", ["one gram", "the largest number"])
@pytest.mark.parametrize("path", ["/v1/transfers", "/v1/retirements"])
def test_more_than_is_held_moves_nothing(
    world: World, minted: Site, buyer: str, path: str, surplus: str
) -> None:
    before = possessions(minted)
    grams = str(int(before["held"][0]) + 1) if surplus == "one gram" else UINT64_MAX
    body = gift(minted.batch, buyer, grams) if path == "/v1/transfers" else order(minted.batch, grams)
    refusal = refused(minted, path, body)
    assert (refusal.status, refusal.title, refusal.field) == (409, "insufficient holding", "grams")
    assert f"you hold {before['held'][0]} grams" in refusal.reason
    assert possessions(minted) == before


@pytest.mark.parametrize("path", ["/v1/transfers", "/v1/retirements"])
def test_a_frozen_account_moves_nothing(world: World, site: Site, buyer: str, path: str) -> None:
    site.batch = site.mint()
    world.freeze(site.organisation)
    before = possessions(site)
    body = gift(site.batch, buyer, "1") if path == "/v1/transfers" else order(site.batch)
    refusal = refused(site, path, body)
    assert (refusal.status, refusal.title) == (409, "account frozen")
    assert "your account is frozen" in refusal.reason
    assert possessions(site) == before


@pytest.mark.parametrize(
    ("field", "value"),
    [("capacity_w", "-6000"), ("capacity_w", "1.2345678"), ("latitude", "91"), ("longitude", "-181")],
)
def test_a_measure_out_of_its_range_registers_nothing(
    world: World, site: Site, field: str, value: str
) -> None:
    before = site.get("/v1/projects?first=100")
    refusal = refused(site, "/v1/projects", PROJECT | {field: value})
    assert (refusal.status, refusal.field) == (422, field)
    assert site.get("/v1/projects?first=100") == before


def test_a_reason_is_measured_as_the_chain_does_in_bytes(world: World, minted: Site) -> None:
    before = possessions(minted)
    refusal = refused(minted, "/v1/retirements", order(minted.batch, reason="é" * 129))
    assert (refusal.status, refusal.field) == (422, "reason")
    assert "258 bytes" in refusal.reason and "256" in refusal.reason
    assert possessions(minted) == before


def test_the_longest_reason_is_retired_under(world: World, minted: Site) -> None:
    ordered = minted.post("/v1/retirements", order(minted.batch, "1", reason="é" * 128))
    document = json.loads(certificate(world, ordered["id"]).body)
    assert document["credentialSubject"]["reason"] == "é" * 128
