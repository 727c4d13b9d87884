"""What the payment provider tells: repeated, late, in any order, and by somebody else."""

from __future__ import annotations

import hashlib
import hmac
import json
import time

import msgspec
import pytest

from carbonmarket import schema
from carbonmarket.records.audit import SYSTEM, told
from carbonmarket_adapters.wiring import purchases
from tests.sagas.settling import Settling
from tests.sagas.test_notifications import Inbox as Notifications
from tests.sagas.test_settle_trade import CENTS
from tests.sagas.till import GRAMS, SECURE_CARD, Till, changed

DISPUTED_CARD = "pm_card_createDispute"


def signed(till: Till, payload: bytes) -> str:
    """The provider's signature over a body."""
    at = int(time.time())
    digest = hmac.new(till.webhook_secret.encode(), f"{at}.".encode() + payload, hashlib.sha256)
    return f"t={at},v1={digest.hexdigest()}"


def test_a_forged_webhook_is_refused_and_leaves_nothing(settling: Settling) -> None:
    till = settling.till
    till.offer()
    purchase = till.buy(till.quote(), SECURE_CARD)
    for name in ("screen", "authorise", "await_authentication"):
        settling.step(purchase, name)
    intent = till.intent(purchase)
    till.test(f"payment_intents/{intent}/authentication", outcome="succeeded")
    body, signature = till.inbox.wait_for("payment_intent.amount_capturable_updated", intent)
    before = till.state()
    forged = changed(body, id="evt_forged")
    for payload, header in ((forged, signature), (body, ""), (body, "t=1,v1=00"), (b"", signature)):
        assert till.post_webhook(payload, header) == (400, "forged-event")
    assert purchases.purchases().event("evt_forged") is None
    assert (till.state(), settling.ended(purchase, "await_authentication")) == (before, None)
    assert till.post_webhook(body, signature) == (200, "handled")
    assert settling.ended(purchase, "await_authentication") == "succeed"


def test_a_webhook_that_comes_again_or_late_changes_nothing(settling: Settling) -> None:
    till = settling.till
    purchase = settling.bought("complete", SECURE_CARD)
    before = till.state()
    answered = len(settling.recorder.told)
    for kind in ("payment_intent.succeeded", "payment_intent.amount_capturable_updated", "charge.captured"):
        for _ in range(2):
            assert till.deliver_webhook(f'"type": "{kind}"', till.intent(purchase)) == (200, "handled")
    assert till.state() == before
    assert till.purchase(purchase)["state"] == "completed"
    assert {what for what, _ in settling.recorder.told[answered:]} <= {"succeed"}


def test_a_bank_that_agrees_after_the_purchase_failed_is_told_to_let_the_money_go(settling: Settling) -> None:
    till = settling.till
    before = till.state()
    till.offer()
    purchase = till.buy(till.quote(), SECURE_CARD)
    settling.until(purchase, "authorise")
    intent, store = till.intent(purchase), purchases.purchases()
    kept = store.purchase(purchase)
    assert kept is not None
    failed = msgspec.structs.replace(kept.record, state="failed", failure="a story")
    store.save_purchase(failed, kept.revision, told(SYSTEM, "a story", purchase, "failed", 1))
    till.test(f"payment_intents/{intent}/authentication", outcome="succeeded")
    assert till.money_at(intent)[0] == "requires_capture"
    for _ in range(2):
        assert till.deliver_webhook("payment_intent.amount_capturable_updated", intent) == (200, "handled")
    assert till.money_at(intent) == ("canceled", 0)
    assert till.balances() == before[0]


