"""Saga settle_trade: screen, hold the money on the card, take what was spent, and wait out the risk."""

from __future__ import annotations

import msgspec

from carbonmarket.authorise import require_role
from carbonmarket.errors import AccountFrozen, Conflict, NotFound, PaymentDeclined
from carbonmarket.operations.create_quote import cents
from carbonmarket.operations.purchase import QuoteExpired, Till, advance, load, notify, quote_of, reached
from carbonmarket.ports.registry import Kept
from carbonmarket.records.audit import told
from carbonmarket.records.money import (
    EXCHANGE,
    STRIPE_FEES,
    STRIPE_RECEIVABLE,
    SUSPENSE,
    Authorisation,
    Captured,
    Transfer,
    buyer,
)
from carbonmarket.records.principal import OPERATOR, Principal
from carbonmarket.records.purchases import CardPurchase, PurchaseTask
from carbonmarket.times import MICROSECONDS, format_us

# The wait ends by itself at once where nothing is held; a wait needs some time limit nevertheless.
_NO_HOLD_S = 60
# How long after its quote's time a saga may begin: it may have waited for a place, but not for days.
_BEGINS_LATE_US = 3_600 * MICROSECONDS


class Disputed(Conflict):
    """The cardholder's bank has taken the money back before the credits were delivered."""

    code = "disputed"


class GivenBack(Conflict):
    """Money was given back to the buyer before the credits were delivered."""

    code = "given-back"


def capture_key(purchase: str) -> str:
    """The ledger key of a purchase's capture."""
    return f"purchase/{purchase}/capture"


def screen(purchase: str, till: Till) -> CardPurchase:
    """Refuse who may not buy, and what nobody waits for any more, before any money is touched.

    QuoteExpired where the saga was not started when the quote was taken, and is now, long after its time.
    """
    kept = load(purchase, till)
    if reached(kept.record, "screened"):
        return kept.record
    quote = quote_of(kept.record, till)
    if till.now_us >= quote.expires_us + _BEGINS_LATE_US:
        raise QuoteExpired("this purchase comes long after its quote has expired; ask for a new one")
    till.screening.screen(kept.record.organisation, quote.amount_max_cents)
    organisation = till.accounts.organisation(kept.record.organisation)
    if organisation is None:
        raise Conflict(f"organisation {kept.record.organisation} has not been admitted")
    if till.chain.view("transfer_policy::is_frozen", [], [organisation.account_address])[0]:
        raise AccountFrozen("your account is frozen: it can't buy")
    for leg in quote.legs:
        if leg.retirement is not None:
            # From here on the undo forgets for whom it is; before it the quote's time does.
            till.subjects().keep(leg.retirement.id)
    return advance(kept, "screened", "screen_purchase", till).record


def authorise(purchase: str, till: Till) -> CardPurchase:
    """Hold the quote's highest amount on the card; PaymentDeclined where its bank refuses."""
    kept = load(purchase, till)
    if reached(kept.record, "authorised"):
        return kept.record
    if kept.record.intent:
        return _noted(kept, till.payments().status(kept.record.intent), till)
    return _noted(kept, ask_for_authorisation(kept.record, till), till)


def ask_for_authorisation(purchase: CardPurchase, till: Till) -> Authorisation:
    """Ask the provider, once however often this is called."""
    quote = quote_of(purchase, till)
    return till.payments().authorise(
        f"purchase/{purchase.id}/authorise",
        quote.amount_max_cents,
        quote.currency,
        purchase.payment_method,
        {"purchase": purchase.id},
    )


