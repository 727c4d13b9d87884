"""The local Stripe server, as the stripe package sees it over HTTP."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
import stripe

from infra.declarations import ROOT
from infra.local.engines.stripe.cards import CARDS
from infra.local.engines.stripe.params import nested
from infra.local.engines.stripe.refusals import Refusal
from tests.money.provider import KEY, WEBHOOK_SECRET, Inbox, Provider

pytestmark = pytest.mark.engines
HOLD = {"amount": 2_000, "currency": "usd", "capture_method": "manual", "confirm": True}


def pay(api: stripe.StripeClient, card: str = "pm_card_visa", **more: Any) -> Any:
    return api.v1.payment_intents.create({**HOLD, "payment_method": card, **more})


def refusal(call: Callable[[], Any]) -> Any:
    """Stripe's error, as the package raises it."""
    with pytest.raises(stripe.StripeError) as raised:
        call()
    return raised.value


def test_a_card_is_held_and_taken_in_part(api: stripe.StripeClient) -> None:
    intent = pay(api, metadata={"purchase": "PUR1"})
    assert (intent.status, intent.amount_capturable, intent.amount_received) == ("requires_capture", 2_000, 0)
    taken = api.v1.payment_intents.capture(
        intent.id, {"amount_to_capture": 700, "expand": ["latest_charge.balance_transaction"]}
    )
    assert (taken.status, taken.amount_capturable, taken.amount_received) == ("succeeded", 0, 700)
    moved = taken.latest_charge.balance_transaction
    # 2.9 % of 700 is 20.3, and 30 on top.
    assert (moved.amount, moved.fee, moved.net, moved.source) == (700, 50, 650, taken.latest_charge.id)
    assert taken.metadata["purchase"] == "PUR1"


def test_a_held_card_is_let_go(api: stripe.StripeClient) -> None:
    intent = pay(api)
    gone = api.v1.payment_intents.cancel(intent.id, {"cancellation_reason": "abandoned"})
    assert (gone.status, gone.cancellation_reason) == ("canceled", "abandoned")
    error = refusal(lambda: api.v1.payment_intents.capture(intent.id))
    assert error.code == "payment_intent_unexpected_state"
    assert error.error.payment_intent.status == "canceled"


def test_without_manual_capture_the_money_is_taken_at_once(api: stripe.StripeClient) -> None:
    intent = pay(api, capture_method="automatic")
    assert (intent.status, intent.amount_received) == ("succeeded", 2_000)


def test_an_intent_may_be_made_first_and_confirmed_later(api: stripe.StripeClient) -> None:
    intent = api.v1.payment_intents.create({"amount": 500, "currency": "eur"})
    assert intent.status == "requires_payment_method"
    error = refusal(lambda: api.v1.payment_intents.confirm(intent.id))
    assert "missing a payment method" in error.user_message
    api.v1.payment_intents.update(intent.id, {"amount": 600, "metadata": {"a": "1"}})
    done = api.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_mastercard"})
    assert (done.status, done.amount_received, done.currency) == ("succeeded", 600, "eur")


@pytest.mark.parametrize(
    "card", [name for name, card in CARDS.items() if card.code and not card.authenticates]
)
def test_a_declined_card_says_why(api: stripe.StripeClient, card: str) -> None:
    error = refusal(lambda: pay(api, card))
    assert isinstance(error, stripe.CardError)
    assert error.http_status == 402
    assert (error.code, error.error.decline_code) == (CARDS[card].code, CARDS[card].decline_code)
    intent = api.v1.payment_intents.retrieve(error.error.payment_intent.id, {"expand": ["latest_charge"]})
    assert (intent.status, intent.last_payment_error.code) == ("requires_payment_method", CARDS[card].code)
    assert (intent.latest_charge.status, intent.latest_charge.paid) == ("failed", False)
    # Another card may still pay the same intent.
    again = api.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert again.status == "requires_capture"