def test_a_webhook_of_a_payment_that_is_not_ours_is_kept_and_can_be_replayed(
    settling: Settling, capsys: pytest.CaptureFixture[str]
) -> None:
    till = settling.till
    foreign = till.stripe().v1.payment_intents.create({"amount": 500, "currency": "usd"})
    till.stripe().v1.payment_intents.cancel(foreign.id)
    before = till.balances()
    capsys.readouterr()
    assert till.deliver_webhook("payment_intent.canceled", foreign.id) == (200, "failed")
    # It raises an alarm: the provider was told that we have it.
    assert capsys.readouterr().out.count('"PaymentEventFailed":[1.0]') == 1
    [event] = [each for each in till.listed("/v1/payment-events") if foreign.id in (each["reason"] or "")]
    replayed = till.operator(f"/v1/payment-events/{event['id']}/replay")
    assert (replayed["state"], replayed["reason"]) == (
        "failed",
        f"payment {foreign.id} belongs to no purchase of ours",
    )
    assert till.balances() == before


def test_a_webhook_that_nobody_could_look_into_is_listed_until_it_is_handled(settling: Settling) -> None:
    till = settling.till
    purchase = settling.bought("complete", SECURE_CARD)
    till.stripe().v1.refunds.create({"payment_intent": till.intent(purchase), "amount": 40})
    body, signature = till.inbox.wait_for('"type": "refund.created"', till.intent(purchase))
    event, before = json.loads(body)["id"], till.balance("suspense")
    till.engine.kill()
    try:
        assert till.post_webhook(body, signature) == (503, "engine-unavailable")
    finally:
        till.engine.start()
    # The provider sends it again, but not for ever.
    [waiting] = [each for each in till.listed("/v1/payment-events") if each["id"] == event]
    assert (waiting["state"], bool(waiting["reason"])) == ("received", True)
    replayed = till.operator(f"/v1/payment-events/{event}/replay")
    assert (replayed["state"], replayed["reason"], till.balance("suspense")) == ("handled", None, before + 40)
    assert event not in {each["id"] for each in till.listed("/v1/payment-events")}


def test_a_dispute_while_the_credits_are_held_keeps_them_from_the_buyer(
    settling: Settling, capsys: pytest.CaptureFixture[str]
) -> None:
    till = settling.till
    operators = Notifications(till.world)
    operators.take()
    operators.messages.clear()
    held = till.held()
    purchase = settling.bought("capture", DISPUTED_CARD)
    settling.step(purchase, "hold")
    assert till.deliver_webhook("charge.dispute.created", till.intent(purchase)) == (200, "handled")
    assert settling.ended(purchase, "hold") == "Disputed"
    settling.step(purchase, "fail_purchase", error={"Error": "Disputed"})
    found = till.purchase(purchase)
    assert (found["state"], found["money"], till.held()) == ("failed", "captured", held)
    cases = {case["id"]: case["kind"] for case in till.cases(purchase)}
    assert set(cases.values()) == {"dispute", "kept_credits"}
    till.books()
    # Both are told to the operators, and counted where an alarm sees it.
    operators.take()
    told = [message for message in operators.messages if message["type"] == "case.opened"]
    for message in told:
        schema.check("events/case_opened", message)
    assert {message["data"]["case"]: message["data"]["kind"] for message in told} == cases
    assert capsys.readouterr().out.count('"CaseOpened":[1.0]') == 2


@pytest.mark.parametrize("reversed_order", [False, True])
def test_a_dispute_is_booked_once_in_whatever_order_it_is_told(
    settling: Settling, reversed_order: bool
) -> None:
    till = settling.till
    settling.dispute_comes_later()
    purchase = settling.bought("capture", DISPUTED_CARD)
    settling.step(purchase, "hold")
    till.operator(f"/v1/purchases/{purchase}/release")
    settling.until(purchase, "complete", "deliver")
    before = till.balances()
    intent = till.intent(purchase)
    body, _ = till.inbox.wait_for("charge.dispute.created", intent)
    dispute = json.loads(body)["data"]["object"]["id"]
    till.stripe().v1.disputes.update(
        dispute, {"evidence": {"uncategorized_text": "winning_evidence"}, "submit": True}
    )
    kinds = ["created", "funds_withdrawn", "funds_reinstated", "closed"]
    for kind in reversed(kinds) if reversed_order else kinds:
        for _ in range(2):
            answer = till.deliver_webhook(f'"type": "charge.dispute.{kind}"', intent)
            assert answer == (200, "handled")
    # What the bank took came back, with its fee.
    assert till.balances() == before
    # The credits are the buyer's: an execution that is run again ends as the first one did.
    settling.until(purchase, "complete")
    texts = sorted(case["text"] for case in till.cases(purchase))
    assert [text.split(" cents")[0].rsplit(" ", 1)[0] for text in texts] == [
        "the cardholder's bank disputes",
        "the dispute of",
    ]
    assert texts[1].endswith("has ended: won")


