"""A seller gets an account at the payment provider, where fiat payouts go, and proves there who it is.

What the provider asks of a person is told to it on its own pages; kept here is the account's id.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from carbonmarket.authorise import require_role
from carbonmarket.errors import NotFound
from carbonmarket.operations.find_credits import own_organisation
from carbonmarket.ports.accounts import AccountsStore
from carbonmarket.ports.money import Payments
from carbonmarket.ports.purchases import PurchasesStore
from carbonmarket.ports.registry import NEW
from carbonmarket.records.accounts import Organisation
from carbonmarket.records.audit import told
from carbonmarket.records.money import PayoutAccount
from carbonmarket.records.principal import BUYER, DEVELOPER, Principal
from carbonmarket.records.purchases import PayoutChoice


class OpenPayoutAccount(msgspec.Struct, frozen=True, kw_only=True):
    """``return_url`` is where the provider sends the owner after onboarding, and from an address that has
    expired: a page of the caller's app, which asks again for a new one."""

    return_url: str


def open_payout_account(
    request: OpenPayoutAccount,
    *,
    caller: Principal,
    accounts: AccountsStore,
    store: PurchasesStore,
    payments: Callable[[], Payments],
    now_us: int,
) -> PayoutAccount:
    """The account of the caller's organisation, opened unless it has one, with an address for onboarding.

    An organisation has one account; only the address is new each time. How it is paid stays as it was
    chosen. StaleWrite where two open at once: the next call answers the account of both.
    """
    require_role(caller, DEVELOPER, BUYER)
    seller = own_organisation(caller, accounts)
    id = _opened(seller, store) or _open(seller, caller, store, payments, now_us)
    # The link first: a return_url that is refused costs no second question.
    url = payments().onboarding(id, request.return_url)
    return msgspec.structs.replace(payments().payout_account(id), onboarding_url=url)


def get_payout_account(
    *,
    caller: Principal,
    accounts: AccountsStore,
    store: PurchasesStore,
    payments: Callable[[], Payments],
) -> PayoutAccount:
    """The account of the caller's organisation as the provider has it now; NotFound before one was opened."""
    require_role(caller, DEVELOPER, BUYER)
    id = _opened(own_organisation(caller, accounts), store)
    if not id:
        raise NotFound("no payout account was opened for your organisation; POST /v1/payout-account opens it")
    return payments().payout_account(id)


def _opened(seller: Organisation, store: PurchasesStore) -> str:
    kept = store.payout_choice(seller.id)
    return kept.record.opened if kept else ""


def _open(
    seller: Organisation,
    caller: Principal,
    store: PurchasesStore,
    payments: Callable[[], Payments],
    now_us: int,
) -> str:
    # Under the organisation's own key, so that whoever asks twice gets the same account.
    made = payments().open_payout_account(f"payout-account/{seller.id}", seller.id, seller.country)
    kept = store.payout_choice(seller.id)
    before = kept.record if kept else PayoutChoice(organisation=seller.id)
    choice = msgspec.structs.replace(before, opened=made.account)
    entry = told(caller, "open_payout_account", seller.id, choice.payout, now_us)
    store.save_payout_choice(choice, kept.revision if kept else NEW, entry)
    return made.account
