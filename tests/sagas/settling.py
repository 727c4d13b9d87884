"""The saga settle_trade run in this process, step by step, so that a story can come between any two."""

from __future__ import annotations

import json
from typing import Any

import pytest

from carbonmarket.errors import MarketError
from carbonmarket_adapters.payments_stripe import StripePayments
from carbonmarket_adapters.wiring import money, purchases, registry
from functions.settle_trade import steps
from infra.grants import NOTIFY, STRIPE, change, erase
from infra.market_declarations import SETTLE_TRADE
from tests.sagas.dying import deadly
from tests.sagas.test_faults import CONTEXT
from tests.sagas.till import CARD, SECURE_CARD, Till

STEPS = (
    "screen",
    "authorise",
    "await_authentication",
    "place",
    "await_fill",
    "capture",
    "hold",
    "deliver",
    "retire",
    "pay_sellers",
    "complete",
)
STEP_RESULT_BYTES_MAX = 2_000
WAITS = ("await_authentication", "hold")
NEEDED = {
    "ledger": {change("ledger")},
    "notifications": {NOTIFY},
    "payments": {STRIPE},
    "registry": {change("registry")},
    "subjects": {change("subject_keys"), erase("subject_keys")},
}
"""What a function must be granted, one of them, that uses a port; in this process nobody asks for it."""


class Settling:
    """Purchases whose steps the story runs itself; no execution is started."""

    def __init__(self, till: Till, patch: pytest.MonkeyPatch) -> None:
        self.till = till
        self._patch = patch
        self.deaths, self.recorder = deadly(
            patch,
            (money, "ledger"),
            (money, "payments"),
            (registry, "subjects"),
            (purchases, "purchases"),
            (purchases, "purchase_tasks"),
        )

    def step(self, purchase: str, name: str, **state: Any) -> Any:
        """One step as the saga would run it, with no more than its function is granted."""
        token = {"task_token": f"{purchase}/{name}"} if name in WAITS else {}
        self.deaths.used.clear()
        try:
            answer = getattr(steps, name)({"purchase": purchase, **token, **state}, CONTEXT)
        finally:
            granted = next(each.grants for each in SETTLE_TRADE.steps if each.handler.endswith(f".{name}"))
            lacking = {port for port in NEEDED.keys() & self.deaths.used if not NEEDED[port] & set(granted)}
            assert not lacking, f"{name} is granted nothing that lets it use {lacking}"
        assert len(json.dumps(answer)) <= STEP_RESULT_BYTES_MAX, "a saga's state holds ids and numbers only"
        return answer

    def dispute_comes_later(self) -> None:
        """The provider's card for it is disputed at once; here that comes after what the story does."""
        self._patch.setattr(StripePayments, "disputes", lambda payments, intent: [])

    def ended(self, purchase: str, name: str) -> str | None:
        """What the wait of that name was told: "succeed", an error's name, or None while it waits."""
        told = [what for what, token in self.recorder.told if token == f"{purchase}/{name}"]
        return told[-1] if told else None

    def until(self, purchase: str, last: str, first: str = "screen") -> None:
        """The steps from ``first`` to ``last``; every wait among them must be over."""
        for name in STEPS[STEPS.index(first) : STEPS.index(last) + 1]:
            self.step(purchase, name)
            if name in WAITS:
                assert self.ended(purchase, name) == "succeed", self.recorder.told

    def fail(self, purchase: str, error: MarketError) -> Any:
        """The undo after an error, as the saga hands it over; the purchase as it is then."""
        cause = json.dumps({"errorMessage": error.reason, "errorType": type(error).__name__})
        self.step(purchase, "fail_purchase", error={"Error": type(error).__name__, "Cause": cause})
        return self.till.purchase(purchase)

    def bought(self, last: str = "await_fill", card: str = CARD, **changes: Any) -> str:
        """A purchase of what the seller offers, up to a step."""
        self.till.offer()
        purchase = self.till.buy(self.till.quote(**changes), card)
        if card == SECURE_CARD:
            self.until(purchase, "authorise")
            self.step(purchase, "await_authentication")
            self.till.test(
                f"payment_intents/{self.till.intent(purchase)}/authentication", outcome="succeeded"
            )
            self.until(purchase, last, "await_authentication")
        else:
            self.until(purchase, last)
        return purchase
