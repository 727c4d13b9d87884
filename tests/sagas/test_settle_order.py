"""What the order of a purchase by card takes, and out of what it is paid: never the buyer's own offers
unseen, only its own fills, and enough of the float for all that are on their way."""

from __future__ import annotations

import os
import time
from typing import Any

import msgspec
import pytest

from carbonmarket.chain import market_calls
from carbonmarket.errors import EngineUnavailable, IdempotencyMismatch, PaymentDeclined
from carbonmarket.operations.create_quote import CreateQuote, create_quote
from carbonmarket.operations.purchase_order import order_key
from carbonmarket.records.principal import BUYER, Principal
from carbonmarket.records.purchases import Quote
from carbonmarket_adapters.wiring import chain, market, purchases, registry
from tests.bad_input.conftest import Refusal
from tests.sagas.settling import Settling
from tests.sagas.test_settle_trade import COST, FEE
from tests.sagas.till import CARD, GRAMS, PRICE, RETIREMENT, Till


class Access:
    """The chain, with a story in one of its calls."""

    def __init__(self, **stories: Any) -> None:
        self._access = chain.chain_access()
        self._stories = stories

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._access, name)
        story = self._stories.get(name)
        return real if story is None else lambda *args, **named: story(real, *args, **named)


def quote_of_seller(till: Till, **wanted: Any) -> Any:
    """The seller asks what grams cost by card."""
    body = {"grams": str(GRAMS), "deliver": "hold"} | (wanted or {"batch": till.exchange.batches[0]})
    return till.world.call("POST", "/v1/quotes", who=(till.exchange.seller, "developer"), body=body)


def test_nobody_is_quoted_its_own_offers(till: Till) -> None:
    till.offer()
    country = till.exchange.batch(till.exchange.batches[0]).country
    for wanted in ({}, {"criteria": {"countries": [country]}}):
        refused = Refusal(quote_of_seller(till, **wanted))
        assert (refused.status, refused.field) == (409, "grams")
        assert "sells at this price itself" in refused.reason
    assert till.quote()["grams"] == str(GRAMS)