def _noted(kept: Kept[CardPurchase], found: Authorisation, till: Till) -> CardPurchase:
    """The purchase as the provider's answer leaves it."""
    intent = found.intent
    if found.state in ("authorised", "captured"):
        shifted = found.liability_shifted
        return advance(
            kept,
            "authorised",
            "authorise_purchase",
            till,
            intent=intent,
            money="authorised",
            liability_shifted=shifted,
        ).record
    if found.state == "requires_action":
        if kept.record.state != "requires_action":
            kept = advance(kept, "requires_action", "authorise_purchase", till, intent=intent)
        return kept.record
    reason = found.reason or "the payment was declined"
    if kept.record.failure != reason:
        # The sentence is kept here: a wait that ends by an error hands on the error's name alone.
        advance(kept, kept.record.state, "authorise_purchase", till, intent=intent, failure=reason)
    raise PaymentDeclined(reason, field="payment_method")


def await_authentication(purchase: str, token: str, till: Till) -> CardPurchase:
    """Keep the token under which the saga waits for the buyer's bank, and end the wait if it has decided."""
    kept = load(purchase, till)
    if not reached(kept.record, "authorised"):
        till.tasks.save_task(
            PurchaseTask(purchase=purchase, wait="authentication", token=token, created_us=till.now_us)
        )
        notify(kept.record, "purchase.action_required", till)
        return continue_authentication(purchase, till, token)
    till.sagas.succeed(token, {"purchase": purchase})
    return kept.record


def continue_authentication(purchase: str, till: Till, token: str = "") -> CardPurchase:
    """Ask what the bank has decided, keep it, and end the saga's wait if it has.

    Events only say that it is time to ask: they come repeated and in any order.
    """
    kept = load(purchase, till)
    if not reached(kept.record, "requires_action"):
        return kept.record
    task = till.tasks.task(purchase, "authentication")
    waiting = token or (task.token if task else "")
    try:
        noted = authorise(purchase, till)
    except PaymentDeclined as declined:
        if waiting:
            till.sagas.fail(waiting, "PaymentDeclined", declined.reason)
        return kept.record
    if waiting and reached(noted, "authorised"):
        till.sagas.succeed(waiting, {"purchase": purchase})
    return noted


def require_authorised(purchase: CardPurchase, till: Till) -> None:
    """PaymentDeclined if what was held on the card is no longer: an order is not placed then."""
    found = till.payments().status(purchase.intent)
    if found.state not in ("authorised", "captured"):
        raise PaymentDeclined(f"the card holds the amount no longer: {found.reason}", field="payment_method")


def capture(purchase: str, till: Till) -> CardPurchase:
    """Take what was spent, rounded up to cents, and book it; the rest of the hold is released.

    Conflict where it can't be taken any more.
    """
    kept = load(purchase, till)
    if reached(kept.record, "captured"):
        return kept.record
    amount = amount_of(kept.record)
    captured = till.payments().capture(kept.record.intent, amount)
    book_capture(kept.record, captured, till)
    held = not kept.record.liability_shifted
    return advance(
        kept,
        "captured",
        "capture_purchase",
        till,
        money="captured",
        amount_cents=captured.amount,
        fee_cents=captured.fee,
        charge=captured.charge,
        release_us=till.now_us + till.risk_period_s * MICROSECONDS if held else 0,
    ).record


def amount_of(purchase: CardPurchase) -> int:
    """What the buyer pays for the fills, in cents."""
    return cents(purchase.spent_units)


def book_capture(purchase: CardPurchase, captured: Captured, till: Till) -> None:
    """The buyer has paid, the provider keeps its fee; once however often this is called."""
    named = {"purchase": purchase.id, "balance_transaction": captured.balance_transaction}
    paid = Transfer(
        debit=STRIPE_RECEIVABLE,
        credit=buyer(purchase.organisation),
        amount=captured.amount,
        currency=captured.currency,
        reason="purchase captured",
        references=named,
    )
    fee = Transfer(
        debit=STRIPE_FEES,
        credit=STRIPE_RECEIVABLE,
        amount=captured.fee,
        currency=captured.currency,
        reason="fee of the payment provider",
        references=named,
    )
    transfers = [paid, fee] if captured.fee else [paid]
    till.ledger.post(capture_key(purchase.id), transfers, till.now_us)