@pytest.mark.parametrize("ends", [False, True])
def test_an_inquiry_takes_no_money_and_keeps_no_credits(settling: Settling, ends: bool) -> None:
    till = settling.till
    held, purchase = till.held(), settling.bought("capture", "pm_card_createDisputeInquiry")
    settling.step(purchase, "hold")
    before, intent = till.balances(), till.intent(purchase)
    assert till.deliver_webhook('"type": "charge.dispute.created"', intent) == (200, "handled")
    if ends:
        [asked] = till.stripe().v1.disputes.list({"payment_intent": intent}).data
        till.stripe().v1.disputes.close(asked.id)
        assert till.deliver_webhook('"type": "charge.dispute.closed"', intent) == (200, "handled")
    assert (till.balances(), settling.ended(purchase, "hold")) == (before, None)
    assert f"the cardholder's bank asks about {CENTS} cents (fraudulent)" in {
        case["text"] for case in till.cases(purchase)
    }
    till.operator(f"/v1/purchases/{purchase}/release")
    settling.until(purchase, "complete", "deliver")
    assert till.held() == held + GRAMS


def test_a_dispute_that_is_won_before_it_is_told_of_keeps_no_credits(settling: Settling) -> None:
    till = settling.till
    owed, held = till.balance("disputes"), till.held()
    purchase = settling.bought("capture", DISPUTED_CARD)
    settling.step(purchase, "hold")
    intent = till.intent(purchase)
    [dispute] = till.stripe().v1.disputes.list({"payment_intent": intent}).data
    till.stripe().v1.disputes.update(
        dispute.id, {"evidence": {"uncategorized_text": "winning_evidence"}, "submit": True}
    )
    for kind in ("closed", "created", "funds_withdrawn", "funds_reinstated"):
        assert till.deliver_webhook(f'"type": "charge.dispute.{kind}"', intent) == (200, "handled")
    assert settling.ended(purchase, "hold") is None
    assert till.balance("disputes") == owed
    till.operator(f"/v1/purchases/{purchase}/release")
    settling.until(purchase, "complete", "deliver")
    assert till.held() == held + GRAMS


def test_a_refund_after_delivery_is_booked_and_told_to_a_person(settling: Settling) -> None:
    till = settling.till
    purchase = settling.bought("complete", SECURE_CARD)
    held, before = till.held(), till.balance("suspense")
    till.stripe().v1.refunds.create({"payment_intent": till.intent(purchase), "amount": 40})
    for _ in range(2):
        assert till.deliver_webhook('"type": "refund.created"', till.intent(purchase))[0] == 200
    [case] = till.cases(purchase)
    assert (case["kind"], case["amount_cents"]) == ("refund", "40")
    assert till.balance("suspense") == before + 40
    assert (till.held(), till.purchase(purchase)["state"]) == (held, "completed")


def test_an_event_that_is_signed_and_no_event_is_refused(settling: Settling) -> None:
    till = settling.till
    for payload in (b"{}", b"[]", b"not json"):
        status, kind = till.post_webhook(payload, signed(till, payload))
        assert (status, kind) == (422, "invalid-input")