def test_3d_secure_is_asked_for_and_passed(api: stripe.StripeClient, provider: Provider) -> None:
    intent = pay(api, "pm_card_threeDSecure2Required", return_url="https://shop.example/back")
    assert (intent.status, intent.latest_charge) == ("requires_action", None)
    page = requests.get(intent.next_action.redirect_to_url.url, timeout=5)
    assert "succeeded" in page.text and "failed" in page.text
    provider.authenticate(intent.id)
    held = api.v1.payment_intents.retrieve(intent.id, {"expand": ["latest_charge"]})
    assert held.status == "requires_capture"
    assert held.latest_charge.payment_method_details.card.three_d_secure.result == "authenticated"
    assert refusal(lambda: api.v1.payment_intents.confirm(intent.id)).http_status == 400


def test_3d_secure_may_fail_or_pass_and_be_declined(api: stripe.StripeClient, provider: Provider) -> None:
    failed = pay(api, "pm_card_authenticationRequired")
    assert failed.next_action.type == "use_stripe_sdk"
    back: Any = {"return_url": "https://shop.example/back", "use_stripe_sdk": True}
    assert pay(api, "pm_card_authenticationRequired", **back).next_action.type == "use_stripe_sdk"
    provider.authenticate(failed.id, "failed")
    seen = api.v1.payment_intents.retrieve(failed.id)
    assert seen.status == "requires_payment_method"
    assert seen.last_payment_error.code == "payment_intent_authentication_failure"
    declined = pay(api, "pm_card_threeDSecureRequiredChargeDeclined")
    provider.authenticate(declined.id)
    assert api.v1.payment_intents.retrieve(declined.id).last_payment_error.code == "card_declined"


def test_a_hold_ends_when_its_time_has_passed(own_provider: Provider) -> None:
    api = own_provider.client()
    intent = pay(api)
    own_provider.test("clock", seconds=7 * 86_400 - 60)
    assert api.v1.payment_intents.retrieve(intent.id).status == "requires_capture"
    own_provider.test("clock", seconds=120)
    assert (
        refusal(lambda: api.v1.payment_intents.capture(intent.id)).code == "payment_intent_unexpected_state"
    )
    gone = api.v1.payment_intents.retrieve(intent.id)
    assert (gone.status, gone.cancellation_reason) == ("canceled", "expired")
    assert "charge.expired" in {event.type for event in api.v1.events.list().data}


def test_refunds_give_back_what_was_taken_and_no_more(api: stripe.StripeClient) -> None:
    intent = pay(api, capture_method="automatic")
    first = api.v1.refunds.create({"payment_intent": intent.id, "amount": 500})
    assert (first.status, first.amount) == ("succeeded", 500)
    error = refusal(lambda: api.v1.refunds.create({"payment_intent": intent.id, "amount": 1_501}))
    assert error.param == "amount"
    api.v1.refunds.create({"charge": intent.latest_charge})
    charge = api.v1.charges.retrieve(intent.latest_charge)
    assert (charge.amount_refunded, charge.refunded) == (2_000, True)
    error = refusal(lambda: api.v1.refunds.create({"payment_intent": intent.id}))
    assert error.code == "charge_already_refunded"
    assert refusal(lambda: api.v1.refunds.create({"payment_intent": pay(api).id})).param == "payment_intent"


def test_an_inquiry_takes_nothing(api: stripe.StripeClient) -> None:
    intent = pay(api, "pm_card_createDisputeInquiry", capture_method="automatic")
    (asked,) = api.v1.disputes.list({"payment_intent": intent.id}).data
    assert (asked.status, asked.balance_transactions) == ("warning_needs_response", [])
    assert api.v1.refunds.create({"charge": asked.charge, "amount": 500}).status == "succeeded"
    told = api.v1.disputes.update(asked.id, {"evidence": {"uncategorized_text": "winning_evidence"}})
    assert (told.status, told.balance_transactions) == ("warning_closed", [])
    assert refusal(lambda: api.v1.disputes.close(asked.id)).code == "dispute_closed"


