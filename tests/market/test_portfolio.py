"""What a buyer holds, what it cost and is worth, where it comes from; and retiring it with a certificate."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbonmarket.errors import Conflict
from carbonmarket.operations import buy_and_retire as buying
from carbonmarket.operations import find_portfolio
from carbonmarket.operations.find_portfolio import Position, decide_basis, list_positions
from carbonmarket.records.market import Claimable
from carbonmarket.records.principal import DEVELOPER, Principal
from carbonmarket_adapters.dynamo.market import MarketTable
from carbonmarket_adapters.wiring import chain, market, purchases, registry
from infra.bootstrap import TAKER_BPS
from tests.fixtures.requests import requests_of
from tests.market.exchange import GRAMS, TICK, Exchange
from tests.sagas.settling import Settling
from tests.sagas.test_retire import certificate
from tests.sagas.till import GRAMS as GRAMS_BY_CARD
from tests.sagas.till import PRICE, SECURE_CARD, Till

PERIOD = {"period_start": "2016-01-01T00:00:00Z", "period_end": "2017-01-01T00:00:00Z"}
CLAIM = {"reason": "voluntary", "country": "US", **PERIOD, "beneficiary": {"name": "Night Trains"}}


def position(exchange: Exchange, organisation: str, batch: str) -> Any:
    """The organisation's position in a batch."""
    exchange.watch()
    edges = exchange.get(organisation, "/v1/portfolio?first=100")["edges"]
    return next(edge["node"] for edge in edges if edge["node"]["batch"]["id"] == batch)


