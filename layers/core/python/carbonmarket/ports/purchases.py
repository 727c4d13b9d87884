"""What is kept of purchases by card."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, Protocol

from carbonmarket.ports.registry import Kept
from carbonmarket.records.audit import AuditEntry
from carbonmarket.records.purchases import (
    CardPurchase,
    Case,
    Payout,
    PayoutChoice,
    PurchaseTask,
    Quote,
    ReceivedEvent,
)

Wait = Literal["authentication", "release"]


class PurchasesStore(Protocol):
    """Quotes, purchases, payouts, cases and events. Lists are (cursor, record), after ``after``.

    Every ``save_*`` raises StaleWrite, and writes nothing, if the record is no longer at ``revision``.
    """

    def quote(self, quote: str) -> Kept[Quote] | None: ...

    def save_quote(self, quote: Quote, revision: int, entry: AuditEntry) -> None:
        """Keep a quote; it leaves the store some time after it expired unless a purchase used it."""
        ...

    def purchase(self, purchase: str) -> Kept[CardPurchase] | None: ...

    def purchases(self, organisation: str, after: str | None) -> Iterator[tuple[str, CardPurchase]]:
        """An organisation's purchases, by time."""
        ...

    def newest_purchases(self, organisation: str) -> Iterator[CardPurchase]:
        """An organisation's purchases, the newest first, read as they are asked for."""
        ...

    def purchase_of(self, intent: str) -> str | None:
        """The id of the purchase that a payment intent belongs to."""
        ...

    def purchase_filled_by(self, transaction: str) -> CardPurchase | None:
        """The purchase whose order was filled in a transaction (its hash)."""
        ...

    def begin_purchase(self, purchase: CardPurchase, quote: Kept[Quote], entry: AuditEntry) -> None:
        """Keep the new purchase together with its quote, which it uses up (``quote.revision`` as read)."""
        ...

    def save_purchase(
        self,
        purchase: CardPurchase,
        revision: int,
        entry: AuditEntry,
        *,
        payouts: Sequence[Payout] = (),
        case: Case | None = None,
    ) -> None:
        """Keep its new state, with payouts and a case that come with it; those there already are kept."""
        ...

    def payout_choice(self, organisation: str) -> Kept[PayoutChoice] | None: ...

    def save_payout_choice(self, choice: PayoutChoice, revision: int, entry: AuditEntry) -> None: ...

    def payout(self, payout: str) -> Kept[Payout] | None: ...

    def payouts(self, after: str | None) -> Iterator[tuple[str, Payout]]:
        """All payouts, by time."""
        ...

    def payouts_of(self, purchase: str) -> list[Payout]: ...

    def unpaid_payouts(self, organisation: str | None = None) -> list[Kept[Payout]]:
        """The payouts that have not ended yet: a seller's, or without one everybody's, by time. The list of
        all lags a moment behind."""
        ...

    def save_payout(self, payout: Payout, revision: int, entry: AuditEntry) -> None: ...

    def case(self, case: str) -> Kept[Case] | None: ...

    def cases(self, after: str | None) -> Iterator[tuple[str, Case]]:
        """All cases, by time."""
        ...

    def open_cases(self) -> Iterator[tuple[str, Case]]:
        """The cases that are not closed, by time; the list lags a moment behind."""
        ...

    def save_case(self, case: Case, revision: int, entry: AuditEntry) -> None: ...

    def event(self, event: str) -> Kept[ReceivedEvent] | None: ...

    def failed_events(self, after: str | None) -> Iterator[tuple[str, ReceivedEvent]]:
        """The events that were not handled, by time."""
        ...

    def save_event(self, event: ReceivedEvent, revision: int) -> None: ...


class PurchaseTasks(Protocol):
    """Who waits for what in a purchase's saga."""

    def task(self, purchase: str, wait: Wait) -> PurchaseTask | None: ...

    def save_task(self, task: PurchaseTask) -> None:
        """Keep the newest token of this wait."""
        ...
