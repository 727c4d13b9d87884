"""Money that goes back before, while or after a purchase fails: by a person, by the undo, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from carbonmarket.chain import market_calls
from carbonmarket.errors import Conflict, NotYetFinal
from carbonmarket.operations import purchase_delivery
from carbonmarket.operations.fates import committed_fate
from carbonmarket.operations.purchase_payment import GivenBack
from carbonmarket.ports.chain import Fate
from carbonmarket_adapters.wiring import chain, money, purchases
from tests.sagas.settling import Settling
from tests.sagas.test_settle_trade import CENTS
from tests.sagas.till import CARD, GRAMS, PRICE, RETIREMENT, SECURE_CARD, Till

CREATED, FAILED = '"type": "refund.created"', '"type": "refund.failed"'
FAILING_CARD = "pm_card_refundFail"
DISPUTED_CARD = "pm_card_createDispute"


@pytest.fixture
def reconciled(till: Till) -> Callable[[], None]:
    """That ledger, provider and chain differ by nothing that the story did."""
    before = compared(till)

    def check() -> None:
        assert compared(till) == before

    return check


def compared(till: Till) -> tuple[Any, int]:
    """What reconciliation finds: differences, and what the ledger has still to book."""
    result = till.reconciled()
    till.books()
    return result.differences, result.in_flight


def suspended(till: Till) -> int:
    """What a person must still decide on, in cents; below zero where more was given back than was owed."""
    return -till.balance("suspense")


def refund(till: Till, purchase: str, cents: int | None = None) -> str:
    """An operator gives money back in the provider's dashboard, all that is left or a part."""
    part = {} if cents is None else {"amount": cents}
    return str(till.stripe().v1.refunds.create({"payment_intent": till.intent(purchase), **part}).id)


def refunded_of(till: Till, purchase: str) -> int:
    """What of the purchase's charge the provider has given back."""
    charge = till.stripe().v1.payment_intents.retrieve(till.intent(purchase)).latest_charge
    return int(till.stripe().v1.charges.retrieve(charge).amount_refunded)


@pytest.mark.parametrize("part", [None, 40])
def test_a_refund_while_the_credits_are_held_ends_the_purchase(
    settling: Settling, reconciled: Callable[[], None], part: int | None
) -> None:
    till = settling.till
    owed, held = till.paid(), till.held()
    # Another purchase of the same buyer has paid too, and keeps its money.
    other = settling.bought("capture")
    purchase = settling.bought("capture")
    settling.step(purchase, "hold")
    made = refund(till, purchase, part)
    for _ in range(2):
        assert till.deliver_webhook(CREATED, made) == (200, "handled")
    assert settling.ended(purchase, "hold") == "GivenBack"
    [case] = till.cases(purchase)
    assert (case["kind"], case["amount_cents"]) == ("refund", str(part or CENTS))
    till.operator(f"/v1/purchases/{purchase}/release")
    with pytest.raises(GivenBack):
        settling.step(purchase, "deliver")
    settling.step(purchase, "fail_purchase", error={"Error": "GivenBack"})
    found = till.purchase(purchase)
    assert (found["state"], found["money"]) == ("failed", "refunded")
    assert found["failure"] == "the money was given back before the credits were delivered"
    assert (refunded_of(till, purchase), till.paid(), till.held()) == (CENTS, owed + CENTS, held)
    assert {each["kind"] for each in till.cases(purchase)} == {"refund", "kept_credits"}
    settling.step(other, "hold")
    till.operator(f"/v1/purchases/{other}/release")
    settling.until(other, "complete", "deliver")
    assert (till.paid(), till.held()) == (owed, held + GRAMS)
    reconciled()


