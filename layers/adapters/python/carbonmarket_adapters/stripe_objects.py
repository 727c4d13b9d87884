"""What Stripe's objects tell, as the market's records: from dictionaries, without Stripe's package."""

from __future__ import annotations

from typing import Any

from carbonmarket.errors import IdempotencyMismatch
from carbonmarket.records.money import (
    Authorisation,
    AuthorisationState,
    BalanceTransaction,
    Captured,
    Dispute,
    PaidOut,
    PaymentEvent,
    PayoutAccount,
    Refunded,
)
from carbonmarket.times import MICROSECONDS

Object = dict[str, Any]

OURS = "carbonmarket_key"
"""In a refund's metadata: the digest of the key that made it."""
_STATES: dict[str, AuthorisationState] = {
    "requires_action": "requires_action",
    "requires_capture": "authorised",
    "processing": "requires_action",
    "succeeded": "captured",
    "canceled": "voided",
    "requires_payment_method": "declined",
    "requires_confirmation": "requires_action",
}
# Since its version 2025-03-31 Stripe says the latter.
_EXPIRED = {"automatic", "expired"}
# Stripe's bank says so, and its rules move the liability for fraud away from us.
_SHIFTED = {"authenticated", "attempt_acknowledged"}


def payout_account(account: Object) -> PayoutAccount:
    """A seller's account."""
    lacking = account.get("requirements") or {}
    return PayoutAccount(
        account=account["id"],
        payouts_enabled=account["payouts_enabled"],
        requirements=tuple(lacking.get("currently_due") or ()),
        disabled_reason=lacking.get("disabled_reason") or "",
    )


def paid_out(transfer: Object, amount: int) -> PaidOut:
    """A transfer; IdempotencyMismatch where it is of another amount."""
    if transfer["amount"] != amount:
        raise IdempotencyMismatch(
            f"the payout's key has moved {transfer['amount']} to {transfer['destination']} before",
            field="key",
        )
    return PaidOut(
        transfer=transfer["id"],
        account=transfer["destination"],
        amount=amount,
        currency=transfer["currency"].upper(),
        balance_transaction=transfer["balance_transaction"],
    )


def intent_of(declined: Any) -> Object:
    """The payment that a decline comes with."""
    intent = (declined.json_body or {}).get("error", {}).get("payment_intent")
    if intent is None:
        raise declined
    found: Object = intent
    return found


def authorisation(intent: Object) -> Authorisation:
    """A payment intent, best with its charge expanded."""
    charge = intent["latest_charge"]
    # A declined payment comes within its error, where nothing is expanded.
    is_whole = isinstance(charge, dict)
    reason, code = _why(intent)
    return Authorisation(
        intent=intent["id"],
        state=_STATES[intent["status"]],
        amount=intent["amount"],
        currency=intent["currency"].upper(),
        captured=intent["amount_received"],
        charge=_id_of(charge),
        client_secret=intent["client_secret"] or "",
        liability_shifted=is_whole and _is_shifted(charge),
        reason=reason,
        decline_code=code,
    )


def _is_shifted(charge: Object) -> bool:
    card = (charge["payment_method_details"] or {}).get("card") or {}
    secure = card.get("three_d_secure") or {}
    # A bank that was asked for an exemption, and accepts it, answers for nothing.
    return secure.get("result") in _SHIFTED and not secure.get("exemption_indicator_applied")


def _why(intent: Object) -> tuple[str, str]:
    if intent["status"] == "canceled":
        if intent["cancellation_reason"] in _EXPIRED:
            return "the time in which it could be captured has passed", ""
        return "it was voided", ""
    error = intent["last_payment_error"]
    if intent["status"] != "requires_payment_method" or error is None:
        return "", ""
    return decline(error), error.get("decline_code") or error.get("code") or ""


def decline(error: Object) -> str:
    """Why a card was declined."""
    named = error.get("decline_code") or error.get("code") or "declined"
    return f"the card was declined ({named}): {error.get('message', '')}"


def captured(intent: Object) -> Captured:
    """What was taken of a payment intent, whose charge and movement are expanded."""
    charge = intent["latest_charge"]
    moved = charge["balance_transaction"]
    return Captured(
        intent=intent["id"],
        charge=charge["id"],
        amount=intent["amount_received"],
        fee=moved["fee"],
        currency=intent["currency"].upper(),
        balance_transaction=moved["id"],
    )


def key_of(refund: Object) -> str:
    """The digest of our key that made a refund; "" where a person made it."""
    return str((refund["metadata"] or {}).get(OURS, ""))


def refunded(refund: Object) -> Refunded:
    """A refund."""
    has_failed = refund["status"] in {"failed", "canceled"}
    return Refunded(
        refund=refund["id"],
        charge=refund["charge"],
        amount=refund["amount"],
        currency=refund["currency"].upper(),
        balance_transaction=_id_of(refund["balance_transaction"]),
        is_ours=bool(key_of(refund)),
        failure=(refund.get("failure_reason") or refund["status"]) if has_failed else "",
        reversal=_id_of(refund.get("failure_balance_transaction")),
    )


def dispute(found: Object) -> Dispute:
    """A dispute."""
    moved = tuple(movement(each) for each in found["balance_transactions"])
    return Dispute(id=found["id"], state=found["status"], balance_transactions=moved)


def movement(transaction: Object) -> BalanceTransaction:
    """A balance transaction."""
    return BalanceTransaction(
        id=transaction["id"],
        kind=transaction["type"],
        amount=transaction["amount"],
        fee=transaction["fee"],
        net=transaction["net"],
        currency=transaction["currency"].upper(),
        source=_id_of(transaction.get("source")),
        created_us=transaction["created"] * MICROSECONDS,
    )


def event(event: Object) -> PaymentEvent:
    """An event, whatever it is about."""
    thing = event["data"]["object"]
    kind = thing.get("object", "")
    named = thing.get("id", "")
    is_refund = event["type"] == "charge.refunded"
    why = ("reason", "cancellation_reason", "failure_message")
    return PaymentEvent(
        id=event["id"],
        kind=event["type"],
        created_us=event["created"] * MICROSECONDS,
        object_id=named,
        intent=named if kind == "payment_intent" else _id_of(thing.get("payment_intent")),
        charge=named if kind == "charge" else _id_of(thing.get("charge") or thing.get("latest_charge")),
        amount=thing.get("amount_refunded" if is_refund else "amount") or 0,
        currency=(thing.get("currency") or "").upper(),
        state=thing.get("status") or "",
        reason=next((thing[name] for name in why if thing.get(name)), ""),
        balance_transactions=tuple(movement(each) for each in thing.get("balance_transactions") or []),
        metadata=thing.get("metadata") or {},
    )


def _id_of(named: Any) -> str:
    """The id of what may be expanded; "" where there is none."""
    return named if isinstance(named, str) else (named or {}).get("id", "")
