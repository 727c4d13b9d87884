"""A buyer buys by card: the saga settle_trade begins, and what all of its steps have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from carbonmarket import ids
from carbonmarket.authorise import require_organisation, require_role
from carbonmarket.errors import Conflict, IdempotencyMismatch, InvalidInput, NotFound
from carbonmarket.ports.accounts import AccountsStore
from carbonmarket.ports.chain import ChainAccess
from carbonmarket.ports.money import Ledger, Payments
from carbonmarket.ports.notifications import OPERATORS, Notifications, NotificationType
from carbonmarket.ports.personal import SubjectKeys
from carbonmarket.ports.purchases import PurchasesStore, PurchaseTasks
from carbonmarket.ports.registry import Kept, RegistryStore
from carbonmarket.ports.sagas import Sagas
from carbonmarket.records.audit import SYSTEM, told
from carbonmarket.records.principal import BUYER, DEVELOPER, OPERATOR, Principal
from carbonmarket.records.purchases import (
    PURCHASE_ORDER,
    CardPurchase,
    Case,
    Payout,
    PurchaseState,
    Quote,
)
from carbonmarket.screening import Screening

SAGA = "settle_trade"


class QuoteExpired(Conflict):
    """The quote's time has passed."""

    code = "quote-expired"


class QuoteUsed(Conflict):
    """A quote is good for one purchase."""

    code = "quote-used"


class PurchaseFailed(Conflict):
    """The purchase has failed before; its saga has nothing to do."""

    code = "purchase-failed"


class CreatePurchase(msgspec.Struct, frozen=True, kw_only=True):
    """``payment_method`` is the payment provider's id of a card ("pm_…"), which the buyer's app got there."""

    quote: str
    payment_method: str


class Till(msgspec.Struct, frozen=True, kw_only=True):
    """Where purchases by card are settled: stores, chain, ledger, payment provider, and whose float it is.

    ``payments`` is called where the provider is needed, since its library is slow to load, and ``subjects``
    where somebody is remembered or forgotten. ``treasury`` is the float's account on chain, whose key has the
    id ``treasury_key``; ``quote_asset`` its token's address. A purchase that no bank answers for is held
    ``risk_period_s``.
    """

    store: PurchasesStore
    tasks: PurchaseTasks
    sagas: Sagas
    accounts: AccountsStore
    registry: RegistryStore
    chain: ChainAccess
    ledger: Ledger
    payments: Callable[[], Payments]
    screening: Screening
    notifications: Notifications
    subjects: Callable[[], SubjectKeys]
    treasury: str
    treasury_key: str
    quote_asset: str
    risk_period_s: int
    public_url: str
    now_us: int


def create_purchase(
    request: CreatePurchase,
    *,
    caller: Principal,
    key: str,
    store: PurchasesStore,
    sagas: Sagas,
    now_us: int,
) -> CardPurchase:
    """Use a quote and start its saga; the same key again answers the same purchase.

    Conflict where the quote has expired or another purchase used it.
    """
    require_role(caller, BUYER, DEVELOPER)
    id = ids.derive("PUR", caller.organisation, key)
    kept = store.purchase(id)
    if kept is None:
        quote = _quote_for(request.quote, caller, store)
        purchase = decide_purchase(request, id=id, quote=quote.record, caller=caller, now_us=now_us)
        store.begin_purchase(purchase, quote, told(caller, "create_purchase", id, "accepted", now_us))
    else:
        purchase = kept.record
        if (purchase.quote, purchase.payment_method) != (request.quote, request.payment_method):
            raise IdempotencyMismatch("this Idempotency-Key bought something else")
    sagas.start(SAGA, id, {"purchase": id})
    return purchase


def decide_purchase(
    request: CreatePurchase, *, id: str, quote: Quote, caller: Principal, now_us: int
) -> CardPurchase:
    """The new purchase of a quote that still stands."""
    if quote.purchase:
        raise QuoteUsed("this quote was used for another purchase; ask for a new one", field="quote")
    if now_us >= quote.expires_us:
        raise QuoteExpired("this quote has expired; ask for a new one", field="quote")
    return CardPurchase(
        id=id,
        organisation=caller.organisation,
        quote=quote.id,
        payment_method=request.payment_method,
        state="accepted",
        created_us=now_us,
    )


def _quote_for(quote: str, caller: Principal, store: PurchasesStore) -> Kept[Quote]:
    kept = store.quote(quote)
    if kept is None or kept.record.organisation != caller.organisation:
        raise InvalidInput("there is no quote with this id among those of your organisation", field="quote")
    return kept


