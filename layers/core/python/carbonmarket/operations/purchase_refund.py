"""Refunds of purchases by card, ours and those that a person makes at the payment provider.

What the provider's refunds are now is asked of it, and each movement is booked once by its refund's id. A
refund before delivery stops the purchase; after delivery it is a person's matter, and so is one that failed.
"""

from __future__ import annotations

from collections.abc import Sequence

from carbonmarket import ids
from carbonmarket.errors import NotFound, StaleWrite
from carbonmarket.operations.purchase import Till, advance, open_case
from carbonmarket.operations.purchase_payment import amount_of, book_capture, capture_key, end_hold
from carbonmarket.ports.registry import Kept
from carbonmarket.records.money import STRIPE_RECEIVABLE, SUSPENSE, Refunded, Transfer, buyer
from carbonmarket.records.purchases import CardPurchase, Case, MoneyState

_DELIVERED = ("delivered", "completed")


def given_back(refunds: Sequence[Refunded]) -> int:
    """How much of a payment is back with the buyer, or on its way there."""
    return sum(refund.amount for refund in refunds if not refund.failure)


def money_after(purchase: CardPurchase, refunds: Sequence[Refunded], till: Till) -> MoneyState:
    """Where the money of a purchase is that was charged and has failed."""
    taken = till.ledger.entry(capture_key(purchase.id))
    charged = amount_of(purchase) if taken is None else taken.transfers[0].amount
    return "refunded" if given_back(refunds) >= charged else "captured"


def take_refunds(kept: Kept[CardPurchase], till: Till) -> None:
    """Book the purchase's refunds as the provider has them now, and act on what a person made or what failed.

    StaleWrite while the credits are on their way to the buyer: whether it has them is known in a moment.
    NotFound where the provider doesn't name the movement yet by which a failed refund came back.
    """
    refunds = till.payments().refunds(kept.record.intent)
    for refund in refunds:
        kept = _noticed(kept, refund, till)
    book_refunds(kept.record, refunds, till)
    failed = kept.record
    if failed.state == "failed" and failed.money in ("captured", "refunded"):
        now = money_after(failed, refunds, till)
        if now != failed.money:
            advance(kept, "failed", "refund_purchase", till, money=now)
    for refund in refunds:
        if refund.failure and refund.balance_transaction and not refund.reversal:
            raise NotFound(
                f"the provider names no movement yet that returns failed refund {refund.refund}; replay the "
                "event later"
            )


def book_refunds(purchase: CardPurchase, refunds: Sequence[Refunded], till: Till) -> None:
    """Book what refunds moved, once each: out of what the buyer has paid and not received, or, after
    delivery, out of what a person must decide on. One that failed comes back to where it is owed now.

    What was paid for credits that the chain refused lies there already, so that its refund comes out of it.
    """
    is_delivered = purchase.state in _DELIVERED or bool(purchase.undelivered_cents)
    owed = SUSPENSE if is_delivered else buyer(purchase.organisation)
    for refund in refunds:
        key = _key(refund)
        if refund.balance_transaction and till.ledger.entry(key) is None:
            if till.ledger.entry(capture_key(purchase.id)) is None:
                _book_capture(purchase, till)
            reason = "refund after delivery" if is_delivered else "purchase refunded"
            back = _transfer(purchase, refund, owed, STRIPE_RECEIVABLE, refund.balance_transaction, reason)
            till.ledger.post(key, [back], till.now_us)
        if refund.reversal and till.ledger.entry(f"{key}/failed") is None:
            came = _transfer(purchase, refund, STRIPE_RECEIVABLE, owed, refund.reversal, "refund failed")
            till.ledger.post(f"{key}/failed", [came], till.now_us)


def _noticed(kept: Kept[CardPurchase], refund: Refunded, till: Till) -> Kept[CardPurchase]:
    purchase = kept.record
    is_new = not refund.is_ours and till.ledger.entry(_key(refund)) is None
    if is_new and purchase.state in _DELIVERED:
        # The buyer has both, money and credits: what is to be done about that a person decides.
        text = f"{refund.amount} cents were given back after the credits had been delivered"
        open_case(_case(purchase, refund, text, till), till)
    elif is_new and purchase.state != "failed":
        kept = _stopped(kept, refund, till)
    if refund.failure:
        text = (
            f"refund {refund.refund} of {refund.amount} cents has failed ({refund.failure}): "
            "the buyer doesn't have that money"
        )
        open_case(_case(purchase, refund, text, till, "failed"), till)
    return kept


def _stopped(kept: Kept[CardPurchase], refund: Refunded, till: Till) -> Kept[CardPurchase]:
    """The purchase whose credits stay with the treasury, since somebody wanted its money back."""
    if kept.record.delivering:
        raise StaleWrite("the credits are on their way to the buyer; try again once they are there")
    text = f"{refund.amount} cents were given back before the credits were delivered; the purchase ends"
    open_case(_case(kept.record, refund, text, till), till)
    if not kept.record.stopped:
        kept = advance(kept, kept.record.state, "stop_purchase", till, stopped=True)
    end_hold(kept.record.id, till)
    return kept


def _book_capture(purchase: CardPurchase, till: Till) -> None:
    """Book what was taken, where the step died that took it."""
    taken = till.payments().capture(purchase.intent, amount_of(purchase))
    book_capture(purchase, taken, till)


def _key(refund: Refunded) -> str:
    return f"refund/{refund.refund}"


def _transfer(
    purchase: CardPurchase, refund: Refunded, debit: str, credit: str, movement: str, reason: str
) -> Transfer:
    return Transfer(
        debit=debit,
        credit=credit,
        amount=refund.amount,
        currency=refund.currency,
        reason=reason,
        references={"purchase": purchase.id, "balance_transaction": movement},
    )


def _case(purchase: CardPurchase, refund: Refunded, text: str, till: Till, part: str = "opened") -> Case:
    return Case(
        id=ids.derive("CAS", "refund", refund.refund, part),
        kind="refund",
        purchase=purchase.id,
        amount_cents=refund.amount,
        text=text,
        opened_us=till.now_us,
    )
