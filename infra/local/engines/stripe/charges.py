"""What cards are charged with: charges, their capture, refunds and disputes."""

from __future__ import annotations

from typing import Any

from infra.local.engines.stripe import params as take
from infra.local.engines.stripe.cards import CARDS, Card
from infra.local.engines.stripe.context import Context
from infra.local.engines.stripe.params import Params
from infra.local.engines.stripe.refusals import card_error, invalid
from infra.local.engines.stripe.store import Object

DISPUTE_FEE = 1_500
_EVIDENCE_DAYS = 9
_REASONS = {"duplicate", "fraudulent", "requested_by_customer"}


def fee_of(amount: int) -> int:
    """2.9 % and 30 minor units, half a unit rounded up."""
    return (amount * 29 + 500) // 1_000 + 30


def charge(context: Context, intent: Object, card: Card, three_d_secure: Object | None) -> Object:
    """Charge an intent's card without capturing; the refusal of a card that declines."""
    window = context.store.now() + context.capture_window_s
    details: dict[str, Any] = {
        "brand": card.brand,
        "last4": card.last4,
        "country": "US",
        "funding": "credit",
        "exp_month": 12,
        "exp_year": 2034,
        "capture_before": window,
        "three_d_secure": three_d_secure,
    }
    made = context.new(
        "charge",
        "ch",
        amount=intent["amount"],
        amount_captured=0,
        amount_refunded=0,
        balance_transaction=None,
        captured=False,
        currency=intent["currency"],
        disputed=False,
        dispute=None,
        failure_code=card.code or None,
        failure_message=card.message if card.code else None,
        metadata=intent["metadata"],
        outcome=_outcome(card),
        paid=not card.code,
        payment_intent=intent["id"],
        payment_method=intent["payment_method"],
        payment_method_details={"type": "card", "card": details},
        refunded=False,
        status="failed" if card.code else "succeeded",
    )
    context.store.put(made)
    intent["latest_charge"] = made["id"]
    if card.code:
        context.emit("charge.failed", made)
        raise card_error(
            card.message,
            code=card.code,
            decline_code=card.decline_code,
            charge=made["id"],
            payment_method={"id": intent["payment_method"], "object": "payment_method", "type": "card"},
        )
    context.emit("charge.succeeded", made)
    return made


def _outcome(card: Card) -> Object:
    if not card.code:
        return {"network_status": "approved_by_network", "type": "authorized", "reason": None}
    return {"network_status": "declined_by_network", "type": "issuer_declined", "reason": card.decline_code}


def capture(context: Context, made: Object, amount: int) -> Object:
    """Take ``amount`` of a charge; the dispute of a card that makes one follows at once.

    The rest is released, which is no refund: since 2025-03-31 Stripe makes none of a capture in part, nor of
    a payment that is cancelled (docs.stripe.com/changelog/basil).
    """
    moved = context.move("charge", amount, made["currency"], made["id"], fee_of(amount))
    made.update(captured=True, amount_captured=amount, balance_transaction=moved["id"])
    context.store.put(made)
    context.emit("charge.captured", made)
    reason = CARDS[made["payment_method"]].dispute
    if reason:
        _open_dispute(context, made, reason, is_inquiry=CARDS[made["payment_method"]].inquires)
    return made


def expire(context: Context, made: Object) -> None:
    """The time in which a charge could be captured has passed."""
    made.update(status="failed", failure_code="expired_uncaptured_charge")
    context.store.put(made)
    context.emit("charge.expired", made)


def create_refund(context: Context, params: Params) -> Object:
    """POST /v1/refunds of a charge or of an intent's charge."""
    take.only(params, "amount", "charge", "metadata", "payment_intent", "reason")
    made = _charge_to_refund(context, params)
    if made["disputed"]:
        raise invalid(
            f"Charge {made['id']} has been charged back; cannot issue a refund.", code="charge_disputed"
        )
    left = made["amount_captured"] - made["amount_refunded"]
    if left == 0:
        raise invalid(
            f"Charge {made['id']} has already been refunded.", code="charge_already_refunded", param="charge"
        )
    amount = take.integer(params, "amount", left)
    if not 1 <= amount <= left:
        raise invalid(
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})", param="amount"
        )
    reason = params.get("reason")
    if reason is not None and reason not in _REASONS:
        raise invalid(f"Invalid reason: must be one of {', '.join(sorted(_REASONS))}", param="reason")
    refund = context.new(
        "refund",
        "re",
        amount=amount,
        charge=made["id"],
        currency=made["currency"],
        metadata=take.metadata(params),
        payment_intent=made["payment_intent"],
        reason=reason,
        status="succeeded",
        failure_reason=None,
        failure_balance_transaction=None,
    )
    refund["balance_transaction"] = context.move("refund", -amount, made["currency"], refund["id"])["id"]
    context.store.put(refund)
    made["amount_refunded"] += amount
    made["refunded"] = made["amount_refunded"] == made["amount_captured"]
    context.store.put(made)
    context.emit("refund.created", refund)
    context.emit("charge.refunded", made, {"amount_refunded": made["amount_refunded"] - amount})
    fails = CARDS[made["payment_method"]].refund_fails
    if fails:
        _fail_refund(context, dict(refund), fails)
    return refund


