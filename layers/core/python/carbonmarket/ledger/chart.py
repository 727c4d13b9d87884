"""The chart of accounts: which there are, of what kind, and which may not be overdrawn. Data, not code."""

from __future__ import annotations

import re

import msgspec

from carbonmarket.errors import InvalidInput
from carbonmarket.records import money
from carbonmarket.records.money import AccountKind, Balance

DEBIT_NORMAL = frozenset({"asset", "expense"})
_OWNER = re.compile(r"[A-Z0-9]{1,40}")
_CURRENCY = re.compile(r"[A-Z]{3,5}")


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One account, or a family of them by owner where ``name`` ends in ":".

    ``limited``: its balance, pending transfers out of it counted, never falls below zero.
    ``currency`` binds it to one currency; "" takes any.
    """

    name: str
    kind: AccountKind
    limited: bool
    meaning: str
    currency: str = ""


CHART: tuple[Account, ...] = (
    Account(
        name=money.TREASURY_FLOAT,
        kind="asset",
        limited=True,
        currency="USDC",
        meaning="quote tokens of the treasury's account on chain, in its wallet and claimable",
    ),
    Account(
        name=money.STRIPE_RECEIVABLE,
        kind="asset",
        limited=False,
        meaning="our balance at Stripe; a dispute can take it below zero, and that is no error of ours",
    ),
    Account(
        name=money.BANK,
        kind="asset",
        limited=False,
        meaning="paid out by Stripe to our own bank, less what was put into our balance at Stripe from there",
    ),
    Account(
        name=money.DISPUTES,
        kind="asset",
        limited=False,
        meaning="taken from us by disputes that are open, or lost and not yet written off by a person",
    ),
    Account(name=money.STRIPE_FEES, kind="expense", limited=False, meaning="what Stripe keeps"),
    Account(
        name=money.EXCHANGE,
        kind="asset",
        limited=False,
        meaning="our position between currencies: credited in the one that came in, debited in the other",
    ),
    Account(name=money.FEES, kind="income", limited=False, meaning="what the market earns"),
    Account(
        name=money.CAPITAL,
        kind="liability",
        limited=True,
        meaning="what the operator has put in, the float to begin with",
    ),
    Account(
        name=money.SUSPENSE,
        kind="liability",
        limited=False,
        meaning="money whose purpose a person must decide",
    ),
    Account(
        name="buyer:",
        kind="liability",
        limited=True,
        meaning="what a buyer has paid and not yet received in credits",
    ),
    Account(
        name="payable:",
        kind="liability",
        limited=True,
        meaning="what a seller on a custodial account is owed in fiat",
    ),
)


def account_of(name: str) -> Account:
    """The chart's account of a name; InvalidInput if there is none."""
    for account in CHART:
        is_family = account.name.endswith(":")
        if account.name == name and not is_family:
            return account
        if is_family and name.startswith(account.name) and _OWNER.fullmatch(name[len(account.name) :]):
            return account
    raise InvalidInput(f"the chart of accounts has no {name!r}", field="account")


def check_currency(name: str, currency: str) -> None:
    """InvalidInput if the account doesn't take the currency, or the currency is no code."""
    if not _CURRENCY.fullmatch(currency):
        raise InvalidInput(f"{currency!r} is no currency: use a code such as USD or USDC", field="currency")
    bound = account_of(name).currency
    if bound and bound != currency:
        raise InvalidInput(f"account {name} is kept in {bound}, not in {currency}", field="currency")


def available(balance: Balance) -> int:
    """What may still leave the account: its posted balance less what is pending out of it."""
    if account_of(balance.account).kind in DEBIT_NORMAL:
        return balance.debits - balance.credits - balance.credits_pending
    return balance.credits - balance.debits - balance.debits_pending


def posted(balance: Balance) -> int:
    """The posted balance, above zero on the side that the account's kind grows on."""
    if account_of(balance.account).kind in DEBIT_NORMAL:
        return balance.debits - balance.credits
    return balance.credits - balance.debits