def test_a_refund_that_nobody_told_of_stops_the_delivery(
    settling: Settling, reconciled: Callable[[], None]
) -> None:
    till = settling.till
    held, owed = till.held(), till.paid()
    purchase = settling.bought("hold", SECURE_CARD)
    made = refund(till, purchase, 40)
    with pytest.raises(GivenBack) as stopped:
        settling.step(purchase, "deliver")
    failed = settling.fail(purchase, stopped.value)
    assert (failed["money"], refunded_of(till, purchase), till.held()) == ("refunded", CENTS, held)
    # The undo has booked it, so that the event finds nothing to do.
    assert till.paid() == owed
    assert till.deliver_webhook(CREATED, made) == (200, "handled")
    reconciled()


def test_a_refund_while_the_credits_are_on_their_way_is_after_delivery(
    settling: Settling, reconciled: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    till = settling.till
    held, owed = till.held(), till.paid()
    purchase = settling.bought("hold", SECURE_CARD)

    def away(access: Any, key: str) -> Fate:
        """The credits are sent, and whether the chain has taken that nobody knows yet."""
        if "/give/" in key:
            raise NotYetFinal("the chain has not answered yet")
        return committed_fate(access, key)

    with monkeypatch.context() as patch, pytest.raises(NotYetFinal):
        patch.setattr(purchase_delivery, "committed_fate", away)
        settling.step(purchase, "deliver")
    made = refund(till, purchase, 40)
    assert till.deliver_webhook(CREATED, made) == (409, "stale-write")
    settling.step(purchase, "deliver")
    # The provider sends it again.
    assert till.deliver_webhook(CREATED, made) == (200, "handled")
    [case] = till.cases(purchase)
    assert case["text"] == "40 cents were given back after the credits had been delivered"
    assert (till.paid(), till.held()) == (owed, held + GRAMS)
    reconciled()


def test_an_undo_gives_back_what_a_person_has_left(
    settling: Settling, reconciled: Callable[[], None]
) -> None:
    till = settling.till
    owed = till.paid()
    purchase = settling.bought("capture", SECURE_CARD)
    refund(till, purchase, 40)
    failed: dict[str, Any] = settling.deaths.run(lambda: settling.fail(purchase, Conflict("a story")))
    assert (failed["state"], failed["money"]) == ("failed", "refunded")
    assert (refunded_of(till, purchase), till.paid()) == (CENTS, owed)
    assert [each["kind"] for each in till.cases(purchase)] == ["kept_credits"]
    reconciled()


def test_a_refund_that_fails_later_is_owed_again_until_it_is_made(
    settling: Settling, reconciled: Callable[[], None]
) -> None:
    till = settling.till
    owed = till.paid()
    purchase = settling.bought("capture", SECURE_CARD)
    assert settling.fail(purchase, Conflict("a story"))["money"] == "refunded"
    [made] = till.stripe().v1.refunds.list({"payment_intent": till.intent(purchase)}).data
    till.test(f"refunds/{made.id}/settlement", outcome="failed")
    for kind in (FAILED, CREATED, '"type": "refund.updated"', FAILED):
        assert till.deliver_webhook(kind, made.id) == (200, "handled")
    assert (till.purchase(purchase)["money"], till.paid()) == ("captured", owed + CENTS)
    [case] = [each for each in till.cases(purchase) if each["kind"] == "refund"]
    assert case["text"].startswith(f"refund {made.id} of {CENTS} cents has failed (lost_or_stolen_card)")
    reconciled()

    # A person gives it back in another way that the provider has.
    again = refund(till, purchase)
    assert till.deliver_webhook(CREATED, again) == (200, "handled")
    assert (till.purchase(purchase)["money"], till.paid()) == ("refunded", owed)
    reconciled()


def test_a_card_that_takes_no_refund_leaves_the_money_and_a_case(
    settling: Settling, reconciled: Callable[[], None]
) -> None:
    till = settling.till
    owed = till.paid()
    purchase = settling.bought("capture", FAILING_CARD)
    for _ in range(2):
        failed = settling.fail(purchase, Conflict("a story"))
        assert (failed["state"], failed["money"], refunded_of(till, purchase)) == ("failed", "captured", 0)
    [case] = [each for each in till.cases(purchase) if each["kind"] == "refund"]
    assert (case["amount_cents"], till.paid()) == (str(CENTS), owed + CENTS)
    reconciled()
    assert till.deliver_webhook(FAILED, till.intent(purchase)) == (200, "handled")
    assert (till.purchase(purchase)["money"], till.paid()) == ("captured", owed + CENTS)
    reconciled()


def test_a_refund_that_fails_after_delivery_is_a_persons_matter(
    settling: Settling, reconciled: Callable[[], None]
) -> None:
    till = settling.till
    purchase = settling.bought("complete", SECURE_CARD)
    before = till.balances()
    made = refund(till, purchase, 40)
    till.test(f"refunds/{made}/settlement", outcome="failed")
    assert till.deliver_webhook(CREATED, made) == (200, "handled")
    assert till.balances() == before
    assert {each["amount_cents"] for each in till.cases(purchase)} == {"40"}
    assert [each["kind"] for each in till.cases(purchase)] == ["refund", "refund"]
    reconciled()


def test_a_refund_the_bank_has_barred_is_a_case(settling: Settling, reconciled: Callable[[], None]) -> None:
    """The dispute's event has not come yet, so that nothing here knows of it."""
    till = settling.till
    purchase = settling.bought("capture", DISPUTED_CARD)
    failed = settling.fail(purchase, Conflict("a story"))
    assert failed["money"] == "captured"
    [case] = [each for each in till.cases(purchase) if each["kind"] == "refund"]
    assert case["text"].startswith(f"{CENTS} cents of a purchase that has failed could not be given back:")
    assert "charged back" in case["text"]
    assert till.deliver_webhook("charge.dispute.created", till.intent(purchase)) == (200, "handled")
    reconciled()


def test_a_capture_whose_step_died_is_booked_before_its_refund(
    settling: Settling, reconciled: Callable[[], None]
) -> None:
    till = settling.till
    owed = till.paid()
    purchase = settling.bought("await_fill", CARD)
    money.payments().capture(till.intent(purchase), CENTS)
    assert till.deliver_webhook(CREATED, refund(till, purchase, 40)) == (200, "handled")
    assert till.paid() == owed + CENTS - 40
    settling.step(purchase, "capture")
    settling.step(purchase, "hold")
    assert settling.ended(purchase, "hold") == "GivenBack"
    settling.step(purchase, "fail_purchase", error={"Error": "GivenBack"})
    assert (till.purchase(purchase)["money"], till.paid()) == ("refunded", owed)
    reconciled()


def captured_of_two_batches(settling: Settling, card: str = CARD) -> str:
    """A purchase of 30 grams of the first batch and 20 of the second, to be retired at once, that is paid."""
    till, exchange = settling.till, settling.till.exchange
    till.offer(30)
    exchange.post(
        exchange.seller, "/v1/orders", exchange.order("sell", PRICE, 30, book=str(exchange.books[1]))
    )
    exchange.watch()
    wanted = {"criteria": {"countries": ["US"]}, "deliver": "retire", "retirement": RETIREMENT}
    purchase = till.buy(till.quote(batch=None, **wanted), card)
    settling.until(purchase, "capture")
    assert [fill["grams"] for fill in till.purchase(purchase)["fills"]] == ["30", "20"]
    return purchase


def of_two_batches(settling: Settling, card: str, last: str) -> str:
    """A purchase of two batches up to a step; the chain will refuse to give the second, which the treasury
    has fetched by another call."""
    till, exchange = settling.till, settling.till.exchange
    purchase = captured_of_two_batches(settling, card)
    second = exchange.batch(exchange.batches[1]).address
    # All of it: other stories may have left some there.
    left = chain.chain_access().view("market_vault::balance", [], [purchases.treasury(), second])[0]
    fetched = market_calls.claim(second, int(left))
    exchange.done(till.world.settings.treasury_key, f"story/{purchase}", fetched)
    settling.step(purchase, "hold")
    till.operator(f"/v1/purchases/{purchase}/release")
    settling.until(purchase, last, "deliver")
    return purchase


def test_what_the_chain_refuses_of_two_batches_is_paid_back_and_the_other_delivered(
    settling: Settling, reconciled: Callable[[], None]
) -> None:
    till, seller = settling.till, settling.till.exchange.seller
    owed, held, before = till.paid(), till.held(), suspended(till)
    account = till.payout_account("complete")
    till.exchange.post(seller, "/v1/payout-choice", {"payout": "fiat", "account": account})
    try:
        purchase = of_two_batches(settling, CARD, "complete")
    finally:
        till.exchange.post(seller, "/v1/payout-choice", {"payout": "onchain"})
    found = till.purchase(purchase)
    assert (found["state"], found["amount_cents"]) == ("completed", str(CENTS))
    assert [bool(fill["refusal"]) for fill in found["fills"]] == [False, True]
    # 30 grams at 20,000 units with a fee of 0.3 % cost 601,800 units, which are 61 cents.
    assert found["undelivered_cents"] == str(CENTS - 61)
    assert refunded_of(till, purchase) == CENTS - 61
    assert (till.held(), till.paid()) == (held + 30, owed)
    assert suspended(till) == before
    [case] = till.cases(purchase)
    assert (case["kind"], case["amount_cents"]) == ("kept_credits", str(CENTS - 61))
    assert case["text"].startswith(f"20 grams of {till.exchange.batches[1]} stay with the treasury")
    [retirement] = found["retirements"]
    assert [name for machine, name in settling.recorder.told if machine == "retire"] == [retirement]
    [payout] = [each for each in till.listed("/v1/payouts") if each["purchase"] == purchase]
    assert payout["state"] == "paid"
    reconciled()
    done = till.balances()
    assert till.deliver_webhook(CREATED, till.intent(purchase)) == (200, "handled")
    settling.until(purchase, "complete")
    assert till.balances() == done
    assert len(till.cases(purchase)) == 1


@pytest.mark.parametrize("card", [CARD, DISPUTED_CARD])
def test_a_share_that_cannot_be_given_back_waits_for_a_person(
    settling: Settling, reconciled: Callable[[], None], card: str
) -> None:
    till = settling.till
    owed, before = till.paid(), suspended(till)
    settling.dispute_comes_later()
    purchase = of_two_batches(settling, card, "complete")
    if card == DISPUTED_CARD:
        # The provider refuses it; the dispute's event comes late.
        assert till.deliver_webhook("charge.dispute.created", till.intent(purchase)) == (200, "handled")
    else:
        [made] = till.stripe().v1.refunds.list({"payment_intent": till.intent(purchase)}).data
        till.test(f"refunds/{made.id}/settlement", outcome="failed")
        assert till.deliver_webhook(FAILED, made.id) == (200, "handled")
    # It is owed to the buyer, whose other purchases' money is another account's.
    assert suspended(till) == before + CENTS - 61
    assert (till.paid(), refunded_of(till, purchase)) == (owed, 0)
    assert "refund" in {each["kind"] for each in till.cases(purchase)}
    reconciled()
    if card == CARD:
        again = refund(till, purchase, CENTS - 61)
        assert till.deliver_webhook(CREATED, again) == (200, "handled")
        assert suspended(till) == before
        reconciled()


def test_a_delivery_in_part_that_dies_at_every_point_pays_back_once(
    settling: Settling, reconciled: Callable[[], None]
) -> None:
    till = settling.till
    owed, held = till.paid(), till.held()
    step = settling.step

    def deadly(purchase: str, name: str, **state: Any) -> Any:
        if name == "deliver":
            return settling.deaths.run(lambda: step(purchase, name, **state))
        return step(purchase, name, **state)

    settling.step = deadly  # type: ignore[method-assign]
    purchase = of_two_batches(settling, CARD, "deliver")
    assert till.purchase(purchase)["state"] == "delivered"
    assert (refunded_of(till, purchase), till.paid(), till.held()) == (CENTS - 61, owed, held + 30)
    assert [each["kind"] for each in till.cases(purchase)] == ["kept_credits"]
    reconciled()
