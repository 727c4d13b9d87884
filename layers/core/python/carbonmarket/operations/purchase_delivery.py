"""Saga settle_trade: the credits go to the buyer, and are retired at once where that was asked for."""

from __future__ import annotations

import msgspec

from carbonmarket import ids
from carbonmarket.chain import calls, market_calls
from carbonmarket.chain.aborts import refused
from carbonmarket.errors import ChainRefused, Conflict, NotYetFinal
from carbonmarket.operations.create_quote import cents
from carbonmarket.operations.create_retirement import certificate_url
from carbonmarket.operations.fates import committed_fate
from carbonmarket.operations.purchase import (
    Till,
    advance,
    forget_beneficiaries,
    load,
    notify,
    open_case,
    quote_of,
    reached,
)
from carbonmarket.operations.purchase_payment import Disputed, GivenBack, book_delivery, is_held, stop_of
from carbonmarket.operations.purchase_refund import book_refunds, given_back
from carbonmarket.ports.chain import Fate
from carbonmarket.ports.registry import NEW, Kept
from carbonmarket.records.audit import SYSTEM, told
from carbonmarket.records.credits import Retirement
from carbonmarket.records.purchases import CardPurchase, Case, CaseKind, Fill, PlannedRetirement


def claim_key(purchase: str, book: int) -> str:
    """The chain key of fetching a book's fill to the treasury's wallet."""
    return f"purchase/{purchase}/claim/{book}"


def give_key(purchase: str, book: int) -> str:
    """The chain key of giving a book's fill to the buyer."""
    return f"purchase/{purchase}/give/{book}"


def deliver(purchase: str, till: Till) -> CardPurchase:
    """Give the buyer its credits, and book that they repay the float. Those that the chain refuses for good,
    while it gives others, are paid back.

    NotYetFinal while the purchase is held or the chain has not answered; Disputed or GivenBack where the
    money went back to the buyer before anything was given.
    """
    kept = load(purchase, till)
    if reached(kept.record, "delivered"):
        return kept.record
    buyer = till.accounts.organisation(kept.record.organisation)
    if buyer is None:
        raise Conflict(f"organisation {kept.record.organisation} has not been admitted")
    if not (kept.record.delivering and _has_begun(kept.record, till)):
        # Also where an earlier try found the node away, or no gas: since then the money may have gone back.
        _require_payment(kept, till)
        # Before anything is given: a refund that is told later finds that it came too late.
        kept = advance(kept, kept.record.state, "begin_delivery", till, delivering=True)
    kept = _given(kept, buyer.account_address, till)
    book_delivery(kept.record, quote_of(kept.record, till).currency, till)
    if kept.record.due_fills != kept.record.fills:
        _settle_rest(kept.record, till)
    return advance(kept, "delivered", "deliver_purchase", till).record


def _given(kept: Kept[CardPurchase], account: str, till: Till) -> Kept[CardPurchase]:
    """The purchase once the chain has answered for each of its fills, with what it will never give.

    ChainRefused where that is all of them: the undo pays the buyer back then.
    """
    purchase = kept.record
    refusals: dict[int, ChainRefused] = {}
    for number, fill in enumerate(purchase.fills):
        try:
            fate = _give(purchase, fill, account, till)
        except ChainRefused as unsent:
            if len(refusals) == number:
                raise
            # The node didn't take the bytes, which may commit yet, and the buyer has a part already.
            raise NotYetFinal(f"the node doesn't take the call: {unsent.reason}") from unsent
        if not fate.success:
            refusals[fill.book] = refused(fate)
    if len(refusals) == len(purchase.fills):
        raise next(iter(refusals.values()))
    if not refusals or purchase.due_fills != purchase.fills:
        return kept
    fills = tuple(
        msgspec.structs.replace(fill, refusal=refusals[fill.book].reason) if fill.book in refusals else fill
        for fill in purchase.fills
    )
    spent = sum(fill.units + fill.fee_units for fill in fills if not fill.refusal)
    left = purchase.amount_cents - cents(spent)
    return advance(kept, purchase.state, "refuse_delivery", till, fills=fills, undelivered_cents=left)


