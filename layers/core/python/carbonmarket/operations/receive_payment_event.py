"""The payment provider tells of what happened: verified, kept once by its id, and handled in any order.

An event is a reason to look, not a fact to believe: what a payment, its refunds and its disputes are now is
asked of the provider, and each movement is booked once by its own id.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from carbonmarket import ids
from carbonmarket.authorise import require_role
from carbonmarket.errors import (
    Conflict,
    EngineUnavailable,
    MarketError,
    NotAuthenticated,
    NotFound,
    StaleWrite,
)
from carbonmarket.operations.purchase import Till, open_case
from carbonmarket.operations.purchase_payment import continue_authentication, end_hold
from carbonmarket.operations.purchase_payout import pay_waiting
from carbonmarket.operations.purchase_refund import take_refunds
from carbonmarket.ports.purchases import PurchasesStore
from carbonmarket.ports.registry import NEW, Kept
from carbonmarket.records.audit import SYSTEM, told
from carbonmarket.records.money import (
    DISPUTES,
    STRIPE_FEES,
    STRIPE_RECEIVABLE,
    BalanceTransaction,
    PaymentEvent,
    Transfer,
)
from carbonmarket.records.principal import OPERATOR, Principal
from carbonmarket.records.purchases import CardPurchase, Case, ReceivedEvent

_DISPUTE = "charge.dispute."
# The state of a dispute that is a question yet: the bank has taken nothing.
_INQUIRY = "warning"
# A refund may fail, or move its money, long after it was made.
_REFUNDS = frozenset({"refund.created", "refund.updated", "refund.failed", "charge.refund.updated"})
_ACCOUNT = "account.updated"
# The bank has decided on the payment, or its time has passed.
_DECIDED = frozenset(
    {
        "payment_intent.amount_capturable_updated",
        "payment_intent.canceled",
        "payment_intent.payment_failed",
        "payment_intent.succeeded",
    }
)


class ForgedEvent(MarketError):
    """The signature over the body is not the payment provider's; nothing of it was looked at."""

    status = 400
    code = "forged-event"


class UnknownPayment(Conflict):
    """The event names no purchase of ours."""

    code = "unknown-payment"


def receive_payment_event(payload: bytes, signature: str, till: Till) -> ReceivedEvent:
    """Take an event. ForgedEvent for what the provider did not sign, with nothing kept.

    One that can't be handled is kept with its reason, and taken: a person replays it. EngineUnavailable and
    StaleWrite go to the provider, which sends the event again for some days; it is kept with its reason too.
    """
    try:
        event = till.payments().read_webhook(payload, signature)
    except NotAuthenticated as refused:
        raise ForgedEvent(refused.reason, field="Stripe-Signature") from refused
    kept = till.store.event(event.id)
    if kept is not None and kept.record.state == "handled":
        return kept.record
    if kept is None:
        received = ReceivedEvent(
            id=event.id,
            kind=event.kind,
            purchase="",
            event=event,
            state="received",
            received_us=till.now_us,
        )
        till.store.save_event(received, NEW)
        kept = Kept(received, 1)
    return _handled(kept, till)


def replay_event(event: str, *, caller: Principal, till: Till) -> ReceivedEvent:
    """An operator has an event handled again that could not be; one that was handled is left as it is."""
    require_role(caller, OPERATOR)
    kept = till.store.event(event)
    if kept is None:
        raise NotFound("there is no event with this id", field="event")
    return kept.record if kept.record.state == "handled" else _handled(kept, till)


def list_failed_events(
    after: str | None, *, caller: Principal, store: PurchasesStore
) -> Iterator[tuple[str, ReceivedEvent]]:
    """The events that could not be handled, or not yet, by time, for an operator."""
    require_role(caller, OPERATOR)
    return store.failed_events(after)


