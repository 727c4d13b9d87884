"""What comes between the steps of settle_trade, and steps that die: money, credits and books stay right."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from carbonmarket import schema
from carbonmarket.chain import market_calls
from carbonmarket.errors import (
    Conflict,
    EngineUnavailable,
    InvalidInput,
    MarketError,
    NotYetFinal,
    PaymentDeclined,
)
from carbonmarket.operations.purchase_order import NothingFilled
from carbonmarket.operations.purchase_undo import AlreadyDelivered
from carbonmarket_adapters.wiring import money, purchases
from tests.money.provider import Provider
from tests.sagas.settling import STEPS, WAITS, Settling
from tests.sagas.test_notifications import Inbox as Notifications
from tests.sagas.test_settle_trade import CENTS, COST, FEE
from tests.sagas.till import CARD, GRAMS, PRICE, RETIREMENT, SECURE_CARD


@pytest.fixture
def own_provider(tmp_path: Path) -> Iterator[Provider]:
    """A provider that the story may put ahead in time."""
    started = Provider(tmp_path / "stripe", "")
    started.start()
    yield started
    started.stop()


def refused(settling: Settling, purchase: str, name: str, error: type[MarketError]) -> Any:
    """The purchase after a step was refused with that error and undone."""
    with pytest.raises(error) as raised:
        settling.step(purchase, name)
    return settling.fail(purchase, raised.value)


def test_what_a_book_fills_in_part_is_charged_in_part(settling: Settling) -> None:
    till = settling.till
    till.offer(30)
    placed = till.offer(20, PRICE + 1)
    quote = till.quote()
    till.withdraw(placed)
    units, grams = till.treasury()
    purchase = till.buy(quote)
    settling.until(purchase, "capture")
    cents = -(-(30 * PRICE * 10_030) // (10_000 * 10_000))
    found = till.purchase(purchase)
    assert (found["grams"], found["amount_cents"]) == ("30", str(cents))
    assert till.money_at(till.intent(purchase)) == ("succeeded", cents)
    assert till.treasury() == (units - 30 * PRICE * 10_030 // 10_000, grams + 30)
    till.books()


def test_an_order_by_criteria_takes_from_several_books(settling: Settling) -> None:
    till = settling.till
    till.offer(30)
    other = till.exchange.order("sell", PRICE + 5, 30, book=str(till.exchange.books[1]))
    till.exchange.post(till.exchange.seller, "/v1/orders", other)
    till.exchange.watch()
    quote = till.quote(batch=None, criteria={"countries": ["US"]}, deliver="retire", retirement=RETIREMENT)
    assert [leg["grams"] for leg in quote["legs"]] == ["30", "20"]
    assert len({leg["retirement"] for leg in quote["legs"]}) == 2
    purchase = till.buy(quote)
    settling.until(purchase, "capture")
    assert [fill["grams"] for fill in till.purchase(purchase)["fills"]] == ["30", "20"]
    till.books()


@pytest.mark.parametrize(
    ("card", "step", "code"),
    [
        ("pm_card_chargeDeclinedInsufficientFunds", "authorise", "insufficient_funds"),
        ("pm_card_threeDSecureRequiredChargeDeclined", "await_authentication", "generic_decline"),
    ],
)
def test_a_declined_card_buys_nothing(settling: Settling, card: str, step: str, code: str) -> None:
    till = settling.till
    till.offer()
    before = till.state()
    purchase = till.buy(till.quote(), card)
    settling.step(purchase, "screen")
    if step == "await_authentication":
        settling.step(purchase, "authorise")
        settling.step(purchase, step)
        assert settling.ended(purchase, step) is None
        till.test(f"payment_intents/{till.intent(purchase)}/authentication", outcome="succeeded")
        till.deliver_webhook("payment_intent.payment_failed", till.intent(purchase))
        assert settling.ended(purchase, step) == "PaymentDeclined"
    failed = refused(settling, purchase, "authorise", PaymentDeclined)
    assert code in failed["failure"]
    assert (failed["money"], till.money_at(till.intent(purchase))[1]) == ("none", 0)
    assert till.state() == before


def test_a_card_that_does_not_exist_buys_nothing(settling: Settling) -> None:
    till = settling.till
    till.offer()
    before = till.state()
    purchase = till.buy(till.quote(), "pm_of_nobody")
    settling.step(purchase, "screen")
    failed = refused(settling, purchase, "authorise", InvalidInput)
    assert (failed["failure"], failed["money"]) == ("No such PaymentMethod: 'pm_of_nobody'", "none")
    assert till.state() == before


def test_three_d_secure_that_is_never_answered_ends_with_the_hold_released(settling: Settling) -> None:
    till = settling.till
    till.offer()
    before = till.state()
    purchase = till.buy(till.quote(), SECURE_CARD)
    for name in ("screen", "authorise", "await_authentication"):
        settling.step(purchase, name)
    settling.step(purchase, "fail_purchase", error={"Error": "States.Timeout"})
    failed = till.purchase(purchase)
    assert (failed["failure"], failed["money"]) == ("the time for this step ran out", "voided")
    assert till.money_at(till.intent(purchase)) == ("canceled", 0)
    assert till.state() == before


def test_an_authorisation_that_was_released_meanwhile_places_no_order(settling: Settling) -> None:
    till = settling.till
    till.offer()
    before = till.state()
    purchase = till.buy(till.quote())
    settling.until(purchase, "await_authentication")
    till.stripe().v1.payment_intents.cancel(till.intent(purchase))
    failed = refused(settling, purchase, "place", PaymentDeclined)
    assert failed["money"] == "voided"
    assert till.state() == before


def test_a_capture_after_the_holds_expiry_leaves_the_credits_with_the_treasury(
    settling: Settling, own_provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    till = settling.till
    monkeypatch.setattr(money, "payments", own_provider.payments)
    before, (units, grams), held = till.balances(), till.treasury(), till.held()
    purchase = settling.bought("await_fill")
    own_provider.test("clock", seconds=8 * 86_400)
    failed = refused(settling, purchase, "capture", Conflict)
    assert failed["money"] == "voided"
    assert "the time in which it could be captured has passed" in failed["failure"]
    [case] = till.cases(purchase)
    assert (case["kind"], case["amount_cents"]) == ("kept_credits", str(CENTS))
    assert (till.treasury(), till.held()) == ((units - COST - FEE, grams + GRAMS), held)
    assert {account for account, _ in till.moved(before)} == {"float:usdc", "exchange"}
    closed = till.operator(f"/v1/cases/{case['id']}/closure")
    assert closed["closed_by"] and till.operator(f"/v1/cases/{case['id']}/closure") == closed


def test_a_delivery_that_can_never_be_is_paid_back(settling: Settling) -> None:
    till = settling.till
    owed, held = till.paid(), till.held()
    purchase = settling.bought("capture", SECURE_CARD)
    failed = settling.fail(purchase, Conflict("the chain refused it"))
    assert failed["money"] == "refunded"
    charge = till.stripe().v1.payment_intents.retrieve(till.intent(purchase)).latest_charge
    assert till.stripe().v1.charges.retrieve(charge).amount_refunded == CENTS
    assert till.held() == held
    assert till.cases(purchase)[0]["kind"] == "kept_credits"
    assert till.paid() == owed
    # The provider tells of that refund too; it is booked once.
    till.deliver_webhook('"type": "refund.created"', till.intent(purchase))
    assert till.paid() == owed


@pytest.mark.parametrize("wanted", [{}, {"deliver": "retire", "retirement": RETIREMENT}])
def test_what_is_held_is_neither_delivered_nor_retired_before_its_time(
    settling: Settling, wanted: dict[str, Any]
) -> None:
    purchase = settling.bought("capture", **wanted)
    settling.step(purchase, "hold")
    assert settling.ended(purchase, "hold") is None
    for name in ("deliver", "retire"):
        with pytest.raises(NotYetFinal):
            settling.step(purchase, name)
    assert settling.till.purchase(purchase)["retirements"] == []
    settling.till.operator(f"/v1/purchases/{purchase}/release")
    assert settling.ended(purchase, "hold") == "succeed"
    settling.step(purchase, "deliver")
    assert settling.till.purchase(purchase)["state"] == "delivered"
    with pytest.raises(AlreadyDelivered):
        settling.fail(purchase, Conflict("too late"))


def test_a_provider_that_is_away_undoes_nothing(settling: Settling) -> None:
    till = settling.till
    purchase = settling.bought("await_fill")
    till.engine.kill()
    try:
        for name in ("capture", "fail_purchase"):
            with pytest.raises(EngineUnavailable, match="payment provider"):
                settling.step(purchase, name)
        assert till.purchase(purchase)["state"] == "filled"
    finally:
        till.engine.start()
    settling.step(purchase, "capture")
    assert till.purchase(purchase)["state"] == "captured"


def test_a_seller_who_chose_fiat_is_paid_once_its_account_is_ready(settling: Settling) -> None:
    till = settling.till
    inbox = Notifications(till.world)
    inbox.take()
    inbox.messages.clear()
    seller = till.exchange.seller
    account = till.payout_account("restricted")
    till.exchange.post(seller, "/v1/payout-choice", {"payout": "fiat", "account": account})
    try:
        earned = COST - COST * 10 // 10_000
        claimable = till.exchange.claimable(seller, till.exchange.quote)
        units, _ = till.treasury()
        purchase = settling.bought("pay_sellers", SECURE_CARD)
    finally:
        till.exchange.post(seller, "/v1/payout-choice", {"payout": "onchain"})
    whole = earned - earned % 10_000
    assert till.exchange.claimable(seller, till.exchange.quote) - claimable == earned - whole
    assert till.treasury()[0] == units - COST - FEE + whole
    [payout] = [each for each in till.listed("/v1/payouts") if each["purchase"] == purchase]
    assert (payout["state"], payout["cents"], payout["attempts"]) == ("waiting", str(whole // 10_000), 1)
    assert "onboarding" in payout["reason"]
    inbox.take_until("payout.waiting")
    [waiting] = [message for message in inbox.messages if message["type"] == "payout.waiting"]
    schema.check("events/payout_waiting", waiting)
    assert till.balance(f"payable:{seller}") == -whole // 10_000

    till.test(f"accounts/{account}/onboarding", outcome="complete")
    paid = till.operator(f"/v1/payouts/{payout['id']}/retry")
    assert (paid["state"], paid["reason"]) == ("paid", None)
    assert till.stripe().v1.transfers.retrieve(paid["transfer"]).amount == whole // 10_000
    assert (f"payable:{seller}", "USD") not in till.balances()
    assert till.operator(f"/v1/payouts/{payout['id']}/retry") == paid


def test_a_seller_is_paid_also_where_the_purchase_failed_after_its_fill(settling: Settling) -> None:
    till = settling.till
    seller = till.exchange.seller
    account = till.payout_account("complete")
    till.exchange.post(seller, "/v1/payout-choice", {"payout": "fiat", "account": account})
    try:
        purchase = settling.bought("await_fill")
    finally:
        till.exchange.post(seller, "/v1/payout-choice", {"payout": "onchain"})
    assert settling.fail(purchase, Conflict("a story"))["money"] == "voided"
    [payout] = [each for each in till.listed("/v1/payouts") if each["purchase"] == purchase]
    assert payout["state"] == "due"
    assert till.operator(f"/v1/payouts/{payout['id']}/retry")["state"] == "paid"
    assert (f"payable:{seller}", "USD") not in till.balances()


def test_the_float_is_brought_from_the_wallet_where_the_claimable_part_is_too_small(
    settling: Settling,
) -> None:
    till = settling.till
    asset, treasury = till.exchange.quote, till.world.settings.treasury_key
    claimable = till.exchange.claimable_at(purchases.treasury())
    if claimable > 1:
        till.exchange.done(treasury, "empty", market_calls.claim(asset, claimable - 1))
    try:
        units, _ = till.treasury()
        settling.bought("await_fill")
        assert (till.treasury()[0], till.exchange.claimable_at(purchases.treasury())) == (
            units - COST - FEE,
            0,
        )
        till.books()
    finally:
        if claimable > COST + FEE:
            till.exchange.done(treasury, "fill", market_calls.deposit(asset, claimable - COST - FEE))


def test_purchases_tell_their_buyers_in_the_schemas_form(settling: Settling) -> None:
    inbox = Notifications(settling.till.world)
    inbox.take()
    settling.bought("complete", SECURE_CARD)
    held = settling.bought("capture")
    settling.step(held, "hold")
    settling.fail(settling.bought("capture"), Conflict("a story"))
    inbox.take_until("purchase.action_required", "purchase.held", "purchase.completed", "purchase.failed")
    for message in inbox.messages:
        schema.check("events/" + message["type"].replace(".", "_"), message)


def test_dying_at_every_point_buys_and_charges_and_delivers_once(settling: Settling) -> None:
    till = settling.till
    (units, grams), held = till.treasury(), till.held()
    till.offer()
    quote = till.quote(deliver="retire", retirement=RETIREMENT)
    purchase = till.buy(quote, SECURE_CARD)
    for name in STEPS:
        settling.deaths.run(lambda name=name: settling.step(purchase, name))
        if name == "await_authentication":
            till.test(f"payment_intents/{till.intent(purchase)}/authentication", outcome="succeeded")
            settling.deaths.run(lambda name=name: settling.step(purchase, name))
    assert [settling.ended(purchase, name) for name in WAITS] == ["succeed", "succeed"]
    assert till.purchase(purchase)["state"] == "completed"
    assert till.money_at(till.intent(purchase)) == ("succeeded", CENTS)
    assert (till.treasury(), till.held()) == ((units - COST - FEE, grams), held + GRAMS)
    done = till.state()
    # An execution that is run again from its input goes through all of it.
    settling.until(purchase, "complete")
    assert (till.state(), till.purchase(purchase)["state"]) == (done, "completed")
    started = [name for machine, name in settling.recorder.told if machine == "retire"]
    assert set(started) == {quote["legs"][0]["retirement"]}


@pytest.mark.parametrize("last", ["screen", "authorise", "place", "capture"])
def test_an_undo_that_dies_at_every_point_undoes_once(settling: Settling, last: str) -> None:
    till = settling.till
    placed = till.offer()
    before, owed, held = till.balances(), till.paid(), till.held()
    purchase = till.buy(till.quote(), CARD)
    if last == "place":
        till.withdraw(placed)
    settling.until(purchase, last)
    error = Conflict("a story")
    if last == "place":
        with pytest.raises(NothingFilled) as nothing:
            settling.step(purchase, "await_fill")
        error = nothing.value
    settling.deaths.run(lambda: settling.fail(purchase, error))
    found = till.purchase(purchase)
    money_is = {"capture": "refunded"}.get(last, "voided")
    assert (found["state"], found["money"], till.held()) == ("failed", money_is, held)
    assert till.paid() == owed
    if last != "capture":
        assert till.balances() == before