def test_what_is_held_cost_what_the_newest_purchases_cost(exchange: Exchange) -> None:
    buyer = exchange._admit("Holder")
    exchange.faucet(exchange.account(buyer))
    paid = []
    for price in (10, 20):
        exchange.place(exchange.seller, "sell", price, 100)
        taken = exchange.place(buyer, "buy", price, 100)
        paid.append(int(taken["quote"]) + int(taken["fees"]))
    held = position(exchange, buyer, exchange.batches[0])
    assert (held["grams"], held["claimable"], held["cost"]) == ("200", "200", str(sum(paid)))
    assert (held["last_price"], held["value"], held["unpriced"]) == (str(20 * TICK), str(20 * 200), "0")
    body = {"batch": exchange.batches[0], "grams": "150", "source": "balance", **CLAIM}
    ordered = exchange.post(buyer, "/v1/retirements", body)
    assert certificate(exchange.world, ordered["id"]).status_code == 200
    held = position(exchange, buyer, exchange.batches[0])
    assert (held["grams"], held["cost"]) == ("50", str(paid[1] * 50 // 100))


def positions(organisation: str, first: int = 100) -> list[tuple[str, Position]]:
    """What the operation finds of an organisation."""
    return list_positions(
        None,
        first,
        caller=Principal(subject="holder", organisation=organisation, roles=frozenset({DEVELOPER})),
        desk=market.desk(0),
        registry=registry.registry(),
        purchases=purchases.purchases(),
    )


def test_requests_for_a_portfolio_do_not_grow_with_what_was_traded_before(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(find_portfolio, "_PAGE", 1)
    buyer = exchange._admit("Trader")
    exchange.faucet(exchange.account(buyer))

    def requests(organisation: str) -> int:
        return requests_of(exchange.world.settings, lambda: positions(organisation), "chain", "purchases")

    found = []
    for _ in range(3):
        exchange.place(exchange.seller, "sell", 10, 100)
        exchange.place(buyer, "buy", 10, 100)
        exchange.watch()
        with monkeypatch.context() as patch:
            # The seller's credits were issued: among no number of trades would their price be found.
            patch.setattr(find_portfolio, "DEALS_READ_MAX", 2)
            of_seller = requests(exchange.seller)
        found.append((of_seller, requests(buyer)))
        exchange.place(buyer, "sell", 10, 100, source="balance")
        exchange.place(exchange.rival, "buy", 10, 100)
    assert found[1] == found[2]


def test_what_was_bought_by_card_cost_what_its_sellers_and_the_market_got(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange, [batch, _] = till.exchange, till.exchange.batches

    def basis() -> tuple[int, int, int]:
        exchange.watch()
        address = exchange.batch(batch).address
        found = dict(positions(exchange.buyer))[address].basis
        return found.bought, found.cost, found.unpriced

    exchange.place(exchange.seller, "sell", 10, 100)
    exchange.place(exchange.buyer, "buy", 10, 100)
    bought, cost, unpriced = basis()
    settling = Settling(till, monkeypatch)
    purchase = settling.bought("capture", SECURE_CARD)
    assert basis() == (bought, cost, unpriced)
    settling.until(purchase, "complete", "hold")
    units = GRAMS_BY_CARD * PRICE
    fee = -(-units * TAKER_BPS // 10_000)
    assert basis() == (bought + GRAMS_BY_CARD, cost + units + fee, unpriced)


def test_requests_for_a_portfolio_do_not_grow_with_its_batches(exchange: Exchange) -> None:
    for number in exchange.books:
        exchange.place(exchange.seller, "sell", 30, 100, book=str(number))
    exchange.watch()
    found: dict[int, list[Any]] = {}

    def requests(first: int) -> int:
        def look() -> None:
            found[first] = positions(exchange.seller, first)

        return requests_of(exchange.world.settings, look, "chain", "registry")

    assert 0 < requests(1) == requests(2)
    assert [len(found[first]) for first in (1, 2)] == [1, 2]
    assert [each.held.in_orders for _, each in found[2]] == [100, 100]


def test_another_asset_that_is_claimable_takes_no_place_in_a_page(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in exchange.books:
        exchange.place(exchange.seller, "sell", 30, 100, book=str(number))
    exchange.watch()
    kind = type(chain.market_projection())
    claimables = kind.claimables

    def with_another(store: MarketTable, account: str) -> list[Claimable]:
        return [*claimables(store, account), Claimable(account=account, asset="0x" + "0" * 64, amount=1)]

    monkeypatch.setattr(kind, "claimables", with_another)
    assert [len(positions(exchange.seller, first)) for first in (1, 2)] == [1, 2]


def test_a_position_leads_to_the_evidence(exchange: Exchange) -> None:
    held = position(exchange, exchange.seller, exchange.batches[0])
    lineage = held["lineage"]
    for name in ("batch_url", "period_url", "report_url", "anchors_url"):
        path = lineage[name].removeprefix(exchange.world.settings.public_url)
        # Also for who bought, whose project it is not.
        for who in ((exchange.seller, "developer"), (exchange.buyer, "buyer")):
            assert exchange.world.call("GET", path, who=who).status_code == 200, (name, who)
    others = lineage["anchors_url"].removeprefix(exchange.world.settings.public_url).partition("?")[0]
    assert exchange.world.call("GET", others, who=(exchange.buyer, "buyer")).status_code == 404
    assert int(held["unpriced"]) > 0


def test_grams_are_bought_and_retired_in_one_transaction(exchange: Exchange) -> None:
    exchange.place(exchange.seller, "sell", 10)
    exchange.watch()
    body = {
        "book": str(exchange.books[0]),
        "price": str(10 * TICK),
        "grams": str(GRAMS // 2),
        "fee_cap_bps": 100,
        **CLAIM,
    }
    ordered = exchange.post(exchange.buyer, "/v1/orders/retirement", body)
    answer = certificate(exchange.world, ordered["id"])
    assert (answer.status_code, GRAMS // 2) == (200, int(ordered["grams"]))
    assert exchange.batches[0] in json.dumps(json.loads(answer.body))
    # The rest of the book can't fill as much again whole: nothing is bought, and the retirement says why.
    more = exchange.post(exchange.buyer, "/v1/orders/retirement", body | {"grams": str(GRAMS)})
    failed = certificate(exchange.world, more["id"])
    assert failed.status_code == 410
    shown = exchange.get(exchange.buyer, f"/v1/retirements/{more['id']}")
    assert (shown["state"], "filled whole" in shown["failure"]) == ("failed", True)


def test_a_purchase_that_was_taken_goes_on_though_it_would_be_refused_now(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange.place(exchange.seller, "sell", 10)
    exchange.watch()
    order = {"book": str(exchange.books[0]), "price": str(10 * TICK), "grams": "100", "fee_cap_bps": 100}
    taken = exchange.post(exchange.buyer, "/v1/orders/retirement", {**order, **CLAIM}, "taken")

    def lost(*_: object, **__: object) -> None:
        raise Conflict("the batch has lost a label")

    monkeypatch.setattr(buying, "require_possible", lost)

    def again(key: str) -> str:
        return buying.buy_and_retire(
            msgspec.convert({**order, **CLAIM}, buying.BuyAndRetire),
            caller=Principal(subject="buyer", organisation=exchange.buyer, roles=frozenset({DEVELOPER})),
            key=key,
            desk=market.desk(0),
            registry=registry.registry(),
            subjects=registry.subjects(),
            sagas=registry.sagas(),
            public_url=exchange.world.settings.public_url,
            salt=bytes(32),
        ).id

    assert again("taken") == taken["id"]
    with pytest.raises(Conflict):
        again("another")
    assert certificate(exchange.world, taken["id"]).status_code == 200


bought_before = st.lists(st.tuples(st.integers(1, 10**6), st.integers(0, 10**9)), max_size=8)


@settings(deadline=None)
@given(bought_before, st.integers(0, 10**7))
def test_the_basis_counts_every_gram_once(bought: list[tuple[int, int]], grams: int) -> None:
    basis = decide_basis(bought, grams)
    assert basis.bought + basis.unpriced == grams
    assert basis.bought == min(grams, sum(part for part, _ in bought))
    whole = sum(cost for _, cost in bought)
    assert basis.cost <= whole and (basis.cost == whole or basis.unpriced == 0)
