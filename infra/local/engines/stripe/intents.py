"""Payment intents: created, confirmed, authenticated, captured once, cancelled, or expired."""

from __future__ import annotations

from typing import Any

from infra.local.engines.stripe import charges
from infra.local.engines.stripe import params as take
from infra.local.engines.stripe.cards import CARDS, Card
from infra.local.engines.stripe.context import Context
from infra.local.engines.stripe.params import Params
from infra.local.engines.stripe.refusals import Refusal, invalid
from infra.local.engines.stripe.store import Object, new_id

AMOUNT_MIN, AMOUNT_MAX = 50, 99_999_999
_CURRENCIES = {"usd", "eur", "gbp", "chf"}
_WAITING = {"requires_payment_method", "requires_confirmation", "requires_action", "requires_capture"}
_REASONS = {"duplicate", "fraudulent", "requested_by_customer", "abandoned"}
# What a challenge that the cardholder passed says; the bank then answers for fraud.
_PASSED = {
    "result": "authenticated",
    "result_reason": None,
    "authentication_flow": "challenge",
    "electronic_commerce_indicator": "05",
    "version": "2.2.0",
}


def create(context: Context, params: Params) -> Object:
    """POST /v1/payment_intents"""
    take.only(
        params,
        *("amount", "automatic_payment_methods", "capture_method", "confirm", "currency", "description"),
        *("metadata", "off_session", "payment_method", "payment_method_types", "return_url"),
        *("statement_descriptor_suffix", "transfer_group", "use_stripe_sdk"),
    )
    intent = context.new(
        "payment_intent",
        "pi",
        amount=_amount(params),
        amount_capturable=0,
        amount_received=0,
        canceled_at=None,
        cancellation_reason=None,
        capture_method=_capture_method(params),
        confirmation_method="automatic",
        currency=_currency(params),
        description=params.get("description"),
        last_payment_error=None,
        latest_charge=None,
        metadata=take.metadata(params),
        next_action=None,
        payment_method=None,
        payment_method_types=params.get("payment_method_types") or ["card"],
        status="requires_payment_method",
        transfer_group=params.get("transfer_group"),
    )
    intent["client_secret"] = new_id(intent["id"] + "_secret")
    _put_method(intent, params)
    context.store.put(intent)
    context.emit("payment_intent.created", intent)
    return _confirm(context, intent, params) if take.flag(params, "confirm") else intent


def update(context: Context, params: Params, id: str) -> Object:
    """POST /v1/payment_intents/{id}"""
    take.only(params, "amount", "description", "metadata", "payment_method")
    intent = context.get("payment_intent", id)
    if "amount" in params or "payment_method" in params:
        _need(intent, {"requires_payment_method", "requires_confirmation"}, "update")
        intent["amount"] = _amount(params) if "amount" in params else intent["amount"]
        _put_method(intent, params)
    intent["metadata"] = take.metadata(params, intent["metadata"])
    intent["description"] = params.get("description", intent["description"])
    return context.store.put(intent)


def confirm(context: Context, params: Params, id: str) -> Object:
    """POST /v1/payment_intents/{id}/confirm"""
    take.only(params, "off_session", "payment_method", "return_url", "use_stripe_sdk")
    intent = context.get("payment_intent", id)
    _need(intent, {"requires_payment_method", "requires_confirmation"}, "confirm")
    _put_method(intent, params)
    return _confirm(context, intent, params)


def _confirm(context: Context, intent: Object, params: Params) -> Object:
    if intent["payment_method"] is None:
        raise invalid(
            "You cannot confirm this PaymentIntent because it's missing a payment method.",
            code="payment_intent_unexpected_state",
            payment_intent=intent,
        )
    card = CARDS[intent["payment_method"]]
    if not card.authenticates:
        return _charge(context, intent, card, None)
    page = f"{context.url}/_test/payment_intents/{intent['id']}/authentication"
    redirect = {"url": page, "return_url": params.get("return_url")}
    intent["next_action"] = (
        {"type": "redirect_to_url", "redirect_to_url": redirect}
        if "return_url" in params and not take.flag(params, "use_stripe_sdk")
        else {
            "type": "use_stripe_sdk",
            "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": page},
        }
    )
    intent["status"] = "requires_action"
    context.store.put(intent)
    context.emit("payment_intent.requires_action", intent)
    return intent


def authenticate(context: Context, params: Params, id: str) -> Object:
    """What the cardholder does at the bank's page: ``outcome`` succeeded or failed."""
    take.only(params, "outcome")
    intent = context.get("payment_intent", id)
    _need(intent, {"requires_action"}, "authenticate")
    outcome = take.text(params, "outcome")
    if outcome not in {"succeeded", "failed"}:
        raise invalid("Invalid outcome: must be succeeded or failed", param="outcome")
    intent["next_action"] = None
    if outcome == "failed":
        error = {
            "type": "invalid_request_error",
            "code": "payment_intent_authentication_failure",
            "message": "The provided PaymentMethod has failed authentication.",
        }
        return _fail(context, intent, error)
    try:
        return _charge(context, intent, CARDS[intent["payment_method"]], _PASSED)
    except Refusal:
        # The cardholder's page shows the intent; the decline is for whoever asked for the payment.
        return context.get("payment_intent", id)


