"""The payment adapter over HTTP: every outcome of a card, each done once, every refusal a clear sentence."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests
import stripe

from carbonmarket.errors import (
    Conflict,
    EngineUnavailable,
    IdempotencyMismatch,
    InvalidInput,
    NotAllowed,
    NotAuthenticated,
    NotFound,
)
from carbonmarket.ports.money import Payments
from carbonmarket.records.money import Authorisation
from carbonmarket_adapters.payments_stripe import StripePayments
from infra.local.engines.stripe.webhooks import signature
from tests.money.provider import KEY, WEBHOOK_SECRET, Inbox, Provider

pytestmark = pytest.mark.engines
Key = Callable[[], str]
DAYS_S = 86_400


def hold(payments: Payments, key: str, card: str = "pm_card_visa", amount: int = 10_000) -> Authorisation:
    return payments.authorise(key, amount, "USD", card, {"purchase": "PUR1"})


def test_a_card_is_held_and_taken_in_part(payments: Payments, key: Key) -> None:
    held = hold(payments, key())
    assert (held.state, held.amount, held.currency, held.captured) == ("authorised", 10_000, "USD", 0)
    taken = payments.capture(held.intent, 4_000)
    assert (taken.amount, taken.fee, taken.currency, taken.charge) == (4_000, 146, "USD", held.charge)
    # The rest is let go, which is no refund.
    assert payments.refunds(held.intent) == []
    now = payments.status(held.intent)
    assert (now.state, now.captured) == ("captured", 4_000)


def test_the_same_again_happens_once(payments: Payments, provider: Provider, key: Key) -> None:
    authorising, refunding, paying = key(), key(), key()
    seller = provider.ready_seller()
    seen = []
    for _ in range(2):
        held = hold(payments, authorising)
        taken = payments.capture(held.intent, 4_000)
        given = payments.refund(refunding, held.intent, 1_000)
        paid = payments.payout(paying, seller, 500, "USD", {"organisation": "ORG1"})
        seen.append((held.intent, taken, given, paid))
    assert seen[0] == seen[1]
    assert len(provider.client().v1.refunds.list({"payment_intent": held.intent}).data) == 1
    assert len(provider.client().v1.transfers.list({"destination": seller}).data) == 1


def test_the_same_again_after_days_happens_once(own_provider: Provider) -> None:
    """The provider forgets keys after a day; what they did is found by what it left behind."""
    payments, seller = own_provider.payments(), own_provider.ready_seller()
    held = hold(payments, "one")
    taken = payments.capture(held.intent, 4_000)
    given = payments.refund("three", held.intent, 1_000)
    paid = payments.payout("four", seller, 500, "USD", {})
    own_provider.test("clock", seconds=3 * DAYS_S)
    assert payments.capture(held.intent, 4_000) == taken
    assert payments.refund("three", held.intent, 1_000) == given
    assert payments.payout("four", seller, 500, "USD", {}) == paid
    assert payments.balance("USD") == 4_000 - taken.fee - 1_000 - 500


def test_a_key_stands_for_one_request(payments: Payments, provider: Provider, key: Key) -> None:
    authorising, refunding, paying = key(), key(), key()
    held = hold(payments, authorising)
    with pytest.raises(IdempotencyMismatch):
        hold(payments, authorising, amount=5_000)
    payments.capture(held.intent, 10_000)
    payments.refund(refunding, held.intent, 100)
    with pytest.raises(IdempotencyMismatch):
        payments.refund(refunding, held.intent, 200)
    paid = payments.payout(paying, provider.ready_seller(), 100, "USD", {})
    with pytest.raises(IdempotencyMismatch):
        payments.payout(paying, paid.account, 200, "USD", {})
    # Whatever is asked later, it was paid: to whom it was then, and under the attempt it was then.
    assert payments.payout(paying, provider.ready_seller(), 100, "USD", {}, attempt=1) == paid


@pytest.mark.parametrize(
    ("card", "code", "reason"),
    [
        ("pm_card_chargeDeclined", "generic_decline", "Your card was declined."),
        ("pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds", "insufficient funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "has expired"),
    ],
)
def test_a_declined_card_says_why(payments: Payments, key: Key, card: str, code: str, reason: str) -> None:
    declined = hold(payments, key(), card)
    assert (declined.state, declined.decline_code) == ("declined", code)
    assert f"the card was declined ({code})" in declined.reason
    assert reason in declined.reason
    assert payments.status(declined.intent).reason == declined.reason


def test_3d_secure_shifts_the_liability(
    payments: Payments, provider: Provider, key: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = hold(payments, key(), "pm_card_threeDSecure2Required")
    assert (asked.state, asked.liability_shifted) == ("requires_action", False)
    assert asked.client_secret.startswith(asked.intent + "_secret_")
    waiting = provider.client().v1.payment_intents.retrieve(asked.intent)
    assert waiting.next_action.type == "use_stripe_sdk"
    with pytest.raises(Conflict, match="requires_action"):
        payments.capture(asked.intent, 10_000)
    provider.authenticate(asked.intent)
    held = payments.status(asked.intent)
    assert (held.state, held.liability_shifted) == ("authorised", True)
    assert not hold(payments, key()).liability_shifted

    real = StripePayments._intent

    def exempted(self: StripePayments, *asked_for: Any) -> Any:
        intent = real(self, *asked_for)
        card = intent["latest_charge"]["payment_method_details"]["card"]
        card["three_d_secure"] |= {"exemption_indicator": "low_risk", "exemption_indicator_applied": True}
        return intent

    monkeypatch.setattr(StripePayments, "_intent", exempted)
    assert not payments.status(asked.intent).liability_shifted


def test_failed_3d_secure_is_a_decline(payments: Payments, provider: Provider, key: Key) -> None:
    asked = hold(payments, key(), "pm_card_authenticationRequired")
    provider.authenticate(asked.intent, "failed")
    declined = payments.status(asked.intent)
    assert (declined.state, declined.decline_code) == ("declined", "payment_intent_authentication_failure")


def test_a_held_card_is_let_go_once(payments: Payments, key: Key) -> None:
    held = hold(payments, key())
    assert payments.void(held.intent).state == "voided"
    assert payments.void(held.intent).state == "voided"
    with pytest.raises(Conflict, match="it was voided"):
        payments.capture(held.intent, 1)
    taken = hold(payments, key())
    payments.capture(taken.intent, 10_000)
    with pytest.raises(Conflict, match="refund it"):
        payments.void(taken.intent)


def test_what_was_taken_cannot_be_taken_again(payments: Payments, key: Key) -> None:
    held = hold(payments, key())
    with pytest.raises(Conflict) as refused:
        payments.capture(held.intent, 10_001)
    assert refused.value.field == "amount"
    payments.capture(held.intent, 6_000)
    with pytest.raises(Conflict, match="captured already; 4000 can't be"):
        payments.capture(held.intent, 4_000)


def test_a_hold_ends_after_a_week(own_provider: Provider) -> None:
    payments = own_provider.payments()
    held = hold(payments, "one")
    own_provider.test("clock", seconds=7 * DAYS_S + 1)
    with pytest.raises(Conflict, match="time in which it could be captured has passed"):
        payments.capture(held.intent, 10_000)
    assert payments.status(held.intent).state == "voided"


def test_no_more_is_given_back_than_was_taken(payments: Payments, key: Key) -> None:
    held = hold(payments, key())
    with pytest.raises(Conflict):
        payments.refund(key(), held.intent, 1)
    payments.capture(held.intent, 4_000)
    with pytest.raises(Conflict) as refused:
        payments.refund(key(), held.intent, 4_001)
    assert refused.value.field == "amount"
    payments.refund(key(), held.intent, 4_000)
    with pytest.raises(Conflict, match="already been refunded"):
        payments.refund(key(), held.intent, 1)


def test_what_is_left_is_given_back_once(payments: Payments, provider: Provider, key: Key) -> None:
    held, rest = hold(payments, key()), key()
    payments.capture(held.intent, 4_000)
    provider.client().v1.refunds.create({"payment_intent": held.intent, "amount": 1_000})
    given = payments.refund(rest, held.intent)
    assert (given.amount, payments.refund(rest, held.intent)) == (3_000, given)
    assert [(each.amount, each.is_ours) for each in payments.refunds(held.intent)] == [
        (1_000, False),
        (3_000, True),
    ]
    with pytest.raises(Conflict, match="already been refunded"):
        payments.refund(key(), held.intent)


def test_a_refund_that_failed_is_refused_under_its_key(payments: Payments, key: Key) -> None:
    held, again = hold(payments, key(), "pm_card_refundFail"), key()
    payments.capture(held.intent, 4_000)
    # The provider's answer comes before the bank's.
    payments.refund(again, held.intent, 4_000)
    with pytest.raises(Conflict, match="has failed: expired_or_canceled_card"):
        payments.refund(again, held.intent, 4_000)
    [failed] = payments.refunds(held.intent)
    assert (failed.failure, failed.amount) == ("expired_or_canceled_card", 4_000)
    assert failed.reversal not in ("", failed.balance_transaction)


def test_a_disputed_payment_is_not_refunded(payments: Payments, key: Key) -> None:
    held = hold(payments, key(), "pm_card_createDispute")
    payments.capture(held.intent, 4_000)
    with pytest.raises(Conflict) as refused:
        payments.refund(key(), held.intent, 4_000)
    assert refused.value.field == "intent"


def test_a_seller_is_paid_only_when_ready(own_provider: Provider) -> None:
    payments, api = own_provider.payments(), own_provider.client()
    seller = api.v1.accounts.create({"type": "express"}).id
    with pytest.raises(Conflict, match="onboarding") as refused:
        payments.payout("one", seller, 100, "USD", {})
    assert refused.value.field == "account"
    own_provider.test(f"accounts/{seller}/onboarding")
    with pytest.raises(Conflict, match="insufficient available funds") as refused:
        payments.payout("one", seller, 100, "USD", {})
    assert refused.value.field == "amount"
    held = hold(payments, "two")
    payments.capture(held.intent, 10_000)
    assert payments.payout("one", seller, 100, "USD", {}).amount == 100
    with pytest.raises(NotFound) as missing:
        payments.payout("four", "acct_none", 100, "USD", {})
    assert missing.value.field == "account"


def test_a_seller_s_account_is_opened_once_and_ready_after_onboarding(own_provider: Provider) -> None:
    payments = own_provider.payments()
    opened = payments.open_payout_account("one", "ORG1", "US")
    assert payments.open_payout_account("one", "ORG1", "US") == opened
    assert (opened.payouts_enabled, "external_account" in opened.requirements) == (False, True)
    kept = own_provider.client().v1.accounts.retrieve(opened.account)
    assert (kept.type, kept.country, kept.email) == ("express", "US", None)
    assert kept.to_dict()["metadata"] == {"organisation": "ORG1"}
    link = payments.onboarding(opened.account, "https://app.example/payouts")
    requests.post(link, data={"outcome": "restricted"}, timeout=5).raise_for_status()
    restricted = payments.payout_account(opened.account)
    assert (restricted.payouts_enabled, restricted.disabled_reason) == (False, "under_review")
    requests.post(link, data={"outcome": "complete"}, timeout=5).raise_for_status()
    ready = payments.payout_account(opened.account)
    assert (ready.payouts_enabled, ready.requirements, ready.disabled_reason) == (True, (), "")


def test_an_account_that_can_not_be_opened_or_found(payments: Payments, key: Key) -> None:
    opening = key()
    account = payments.open_payout_account(opening, "ORG1", "US").account
    with pytest.raises(IdempotencyMismatch):
        payments.open_payout_account(opening, "ORG2", "US")
    with pytest.raises(InvalidInput, match="accounts in JM cannot be created") as elsewhere:
        payments.open_payout_account(key(), "ORG3", "JM")
    assert elsewhere.value.field == "country"
    with pytest.raises(InvalidInput) as refused:
        payments.onboarding(account, "nowhere")
    assert refused.value.field == "return_url"
    for ask in (
        lambda: payments.payout_account("acct_none"),
        lambda: payments.onboarding("acct_none", "https://app.example/payouts"),
    ):
        with pytest.raises(NotFound) as missing:
            ask()
        assert missing.value.field == "account"


def test_movements_are_listed_oldest_first(own_provider: Provider) -> None:
    payments = own_provider.payments()
    held = hold(payments, "one")
    taken = payments.capture(held.intent, 10_000)
    given = payments.refund("three", held.intent, 4_000)
    now_us = time.time_ns() // 1_000
    first, second = payments.balance_transactions(now_us - 60_000_000, now_us + 60_000_000)
    assert (first.id, first.kind, first.net, first.source) == (
        taken.balance_transaction,
        "charge",
        10_000 - taken.fee,
        taken.charge,
    )
    assert (second.id, second.net, second.source) == (given.balance_transaction, -4_000, given.refund)
    assert payments.balance_transactions(0, now_us - 60_000_000) == []
    assert payments.balance("USD") == first.net + second.net
    assert payments.balance("EUR") == 0


@pytest.mark.parametrize(
    ("amount", "card", "field"),
    [(49, "pm_card_visa", "amount"), (10**8, "pm_card_visa", "amount"), (100, "pm_none", "payment_method")],
)
def test_what_makes_no_sense_is_refused_by_name(
    payments: Payments, key: Key, amount: int, card: str, field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        hold(payments, key(), card, amount)
    assert refused.value.field == field


def test_there_is_no_payment_that_was_not_made(payments: Payments, key: Key) -> None:
    for ask in (
        lambda: payments.status("pi_none"),
        lambda: payments.capture("pi_none", 1),
        lambda: payments.void("pi_none"),
        lambda: payments.refund(key(), "pi_none", 1),
    ):
        with pytest.raises(NotFound) as missing:
            ask()
        assert missing.value.field == "intent"


def test_a_provider_that_is_away_is_named_and_what_was_asked_can_be_asked_again(
    own_provider: Provider,
) -> None:
    payments = own_provider.payments()
    held = hold(payments, "one")
    own_provider.kill()
    with pytest.raises(EngineUnavailable) as away:
        payments.capture(held.intent, 4_000)
    assert own_provider.url in away.value.reason
    assert "carbonmarket up" in away.value.reason
    own_provider.start()
    assert payments.capture(held.intent, 4_000).amount == 4_000
    assert hold(payments, "one").intent == held.intent


def test_a_fault_of_the_providers_own_does_not_stay(
    payments: Payments, key: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = hold(payments, key())
    real: Any = stripe.RequestsClient.request
    faults: set[str] = set()

    def request(self: Any, method: str, url: str, headers: dict[str, str], *rest: Any, **named: Any) -> Any:
        """What was answered under a key is answered again, a fault too."""
        once = headers.get("Idempotency-Key", "")
        if url.endswith("/capture") and (not faults or once in faults):
            faults.add(once)
            return '{"error": {"type": "api_error", "message": "Sorry!"}}', 500, {}
        return real(self, method, url, headers, *rest, **named)

    monkeypatch.setattr(stripe.RequestsClient, "request", request)
    with pytest.raises(EngineUnavailable):
        payments.capture(held.intent, 4_000)
    assert payments.capture(held.intent, 4_000).amount == 4_000


def test_a_key_that_is_refused_says_so(provider: Provider) -> None:
    live = StripePayments(secret=lambda: "sk_live_1", webhook_secret=lambda: "", api_base=provider.url)
    with pytest.raises(NotAllowed, match="refuses our key"):
        live.balance("USD")


def test_another_key_is_used_once_the_old_one_is_refused(provider: Provider) -> None:
    keys = iter(["sk_live_rolled", KEY])
    payments = StripePayments(secret=lambda: next(keys), webhook_secret=lambda: "", api_base=provider.url)
    with pytest.raises(NotAllowed):
        payments.balance("USD")
    assert payments.balance("CHF") == 0


def test_a_webhook_is_read_once_its_signature_holds(
    payments: Payments, provider: Provider, inbox: Inbox, key: Key
) -> None:
    held = hold(payments, key())
    body, header = inbox.wait_for(held.intent, '"payment_intent.amount_capturable_updated"')
    event = payments.read_webhook(body, header)
    assert (event.kind, event.intent, event.object_id) == (
        "payment_intent.amount_capturable_updated",
        held.intent,
        held.intent,
    )
    assert (event.amount, event.currency, event.state) == (10_000, "USD", "requires_capture")
    assert event.metadata == {"purchase": "PUR1"}
    forged = body.replace(b"10000", b"99999")
    now = int(time.time())
    for payload, signed in (
        (forged, header),
        (body, ""),
        (body, "t=1,v1=00"),
        (body, signature(body, "whsec_other", now)),
        # Taken down and sent again later.
        (body, signature(body, WEBHOOK_SECRET, now - 301)),
    ):
        with pytest.raises(NotAuthenticated):
            payments.read_webhook(payload, signed)
    for payload in (b"no json", b"[]", b"{}", b'{"id": "evt_1"}', b"\xff"):
        with pytest.raises(InvalidInput):
            payments.read_webhook(payload, signature(payload, WEBHOOK_SECRET, now))


def test_a_webhook_may_be_signed_with_any_of_the_secrets(provider: Provider) -> None:
    def reading(secrets: str) -> Payments:
        return StripePayments(secret=str, webhook_secret=lambda: secrets, api_base=provider.url)

    account = {"object": "account", "id": "acct_1", "metadata": {"organisation": "ORG1"}}
    event = {"id": "evt_1", "type": "account.updated", "created": 1, "data": {"object": account}}
    body = json.dumps(event).encode()
    signed = signature(body, "whsec_sellers", int(time.time()))
    found = reading("whsec_ours whsec_sellers").read_webhook(body, signed)
    assert (found.object_id, found.metadata) == ("acct_1", {"organisation": "ORG1"})
    for secrets in ("whsec_ours", ""):
        with pytest.raises(NotAuthenticated):
            reading(secrets).read_webhook(body, signed)
    with pytest.raises(NotAuthenticated):
        reading("").read_webhook(body, signature(body, "", int(time.time())))


def test_webhooks_of_refunds_and_disputes_say_what_moved(
    payments: Payments, provider: Provider, inbox: Inbox, key: Key
) -> None:
    held = hold(payments, key())
    payments.capture(held.intent, 4_000)
    given = payments.refund(key(), held.intent, 1_500)
    event = payments.read_webhook(*inbox.wait_for(held.intent, '"charge.refunded"'))
    assert (event.charge, event.amount) == (given.charge, 1_500)
    disputed = hold(payments, key(), "pm_card_createDispute")
    payments.capture(disputed.intent, 4_000)
    event = payments.read_webhook(*inbox.wait_for(disputed.intent, '"charge.dispute.created"'))
    assert (event.intent, event.charge, event.amount) == (disputed.intent, disputed.charge, 4_000)
    assert (event.state, event.reason) == ("needs_response", "fraudulent")
    assert [moved.net for moved in event.balance_transactions] == [-5_500]
    found = payments.dispute(event.object_id)
    assert (found.state, found.taken) == ("needs_response", 4_000)
    assert found.balance_transactions == event.balance_transactions