def _handled(kept: Kept[ReceivedEvent], till: Till) -> ReceivedEvent:
    purchase = ""
    try:
        purchase = _purchase_of(kept.record.event, till)
        _handle(kept.record.event, purchase, till)
    except (EngineUnavailable, StaleWrite) as passing:
        till.store.save_event(msgspec.structs.replace(kept.record, reason=passing.reason), kept.revision)
        raise
    except MarketError as refused:
        done = msgspec.structs.replace(kept.record, state="failed", purchase=purchase, reason=refused.reason)
    else:
        done = msgspec.structs.replace(kept.record, state="handled", purchase=purchase, reason="")
    till.store.save_event(done, kept.revision)
    return done


def _purchase_of(event: PaymentEvent, till: Till) -> str:
    """The purchase that an event is about, "" where it is about none (an account, a transfer)."""
    if not event.intent:
        return ""
    named = event.metadata.get("purchase") or till.store.purchase_of(event.intent)
    if named is None or till.store.purchase(named) is None:
        raise UnknownPayment(f"payment {event.intent} belongs to no purchase of ours")
    return named


def _handle(event: PaymentEvent, purchase: str, till: Till) -> None:
    if event.kind == _ACCOUNT:
        pay_waiting(event.object_id, event.metadata.get("organisation", ""), till)
    if not purchase:
        return
    kept = till.store.purchase(purchase)
    assert kept is not None
    if event.kind.startswith(_DISPUTE):
        _dispute(event, kept, till)
    elif event.kind in _REFUNDS:
        take_refunds(kept, till)
    elif event.kind in _DECIDED and kept.record.state == "failed":
        _release_late(kept.record, till)
    elif event.kind in _DECIDED:
        continue_authentication(purchase, till)


def _release_late(purchase: CardPurchase, till: Till) -> None:
    """A bank that agreed after the purchase had failed: the buyer's money is not kept waiting."""
    if purchase.intent and till.payments().status(purchase.intent).state == "authorised":
        till.payments().void(purchase.intent)


def _dispute(event: PaymentEvent, kept: Kept[CardPurchase], till: Till) -> None:
    """Book what the bank took or gave back, tell a person, and keep credits that are not delivered from the
    buyer where the bank has the money: not for an inquiry, nor once the dispute is won."""
    dispute = till.payments().dispute(event.object_id)
    for movement in dispute.balance_transactions:
        till.ledger.post(f"dispute/{movement.id}", _dispute_transfers(movement, kept.record.id), till.now_us)
    is_inquiry = event.state.startswith(_INQUIRY)
    text = f"{event.amount} cents ({event.reason or 'no reason given'})"
    text = f"the cardholder's bank {'asks about' if is_inquiry else 'disputes'} {text}"
    open_case(_case(event, kept.record, text, till, "inquiry" if is_inquiry else "opened"), till)
    if event.kind == _DISPUTE + "closed":
        ended = f"the dispute of {event.amount} cents has ended: {event.state}"
        open_case(_case(event, kept.record, ended, till, "closed"), till)
    if dispute.taken > 0 and not kept.record.disputed and kept.record.state != "failed":
        disputed = msgspec.structs.replace(kept.record, disputed=True)
        entry = told(SYSTEM, "dispute_purchase", disputed.id, disputed.state, till.now_us)
        till.store.save_purchase(disputed, kept.revision, entry)
        end_hold(disputed.id, till)


def _dispute_transfers(movement: BalanceTransaction, purchase: str) -> list[Transfer]:
    amounts = ((DISPUTES, -movement.amount), (STRIPE_FEES, movement.fee))
    named = {"purchase": purchase, "balance_transaction": movement.id}
    return [
        Transfer(
            debit=account if amount > 0 else STRIPE_RECEIVABLE,
            credit=STRIPE_RECEIVABLE if amount > 0 else account,
            amount=abs(amount),
            currency=movement.currency,
            reason="dispute",
            references=named,
        )
        for account, amount in amounts
        if amount
    ]


def _case(event: PaymentEvent, purchase: CardPurchase, text: str, till: Till, part: str) -> Case:
    return Case(
        id=ids.derive("CAS", "dispute", event.object_id, part),
        kind="dispute",
        purchase=purchase.id,
        amount_cents=event.amount,
        text=text,
        opened_us=till.now_us,
    )