def get_purchase(purchase: str, *, caller: Principal, store: PurchasesStore) -> CardPurchase:
    """One purchase of the caller's organisation, or any for an operator."""
    kept = store.purchase(purchase)
    if kept is None:
        raise NotFound("there is no purchase with this id", field="purchase")
    require_organisation(caller, kept.record.organisation, "purchase")
    return kept.record


def client_secret(purchase: CardPurchase, caller: Principal, payments: Callable[[], Payments]) -> str:
    """What the buyer's app completes 3-D Secure with; "" unless its bank waits for that, and for others."""
    if purchase.state != "requires_action" or caller.organisation != purchase.organisation:
        return ""
    found = payments().status(purchase.intent)
    return found.client_secret if found.state == "requires_action" else ""


def list_purchases(
    after: str | None, *, caller: Principal, store: PurchasesStore
) -> Iterator[tuple[str, CardPurchase]]:
    """Those of the caller's organisation, by time."""
    return store.purchases(caller.organisation, after)


def list_cases(after: str | None, *, caller: Principal, store: PurchasesStore) -> Iterator[tuple[str, Case]]:
    """What a person must look after, by time."""
    require_role(caller, OPERATOR)
    return store.cases(after)


def close_case(case: str, *, caller: Principal, store: PurchasesStore, now_us: int) -> Case:
    """An operator has looked after it. A case that is closed stays as it is."""
    require_role(caller, OPERATOR)
    kept = store.case(case)
    if kept is None:
        raise NotFound("there is no case with this id", field="case")
    if kept.record.closed_us:
        return kept.record
    closed = msgspec.structs.replace(kept.record, closed_us=now_us, closed_by=caller.subject)
    store.save_case(closed, kept.revision, told(caller, "close_case", case, "closed", now_us))
    return closed


# What the steps share


def load(purchase: str, till: Till) -> Kept[CardPurchase]:
    """The purchase of a saga's input; PurchaseFailed if it failed before."""
    kept = till.store.purchase(purchase)
    if kept is None:
        raise NotFound(f"there is no purchase {purchase}")
    if kept.record.state == "failed":
        raise PurchaseFailed(f"purchase {purchase} failed: {kept.record.failure}")
    return kept


def quote_of(purchase: CardPurchase, till: Till) -> Quote:
    """The quote that a purchase used."""
    kept = till.store.quote(purchase.quote)
    if kept is None:
        raise NotFound(f"quote {purchase.quote} of purchase {purchase.id} is gone")
    return kept.record


def reached(purchase: CardPurchase, state: PurchaseState) -> bool:
    """Whether a purchase that hasn't failed has come to ``state`` or past it."""
    return PURCHASE_ORDER.index(purchase.state) >= PURCHASE_ORDER.index(state)


def advance(
    kept: Kept[CardPurchase],
    state: PurchaseState,
    action: str,
    till: Till,
    *,
    payouts: tuple[Payout, ...] = (),
    case: Case | None = None,
    **changes: Any,
) -> Kept[CardPurchase]:
    """Save the purchase in its new state with other changes."""
    moved = msgspec.structs.replace(kept.record, state=state, **changes)
    entry = told(SYSTEM, action, moved.id, state, till.now_us)
    till.store.save_purchase(moved, kept.revision, entry, payouts=payouts, case=case)
    return Kept(moved, kept.revision + 1)


def forget_beneficiaries(purchase: CardPurchase, till: Till) -> None:
    """Erase for whom was to be retired what the buyer will never get: nothing needs to know that any more."""
    has_failed = purchase.state == "failed"
    retired = set() if has_failed else {fill.book for fill in purchase.due_fills}
    for leg in quote_of(purchase, till).legs:
        if leg.retirement is not None and leg.book not in retired:
            till.subjects().erase(leg.retirement.id)


def notify(purchase: CardPurchase, type: NotificationType, till: Till, **data: str) -> None:
    """Tell the buyer; the last part of the type makes the notification's id."""
    name = type.split(".")[1]
    till.notifications.send(
        f"{purchase.id}/{name}", type, purchase.organisation, {"purchase": purchase.id, **data}
    )


def tell_operators(case: Case, till: Till) -> None:
    """Tell whoever looks after cases that one is opened."""
    data = {
        "case": case.id,
        "kind": case.kind,
        "purchase": case.purchase,
        "amount_cents": str(case.amount_cents),
        "text": case.text,
    }
    till.notifications.send(f"{case.id}/opened", "case.opened", OPERATORS, data)


def open_case(case: Case, till: Till) -> None:
    """Keep a case once, and tell the operators; one that is there stays as it is."""
    if till.store.case(case.id) is None:
        # First: whoever dies between the two opens and tells again.
        tell_operators(case, till)
        till.store.save_case(case, 0, told(SYSTEM, "open_case", case.id, case.kind, till.now_us))