def test_a_refund_may_fail_after_it_was_made(api: stripe.StripeClient) -> None:
    intent = pay(api, "pm_card_refundFail", capture_method="automatic")
    made = api.v1.refunds.create({"payment_intent": intent.id, "amount": 500})
    failed = api.v1.refunds.retrieve(made.id)
    assert (made.status, failed.status, failed.failure_reason) == (
        "succeeded",
        "failed",
        "expired_or_canceled_card",
    )
    moved = api.v1.balance_transactions.list({"source": made.id}).data
    assert [(each.type, each.net) for each in moved] == [("refund_failure", 500), ("refund", -500)]
    assert api.v1.charges.retrieve(intent.latest_charge).amount_refunded == 0


def test_disputes_take_the_money_and_may_give_it_back(api: stripe.StripeClient) -> None:
    intent = pay(api, "pm_card_createDispute", capture_method="automatic")
    (dispute,) = api.v1.disputes.list({"payment_intent": intent.id}).data
    assert (dispute.reason, dispute.status, dispute.amount) == ("fraudulent", "needs_response", 2_000)
    assert [moved.net for moved in dispute.balance_transactions] == [-3_500]
    assert refusal(lambda: api.v1.refunds.create({"charge": dispute.charge})).code == "charge_disputed"
    won = api.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "winning_evidence"}})
    assert won.status == "won"
    assert [moved.net for moved in won.balance_transactions] == [-3_500, 3_500]
    assert refusal(lambda: api.v1.disputes.close(dispute.id)).http_status == 400
    other = pay(api, "pm_card_createDisputeProductNotReceived", capture_method="automatic")
    (dispute,) = api.v1.disputes.list({"payment_intent": other.id}).data
    assert api.v1.disputes.close(dispute.id).status == "lost"


def test_the_balance_is_the_sum_of_its_movements(own_provider: Provider) -> None:
    api = own_provider.client()
    intent = pay(api, capture_method="automatic")
    api.v1.refunds.create({"payment_intent": intent.id, "amount": 100})
    pay(api, "pm_card_createDispute", capture_method="automatic")
    moved = api.v1.balance_transactions.list({"limit": 100}).data
    assert sum(each.net for each in moved) == api.v1.balance.retrieve().available[0].amount
    assert {each.type for each in moved} == {"charge", "refund", "adjustment"}


def test_sellers_are_paid_when_they_are_ready_and_money_is_there(own_provider: Provider) -> None:
    api = own_provider.client()
    seller = api.v1.accounts.create({"type": "express", "country": "US", "email": "seller@example.com"})
    assert (seller.payouts_enabled, seller.capabilities.transfers) == (False, "inactive")
    transfer = {"amount": 1_000, "currency": "usd", "destination": seller.id}
    error = refusal(lambda: api.v1.transfers.create(transfer))
    assert error.code == "insufficient_capabilities_for_transfer"
    back = "https://app.example/payouts"
    asked = {"account": seller.id, "type": "account_onboarding", "refresh_url": back, "return_url": back}
    link = api.v1.account_links.create(asked)
    requests.post(link.url, data={"outcome": "complete"}, timeout=5).raise_for_status()
    assert api.v1.accounts.retrieve(seller.id).payouts_enabled
    assert refusal(lambda: api.v1.transfers.create(transfer)).code == "balance_insufficient"
    pay(api, capture_method="automatic")
    made = api.v1.transfers.create(transfer)
    assert api.v1.balance_transactions.retrieve(made.balance_transaction).net == -1_000
    payout = api.v1.payouts.create({"amount": 500, "currency": "usd"})
    assert api.v1.payouts.retrieve(payout.id).status == "paid"
    assert refusal(lambda: api.v1.payouts.create({"amount": 500, "currency": "usd"})).http_status == 400
    own_provider.test(f"accounts/{seller.id}/onboarding", outcome="restricted")
    assert not api.v1.accounts.retrieve(seller.id).payouts_enabled
    unknown = refusal(lambda: api.v1.accounts.retrieve("acct_none"))
    assert isinstance(unknown, stripe.PermissionError)
    assert unknown.error.code == "account_invalid"


