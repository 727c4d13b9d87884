"""Sellers on custodial accounts who chose fiat: what card purchases earn them goes to the treasury, and the
same amount to their account at the payment provider. What the chain does not take for the treasury has been
paid on chain."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import msgspec

from carbonmarket.authorise import require_role
from carbonmarket.chain import calls, market_calls
from carbonmarket.errors import Conflict, IdempotencyMismatch, InvalidInput, NotFound, NotPayable
from carbonmarket.operations.fates import committed_fate
from carbonmarket.operations.find_credits import own_organisation
from carbonmarket.operations.purchase import Till, load, reached
from carbonmarket.ports.accounts import AccountsStore
from carbonmarket.ports.purchases import PurchasesStore
from carbonmarket.ports.registry import NEW, Kept
from carbonmarket.records.accounts import Organisation
from carbonmarket.records.audit import SYSTEM, told
from carbonmarket.records.money import EXCHANGE, STRIPE_RECEIVABLE, TREASURY_FLOAT, PaidOut, Transfer, payable
from carbonmarket.records.principal import BUYER, DEVELOPER, OPERATOR, Principal
from carbonmarket.records.purchases import Payout, PayoutChoice


class PayoutRefused(Conflict):
    """The payment provider did not pay; the payout waits for another try."""

    code = "payout-refused"


class AccountNotReady(PayoutRefused):
    """The seller's account at the payment provider can't be paid out yet."""

    code = "payout-account-not-ready"


class ChoosePayout(msgspec.Struct, frozen=True, kw_only=True):
    """``account`` is the seller's connected account at the payment provider, needed for "fiat" alone."""

    payout: str
    account: str = ""


def choose_payout(
    request: ChoosePayout,
    *,
    caller: Principal,
    accounts: AccountsStore,
    store: PurchasesStore,
    now_us: int,
) -> PayoutChoice:
    """How the caller's organisation is paid for what card purchases take from its orders, from now on."""
    require_role(caller, DEVELOPER, BUYER)
    seller = own_organisation(caller, accounts)
    if (request.payout == "fiat") != bool(request.account):
        raise InvalidInput('account is needed with payout "fiat", and only then', field="account")
    kept = store.payout_choice(seller.id)
    opened = kept.record.opened if kept else ""
    if request.account and request.account != opened:
        raise InvalidInput(
            "account must be the one that was opened for your organisation; POST /v1/payout-account opens it",
            field="account",
        )
    choice = PayoutChoice(
        organisation=seller.id,
        payout="fiat" if request.payout == "fiat" else "onchain",
        account=request.account,
        changed_us=now_us,
        opened=opened,
    )
    entry = told(caller, "choose_payout", seller.id, choice.payout, now_us)
    store.save_payout_choice(choice, kept.revision if kept else NEW, entry)
    return choice


def get_payout_choice(*, caller: Principal, accounts: AccountsStore, store: PurchasesStore) -> PayoutChoice:
    """How the caller's organisation is paid; "onchain", changed never, where it hasn't chosen."""
    require_role(caller, DEVELOPER, BUYER)
    seller = own_organisation(caller, accounts)
    kept = store.payout_choice(seller.id)
    return kept.record if kept is not None else PayoutChoice(organisation=seller.id)


def list_payouts(
    after: str | None, *, caller: Principal, store: PurchasesStore
) -> Iterator[tuple[str, Payout]]:
    """All payouts to sellers, by time, for an operator."""
    require_role(caller, OPERATOR)
    return store.payouts(after)


def pay_sellers(purchase: str, till: Till) -> list[Payout]:
    """Pay every seller of a purchase who is due. One whose account is not ready waits, with the reason."""
    load(purchase, till)
    paid = []
    for payout in till.store.payouts_of(purchase):
        kept = till.store.payout(payout.id)
        assert kept is not None
        try:
            paid.append(pay(kept, till))
        except PayoutRefused:
            found = till.store.payout(payout.id)
            paid.append(found.record if found else payout)
    return paid


