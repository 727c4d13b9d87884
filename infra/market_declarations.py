"""What the marketplace consists of: its HTTP apps, the saga of card purchases, and the books of money."""

from __future__ import annotations

from infra.grants import (
    AUDITED,
    FOR_ORGANISATIONS,
    NOTIFY,
    PERSONAL,
    STRIPE,
    TASKS,
    append,
    change,
    erase,
    read,
    sends_as,
    step,
)
from infra.resources import Function, Grant, HttpApp, StateMachine

RECONCILE_MONEY = Function(
    "reconcile-money",
    "functions.reconcile_money.handler.handler",
    (
        change("ledger"),
        Grant("table", "ledger", "scan"),
        Grant("key", "treasury", "read"),
        STRIPE,
    ),
    # The journal is read as a whole: the most that Lambda gives.
    timeout_seconds=900,
    concurrency=1,
)

# Every step knows the float's account, which follows from the treasury's key.
_TILL = (change("purchases"), read("accounts"), Grant("key", "treasury", "read"))
_TREASURY = sends_as("treasury")
# For whom credits were to be retired that never came; who is kept and forgotten can be read with KMS alone.
_FORGET = erase("subject_keys")


RETRY_PAYOUTS = Function(
    "retry-payouts",
    "functions.retry_payouts.handler.handler",
    (*_TILL, append("audit"), change("ledger"), STRIPE, NOTIFY, *FOR_ORGANISATIONS),
    timeout_seconds=300,
    concurrency=1,
)


WORK_BOOKS = Function(
    "work-books",
    "functions.work_books.handler.handler",
    sends_as("oracle"),
    timeout_seconds=60,
    concurrency=1,
)


def _settle(name: str, *grants: Grant, timeout_seconds: int = 30) -> Function:
    return step("settle_trade", name, *_TILL, *grants, timeout_seconds=timeout_seconds)


SETTLE_TRADE = StateMachine(
    "settle_trade",
    (
        _settle("screen", change("subject_keys")),
        _settle("authorise", STRIPE),
        # What was decided before an execution is run again ends its wait at once; so below.
        _settle(
            "await_authentication", TASKS, STRIPE, NOTIFY, Grant("state_machine", "settle_trade", "respond")
        ),
        _settle("place", change("ledger"), STRIPE, *_TREASURY),
        # Offers of the buyer's own that were taken are told to a person; so is what a delivery pays back.
        _settle("await_fill", change("ledger"), NOTIFY, *_TREASURY),
        _settle("capture", change("ledger"), STRIPE),
        _settle("hold", TASKS, NOTIFY, Grant("state_machine", "settle_trade", "respond")),
        _settle("deliver", change("ledger"), STRIPE, NOTIFY, *_TREASURY, timeout_seconds=60),
        _settle("retire", change("registry"), _FORGET, Grant("state_machine", "retire", "start")),
        _settle(
            "pay_sellers",
            change("ledger"),
            STRIPE,
            NOTIFY,
            *FOR_ORGANISATIONS,
            timeout_seconds=60,
        ),
        _settle("complete", NOTIFY),
        _settle("fail_purchase", change("ledger"), STRIPE, NOTIFY, _FORGET, *_TREASURY),
    ),
)

MARKET_APPS = (
    HttpApp(
        "api-market",
        "functions.api_market.app",
        (
            change("market"),
            change("registry"),
            read("accounts"),
            read("chain"),
            read("purchases"),
            *AUDITED,
            *PERSONAL,
            *FOR_ORGANISATIONS,
            Grant("state_machine", "retire", "start"),
        ),
    ),
    HttpApp(
        "api-purchases",
        "functions.api_purchases.app",
        (
            *_TILL,
            TASKS,
            change("ledger"),
            read("chain"),
            *AUDITED,
            *PERSONAL,
            *FOR_ORGANISATIONS,
            NOTIFY,
            STRIPE,
            Grant("secret", "stripe-webhook", "read"),
            Grant("state_machine", "settle_trade", "start"),
            Grant("state_machine", "settle_trade", "respond"),
        ),
    ),
)
