"""Purchases by card as the API shows them: grams, cents and units as strings."""

from __future__ import annotations

from typing import Any

from carbonmarket.records.money import MoneyReconciliation, PayoutAccount
from carbonmarket.records.purchases import (
    CardPurchase,
    Case,
    Payout,
    PayoutChoice,
    Quote,
    ReceivedEvent,
)
from carbonmarket.times import format_us

Json = dict[str, Any]


def quote(record: Quote) -> Json:
    """A quote: what is held on the card at most, and what it costs if the books stay as they are."""
    return {
        "id": record.id,
        "deliver": record.deliver,
        "grams": str(record.grams),
        "legs": [
            {
                "book": str(leg.book),
                "batch": leg.batch,
                "grams": str(leg.grams),
                "retirement": None if leg.retirement is None else leg.retirement.id,
            }
            for leg in record.legs
        ],
        "price_cap": str(record.price_cap),
        "fee_cap_bps": record.fee_cap_bps,
        "currency": record.currency,
        "amount_max_cents": str(record.amount_max_cents),
        "expected_cents": str(record.expected_cents),
        "rate": "1 USDC = 1 USD",
        "purchase": record.purchase or None,
        "created": format_us(record.created_us),
        "expires": format_us(record.expires_us),
    }


def purchase(record: CardPurchase, client_secret: str = "") -> Json:
    """A purchase; ``client_secret`` only where its own buyer's bank waits for 3-D Secure."""
    return {
        "id": record.id,
        "organisation": record.organisation,
        "quote": record.quote,
        "state": record.state,
        "money": record.money,
        "grams": str(record.grams),
        "fills": [
            {
                "book": str(fill.book),
                "batch": fill.batch,
                "grams": str(fill.grams),
                "units": str(fill.units),
                "fee_units": str(fill.fee_units),
                "refusal": fill.refusal or None,
            }
            for fill in record.fills
        ],
        "amount_cents": str(record.amount_cents),
        "undelivered_cents": str(record.undelivered_cents),
        "liability_shifted": record.liability_shifted,
        "release": format_us(record.release_us) if record.release_us else None,
        "retirements": list(record.retirements),
        "transaction": record.transaction or None,
        "client_secret": client_secret or None,
        "failure": record.failure or None,
        "created": format_us(record.created_us),
    }


def payout_choice(record: PayoutChoice) -> Json:
    """How a seller wants to be paid."""
    return {
        "organisation": record.organisation,
        "payout": record.payout,
        "account": record.account or None,
        "changed": format_us(record.changed_us) if record.changed_us else None,
    }


def payout_account(record: PayoutAccount) -> Json:
    """A seller's account at the payment provider; ``onboarding_url`` only where it was asked for."""
    return {
        "account": record.account,
        "payouts_enabled": record.payouts_enabled,
        "requirements": list(record.requirements),
        "disabled_reason": record.disabled_reason or None,
        "onboarding_url": record.onboarding_url or None,
    }


def payout(record: Payout) -> Json:
    """What a seller earned by a purchase."""
    return {
        "id": record.id,
        "purchase": record.purchase,
        "organisation": record.organisation,
        "account": record.account,
        "units": str(record.units),
        "cents": str(record.cents),
        "currency": record.currency,
        "state": record.state,
        "attempts": record.attempts,
        "reason": record.reason or None,
        "transfer": record.transfer or None,
        "created": format_us(record.created_us),
    }


def money_reconciliation(record: MoneyReconciliation) -> Json:
    """Ledger, payment provider and chain compared: cents and quote units."""
    return {
        "at": format_us(record.at_us),
        "since": format_us(record.since_us),
        "currency": record.currency,
        "ledger_receivable_cents": str(record.ledger_receivable),
        "provider_balance_cents": str(record.provider_balance),
        "in_flight_cents": str(record.in_flight),
        "ledger_float_units": str(record.ledger_float),
        "chain_float_units": str(record.chain_float),
        "matched": record.matched,
        "differences": list(record.differences),
    }


def case(record: Case) -> Json:
    """Something for a person."""
    return {
        "id": record.id,
        "kind": record.kind,
        "purchase": record.purchase,
        "amount_cents": str(record.amount_cents),
        "text": record.text,
        "opened": format_us(record.opened_us),
        "closed": format_us(record.closed_us) if record.closed_us else None,
        "closed_by": record.closed_by or None,
    }


def payment_event(record: ReceivedEvent) -> Json:
    """An event of the payment provider."""
    return {
        "id": record.id,
        "kind": record.kind,
        "purchase": record.purchase or None,
        "state": record.state,
        "reason": record.reason or None,
        "received": format_us(record.received_us),
    }
