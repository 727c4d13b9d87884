"""The saga settle_trade, from a quote to credits or a certificate, through the real parts."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from carbonmarket_adapters.wiring import settings
from tests.sagas.settling import Settling
from tests.sagas.test_retire import certificate
from tests.sagas.till import GRAMS, PRICE, RETIREMENT, SECURE_CARD, Till, execution, start

COST = GRAMS * PRICE
FEE = COST * 30 // 10_000
CENTS = -(-(COST + FEE) // 10_000)


def end(till: Till, purchase: str) -> dict[str, Any]:
    """The purchase's execution once it has ended."""
    deadline = time.monotonic() + 60
    while (found := execution(till, purchase))["status"] == "RUNNING":
        assert time.monotonic() < deadline, till.purchase(purchase)
        time.sleep(0.1)
    return dict(found)


def test_a_card_purchase_is_held_until_it_is_released_and_then_the_buyers(till: Till) -> None:
    till.offer()
    quote = till.quote()
    assert (quote["amount_max_cents"], quote["expected_cents"]) == (str(CENTS), str(CENTS))
    before, (units, grams), held = till.balances(), till.treasury(), till.held()

    # The provider is away for a moment: the saga asks again.
    till.engine.kill()
    purchase = till.buy(quote)
    till.await_purchase(purchase, "screened")
    till.engine.start()
    found = till.await_purchase(purchase, "held")
    assert (found["grams"], found["amount_cents"], found["liability_shifted"]) == (
        str(GRAMS),
        str(CENTS),
        False,
    )
    assert till.treasury() == (units - COST - FEE, grams + GRAMS)
    assert till.held() == held
    till.operator(f"/v1/purchases/{purchase}/release")
    till.await_purchase(purchase, "completed")

    assert till.treasury() == (units - COST - FEE, grams)
    assert till.held() == held + GRAMS
    assert end(till, purchase)["status"] == "SUCCEEDED"
    fee = (
        till.stripe()
        .v1.charges.retrieve(
            till.stripe().v1.payment_intents.retrieve(till.intent(purchase)).latest_charge,
            {"expand": ["balance_transaction"]},
        )
        .balance_transaction.fee
    )
    assert till.moved(before) == {
        ("exchange", "USDC"): COST + FEE,
        ("float:usdc", "USDC"): -COST - FEE,
        ("exchange", "USD"): -CENTS,
        ("stripe:receivable", "USD"): CENTS - fee,
        ("stripe:fees", "USD"): fee,
    }


def test_an_execution_that_is_run_again_waits_for_what_is_left_of_the_risk_period(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARBONMARKET_CARD_RISK_S", "3")
    settings.cache_clear()
    with monkeypatch.context() as patch:
        # Its process is killed after the capture.
        purchase = Settling(till, patch).bought("capture")
    assert till.purchase(purchase)["release"] is not None
    start(till, purchase)
    till.await_purchase(purchase, "completed")


def test_after_three_d_secure_credits_are_retired_at_once(till: Till) -> None:
    till.offer()
    quote = till.quote(deliver="retire", retirement=RETIREMENT)
    purchase = till.buy(quote, SECURE_CARD)
    waiting = till.await_purchase(purchase, "requires_action")
    assert waiting["client_secret"].startswith(till.intent(purchase))
    till.authenticate(purchase)
    done = till.await_purchase(purchase, "completed")
    assert (done["liability_shifted"], done["release"], done["client_secret"]) == (True, None, None)
    [retirement] = done["retirements"]
    assert retirement == quote["legs"][0]["retirement"]
    answer = certificate(till.world, retirement)
    assert json.loads(answer.body)["credentialSubject"]["grams"] == str(GRAMS)


def test_a_failed_challenge_ends_the_purchase_with_its_reason(till: Till) -> None:
    till.offer()
    before = till.state()
    purchase = till.buy(till.quote(), SECURE_CARD)
    till.await_purchase(purchase, "requires_action")
    till.authenticate(purchase, "failed")
    failed = till.await_purchase(purchase, "failed")
    assert "authentication" in failed["failure"]
    assert (end(till, purchase)["error"], till.state()) == ("PurchaseFailed", before)


def test_a_refund_of_a_held_purchase_ends_it(till: Till) -> None:
    till.offer()
    held = till.held()
    purchase = till.buy(till.quote())
    till.await_purchase(purchase, "held")
    made = till.stripe().v1.refunds.create({"payment_intent": till.intent(purchase), "amount": 1})
    assert till.deliver_webhook('"type": "refund.created"', made.id) == (200, "handled")
    failed = till.await_purchase(purchase, "failed")
    assert (end(till, purchase)["error"], failed["money"], till.held()) == (
        "PurchaseFailed",
        "refunded",
        held,
    )


def test_ledger_provider_and_chain_say_the_same_in_the_end(till: Till) -> None:
    result = till.reconciled()
    assert (result.differences, result.in_flight) == ((), 0)
