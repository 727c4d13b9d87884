"""Table purchases: quotes, purchases by card, payouts to sellers, cases and the payment provider's events.

Keys (pk / sk, listed by gsi1): ``quote#<id>`` / ``quote`` ·
``purchase#<id>`` / ``purchase`` (``purchases#<organisation>``, by time) · / ``payout#<id>`` ·
``intent#<id>`` / ``intent`` · ``transaction#<hash>`` / ``purchase`` ·
``seller#<organisation>`` / ``choice`` · / ``unpaid#<payout>`` (``unpaid-payouts``, by time) ·
``payout#<id>`` / ``payout`` (``payouts``, by time) · ``case#<id>`` / ``case`` (``cases``, by time) ·
/ ``open`` (``open-cases``, by time) ·
``event#<id>`` / ``event`` (``failed-events``, by time).
Quotes that no purchase used leave by TTL. The tokens of waiting purchases lie in table sagas.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

import msgspec

from carbonmarket.ports.purchases import Wait
from carbonmarket.ports.registry import Kept
from carbonmarket.records.audit import AuditEntry
from carbonmarket.records.purchases import (
    CardPurchase,
    Case,
    CaseOf,
    Payout,
    PayoutChoice,
    PayoutOf,
    PurchaseOf,
    PurchaseTask,
    Quote,
    ReceivedEvent,
)
from carbonmarket.settings import Settings
from carbonmarket.times import MICROSECONDS
from carbonmarket_adapters.dynamo.audit import AuditedTable
from carbonmarket_adapters.dynamo.table import Delete, DocumentTable, Kind, Stored, Write

_QUOTE = Kind("quote", Quote)
_PURCHASE = Kind("purchase", CardPurchase)
_INTENT = Kind("intent", PurchaseOf)
_FILLED_BY = Kind("filled-by", PurchaseOf)
_CHOICE = Kind("payout-choice", PayoutChoice)
_PAYOUT = Kind("payout", Payout)
_PAYOUT_OF = Kind("payout-of", PayoutOf)
_CASE = Kind("case", Case)
_CASE_OF = Kind("case-of", CaseOf)
_EVENT = Kind("payment-event", ReceivedEvent)
_TASK = Kind("purchase-task", PurchaseTask)
_QUOTE_KEPT_S = 86_400
_TASK_KEPT_S = 60 * 86_400
_PAGE = 100

R = TypeVar("R", bound=msgspec.Struct)


class DynamoPurchases:
    """The :class:`carbonmarket.ports.purchases.PurchasesStore` over DynamoDB."""

    def __init__(self, settings: Settings) -> None:
        self._table = AuditedTable(settings, "purchases")

    def quote(self, quote: str) -> Kept[Quote] | None:
        return _kept(self._table.get(_QUOTE, f"quote#{quote}", "quote"))

    def save_quote(self, quote: Quote, revision: int, entry: AuditEntry) -> None:
        expires_at = quote.expires_us // MICROSECONDS + _QUOTE_KEPT_S
        write = Write(_QUOTE, f"quote#{quote.id}", "quote", quote, revision, expires_at=expires_at)
        self._table.save([write], entry)

    def purchase(self, purchase: str) -> Kept[CardPurchase] | None:
        return _kept(self._table.get(_PURCHASE, f"purchase#{purchase}", "purchase"))

    def purchases(self, organisation: str, after: str | None) -> Iterator[tuple[str, CardPurchase]]:
        return self._index(_PURCHASE, f"purchases#{organisation}", after)

    def newest_purchases(self, organisation: str) -> Iterator[CardPurchase]:
        partition, after = f"purchases#{organisation}", None
        while rows := list(
            self._table.query_gsi1(_PURCHASE, partition, after=after, limit=_PAGE, reverse=True)
        ):
            yield from (stored.record for _, stored in rows)
            after = rows[-1][0]

    def purchase_of(self, intent: str) -> str | None:
        stored = self._table.get(_INTENT, f"intent#{intent}", "intent")
        return stored.record.purchase if stored else None

    def purchase_filled_by(self, transaction: str) -> CardPurchase | None:
        stored = self._table.get(_FILLED_BY, f"transaction#{transaction}", "purchase")
        kept = self.purchase(stored.record.purchase) if stored else None
        return kept.record if kept else None

    def begin_purchase(self, purchase: CardPurchase, quote: Kept[Quote], entry: AuditEntry) -> None:
        used = msgspec.structs.replace(quote.record, purchase=purchase.id)
        # From now on the quote belongs to the purchase and stays.
        write = Write(_QUOTE, f"quote#{used.id}", "quote", used, quote.revision)
        self._table.save([write, _purchase_write(purchase, 0)], entry)

    def save_purchase(
        self,
        purchase: CardPurchase,
        revision: int,
        entry: AuditEntry,
        *,
        payouts: Sequence[Payout] = (),
        case: Case | None = None,
    ) -> None:
        writes: list[Write | Delete] = [_purchase_write(purchase, revision)]
        pointer = PurchaseOf(purchase=purchase.id)
        if purchase.intent:
            writes.append(Write(_INTENT, f"intent#{purchase.intent}", "intent", pointer))
        if purchase.state == "filled":
            writes.append(Write(_FILLED_BY, f"transaction#{purchase.transaction}", "purchase", pointer))
        for payout in payouts:
            if self.payout(payout.id) is None:
                place = (f"purchase#{payout.purchase}", f"payout#{payout.id}")
                of = Write(_PAYOUT_OF, *place, PayoutOf(payout=payout.id), 0)
                writes += [*_payout_writes(payout, 0), of]
        if case is not None and self.case(case.id) is None:
            writes += _case_writes(case, 0)
        self._table.save(writes, entry)

    def payout_choice(self, organisation: str) -> Kept[PayoutChoice] | None:
        return _kept(self._table.get(_CHOICE, f"seller#{organisation}", "choice"))

    def save_payout_choice(self, choice: PayoutChoice, revision: int, entry: AuditEntry) -> None:
        write = Write(_CHOICE, f"seller#{choice.organisation}", "choice", choice, revision)
        self._table.save([write], entry)

    def payout(self, payout: str) -> Kept[Payout] | None:
        return _kept(self._table.get(_PAYOUT, f"payout#{payout}", "payout"))

    def payouts(self, after: str | None) -> Iterator[tuple[str, Payout]]:
        return self._index(_PAYOUT, "payouts", after)

    def payouts_of(self, purchase: str) -> list[Payout]:
        found = self._table.query(_PAYOUT_OF, f"purchase#{purchase}", prefix="payout#", consistent=True)
        kept = (self.payout(stored.record.payout) for _, stored in found)
        return [each.record for each in kept if each is not None]

    def unpaid_payouts(self, organisation: str | None = None) -> list[Kept[Payout]]:
        if organisation is None:
            found = self._table.query_gsi1(_PAYOUT_OF, "unpaid-payouts")
        else:
            found = self._table.query(_PAYOUT_OF, f"seller#{organisation}", prefix="unpaid#", consistent=True)
        kept = (self.payout(stored.record.payout) for _, stored in found)
        return [each for each in kept if each is not None and not each.record.has_ended]

    def save_payout(self, payout: Payout, revision: int, entry: AuditEntry) -> None:
        self._table.save(_payout_writes(payout, revision), entry)

    def case(self, case: str) -> Kept[Case] | None:
        return _kept(self._table.get(_CASE, f"case#{case}", "case"))

    def cases(self, after: str | None) -> Iterator[tuple[str, Case]]:
        return self._index(_CASE, "cases", after)

    def open_cases(self) -> Iterator[tuple[str, Case]]:
        for key, stored in self._table.query_gsi1(_CASE_OF, "open-cases"):
            kept = self.case(stored.record.case)
            if kept is not None and not kept.record.closed_us:
                yield key, kept.record

    def save_case(self, case: Case, revision: int, entry: AuditEntry) -> None:
        self._table.save(_case_writes(case, revision), entry)

    def event(self, event: str) -> Kept[ReceivedEvent] | None:
        return _kept(self._table.get(_EVENT, f"event#{event}", "event"))

    def failed_events(self, after: str | None) -> Iterator[tuple[str, ReceivedEvent]]:
        return self._index(_EVENT, "failed-events", after)

    def save_event(self, event: ReceivedEvent, revision: int) -> None:
        place = () if event.state == "handled" else ("failed-events", f"{event.received_us:017d}#{event.id}")
        self._table.put(Write(_EVENT, f"event#{event.id}", "event", event, revision, *place))

    def _index(self, kind: Kind[R], partition: str, after: str | None) -> Iterator[tuple[str, R]]:
        for key, stored in self._table.query_gsi1(kind, partition, after=after):
            yield key, stored.record


class DynamoPurchaseTasks:
    """The :class:`carbonmarket.ports.purchases.PurchaseTasks` over DynamoDB, in table sagas."""

    def __init__(self, settings: Settings) -> None:
        self._table = DocumentTable(settings, "sagas")

    def task(self, purchase: str, wait: Wait) -> PurchaseTask | None:
        stored = self._table.get(_TASK, f"purchase#{purchase}", f"task#{wait}")
        return stored.record if stored else None

    def save_task(self, task: PurchaseTask) -> None:
        expires_at = task.created_us // MICROSECONDS + _TASK_KEPT_S
        key = (f"purchase#{task.purchase}", f"task#{task.wait}")
        self._table.put(Write(_TASK, *key, task, expires_at=expires_at))


def _purchase_write(purchase: CardPurchase, revision: int) -> Write:
    place = (f"purchases#{purchase.organisation}", f"{purchase.created_us:017d}#{purchase.id}")
    return Write(_PURCHASE, f"purchase#{purchase.id}", "purchase", purchase, revision, *place)


def _payout_writes(payout: Payout, revision: int) -> list[Write | Delete]:
    """The payout, and where it is listed until it has ended."""
    at = f"{payout.created_us:017d}#{payout.id}"
    write = Write(_PAYOUT, f"payout#{payout.id}", "payout", payout, revision, "payouts", at)
    unpaid = (f"seller#{payout.organisation}", f"unpaid#{payout.id}")
    if payout.has_ended:
        return [write, Delete(*unpaid)]
    pointer = PayoutOf(payout=payout.id)
    return [write, Write(_PAYOUT_OF, *unpaid, pointer, gsi1pk="unpaid-payouts", gsi1sk=at)]


def _case_writes(case: Case, revision: int) -> list[Write | Delete]:
    """The case, and where it is listed until it is closed."""
    at = f"{case.opened_us:017d}#{case.id}"
    write = Write(_CASE, f"case#{case.id}", "case", case, revision, "cases", at)
    opened = (f"case#{case.id}", "open")
    if case.closed_us:
        return [write, Delete(*opened)]
    return [write, Write(_CASE_OF, *opened, CaseOf(case=case.id), gsi1pk="open-cases", gsi1sk=at)]


def _kept(stored: Stored[R] | None) -> Kept[R] | None:
    return None if stored is None else Kept(stored.record, stored.revision)