def settle_refund(context: Context, params: Params, id: str) -> Object:
    """The bank of the card sends a refund back, as it may days after it was made."""
    take.only(params, "outcome")
    refund = context.get("refund", id)
    if refund["status"] != "succeeded":
        raise invalid(f"This refund is {refund['status']} already.")
    if take.text(params, "outcome") != "failed":
        raise invalid("Invalid outcome: must be failed", param="outcome")
    return _fail_refund(context, refund, "lost_or_stolen_card")


def _fail_refund(context: Context, refund: Object, reason: str) -> Object:
    back = context.move("refund_failure", refund["amount"], refund["currency"], refund["id"])
    refund.update(status="failed", failure_reason=reason, failure_balance_transaction=back["id"])
    context.store.put(refund)
    made = context.get("charge", refund["charge"])
    made["amount_refunded"] -= refund["amount"]
    made["refunded"] = False
    context.store.put(made)
    context.emit("refund.failed", refund)
    context.emit("refund.updated", refund)
    return refund


def _charge_to_refund(context: Context, params: Params) -> Object:
    if "charge" in params:
        made = context.get("charge", take.text(params, "charge"), "charge")
    else:
        id = take.text(params, "payment_intent")
        intent = context.get("payment_intent", id, "payment_intent")
        if intent["status"] != "succeeded":
            raise invalid(
                f"This PaymentIntent ({id}) does not have a successful charge to refund.",
                param="payment_intent",
            )
        made = context.get("charge", intent["latest_charge"])
    if not made["captured"]:
        raise invalid(f"Charge {made['id']} has not been captured.", code="charge_not_captured")
    return made


def _open_dispute(context: Context, made: Object, reason: str, *, is_inquiry: bool) -> None:
    amount = made["amount_captured"]
    dispute = context.new(
        "dispute",
        "du",
        amount=amount,
        charge=made["id"],
        currency=made["currency"],
        evidence={},
        evidence_details={
            "due_by": context.store.now() + _EVIDENCE_DAYS * 86_400,
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        is_charge_refundable=is_inquiry,
        metadata={},
        payment_intent=made["payment_intent"],
        reason=reason,
        status="warning_needs_response" if is_inquiry else "needs_response",
        balance_transactions=[],
    )
    if not is_inquiry:
        taken = context.move("adjustment", -amount, made["currency"], dispute["id"], DISPUTE_FEE)
        dispute["balance_transactions"].append(taken)
    context.store.put(dispute)
    made.update(disputed=not is_inquiry, dispute=dispute["id"])
    context.store.put(made)
    context.emit("charge.dispute.created", dispute)
    if not is_inquiry:
        context.emit("charge.dispute.funds_withdrawn", dispute)


def update_dispute(context: Context, params: Params, id: str) -> Object:
    """POST /v1/disputes/{id}: submitted evidence of "winning_evidence" or "losing_evidence" decides it."""
    take.only(params, "evidence", "metadata", "submit")
    dispute = context.get("dispute", id)
    _need_open(dispute)
    is_inquiry = dispute["status"].startswith("warning_")
    evidence = params.get("evidence") or {}
    dispute["evidence"].update(evidence)
    dispute["metadata"] = take.metadata(params, dispute["metadata"])
    dispute["evidence_details"]["has_evidence"] = bool(dispute["evidence"])
    if params.get("submit", "true") == "true" and evidence:
        dispute["evidence_details"]["submission_count"] += 1
        dispute["status"] = "warning_under_review" if is_inquiry else "under_review"
    context.store.put(dispute)
    context.emit("charge.dispute.updated", dispute)
    ends = {"winning_evidence": "won", "losing_evidence": "lost"}
    said = dispute["evidence"].get("uncategorized_text")
    if dispute["status"].endswith("under_review") and said in ends:
        # An inquiry has only one end here: the bank leaves it at that.
        _end_dispute(context, dispute, "warning_closed" if is_inquiry else ends[said])
    return dispute


def close_dispute(context: Context, params: Params, id: str) -> Object:
    """POST /v1/disputes/{id}/close: the dispute is accepted, which loses it."""
    take.only(params)
    dispute = context.get("dispute", id)
    _need_open(dispute)
    is_inquiry = dispute["status"].startswith("warning_")
    _end_dispute(context, dispute, "warning_closed" if is_inquiry else "lost")
    return dispute


def _need_open(dispute: Object) -> None:
    if dispute["status"] in {"won", "lost", "warning_closed"}:
        raise invalid(f"This dispute is already {dispute['status']}.", code="dispute_closed")


def _end_dispute(context: Context, dispute: Object, status: str) -> None:
    dispute["status"] = status
    if status == "won":
        back = context.move("adjustment", dispute["amount"], dispute["currency"], dispute["id"], -DISPUTE_FEE)
        dispute["balance_transactions"].append(back)
        context.emit("charge.dispute.funds_reinstated", dispute)
    context.store.put(dispute)
    context.emit("charge.dispute.closed", dispute)
