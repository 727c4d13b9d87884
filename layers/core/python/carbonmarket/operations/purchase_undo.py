"""Saga settle_trade, the undo: what was held or paid goes back; what can't be undone is told to a person."""

from __future__ import annotations

import msgspec

from carbonmarket import ids
from carbonmarket.errors import Conflict, InvalidInput, NotFound
from carbonmarket.operations.fates import was_never_taken
from carbonmarket.operations.purchase import (
    Till,
    advance,
    forget_beneficiaries,
    notify,
    open_case,
    quote_of,
    reached,
    tell_operators,
)
from carbonmarket.operations.purchase_delivery import give_key
from carbonmarket.operations.purchase_order import fills_of, float_key, keep_fills, order_key
from carbonmarket.operations.purchase_payment import (
    amount_of,
    ask_for_authorisation,
    book_capture,
)
from carbonmarket.operations.purchase_refund import book_refunds, given_back, money_after
from carbonmarket.ports.registry import Kept
from carbonmarket.records.purchases import CardPurchase, Case, MoneyState


class AlreadyDelivered(Conflict):
    """The buyer has its credits; that is never undone."""

    code = "already-delivered"


def fail_purchase(purchase: str, reason: str, till: Till) -> CardPurchase:
    """Undo what was done: release or give back the money, free the float, and keep why.

    NotYetFinal while it is unknown whether the order or a delivery was taken. What the order bought can't be
    given back to its sellers: those credits stay with the treasury, and a case tells a person.
    """
    kept = till.store.purchase(purchase)
    if kept is None:
        raise NotFound(f"there is no purchase {purchase}")
    if kept.record.state == "failed":
        return _told(kept.record, till)
    _require_undelivered(kept.record, till)
    kept = _known_fills(kept, till)
    reason = kept.record.failure or reason
    money, case = _return_money(kept.record, till), None
    if kept.record.fills:
        case = _kept_credits(kept.record, reason, till)
    else:
        _free_float(kept.record, till)
    failed = advance(kept, "failed", "fail_purchase", till, case=case, money=money, failure=reason)
    return _told(failed.record, till)


def _told(failed: CardPurchase, till: Till) -> CardPurchase:
    """The failed purchase, once it is forgotten for whom it was, and its buyer and the operators are told."""
    forget_beneficiaries(failed, till)
    notify(failed, "purchase.failed", till, reason=failed.failure)
    if failed.fills:
        tell_operators(_kept_credits(failed, failed.failure, till), till)
    return failed


def _require_undelivered(purchase: CardPurchase, till: Till) -> None:
    never = all(was_never_taken(till.chain, give_key(purchase.id, fill.book)) for fill in purchase.fills)
    if reached(purchase, "delivered") or not never:
        raise AlreadyDelivered(f"purchase {purchase.id} was delivered; it can't fail any more")


def _known_fills(kept: Kept[CardPurchase], till: Till) -> Kept[CardPurchase]:
    """The purchase with what its order bought, also where its step died before it kept that."""
    key = order_key(kept.record.id)
    if reached(kept.record, "filled") or was_never_taken(till.chain, key):
        return kept
    fate = till.chain.fate(key)
    fills = fills_of(fate, quote_of(kept.record, till), till)
    return keep_fills(kept, fills, fate, till) if fills else kept


def _free_float(purchase: CardPurchase, till: Till) -> None:
    held = till.ledger.hold(float_key(purchase.id))
    if held is not None and held.state == "pending":
        till.ledger.void(float_key(purchase.id), till.now_us)


def _return_money(purchase: CardPurchase, till: Till) -> MoneyState:
    """Release what is held on the card; give back what is left of what was captured, or open a case."""
    intent = _intent_of(purchase, till)
    if not intent:
        return "none"
    found = till.payments().status(intent)
    if found.state in ("authorised", "requires_action"):
        till.payments().void(intent)
        return "voided"
    if found.state == "captured":
        return _give_back(msgspec.structs.replace(purchase, intent=intent), found.captured, till)
    return "voided" if found.state == "voided" else "none"


def _intent_of(purchase: CardPurchase, till: Till) -> str:
    """The payment, also where a step died before it kept the provider's answer; "" where there is none."""
    if purchase.intent or not reached(purchase, "screened"):
        return purchase.intent
    try:
        return ask_for_authorisation(purchase, till).intent
    except InvalidInput:
        return ""


def _give_back(purchase: CardPurchase, taken: int, till: Till) -> MoneyState:
    """Give back what was captured. A person may have taken it in the provider's dashboard: another amount
    than the order spent, or for an order that met nothing."""
    captured = till.payments().capture(purchase.intent, taken)
    book_capture(purchase, captured, till)
    if purchase.disputed:
        # The bank has taken it back already; what the buyer is owed shows when the dispute is closed.
        return "captured"
    refusal = ""
    try:
        till.payments().refund(f"purchase/{purchase.id}/refund", purchase.intent)
    except Conflict as refused:
        # A person may have been first, and the buyer have all of it: that is asked of the provider.
        refusal = refused.reason
    refunds = till.payments().refunds(purchase.intent)
    book_refunds(purchase, refunds, till)
    money = money_after(purchase, refunds, till)
    if money == "captured":
        open_case(_unpaid(purchase, captured.amount - given_back(refunds), refusal, till), till)
    return money


def _unpaid(purchase: CardPurchase, cents: int, refusal: str, till: Till) -> Case:
    return Case(
        id=ids.derive("CAS", "refund", purchase.id, "undo"),
        kind="refund",
        purchase=purchase.id,
        amount_cents=cents,
        text=f"{cents} cents of a purchase that has failed could not be given back: "
        f"{refusal or 'the refund has failed'}",
        opened_us=till.now_us,
    )


def _kept_credits(purchase: CardPurchase, reason: str, till: Till) -> Case:
    bought = " and ".join(f"{fill.grams} grams of {fill.batch}" for fill in purchase.fills)
    return Case(
        id=ids.derive("CAS", "kept_credits", purchase.id),
        kind="kept_credits",
        purchase=purchase.id,
        amount_cents=amount_of(purchase),
        text=f"{bought} stay with the treasury: the order was filled, and then {reason}",
        opened_us=till.now_us,
    )
