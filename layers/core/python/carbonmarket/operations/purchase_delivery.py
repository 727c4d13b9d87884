"""Saga settle_trade: the credits go to the buyer, and are retired at once where that was asked for."""

from __future__ import annotations

from carbonmarket.chain import calls, market_calls
from carbonmarket.errors import Conflict, NotYetFinal
from carbonmarket.operations.create_retirement import certificate_url
from carbonmarket.operations.fates import final_fate
from carbonmarket.operations.purchase import Till, advance, load, notify, quote_of, reached
from carbonmarket.operations.purchase_payment import GivenBack, book_delivery, is_held, stop_of
from carbonmarket.operations.purchase_refund import given_back
from carbonmarket.ports.registry import NEW
from carbonmarket.records.audit import SYSTEM, told
from carbonmarket.records.credits import Retirement
from carbonmarket.records.purchases import CardPurchase, Fill, PlannedRetirement


def claim_key(purchase: str, book: int) -> str:
    """The chain key of fetching a book's fill to the treasury's wallet."""
    return f"purchase/{purchase}/claim/{book}"


def give_key(purchase: str, book: int) -> str:
    """The chain key of giving a book's fill to the buyer."""
    return f"purchase/{purchase}/give/{book}"


def deliver(purchase: str, till: Till) -> CardPurchase:
    """Give the buyer its credits, and book that they repay the float.

    NotYetFinal while the purchase is held or the chain has not answered; Disputed or GivenBack where the
    money went back to the buyer before anything was given.
    """
    kept = load(purchase, till)
    if reached(kept.record, "delivered"):
        return kept.record
    if not kept.record.delivering:
        _require_payment(kept.record, till)
        # Before anything is given: a refund that is told later finds that it came too late.
        kept = advance(kept, kept.record.state, "begin_delivery", till, delivering=True)
    buyer = till.accounts.organisation(kept.record.organisation)
    if buyer is None:
        raise Conflict(f"organisation {kept.record.organisation} has not been admitted")
    for fill in kept.record.fills:
        _give(kept.record, fill, buyer.account_address, till)
    book_delivery(kept.record, quote_of(kept.record, till).currency, till)
    return advance(kept, "delivered", "deliver_purchase", till).record


def _require_payment(purchase: CardPurchase, till: Till) -> None:
    """Disputed or GivenBack unless all of the buyer's money is with us now; NotYetFinal while it is held."""
    stop = stop_of(purchase)
    if stop is not None:
        raise stop
    if is_held(purchase, till):
        raise NotYetFinal("the purchase is held; its risk period is not over")
    if given_back(till.payments().refunds(purchase.intent)):
        raise GivenBack("the money was given back before the credits were delivered")


def _give(purchase: CardPurchase, fill: Fill, account: str, till: Till) -> None:
    """From the treasury's claimable balance to its wallet, and from there to the buyer's."""
    claim, give = claim_key(purchase.id, fill.book), give_key(purchase.id, fill.book)
    till.chain.submit(claim, till.treasury_key, market_calls.claim(fill.address, fill.grams))
    final_fate(till.chain, claim)
    till.chain.submit(give, till.treasury_key, calls.give(fill.address, account, fill.grams))
    final_fate(till.chain, give)


def retire(purchase: str, till: Till) -> tuple[str, ...]:
    """Order the retirements that were asked for, one for each batch, and start their sagas; their ids.

    What becomes of them is told by the saga retire: the credits are the buyer's already. NotYetFinal before
    they are.
    """
    kept = load(purchase, till)
    if not reached(kept.record, "delivered"):
        raise NotYetFinal("the purchase is not delivered; nothing of it can be retired")
    quote = quote_of(kept.record, till)
    planned = {leg.book: leg.retirement for leg in quote.legs if leg.retirement is not None}
    ordered = []
    for fill in kept.record.fills:
        plan = planned.get(fill.book)
        if plan is None:
            continue
        if till.registry.retirement(plan.id) is None:
            entry = told(SYSTEM, "create_retirement", plan.id, "accepted", till.now_us)
            till.registry.save_retirement(_retirement(kept.record, fill, plan, till), NEW, entry)
        till.sagas.start("retire", plan.id, {"retirement": plan.id})
        ordered.append(plan.id)
    if tuple(ordered) != kept.record.retirements:
        advance(kept, kept.record.state, "retire_purchase", till, retirements=tuple(ordered))
    return tuple(ordered)


def _retirement(purchase: CardPurchase, fill: Fill, plan: PlannedRetirement, till: Till) -> Retirement:
    return Retirement(
        id=plan.id,
        organisation=purchase.organisation,
        batch=fill.batch,
        grams=fill.grams,
        reason=plan.reason,
        country=plan.country,
        start_us=plan.start_us,
        end_us=plan.end_us,
        beneficiary=plan.beneficiary,
        sealed=plan.sealed,
        name_is_public=plan.name_is_public,
        certificate_url=certificate_url(till.public_url, plan.id),
        state="accepted",
        created_us=till.now_us,
    )


def complete(purchase: str, till: Till) -> CardPurchase:
    """The last step: tell the buyer that everything is done."""
    kept = load(purchase, till)
    if not reached(kept.record, "completed"):
        kept = advance(kept, "completed", "complete_purchase", till)
    done = kept.record
    notify(done, "purchase.completed", till, grams=str(done.grams), amount_cents=str(done.amount_cents))
    return done
