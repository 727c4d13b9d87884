"""Quotes and purchases by card, payouts to sellers, cases for people, and the payment provider's webhooks."""

from __future__ import annotations

import os

from carbonmarket.chain.market_calls import ROUTE_BOOKS_MAX
from carbonmarket.commitments import SALT_BYTES
from carbonmarket.operations import create_quote as quoting
from carbonmarket.operations import open_payout_account as opening
from carbonmarket.operations import purchase as buying
from carbonmarket.operations import purchase_payout as paying_out
from carbonmarket.operations import receive_payment_event as receiving
from carbonmarket.operations import reconcile_money as reconciling
from carbonmarket.operations.purchase_payment import release_purchase as release
from carbonmarket_adapters.counting import count
from carbonmarket_adapters.http import Api, Call, connection, show_purchases
from carbonmarket_adapters.wiring import market, money, purchases, registry, settings

api = Api("api_purchases")
app = api.app


@api.post("/v1/quotes", body=quoting.CreateQuote)
def create_quote(call: Call) -> object:
    """Ask what grams cost by card; the price stands for five minutes and is used once."""
    quote = quoting.create_quote(
        call.body,
        caller=call.caller,
        key=call.idempotency_key,
        desk=market.desk(call.now_us),
        store=purchases.purchases(),
        subjects=registry.subjects(),
        currency=settings().quote_currency,
        salts=[os.urandom(SALT_BYTES) for _ in range(ROUTE_BOOKS_MAX)],
    )
    return show_purchases.quote(quote)


@api.get("/v1/quotes/{quote}")
def get_quote(call: Call) -> object:
    """One quote of your organisation."""
    found = quoting.get_quote(call.path["quote"], caller=call.caller, store=purchases.purchases())
    return show_purchases.quote(found)


@api.post("/v1/purchases", body=buying.CreatePurchase, status=202)
def create_purchase(call: Call) -> object:
    """Buy at a quote's price with a card; read the purchase to see how far it is."""
    purchase = buying.create_purchase(
        call.body,
        caller=call.caller,
        key=call.idempotency_key,
        store=purchases.purchases(),
        sagas=registry.sagas(),
        now_us=call.now_us,
    )
    return show_purchases.purchase(purchase)


@api.get("/v1/purchases", paged=True)
def list_purchases(call: Call) -> object:
    """Your organisation's purchases by card."""
    rows = buying.list_purchases(call.page.after, caller=call.caller, store=purchases.purchases())
    return connection(rows, call.page.first, show_purchases.purchase)


@api.get("/v1/purchases/{purchase}")
def get_purchase(call: Call) -> object:
    """One purchase; while the bank waits for 3-D Secure, with what your app completes that with."""
    found = buying.get_purchase(call.path["purchase"], caller=call.caller, store=purchases.purchases())
    return show_purchases.purchase(found, buying.client_secret(found, call.caller, money.payments))


@api.post("/v1/purchases/{purchase}/release", status=200)
def release_purchase(call: Call) -> object:
    """Let a held purchase go on before its risk period is over, as an operator."""
    found = release(call.path["purchase"], caller=call.caller, till=purchases.till(call.now_us))
    return show_purchases.purchase(found)


@api.post("/v1/payout-choice", body=paying_out.ChoosePayout, status=200)
def choose_payout(call: Call) -> object:
    """Say whether card purchases from your orders are paid on chain or to your account at Stripe."""
    choice = paying_out.choose_payout(
        call.body,
        caller=call.caller,
        accounts=registry.accounts(),
        store=purchases.purchases(),
        now_us=call.now_us,
    )
    return show_purchases.payout_choice(choice)


@api.get("/v1/payout-choice")
def get_payout_choice(call: Call) -> object:
    """How your organisation is paid for card purchases from its orders: on chain unless it chose fiat."""
    choice = paying_out.get_payout_choice(
        caller=call.caller, accounts=registry.accounts(), store=purchases.purchases()
    )
    return show_purchases.payout_choice(choice)


@api.post("/v1/payout-account", body=opening.OpenPayoutAccount, status=200, replays=False)
def open_payout_account(call: Call) -> object:
    """Open your organisation's account at Stripe, or go on with its onboarding at a new address."""
    opened = opening.open_payout_account(
        call.body,
        caller=call.caller,
        accounts=registry.accounts(),
        store=purchases.purchases(),
        payments=money.payments,
        now_us=call.now_us,
    )
    return show_purchases.payout_account(opened)


@api.get("/v1/payout-account")
def get_payout_account(call: Call) -> object:
    """Your organisation's account at Stripe: whether it can be paid out, and what is lacking."""
    found = opening.get_payout_account(
        caller=call.caller,
        accounts=registry.accounts(),
        store=purchases.purchases(),
        payments=money.payments,
    )
    return show_purchases.payout_account(found)


@api.get("/v1/payouts", paged=True)
def list_payouts(call: Call) -> object:
    """Payouts to sellers, for operators."""
    rows = paying_out.list_payouts(call.page.after, caller=call.caller, store=purchases.purchases())
    return connection(rows, call.page.first, show_purchases.payout)


@api.post("/v1/payouts/{payout}/retry", status=200)
def retry_payout(call: Call) -> object:
    """Pay a seller who could not be paid before, as an operator."""
    paid = paying_out.retry_payout(call.path["payout"], caller=call.caller, till=purchases.till(call.now_us))
    return show_purchases.payout(paid)


@api.get("/v1/reconciliations/money", paged=True)
def list_money_reconciliations(call: Call) -> object:
    """Published reconciliations of ledger, Stripe and chain, newest first, for operators."""
    page = call.page
    # One more, to know of a next page.
    rows = reconciling.list_money_reconciliations(
        page.first + 1, page.after, caller=call.caller, ledger=money.ledger()
    )
    return connection(rows, page.first, show_purchases.money_reconciliation)


@api.get("/v1/cases", paged=True)
def list_cases(call: Call) -> object:
    """What a person must look after: disputes, late refunds, credits left with the treasury."""
    rows = buying.list_cases(call.page.after, caller=call.caller, store=purchases.purchases())
    return connection(rows, call.page.first, show_purchases.case)


@api.post("/v1/cases/{case}/closure", status=200)
def close_case(call: Call) -> object:
    """Say that a case has been looked after, as an operator."""
    closed = buying.close_case(
        call.path["case"], caller=call.caller, store=purchases.purchases(), now_us=call.now_us
    )
    return show_purchases.case(closed)


@api.hook("/v1/webhooks/stripe", signed="Stripe-Signature")
def receive_payment_event(call: Call) -> object:
    """Take an event that Stripe has signed."""
    received = receiving.receive_payment_event(call.raw, call.signature, purchases.till(call.now_us))
    if received.state == "failed":
        # Stripe was told that we have it: nobody sends it again, and a person must know.
        count(name="PaymentEventFailed", service="api_purchases")
    return {"id": received.id, "state": received.state}


@api.get("/v1/payment-events", paged=True)
def list_failed_events(call: Call) -> object:
    """Stripe's events that could not be handled, or not yet, for operators."""
    rows = receiving.list_failed_events(call.page.after, caller=call.caller, store=purchases.purchases())
    return connection(rows, call.page.first, show_purchases.payment_event)


@api.post("/v1/payment-events/{event}/replay", status=200)
def replay_event(call: Call) -> object:
    """Handle an event again that could not be handled, as an operator."""
    replayed = receiving.replay_event(
        call.path["event"], caller=call.caller, till=purchases.till(call.now_us)
    )
    return show_purchases.payment_event(replayed)
