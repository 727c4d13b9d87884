"""Money that goes back before, while or after a purchase fails: by a person, by the undo, or not at all."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from carbonmarket.errors import Conflict, NotYetFinal
from carbonmarket.operations import purchase_delivery
from carbonmarket.operations.purchase_payment import GivenBack
from carbonmarket.operations.reconcile_money import reconcile_money
from carbonmarket_adapters.wiring import chain, money, purchases, settings
from tests.sagas.settling import Settling
from tests.sagas.test_settle_trade import CENTS
from tests.sagas.till import CARD, GRAMS, SECURE_CARD, Till

CREATED, FAILED = '"type": "refund.created"', '"type": "refund.failed"'
FAILING_CARD = "pm_card_refundFail"


@pytest.fixture
def settling(till: Till, monkeypatch: pytest.MonkeyPatch) -> Settling:
    """Steps that the story runs."""
    return Settling(till, monkeypatch)


@pytest.fixture
def reconciled(till: Till) -> Callable[[], None]:
    """That ledger, provider and chain differ by nothing that the story did."""
    before = compared(till)

    def check() -> None:
        assert compared(till) == before

    return check


def compared(till: Till) -> tuple[Any, int]:
    """What reconciliation finds: differences, and what the ledger has still to book."""
    result = reconcile_money(
        ledger=money.ledger(),
        payments=money.payments(),
        chain=chain.chain_access(),
        treasury=purchases.treasury(),
        quote_asset=settings().quote_asset,
        currency="USD",
        catch_up=lambda: None,
        now_us=time.time_ns() // 1_000,
    )
    till.books()
    return result.differences, result.in_flight


def paid_by(till: Till) -> int:
    """What the buyer has paid and not received, in cents."""
    return -till.balances().get((f"buyer:{till.exchange.buyer}", "USD"), (0, 0, 0))[0]


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
    owed, held = paid_by(till), till.held()
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
    assert (refunded_of(till, purchase), paid_by(till), till.held()) == (CENTS, owed + CENTS, held)
    assert {each["kind"] for each in till.cases(purchase)} == {"refund", "kept_credits"}
    settling.step(other, "hold")
    till.operator(f"/v1/purchases/{other}/release")
    settling.until(other, "complete", "deliver")
    assert (paid_by(till), till.held()) == (owed, held + GRAMS)
    reconciled()


def test_a_refund_that_nobody_told_of_stops_the_delivery(
    settling: Settling, reconciled: Callable[[], None]
) -> None:
    till = settling.till
    held, owed = till.held(), paid_by(till)
    purchase = settling.bought("hold", SECURE_CARD)
    made = refund(till, purchase, 40)
    with pytest.raises(GivenBack) as stopped:
        settling.step(purchase, "deliver")
    failed = settling.fail(purchase, stopped.value)
    assert (failed["money"], refunded_of(till, purchase), till.held()) == ("refunded", CENTS, held)
    # The undo has booked it, so that the event finds nothing to do.
    assert paid_by(till) == owed
    assert till.deliver_webhook(CREATED, made) == (200, "handled")
    reconciled()


def test_a_refund_while_the_credits_are_on_their_way_is_after_delivery(
    settling: Settling, reconciled: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    till = settling.till
    held, owed = till.held(), paid_by(till)
    purchase = settling.bought("hold", SECURE_CARD)

    def away(*_: Any) -> None:
        raise NotYetFinal("the chain has not answered yet")

    with monkeypatch.context() as patch, pytest.raises(NotYetFinal):
        patch.setattr(purchase_delivery, "_give", away)
        settling.step(purchase, "deliver")
    made = refund(till, purchase, 40)
    assert till.deliver_webhook(CREATED, made) == (409, "stale-write")
    settling.step(purchase, "deliver")
    # The provider sends it again.
    assert till.deliver_webhook(CREATED, made) == (200, "handled")
    [case] = till.cases(purchase)
    assert case["text"] == "40 cents were given back after the credits had been delivered"
    assert (paid_by(till), till.held()) == (owed, held + GRAMS)
    reconciled()


def test_an_undo_gives_back_what_a_person_has_left(
    settling: Settling, reconciled: Callable[[], None]
) -> None:
    till = settling.till
    owed = paid_by(till)
    purchase = settling.bought("capture", SECURE_CARD)
    refund(till, purchase, 40)
    failed: dict[str, Any] = settling.deaths.run(lambda: settling.fail(purchase, Conflict("a story")))
    assert (failed["state"], failed["money"]) == ("failed", "refunded")
    assert (refunded_of(till, purchase), paid_by(till)) == (CENTS, owed)
    assert [each["kind"] for each in till.cases(purchase)] == ["kept_credits"]
    reconciled()


def test_a_refund_that_fails_later_is_owed_again_until_it_is_made(
    settling: Settling, reconciled: Callable[[], None]
) -> None:
    till = settling.till
    owed = paid_by(till)
    purchase = settling.bought("capture", SECURE_CARD)
    assert settling.fail(purchase, Conflict("a story"))["money"] == "refunded"
    [made] = till.stripe().v1.refunds.list({"payment_intent": till.intent(purchase)}).data
    till.test(f"refunds/{made.id}/settlement", outcome="failed")
    for kind in (FAILED, CREATED, '"type": "refund.updated"', FAILED):
        assert till.deliver_webhook(kind, made.id) == (200, "handled")
    assert (till.purchase(purchase)["money"], paid_by(till)) == ("captured", owed + CENTS)
    [case] = [each for each in till.cases(purchase) if each["kind"] == "refund"]
    assert case["text"].startswith(f"refund {made.id} of {CENTS} cents has failed (lost_or_stolen_card)")
    reconciled()

    # A person gives it back in another way that the provider has.
    again = refund(till, purchase)
    assert till.deliver_webhook(CREATED, again) == (200, "handled")
    assert (till.purchase(purchase)["money"], paid_by(till)) == ("refunded", owed)
    reconciled()


def test_a_card_that_takes_no_refund_leaves_the_money_and_a_case(
    settling: Settling, reconciled: Callable[[], None]
) -> None:
    till = settling.till
    owed = paid_by(till)
    purchase = settling.bought("capture", FAILING_CARD)
    for _ in range(2):
        failed = settling.fail(purchase, Conflict("a story"))
        assert (failed["state"], failed["money"], refunded_of(till, purchase)) == ("failed", "captured", 0)
    [case] = [each for each in till.cases(purchase) if each["kind"] == "refund"]
    assert (case["amount_cents"], paid_by(till)) == (str(CENTS), owed + CENTS)
    reconciled()
    assert till.deliver_webhook(FAILED, till.intent(purchase)) == (200, "handled")
    assert (till.purchase(purchase)["money"], paid_by(till)) == ("captured", owed + CENTS)
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
    purchase = settling.bought("capture", "pm_card_createDispute")
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
    owed = paid_by(till)
    purchase = settling.bought("await_fill", CARD)
    money.payments().capture(f"purchase/{purchase}/capture", till.intent(purchase), CENTS)
    assert till.deliver_webhook(CREATED, refund(till, purchase, 40)) == (200, "handled")
    assert paid_by(till) == owed + CENTS - 40
    settling.step(purchase, "capture")
    settling.step(purchase, "hold")
    assert settling.ended(purchase, "hold") == "GivenBack"
    settling.step(purchase, "fail_purchase", error={"Error": "GivenBack"})
    assert (till.purchase(purchase)["money"], paid_by(till)) == ("refunded", owed)
    reconciled()
