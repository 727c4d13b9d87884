"""What every call of the API works with: the state, events, and the platform's balance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from infra.local.engines.stripe.refusals import missing
from infra.local.engines.stripe.store import Object, Store, new_id

API_VERSION = "2026-10-28.endive"


@dataclass(frozen=True)
class Context:
    """``url`` is where this server is reached; a card payment may be captured for ``capture_window_s``;
    ``has_webhook`` says whether events are delivered anywhere."""

    store: Store
    url: str
    capture_window_s: int
    has_webhook: bool

    def new(self, kind: str, prefix: str, **values: Any) -> Object:
        """A new object, not kept yet."""
        return {
            "id": new_id(prefix),
            "object": kind,
            "created": self.store.now(),
            "livemode": False,
            **values,
        }

    def get(self, kind: str, id: str, param: str = "") -> Object:
        """The object of a kind and id, or the refusal that there is none."""
        found = self.store.get(id, kind)
        if found is None:
            raise missing(kind, id, param)
        return found

    def emit(self, type: str, thing: Object, before: Object | None = None) -> None:
        """Tell what happened to an object, as it is now; ``before`` are the values that it had."""
        data: Object = {"object": thing}
        if before is not None:
            data["previous_attributes"] = before
        event = self.new(
            "event",
            "evt",
            type=type,
            api_version=API_VERSION,
            data=data,
            pending_webhooks=int(self.has_webhook),
            request={"id": None, "idempotency_key": None},
        )
        self.store.put(event)
        if self.has_webhook:
            self.store.deliver(event["id"])

    def move(self, kind: str, amount: int, currency: str, source: str | None, fee: int = 0) -> Object:
        """Move the platform's balance by ``amount`` less ``fee``."""
        now = self.store.now()
        details = [{"amount": fee, "currency": currency, "type": "stripe_fee", "description": "Stripe fee"}]
        return self.store.put(
            self.new(
                "balance_transaction",
                "txn",
                type=kind,
                reporting_category=kind,
                amount=amount,
                fee=fee,
                fee_details=details if fee else [],
                net=amount - fee,
                currency=currency,
                source=source,
                status="available",
                available_on=now,
                exchange_rate=None,
                description=None,
            )
        )