def book_delivery(purchase: CardPurchase, currency: str, till: Till) -> None:
    """The buyer has its credits: what it paid for them repays the float, what it paid for others is owed."""
    named = {"purchase": purchase.id}
    repaid = Transfer(
        debit=buyer(purchase.organisation),
        credit=EXCHANGE,
        amount=purchase.amount_cents - purchase.undelivered_cents,
        currency=currency,
        reason="credits delivered",
        references=named,
    )
    transfers = [repaid]
    if purchase.undelivered_cents:
        owed = Transfer(
            debit=buyer(purchase.organisation),
            credit=SUSPENSE,
            amount=purchase.undelivered_cents,
            currency=currency,
            reason="credits that could not be delivered",
            references=named,
        )
        transfers.append(owed)
    till.ledger.post(f"purchase/{purchase.id}/deliver", transfers, till.now_us)


def hold_seconds(purchase: CardPurchase, till: Till) -> int:
    """How long the saga's wait for the release may last from now."""
    left = -(-(purchase.release_us - till.now_us) // MICROSECONDS)
    return max(left, 1) if purchase.release_us else _NO_HOLD_S


def hold(purchase: str, token: str, till: Till) -> CardPurchase:
    """Keep the token under which the saga waits for the risk period's end; end the wait where it is over."""
    kept = load(purchase, till)
    if not is_held(kept.record, till):
        till.sagas.succeed(token, {"purchase": purchase})
        return kept.record
    task = PurchaseTask(purchase=purchase, wait="release", token=token, created_us=till.now_us)
    till.tasks.save_task(task)
    if not reached(kept.record, "held"):
        kept = advance(kept, "held", "hold_purchase", till)
    if stop_of(kept.record) is None:
        notify(kept.record, "purchase.held", till, release_at=format_us(kept.record.release_us))
    # Who released it, gave the money back, or whose bank took it back may have come between.
    return end_hold(purchase, till)


def is_held(purchase: CardPurchase, till: Till) -> bool:
    """Whether the credits may not go to the buyer yet."""
    if reached(purchase, "delivered"):
        return False
    if stop_of(purchase) is not None:
        return True
    return purchase.release_us > till.now_us and not purchase.released_by


def stop_of(purchase: CardPurchase) -> Disputed | GivenBack | None:
    """Why the credits of a purchase that is not delivered will never go to the buyer; None if nothing is
    known to stand against it."""
    if purchase.disputed:
        return Disputed("the cardholder's bank has taken the money back")
    if purchase.stopped:
        return GivenBack("the money was given back before the credits were delivered")
    return None


def end_hold(purchase: str, till: Till) -> CardPurchase:
    """End the saga's wait for the release where that has been decided."""
    kept = load(purchase, till)
    task = till.tasks.task(purchase, "release")
    stop = stop_of(kept.record)
    if task is not None and stop is not None:
        till.sagas.fail(task.token, type(stop).__name__, stop.reason)
    elif task is not None and not is_held(kept.record, till):
        till.sagas.succeed(task.token, {"purchase": purchase})
    return kept.record


def release_purchase(purchase: str, *, caller: Principal, till: Till) -> CardPurchase:
    """An operator who has looked at a held purchase lets it go on before its time."""
    require_role(caller, OPERATOR)
    kept = till.store.purchase(purchase)
    if kept is None:
        raise NotFound("there is no purchase with this id", field="purchase")
    if kept.record.state != "held":
        raise Conflict(f"the purchase is {kept.record.state}; only one that is held can be released")
    if not kept.record.released_by:
        entry = told(caller, "release_purchase", purchase, "held", till.now_us)
        released = msgspec.structs.replace(kept.record, released_by=caller.subject)
        till.store.save_purchase(released, kept.revision, entry)
    return end_hold(purchase, till)