def test_a_repeated_quote_is_the_same_only_with_the_same_retirement(till: Till) -> None:
    till.offer()

    def quote(**changes: Any) -> Quote:
        """The same key again, when the answer to its request is no longer kept."""
        asked = {"batch": till.exchange.batches[0], "grams": str(GRAMS), "deliver": "retire"}
        asked["retirement"] = RETIREMENT | changes
        return create_quote(
            msgspec.convert(asked, CreateQuote),
            caller=Principal(subject="buyer", organisation=till.exchange.buyer, roles=frozenset({BUYER})),
            key=key,
            desk=market.desk(time.time_ns() // 1_000),
            store=purchases.purchases(),
            subjects=registry.subjects(),
            currency="USD",
            salts=[os.urandom(32) for _ in range(4)],
        )

    key = os.urandom(8).hex()
    first = quote()
    assert quote() == first
    beneficiary = RETIREMENT["beneficiary"] | {"name_is_public": True}
    for other in (
        {"country": "CA"},
        {"reason": "another"},
        {"period_end": "2017-01-02T00:00:00Z"},
        {"beneficiary": {"name": "Grace Hopper"}},
        {"beneficiary": beneficiary},
    ):
        with pytest.raises(IdempotencyMismatch):
            quote(**other)


def test_own_offers_that_came_after_the_quote_are_a_case_and_not_paid_out(settling: Settling) -> None:
    till, exchange = settling.till, settling.till.exchange
    account = till.payout_account("complete")
    given = {"batch": exchange.batches[0], "to": exchange.rival, "grams": str(GRAMS)}
    exchange.post(exchange.seller, "/v1/transfers", given)
    theirs = exchange.place(exchange.rival, "sell", PRICE, GRAMS)
    exchange.watch()
    exchange.post(exchange.seller, "/v1/payout-choice", {"payout": "fiat", "account": account})
    try:
        body = {"batch": exchange.batches[0], "grams": str(GRAMS), "deliver": "hold"}
        quote = exchange.post(exchange.seller, "/v1/quotes", body)
        taken = {"quote": quote["id"], "payment_method": CARD}
        purchase = str(exchange.post(exchange.seller, "/v1/purchases", taken)["id"])
        exchange.post(exchange.rival, f"/v1/orders/{theirs['book']}/{theirs['id']}/cancellation")
        till.offer()
        settling.deaths.run(lambda: settling.until(purchase, "await_fill"))
    finally:
        exchange.post(exchange.seller, "/v1/payout-choice", {"payout": "onchain"})
    assert purchases.purchases().payouts_of(purchase) == []
    [case] = till.cases(purchase)
    assert (case["kind"], case["amount_cents"]) == ("self_trade", "99")


def test_fills_of_another_order_in_the_same_transaction_are_not_the_purchases(
    settling: Settling, monkeypatch: pytest.MonkeyPatch
) -> None:
    def also_another(real: Any, key: str, *rest: Any) -> Any:
        """The transaction has given a pending order of the treasury's its turn too."""
        fate = real(key, *rest)
        others = tuple(
            event | {"data": event["data"] | {"taker_order": "1"}}
            for event in fate.events
            if event["type"].endswith("::OrderFilled")
        )
        return msgspec.structs.replace(fate, events=(*others, *fate.events))

    purchase = settling.bought("place")
    access = Access(await_fate=also_another)
    monkeypatch.setattr(chain, "chain_access", lambda: access)
    settling.step(purchase, "await_fill")
    kept = purchases.purchases().purchase(purchase)
    assert kept is not None
    assert [(fill.grams, fill.units) for fill in kept.record.fills] == [(GRAMS, COST)]


def test_an_order_that_was_never_sent_is_not_placed_once_the_card_is_let_go(
    settling: Settling, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> None:
        raise EngineUnavailable("the node doesn't answer")

    till = settling.till
    till.offer()
    before = till.state()
    purchase = till.buy(till.quote())
    settling.until(purchase, "await_authentication")
    access = Access(submit=away)
    with monkeypatch.context() as patch, pytest.raises(EngineUnavailable):
        patch.setattr(chain, "chain_access", lambda: access)
        settling.step(purchase, "place")
    # Nobody knows what became of it, and a person lets the card go in the meantime.
    till.stripe().v1.payment_intents.cancel(till.intent(purchase))
    with pytest.raises(PaymentDeclined) as declined:
        settling.step(purchase, "place")
    assert settling.fail(purchase, declined.value)["money"] == "voided"
    assert till.state() == before


def test_two_purchases_at_once_bring_enough_for_both(
    settling: Settling, monkeypatch: pytest.MonkeyPatch
) -> None:
    till, treasury = settling.till, purchases.treasury()
    till.offer(2 * GRAMS)
    first, second = (till.buy(till.quote()) for _ in range(2))
    for purchase in (first, second):
        settling.until(purchase, "authorise")
    # Enough is claimable for either of them, and the wallet has the rest.
    surplus = till.exchange.claimable_at(treasury) - (COST + FEE + COST // 2)
    verb = market_calls.claim if surplus > 0 else market_calls.deposit
    sender = till.world.settings.treasury_key
    till.exchange.done(sender, f"float/{first}", verb(till.exchange.quote, abs(surplus)))

    def overtaken(real: Any, key: str, *rest: Any) -> Any:
        """The second comes between the first's look at the float and its order."""
        if key == order_key(first):
            settling.step(second, "place")
        return real(key, *rest)

    access = Access(submit=overtaken)
    monkeypatch.setattr(chain, "chain_access", lambda: access)
    settling.step(first, "place")
    for purchase in (first, second):
        settling.step(purchase, "await_fill")
        assert till.purchase(purchase)["state"] == "filled"
