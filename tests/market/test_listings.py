"""Fixed-price listings and gifts, from their making to the wallet."""

from __future__ import annotations

import json

import msgspec
import pytest

from carbonmarket.chain import market_calls
from carbonmarket.errors import IdempotencyMismatch
from carbonmarket.operations.acts import Done, act_id
from carbonmarket.operations.give_gift import MakeGift, make_gift
from carbonmarket.records.principal import BUYER, Principal
from carbonmarket_adapters.dynamo.subject_keys import DynamoSubjectKeys
from carbonmarket_adapters.wiring import chain, market, registry
from infra.bootstrap import TAKER_BPS
from tests.market.exchange import GRAMS, TICK, Exchange
from tests.market.test_offers import fresh
from tests.sagas.world import Refused


def listing(exchange: Exchange, price: int, grams: int = GRAMS) -> str:
    """The seller lists grams of the first batch; the number."""
    body = {
        "batch": exchange.batches[0],
        "grams": str(grams),
        "price": str(price * TICK),
        "lot": "10",
        "fee_cap_bps": 100,
    }
    return str(exchange.post(exchange.seller, "/v1/market/listings", body)["listing"])


def test_a_listing_is_found_and_sold_and_its_rest_taken_back(exchange: Exchange) -> None:
    number = listing(exchange, 7)
    exchange.watch()
    exchange.post(exchange.seller, f"/v1/market/listings/{number}/price", {"price": str(6 * TICK)})
    exchange.watch()
    found = fresh(exchange, "/v1/market/listings?country=US&first=100")
    [ours] = [each for each in found if each["number"] == number]
    assert (ours["price"], ours["batch"]["id"]) == (str(6 * TICK), exchange.batches[0])
    offers = fresh(exchange, f"/v1/market/batches?price_max={6 * TICK}")
    assert [(each["listing"], each["best_price"]) for each in offers] == [(number, str(6 * TICK))]
    body = {"grams": "100", "price_limit": str(6 * TICK), "fee_cap_bps": 100}
    path = f"/v1/market/listings/{number}"
    bought = exchange.post(exchange.buyer, f"{path}/purchase", body)
    assert (bought["grams"], bought["quote"]) == ("100", "600")
    assert int(bought["fee"]) == -(-600 * TAKER_BPS // 10_000)
    for changed, field in (({"grams": "15"}, "grams"), ({"price_limit": str(5 * TICK)}, "price_limit")):
        refused = exchange.refused(exchange.buyer, f"{path}/purchase", body | changed)
        assert refused.problem["field"] == field
    assert exchange.refused(exchange.buyer, f"{path}/cancellation", None).problem["abort"] == (
        "listings::E_NOT_YOURS"
    )
    exchange.post(exchange.seller, f"{path}/cancellation")
    exchange.watch()
    shown = exchange.get(exchange.seller, path)
    assert (shown["state"], shown["open"], shown["sold"]) == ("cancelled", "0", "100")


def test_nothing_is_bought_that_is_priced_in_another_asset_than_the_markets(exchange: Exchange) -> None:
    """A dollar a tonne, says the listing; what it asks for are credits."""
    organisation = registry.accounts().organisation(exchange.seller)
    assert organisation is not None
    batch, credits = (exchange.batch(each).address for each in exchange.batches)
    call = market_calls.create_listing(
        batch=batch, quote=credits, grams=10, price=TICK, lot=10, fee_cap_bps=100, from_wallet=True
    )
    fate = exchange.done(organisation.key_id, "in-credits", call)
    number = next(e["data"]["listing"] for e in fate.events if e["type"].endswith("listings::Listed"))
    exchange.watch()
    path = f"/v1/market/listings/{number}"
    assert exchange.get(exchange.buyer, path)["quote_asset"] == credits
    body = {"grams": "10", "price_limit": str(TICK), "fee_cap_bps": 100}
    refused = exchange.refused_unsent(exchange.buyer, f"{path}/purchase", body)
    assert (refused.status, refused.problem["field"]) == (409, "listing")
    exchange.post(exchange.seller, f"{path}/cancellation")


def test_the_newest_listing_comes_first(exchange: Exchange) -> None:
    numbers = []
    for batch in reversed(exchange.batches):
        body = {"batch": batch, "grams": "10", "price": str(5 * TICK), "lot": "10", "fee_cap_bps": 100}
        numbers.append(str(exchange.post(exchange.seller, "/v1/market/listings", body)["listing"]))
    exchange.watch()
    found = [each["number"] for each in fresh(exchange, "/v1/market/listings?sort=newest&first=100")]
    assert found[:2] == numbers[::-1]
    for number in numbers:
        exchange.post(exchange.seller, f"/v1/market/listings/{number}/cancellation")


def test_a_gifts_message_stays_off_chain_and_is_read_by_the_two(exchange: Exchange) -> None:
    message = "For the night trains. Yours, Rhea"
    body = {"to": exchange.buyer, "batch": exchange.batches[0], "grams": "20", "message": message}
    made = exchange.post(exchange.seller, "/v1/gifts", body, key="a-gift")
    assert exchange.post(exchange.seller, "/v1/gifts", body, key="a-gift") == made
    exchange.watch()
    path = f"/v1/gifts/{made['gift']}"
    for person in (exchange.seller, exchange.buyer):
        assert exchange.get(person, path)["message"] == message
    hash = exchange.get(exchange.buyer, path)["message_hash"]
    assert exchange.world.call("GET", path, who=(exchange.rival, "buyer")).status_code == 404
    told = chain.node().transaction(made["transaction"]).body
    assert message not in json.dumps(told)
    with pytest.raises(Refused) as stranger:
        exchange.post(exchange.rival, f"{path}/claim")
    assert stranger.value.problem["abort"] == "gifts::E_NOT_FOR_YOU"
    exchange.post(exchange.buyer, f"{path}/claim")
    exchange.watch()
    assert exchange.get(exchange.buyer, path)["state"] == "claimed"
    listed = [edge["node"]["number"] for edge in exchange.get(exchange.buyer, "/v1/gifts")["edges"]]
    assert made["gift"] in listed
    # Only who wrote the text may have it forgotten; the gift is what it was.
    assert exchange.refused_unsent(exchange.buyer, f"{path}/erasure", None).status == 404
    assert exchange.post(exchange.seller, f"{path}/erasure")["message"] is None
    for person in (exchange.seller, exchange.buyer):
        seen = exchange.get(person, path)
        assert (seen["message"], seen["state"], seen["message_hash"]) == (None, "claimed", hash)
    assert exchange.post(exchange.seller, "/v1/gifts", body, key="a-gift") == made


def test_a_key_that_made_something_else_makes_no_gift(exchange: Exchange) -> None:
    body = {"to": exchange.buyer, "batch": exchange.batches[0], "grams": "20"}
    exchange.place(exchange.seller, "sell", 10, key="of-an-order")
    with pytest.raises(Refused) as refused:
        exchange.post(exchange.seller, "/v1/gifts", body, key="of-an-order")
    assert refused.value.problem["title"] == "idempotency mismatch"
    exchange.post(exchange.seller, "/v1/gifts", body, key="of-a-gift")
    # Also when the first answer is no longer kept, after a day.
    caller = Principal(subject="seller", organisation=exchange.seller, roles=frozenset({BUYER}))

    def again(grams: str) -> Done:
        request = MakeGift(to=exchange.buyer, batch=exchange.batches[0], grams=grams)
        desk, subjects = market.desk(0), registry.subjects()
        return make_gift(
            request, caller=caller, key="of-a-gift", desk=desk, subjects=subjects, salt=bytes(32)
        )

    assert again("20").event("gifts::GiftMade") is not None
    with pytest.raises(IdempotencyMismatch):
        again("30")


def test_the_text_of_a_gift_that_was_refused_is_not_kept(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {
        "to": exchange.buyer,
        "batch": exchange.batches[0],
        "grams": str(10**15),
        "message": "Yours, Rhea",
    }
    with pytest.raises(Refused) as refused:
        exchange.post(exchange.rival, "/v1/gifts", body | {"source": "balance"}, key="poor")
    assert refused.value.problem["abort"] == "market_vault::E_ABOVE_BALANCE"
    caller = Principal(subject="rival", organisation=exchange.rival, roles=frozenset({BUYER}))
    keys = DynamoSubjectKeys(exchange.world.settings)
    assert keys.wrapped(act_id(caller, "poor")) is None
    # Nor of one that was not even sent; sent again, it has its text.
    given = body | {"grams": "20"}
    with monkeypatch.context() as spent:
        spent.setattr(chain.sponsorship(), "_shares", {})
        spent.setattr(chain.sponsorship(), "_gas_units_an_account", 0)
        with pytest.raises(Refused) as unpaid:
            exchange.post(exchange.seller, "/v1/gifts", given, key="unpaid")
    assert unpaid.value.problem["title"] == "budget spent"
    of_seller = msgspec.structs.replace(caller, organisation=exchange.seller)
    assert keys.wrapped(act_id(of_seller, "unpaid")) is None
    made = exchange.post(exchange.seller, "/v1/gifts", given, key="unpaid")
    exchange.watch()
    assert exchange.get(exchange.buyer, f"/v1/gifts/{made['gift']}")["message"] == body["message"]
    exchange.post(exchange.seller, f"/v1/gifts/{made['gift']}/return")


def test_a_gift_nobody_claimed_is_taken_back(exchange: Exchange) -> None:
    body = {"to": exchange.account(exchange.rival), "batch": exchange.batches[0], "grams": "20"}
    made = exchange.post(exchange.seller, "/v1/gifts", body)
    asset = exchange.batch(exchange.batches[0]).address
    before = exchange.claimable(exchange.seller, asset)
    exchange.post(exchange.seller, f"/v1/gifts/{made['gift']}/return")
    assert exchange.claimable(exchange.seller, asset) == before + 20
