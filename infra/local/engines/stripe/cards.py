"""Stripe's test payment methods that are known here, and how each behaves. Data from Stripe's own list."""

from __future__ import annotations

from dataclasses import dataclass

_DECLINED = "Your card was declined."


@dataclass(frozen=True)
class Card:
    """A test card. ``code``/``decline_code`` refuse the charge; ``authenticates`` asks for 3-D Secure first;
    ``dispute`` is the reason of the dispute that follows the capture, which is only an inquiry where the bank
    ``inquires``; ``refund_fails`` is what a refund fails of once it was answered."""

    last4: str
    brand: str = "visa"
    code: str = ""
    decline_code: str = ""
    message: str = _DECLINED
    authenticates: bool = False
    dispute: str = ""
    inquires: bool = False
    refund_fails: str = ""


CARDS = {
    "pm_card_visa": Card("4242"),
    "pm_card_mastercard": Card("4444", "mastercard"),
    "pm_card_amex": Card("8431", "amex"),
    "pm_card_chargeDeclined": Card("0002", code="card_declined", decline_code="generic_decline"),
    "pm_card_chargeDeclinedInsufficientFunds": Card(
        "9995",
        code="card_declined",
        decline_code="insufficient_funds",
        message="Your card has insufficient funds.",
    ),
    "pm_card_chargeDeclinedLostCard": Card("9987", code="card_declined", decline_code="lost_card"),
    "pm_card_chargeDeclinedStolenCard": Card("9979", code="card_declined", decline_code="stolen_card"),
    "pm_card_chargeDeclinedExpiredCard": Card(
        "0069", code="expired_card", decline_code="expired_card", message="Your card has expired."
    ),
    "pm_card_chargeDeclinedIncorrectCvc": Card(
        "0127",
        code="incorrect_cvc",
        decline_code="incorrect_cvc",
        message="Your card's security code is incorrect.",
    ),
    "pm_card_chargeDeclinedProcessingError": Card(
        "0119",
        code="processing_error",
        decline_code="processing_error",
        message="An error occurred while processing your card. Try again in a little bit.",
    ),
    "pm_card_radarBlock": Card("0019", code="card_declined", decline_code="fraudulent"),
    "pm_card_authenticationRequired": Card("3184", authenticates=True),
    "pm_card_threeDSecure2Required": Card("3220", authenticates=True),
    "pm_card_threeDSecureRequired": Card("3063", authenticates=True),
    "pm_card_threeDSecureRequiredChargeDeclined": Card(
        "1629", authenticates=True, code="card_declined", decline_code="generic_decline"
    ),
    "pm_card_createDispute": Card("0259", dispute="fraudulent"),
    "pm_card_createDisputeInquiry": Card("1976", dispute="fraudulent", inquires=True),
    "pm_card_refundFail": Card("5126", refund_fails="expired_or_canceled_card"),
    "pm_card_createDisputeProductNotReceived": Card("2685", dispute="product_not_received"),
}
