"""Reconciliation of money: ledger, payment provider and the treasury's account on chain say the same."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from carbonmarket.authorise import require_role
from carbonmarket.errors import InvalidInput
from carbonmarket.ledger.audit import audited
from carbonmarket.ledger.chart import posted
from carbonmarket.ports.chain import ChainAccess
from carbonmarket.ports.money import Ledger, Payments
from carbonmarket.records.money import (
    BANK,
    STRIPE_FEES,
    STRIPE_RECEIVABLE,
    TREASURY_FLOAT,
    Balance,
    BalanceTransaction,
    Line,
    MoneyReconciliation,
    Transfer,
)
from carbonmarket.records.principal import OPERATOR, Principal
from carbonmarket.times import MICROSECONDS

DAY_US = 86_400 * MICROSECONDS
WINDOW_US = 8 * DAY_US
"""How far back single movements are compared; the balances cover all that was before."""

_TRIES = 3
# A capture is booked by the saga's next step or by a webhook; until then it is on its way, no difference.
_GRACE_US = 900 * MICROSECONDS
# How late the ledger may have booked what the provider moved.
_LATE_US = 60 * DAY_US
# What no saga and no event tells of, and what stands on its other side: the provider pays our balance out to
# our bank on its own days, and takes it back where the bank refuses it; an operator puts money into the
# balance; and the provider takes fees for more than single payments, such as those of sellers' accounts.
_UNTOLD = {
    **dict.fromkeys(("payout", "payout_cancel", "payout_failure", "topup", "topup_reversal"), BANK),
    **dict.fromkeys(("stripe_fee", "stripe_fx_fee", "tax_fee"), STRIPE_FEES),
}
# Microseconds until the year 5138.
_KEY_DIGITS = 17
_METADATA = "0x1::fungible_asset::Metadata"


def reconcile_money(
    *,
    ledger: Ledger,
    payments: Payments,
    chain: ChainAccess,
    treasury: str,
    quote_asset: str,
    currency: str,
    catch_up: Callable[[], None],
    now_us: int,
) -> MoneyReconciliation:
    """Return holds whose time has passed, book what only the provider knows of, compare, publish and return
    the result.

    ``treasury`` is the float's account on chain and ``quote_asset`` the metadata's address of its token;
    ``currency`` the one that cards are charged in. Trades go on meanwhile: where something differs, it is
    compared again after ``catch_up``, and only a difference that stays is published. EngineUnavailable if the
    provider or the node doesn't answer; nothing is published then.
    """
    ledger.expire(now_us)
    _book_untold(ledger, payments, now_us)
    for remaining in reversed(range(_TRIES)):
        held = _chain_float(chain, treasury, quote_asset)
        result = _compare(ledger, payments, held, currency, now_us)
        if not result.differences or not remaining:
            break
        catch_up()
    # Once: it reads the whole journal, and what is written meanwhile is no difference to it.
    result = msgspec.structs.replace(result, differences=(*result.differences, *audited(ledger)))
    ledger.publish(result)
    return result


def list_money_reconciliations(
    first: int, after: str | None, *, caller: Principal, ledger: Ledger
) -> list[tuple[str, MoneyReconciliation]]:
    """What was published, newest first, for an operator: up to ``first`` results after the key ``after``."""
    require_role(caller, OPERATOR)
    if after is not None and not (after.isascii() and after.isdecimal() and len(after) <= _KEY_DIGITS):
        raise InvalidInput("after must be a cursor that this list gave", field="after")
    found = ledger.published(first, None if after is None else int(after))
    return [(str(each.at_us), each) for each in found]


def _book_untold(ledger: Ledger, payments: Payments, now_us: int) -> None:
    """Book what went to our bank or came from there, and the provider's fees that belong to no payment."""
    for movement in payments.balance_transactions(now_us - WINDOW_US, now_us + DAY_US):
        other = _UNTOLD.get(movement.kind)
        if other is not None and movement.net:
            went = movement.net < 0
            transfer = Transfer(
                debit=other if went else STRIPE_RECEIVABLE,
                credit=STRIPE_RECEIVABLE if went else other,
                amount=abs(movement.net),
                currency=movement.currency,
                reason=movement.kind.replace("_", " "),
                references={"balance_transaction": movement.id},
            )
            key = f"{'bank' if other == BANK else 'fee'}/{movement.id}"
            ledger.post(key, [transfer], now_us)