def retry_payout(payout: str, *, caller: Principal, till: Till) -> Payout:
    """An operator tries again what is not paid yet; PayoutRefused says what is still lacking."""
    require_role(caller, OPERATOR)
    kept = till.store.payout(payout)
    if kept is None:
        raise NotFound("there is no payout with this id", field="payout")
    return pay(kept, till)


def pay_waiting(account: str, organisation: str, till: Till) -> None:
    """Pay what a seller waits for, once its account at the payment provider is ready; what is refused again
    waits on. An account that was not opened for the organisation here is nobody's."""
    choice = till.store.payout_choice(organisation)
    if choice is None or choice.record.opened != account:
        return
    if not till.payments().payout_account(account).payouts_enabled:
        return
    for kept in till.store.unpaid_payouts(organisation):
        if is_owed(kept.record, till):
            with contextlib.suppress(PayoutRefused):
                pay(kept, till)


def is_owed(payout: Payout, till: Till) -> bool:
    """Whether a payout that is not paid may be: the saga has tried it, is past it, or has failed after its
    fill. Until then it is the saga's."""
    if payout.attempts:
        return True
    kept = till.store.purchase(payout.purchase)
    return kept is not None and (kept.record.state == "failed" or reached(kept.record, "delivered"))


def account_of(payout: Payout, till: Till) -> str:
    """Where it will be paid. What was refused for certain may go to another account: that can't be a second
    payment."""
    if payout.state != "waiting":
        return payout.account
    choice = till.store.payout_choice(payout.organisation)
    return choice.record.account if choice is not None and choice.record.account else payout.account


def pay(kept: Kept[Payout], till: Till) -> Payout:
    """Pay once however often this is called: proceeds to the treasury, then the transfer.

    PayoutRefused where the provider doesn't pay; NotYetFinal and TransactionExpired of the proceeds' way on
    chain, ChainRefused where the node doesn't take a call of it; EngineUnavailable where either is away.
    """
    payout = kept.record
    if payout.has_ended:
        return payout
    seller = till.accounts.organisation(payout.organisation)
    if seller is None:
        raise Conflict(f"organisation {payout.organisation} has not been admitted")
    if till.ledger.entry(_earned_key(payout)) is None:
        refusal = _bring_to_treasury(payout, seller, till)
        if refusal is not None:
            return _leave_on_chain(kept, refusal, till)
        _book_earned(payout, till)
    if payout.state == "waiting":
        kept = _keep(kept, till, state="due", account=account_of(payout, till))
    return _transfer(kept, till)


def _transfer(kept: Kept[Payout], till: Till) -> Payout:
    payout = kept.record
    booked = till.ledger.entry(_paid_key(payout))
    if booked is not None:
        made = booked.transfers[0].references
        done_before = _made(made.get("transfer", ""), made.get("account", payout.account))
        return _keep(kept, till, state="paid", reason="", **done_before).record
    named = {"payout": payout.id, "purchase": payout.purchase}
    asked = (f"payout/{payout.id}", payout.account, payout.cents, payout.currency, named)
    try:
        done = till.payments().payout(*asked, attempt=payout.refused)
    except IdempotencyMismatch as other:
        # Somebody else asks for the same under this attempt: what becomes of that is not known yet.
        raise PayoutRefused(other.reason) from other
    except (Conflict, NotFound, InvalidInput) as refused:
        if not payout.attempts:
            # It begins to wait. First: whoever dies between the two is refused and tells again.
            told = {**named, "reason": refused.reason}
            till.notifications.send(f"{payout.id}/waiting", "payout.waiting", payout.organisation, told)
        # The provider keeps a refusal under its attempt. Only one that it gave makes way for the next: while
        # nobody has asked it, somebody else may be about to be paid under this one.
        was_asked = not isinstance(refused, NotPayable)
        counted = {"attempts": payout.attempts + 1, "refused": payout.refused + was_asked}
        _keep(kept, till, state="waiting", reason=refused.reason, **counted)
        waits = AccountNotReady if refused.field == "account" else PayoutRefused
        raise waits(refused.reason, field=refused.field) from refused
    _book_paid(payout, done, till)
    return _keep(kept, till, state="paid", reason="", **_made(done.transfer, done.account)).record