def _settle_rest(purchase: CardPurchase, till: Till) -> None:
    """Give back what the buyer paid for credits that the chain refused to give, and tell a person of them."""
    share, back = purchase.undelivered_cents, None
    try:
        if share:
            back = till.payments().refund(f"purchase/{purchase.id}/share", purchase.intent, share)
    except Conflict as refusal:
        text = f"{share} cents for credits that were not delivered could not be given back: {refusal.reason}"
        open_case(_case("refund", purchase, text, till), till)
    if back is not None:
        book_refunds(purchase, [back], till)
    rest = [fill for fill in purchase.fills if fill.refusal]
    bought = " and ".join(f"{fill.grams} grams of {fill.batch}" for fill in rest)
    text = f"{bought} stay with the treasury, the buyer has the others: {rest[0].refusal}"
    open_case(_case("kept_credits", purchase, text, till), till)


def _case(kind: CaseKind, purchase: CardPurchase, text: str, till: Till) -> Case:
    return Case(
        id=ids.derive("CAS", kind, purchase.id, "rest"),
        kind=kind,
        purchase=purchase.id,
        amount_cents=purchase.undelivered_cents,
        text=text,
        opened_us=till.now_us,
    )


def _require_payment(kept: Kept[CardPurchase], till: Till) -> None:
    """Disputed or GivenBack unless all of the buyer's money is with us now; NotYetFinal while it is held."""
    purchase = kept.record
    stop = stop_of(purchase)
    if stop is not None:
        raise stop
    if is_held(purchase, till):
        raise NotYetFinal("the purchase is held; its risk period is not over")
    if any(dispute.taken > 0 for dispute in till.payments().disputes(purchase.intent)):
        # Nobody has told of it yet.
        advance(kept, purchase.state, "dispute_purchase", till, disputed=True)
        raise Disputed("the cardholder's bank has taken the money back")
    if given_back(till.payments().refunds(purchase.intent)):
        raise GivenBack("the money was given back before the credits were delivered")


def _has_begun(purchase: CardPurchase, till: Till) -> bool:
    """Whether any of the credits may be with the buyer, or on their way: not those that the chain refused."""
    fates = (till.chain.fate(give_key(purchase.id, fill.book)) for fill in purchase.fills)
    return any(
        fate.success if fate.state == "committed" else fate.hash is not None and fate.state != "dead"
        for fate in fates
    )


def _give(purchase: CardPurchase, fill: Fill, account: str, till: Till) -> Fate:
    """From the treasury's claimable balance to its wallet, and from there to the buyer's: what became of it,
    which never changes. ChainRefused if the node doesn't take the bytes."""
    fate = Fate(state="unknown")
    for key, call in (
        (claim_key(purchase.id, fill.book), market_calls.claim(fill.address, fill.grams)),
        (give_key(purchase.id, fill.book), calls.give(fill.address, account, fill.grams)),
    ):
        till.chain.submit(key, till.treasury_key, call)
        fate = committed_fate(till.chain, key)
        if not fate.success:
            break
    return fate


def retire(purchase: str, till: Till) -> tuple[str, ...]:
    """Order the retirements that were asked for, one for each batch, and start their sagas; their ids. For
    whom the others would have been is forgotten.

    What becomes of them is told by the saga retire: the credits are the buyer's already. NotYetFinal before
    they are.
    """
    kept = load(purchase, till)
    if not reached(kept.record, "delivered"):
        raise NotYetFinal("the purchase is not delivered; nothing of it can be retired")
    quote = quote_of(kept.record, till)
    planned = {leg.book: leg.retirement for leg in quote.legs if leg.retirement is not None}
    ordered = []
    for fill in kept.record.due_fills:
        plan = planned.get(fill.book)
        if plan is None:
            continue
        if till.registry.retirement(plan.id) is None:
            entry = told(SYSTEM, "create_retirement", plan.id, "accepted", till.now_us)
            till.registry.save_retirement(_retirement(kept.record, fill, plan, till), NEW, entry)
        till.sagas.start("retire", plan.id, {"retirement": plan.id})
        ordered.append(plan.id)
    forget_beneficiaries(kept.record, till)
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
    grams = sum(fill.grams for fill in done.due_fills)
    paid = done.amount_cents - done.undelivered_cents
    notify(done, "purchase.completed", till, grams=str(grams), amount_cents=str(paid))
    return done