def test_an_idempotency_key_stands_for_one_request(api: stripe.StripeClient, key: Callable[[], str]) -> None:
    once: Any = {"idempotency_key": key()}
    asked: Any = {**HOLD, "payment_method": "pm_card_visa"}
    first = api.v1.payment_intents.create(asked, once)
    again = api.v1.payment_intents.create(asked, once)
    assert again.id == first.id
    assert again.last_response is not None
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    error = refusal(lambda: api.v1.payment_intents.create({**asked, "amount": 3_000}, once))
    assert isinstance(error, stripe.IdempotencyError)
    assert error.http_status == 400
    # A decline is an answer too: asked again it doesn't try the card again.
    declined: Any = {**HOLD, "payment_method": "pm_card_chargeDeclined"}
    once = {"idempotency_key": key()}
    seen = [refusal(lambda: api.v1.payment_intents.create(declined, once)) for _ in range(2)]
    assert seen[0].error.payment_intent.id == seen[1].error.payment_intent.id
    # What was not understood may be put right under the same key.
    once = {"idempotency_key": key()}
    assert refusal(lambda: api.v1.payment_intents.create({**asked, "amount": 1}, once)).param == "amount"
    assert api.v1.payment_intents.create(asked, once).status == "requires_capture"


@pytest.mark.parametrize(
    ("change", "param", "code"),
    [
        ({"amount": 49}, "amount", "amount_too_small"),
        ({"amount": 100_000_000}, "amount", "amount_too_large"),
        ({"amount": "12.5"}, "amount", "parameter_invalid_integer"),
        ({"amount": ""}, "amount", "parameter_missing"),
        ({"currency": "xxx"}, "currency", None),
        ({"payment_method": "pm_none"}, "payment_method", "resource_missing"),
        ({"capture_method": "later"}, "capture_method", None),
        ({"colour": "red"}, "colour", "parameter_unknown"),
        ({"expand": ["nothing"]}, "expand", None),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(
    api: stripe.StripeClient, change: dict[str, Any], param: str, code: str | None
) -> None:
    error = refusal(lambda: pay(api, **{"payment_method": "pm_card_visa", **change}))
    assert isinstance(error, stripe.InvalidRequestError)
    assert (error.param, error.code) == (param, code)


@pytest.mark.parametrize("amount", [0, 2_001])
def test_no_more_is_taken_than_is_held(api: stripe.StripeClient, amount: int) -> None:
    intent = pay(api)
    error = refusal(lambda: api.v1.payment_intents.capture(intent.id, {"amount_to_capture": amount}))
    assert error.param == "amount_to_capture"
    assert api.v1.payment_intents.retrieve(intent.id).amount_capturable == 2_000


@pytest.mark.parametrize("key", ["sk_live_real", "rk_test_1", "pk_test_1"])
def test_only_test_keys_are_taken(provider: Provider, key: str) -> None:
    error = refusal(lambda: pay(provider.client(key)))
    assert isinstance(error, stripe.AuthenticationError)
    assert "sk_test_" in error.user_message


def test_without_a_key_or_a_route_there_is_nothing(provider: Provider) -> None:
    answer = requests.get(provider.url + "/v1/charges", timeout=5)
    assert (answer.status_code, "API key" in answer.json()["error"]["message"]) == (401, True)
    # The key as Basic authentication's user, as curl sends it.
    assert requests.get(provider.url + "/v1/charges", auth=(KEY, ""), timeout=5).status_code == 200
    answer = requests.delete(provider.url + "/v1/charges", auth=(KEY, ""), timeout=5)
    assert (answer.status_code, answer.json()["error"]["type"]) == (404, "invalid_request_error")


def test_lists_are_paged_and_filtered(own_provider: Provider) -> None:
    api = own_provider.client()
    made = [pay(api).id for _ in range(5)]
    pages = api.v1.payment_intents.list({"limit": 2})
    assert [each.id for each in pages.auto_paging_iter()] == made[::-1]
    older = api.v1.payment_intents.list({"ending_before": made[0], "limit": 3})
    assert [each.id for each in older.data] == made[1:4][::-1]
    assert api.v1.payment_intents.list({"created": {"gt": int(time.time()) + 60}}).data == []
    assert len(api.v1.events.list({"type": "payment_intent.created", "limit": 100}).data) == 5
    assert (
        refusal(lambda: api.v1.payment_intents.list({"starting_after": "pi_none"})).code == "resource_missing"
    )


def test_events_are_delivered_signed_until_they_are_taken(api: stripe.StripeClient, inbox: Inbox) -> None:
    inbox.refuses = 1
    intent = pay(api)
    body, header = inbox.wait_for(intent.id, '"payment_intent.amount_capturable_updated"')
    stated = re.fullmatch(r"t=(\d+),v1=([0-9a-f]{64})", header)
    assert stated is not None
    signed = hmac.new(WEBHOOK_SECRET.encode(), f"{stated[1]}.".encode() + body, hashlib.sha256)
    assert stated[2] == signed.hexdigest()
    event = api.v1.events.retrieve(json.loads(body)["id"])
    assert event.data.object["id"] == intent.id
    # Both of them came, also the one that was refused at first.
    inbox.wait_for(intent.id, '"payment_intent.created"')
    inbox.wait_for(intent.id, '"charge.succeeded"')


def test_an_event_can_be_sent_again(api: stripe.StripeClient, provider: Provider, inbox: Inbox) -> None:
    intent = pay(api)
    body, _ = inbox.wait_for(intent.id, '"payment_intent.created"')
    before = len(inbox.received)
    provider.test(f"events/{json.loads(body)['id']}/delivery")
    deadline = time.monotonic() + 20
    while [each for each, _ in inbox.received].count(body) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert [each for each, _ in inbox.received].count(body) == 2
    assert len(inbox.received) > before


def test_what_was_answered_survives_a_kill(own_provider: Provider, key: Callable[[], str]) -> None:
    api, once = own_provider.client(), {"idempotency_key": key()}
    asked: Any = {**HOLD, "payment_method": "pm_card_visa"}
    intent = api.v1.payment_intents.create(asked, once)  # type: ignore[arg-type]
    own_provider.kill()
    with pytest.raises(stripe.APIConnectionError):
        api.v1.payment_intents.retrieve(intent.id)
    own_provider.start()
    assert api.v1.payment_intents.retrieve(intent.id).status == "requires_capture"
    assert api.v1.payment_intents.create(asked, once).id == intent.id  # type: ignore[arg-type]


def test_it_listens_on_loopback_alone(provider: Provider) -> None:
    listening = {
        each.laddr.ip
        for each in psutil.net_connections("tcp")
        if each.status == psutil.CONN_LISTEN and each.laddr.port == provider.port
    }
    assert listening == {"127.0.0.1"}


def test_webhooks_need_a_secret(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "infra.local.engines.stripe", "--port", "1", "--state", tmp_path / "s"]
    ended = subprocess.run(
        [*map(str, command), "--webhook-url", "http://127.0.0.1:1"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert "STRIPE_WEBHOOK_SECRET" in ended.stderr


def test_bracketed_parameters_nest() -> None:
    pairs = [
        ("a[b][c]", "1"),
        ("a[b][d]", "2"),
        ("list[]", "x"),
        ("list[]", "y"),
        ("other[1]", "q"),
        ("other[0]", "p"),
    ]
    assert nested(pairs) == {"a": {"b": {"c": "1", "d": "2"}}, "list": ["x", "y"], "other": ["p", "q"]}
    with pytest.raises(Refusal):
        nested([("a", "1"), ("a[b]", "2")])
    with pytest.raises(Refusal):
        nested([("[]", "1")])