def _made(transfer: str, account: str) -> dict[str, str]:
    """What a payout's record keeps of a transfer, which may have been made to an account chosen before."""
    return {"transfer": transfer, "account": account}


def _keep(kept: Kept[Payout], till: Till, **changes: Any) -> Kept[Payout]:
    moved = msgspec.structs.replace(kept.record, **changes)
    till.store.save_payout(
        moved, kept.revision, told(SYSTEM, "pay_seller", moved.id, moved.state, till.now_us)
    )
    return Kept(moved, kept.revision + 1)


def _bring_to_treasury(payout: Payout, seller: Organisation, till: Till) -> str | None:
    """Bring the proceeds from the seller's claimable balance to the treasury, all of them or nothing; what
    the chain refused for good is the answer, and then the seller has them all.

    Only a call that is committed as failed counts: it never takes effect. A node that doesn't take it, or
    silence, says nothing of what becomes of it.
    """
    claiming = market_calls.claim(till.quote_asset, payout.units)
    sending = calls.send_asset(till.quote_asset, till.treasury, payout.units)
    for step, call in (("claim", claiming), ("send", sending)):
        key = f"payout/{payout.id}/{step}"
        till.chain.submit(key, seller.key_id, call)
        fate = committed_fate(till.chain, key)
        if not fate.success:
            return fate.reason or "it gave no reason"
    return None


def _leave_on_chain(kept: Kept[Payout], refusal: str, till: Till) -> Payout:
    """End a payout whose proceeds the treasury will never get: they are the seller's on chain, as those of a
    seller who chose that, and the ledger has never owed them."""
    payout = kept.record
    reason = f"the proceeds stay in the seller's account on chain, since the chain refused: {refusal}"
    # First: whoever dies between the two is refused the same and tells again.
    data = {
        "payout": payout.id,
        "purchase": payout.purchase,
        "units": str(payout.units),
        "reason": reason,
    }
    till.notifications.send(f"{payout.id}/paid_on_chain", "payout.paid_on_chain", payout.organisation, data)
    return _keep(kept, till, state="paid_on_chain", reason=reason).record


def _earned_key(payout: Payout) -> str:
    """The ledger key of what came to the treasury; from then on the seller is owed, and the chain is not
    asked again."""
    return f"payout/{payout.id}/earned"


def _paid_key(payout: Payout) -> str:
    """The ledger key of the transfer; from then on the provider is not asked again."""
    return f"payout/{payout.id}/paid"


def _book_earned(payout: Payout, till: Till) -> None:
    named = {"payout": payout.id, "purchase": payout.purchase}
    came = Transfer(
        debit=TREASURY_FLOAT,
        credit=EXCHANGE,
        amount=payout.units,
        currency="USDC",
        reason="proceeds of a seller who chose fiat",
        references=named,
    )
    owed = Transfer(
        debit=EXCHANGE,
        credit=payable(payout.organisation),
        amount=payout.cents,
        currency=payout.currency,
        reason="proceeds of a seller who chose fiat",
        references=named,
    )
    till.ledger.post(_earned_key(payout), [came, owed], till.now_us)


def _book_paid(payout: Payout, done: PaidOut, till: Till) -> None:
    paid = Transfer(
        debit=payable(payout.organisation),
        credit=STRIPE_RECEIVABLE,
        amount=done.amount,
        currency=done.currency,
        reason="seller paid out",
        references={
            "payout": payout.id,
            "balance_transaction": done.balance_transaction,
            **_made(done.transfer, done.account),
        },
    )
    till.ledger.post(_paid_key(payout), [paid], till.now_us)