def _chain_float(chain: ChainAccess, treasury: str, asset: str) -> int:
    """Quote tokens of the treasury's account: claimable from the market, and in its wallet."""
    claimable = chain.view("market_vault::balance", [], [treasury, asset])[0]
    wallet = chain.view("0x1::primary_fungible_store::balance", [_METADATA], [treasury, asset])[0]
    return int(claimable) + int(wallet)


def _compare(
    ledger: Ledger, payments: Payments, chain_float: int, currency: str, now_us: int
) -> MoneyReconciliation:
    since_us = now_us - WINDOW_US
    moved = payments.balance_transactions(since_us, now_us + DAY_US)
    lines = ledger.statement(STRIPE_RECEIVABLE, currency, since_us - DAY_US, now_us + DAY_US)
    provider_balance = payments.balance(currency)
    receivable = _balance(ledger, STRIPE_RECEIVABLE, currency)
    treasury_float = _balance(ledger, TREASURY_FLOAT, "USDC")
    matching = Matching(moved, lines, currency, now_us)
    # A movement may be booked long after it was made.
    unknown = [line for line in matching.only_in_ledger() if line.at_us >= since_us]
    if unknown:
        earlier = {each.id for each in payments.balance_transactions(since_us - _LATE_US, since_us)}
        unknown = [line for line in unknown if line.references["balance_transaction"] not in earlier]
    differences = [
        *matching.differences,
        *(_only_in_ledger(line) for line in unknown),
        *_totals(posted(receivable), matching.in_flight, provider_balance, currency),
        *_float(treasury_float, chain_float),
    ]
    return MoneyReconciliation(
        at_us=now_us,
        since_us=since_us,
        currency=currency,
        ledger_receivable=posted(receivable),
        provider_balance=provider_balance,
        in_flight=matching.in_flight,
        ledger_float=posted(treasury_float),
        chain_float=chain_float,
        matched=matching.matched,
        differences=tuple(differences),
    )


class Matching:
    """The provider's movements beside the ledger's lines of its account.

    ``in_flight`` is what the provider has moved within the last minutes and the ledger hasn't booked yet.
    """

    def __init__(
        self, moved: list[BalanceTransaction], lines: list[Line], currency: str, now_us: int
    ) -> None:
        self.matched = 0
        self.in_flight = 0
        self.differences: list[str] = []
        self._booked: dict[str, list[Line]] = {}
        for line in lines:
            named = line.references.get("balance_transaction", "")
            if named:
                self._booked.setdefault(named, []).append(line)
            else:
                self.differences.append(
                    f"entry {line.entry} moves {line.delta} {currency} at the provider and names no balance "
                    "transaction"
                )
        for movement in moved:
            self._match(movement, currency, now_us)

    def only_in_ledger(self) -> list[Line]:
        """A line of each movement that the ledger has and the provider's list hasn't."""
        return [lines[0] for lines in self._booked.values()]

    def _match(self, movement: BalanceTransaction, currency: str, now_us: int) -> None:
        booked = sum(line.delta for line in self._booked.pop(movement.id, []))
        what = f"{movement.id} ({movement.kind} {movement.source})"
        if movement.currency != currency:
            self.differences.append(f"{what} moved {movement.net} {movement.currency}, which nobody books")
        elif booked == movement.net:
            self.matched += 1
        elif movement.created_us > now_us - _GRACE_US:
            self.in_flight += movement.net - booked
        else:
            self.differences.append(
                f"{what} moved {movement.net} {currency} at the provider and {booked} in the ledger"
            )


def _only_in_ledger(line: Line) -> str:
    named = line.references["balance_transaction"]
    return (
        f"entry {line.entry} moves {line.delta} {line.currency} by {named}, which the provider doesn't have"
    )


def _totals(receivable: int, in_flight: int, provider: int, currency: str) -> list[str]:
    if receivable + in_flight == provider:
        return []
    return [
        f"the provider's balance is {provider} {currency}; the ledger has {receivable}, and {in_flight} are "
        "on their way"
    ]


def _float(kept: Balance, chain_float: int) -> list[str]:
    """What is set aside may have moved on chain already, and may not have."""
    least = posted(kept) - kept.credits_pending
    most = posted(kept) + kept.debits_pending
    if least <= chain_float <= most:
        return []
    expected = str(least) if least == most else f"{least} to {most}"
    return [f"the treasury's account on chain holds {chain_float} USDC and the ledger expects {expected}"]


def _balance(ledger: Ledger, account: str, currency: str) -> Balance:
    found = [each for each in ledger.balances(account) if each.currency == currency]
    return found[0] if found else Balance(account=account, currency=currency)