def capture(context: Context, params: Params, id: str) -> Object:
    """POST /v1/payment_intents/{id}/capture"""
    take.only(params, "amount_to_capture", "metadata")
    intent = context.get("payment_intent", id)
    _need(intent, {"requires_capture"}, "capture")
    amount = take.integer(params, "amount_to_capture", intent["amount_capturable"])
    if not 1 <= amount <= intent["amount_capturable"]:
        raise invalid(
            "Invalid amount_to_capture: it must be at least 1 and at most the capturable amount of "
            f"{intent['amount_capturable']}.",
            param="amount_to_capture",
            code="amount_too_large" if amount > 0 else "amount_too_small",
        )
    intent["metadata"] = take.metadata(params, intent["metadata"])
    return _take(context, intent, context.get("charge", intent["latest_charge"]), amount)


def cancel(context: Context, params: Params, id: str) -> Object:
    """POST /v1/payment_intents/{id}/cancel"""
    take.only(params, "cancellation_reason")
    intent = context.get("payment_intent", id)
    _need(intent, _WAITING, "cancel")
    reason = params.get("cancellation_reason")
    if reason is not None and reason not in _REASONS:
        raise invalid(
            f"Invalid cancellation_reason: must be one of {', '.join(sorted(_REASONS))}",
            param="cancellation_reason",
        )
    return _canceled(context, intent, reason)


def expire_uncaptured(context: Context) -> None:
    """Cancel the payments whose time for capturing has passed."""
    for intent in context.store.find("payment_intent", status="requires_capture"):
        made = context.get("charge", intent["latest_charge"])
        if context.store.now() >= made["payment_method_details"]["card"]["capture_before"]:
            charges.expire(context, made)
            _canceled(context, intent, "expired")


def _charge(context: Context, intent: Object, card: Card, three_d_secure: Object | None) -> Object:
    try:
        made = charges.charge(context, intent, card, three_d_secure)
    except Refusal as refusal:
        refusal.error["payment_intent"] = _fail(context, intent, dict(refusal.error))
        raise
    if intent["capture_method"] == "automatic":
        return _take(context, intent, made, intent["amount"])
    intent.update(status="requires_capture", amount_capturable=intent["amount"], last_payment_error=None)
    context.store.put(intent)
    context.emit("payment_intent.amount_capturable_updated", intent)
    return intent


def _take(context: Context, intent: Object, made: Object, amount: int) -> Object:
    charges.capture(context, made, amount)
    intent.update(status="succeeded", amount_capturable=0, amount_received=amount, last_payment_error=None)
    context.store.put(intent)
    context.emit("payment_intent.succeeded", intent)
    return intent


def _fail(context: Context, intent: Object, error: dict[str, Any]) -> Object:
    intent.update(status="requires_payment_method", last_payment_error=error, payment_method=None)
    context.store.put(intent)
    context.emit("payment_intent.payment_failed", intent)
    return intent


def _canceled(context: Context, intent: Object, reason: str | None) -> Object:
    intent.update(
        status="canceled",
        amount_capturable=0,
        canceled_at=context.store.now(),
        cancellation_reason=reason,
        next_action=None,
    )
    context.store.put(intent)
    context.emit("payment_intent.canceled", intent)
    return intent


def _need(intent: Object, statuses: set[str], verb: str) -> None:
    if intent["status"] in statuses:
        return
    wanted = " or ".join(sorted(statuses))
    raise invalid(
        f"You cannot {verb} this PaymentIntent because it has a status of {intent['status']}. Only a "
        f"PaymentIntent with one of the following statuses may be used: {wanted}.",
        code="payment_intent_unexpected_state",
        payment_intent=intent,
    )


def _amount(params: Params) -> int:
    amount = take.integer(params, "amount")
    if amount < AMOUNT_MIN:
        raise invalid(
            f"Amount must be at least {AMOUNT_MIN} minor units", param="amount", code="amount_too_small"
        )
    if amount > AMOUNT_MAX:
        raise invalid(
            f"Amount must be no more than {AMOUNT_MAX} minor units", param="amount", code="amount_too_large"
        )
    return amount


def _currency(params: Params) -> str:
    currency = take.text(params, "currency").lower()
    if currency not in _CURRENCIES:
        raise invalid(
            f"Invalid currency: {currency}. This server knows {', '.join(sorted(_CURRENCIES))}.",
            param="currency",
        )
    return currency


def _capture_method(params: Params) -> str:
    method = take.text(params, "capture_method", "automatic")
    if method not in {"automatic", "manual"}:
        raise invalid("Invalid capture_method: must be automatic or manual", param="capture_method")
    return method


def _put_method(intent: Object, params: Params) -> None:
    if "payment_method" not in params:
        return
    method = take.text(params, "payment_method")
    if method not in CARDS:
        raise invalid(f"No such PaymentMethod: '{method}'", param="payment_method", code="resource_missing")
    intent["payment_method"] = method
    if intent["status"] == "requires_payment_method":
        intent["status"] = "requires_confirmation"
