"""Try again what sellers are owed, and count what waits for a person. For a schedule.

A payout is refused for what passes by itself (the provider's balance is too small today), and stays unpaid
where the provider was away for longer than the saga asks, or where its purchase failed after the fill. One
whose proceeds the chain refuses for good ends here.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from carbonmarket.errors import MarketError
from carbonmarket.operations.purchase import Till
from carbonmarket.operations.purchase_payout import PayoutRefused, account_of, is_owed, pay
from carbonmarket.ports.registry import Kept
from carbonmarket.records.purchases import Payout


class Backlog(msgspec.Struct, kw_only=True):
    """What one run did and left: payouts paid, ended as paid on chain, and still owed, cases that nobody has
    closed, and a sentence for each payout that could not be tried to its end."""

    paid: int = 0
    paid_on_chain: int = 0
    payouts_waiting: int = 0
    cases_open: int = 0
    failures: list[str] = []


def retry_payouts(till: Till, goes_on: Callable[[], bool] = lambda: True) -> Backlog:
    """Pay every seller who is owed and can be paid; ``goes_on`` says whether there is time for another."""
    backlog = Backlog(cases_open=sum(1 for _ in till.store.open_cases()))
    ready: dict[str, bool] = {}
    for kept in till.store.unpaid_payouts():
        if not is_owed(kept.record, till):
            continue
        ended = _ended(kept, ready, till, backlog) if goes_on() else None
        if ended is None:
            backlog.payouts_waiting += 1
        elif ended.state == "paid":
            backlog.paid += 1
        else:
            backlog.paid_on_chain += 1
    return backlog


def _ended(kept: Kept[Payout], ready: dict[str, bool], till: Till, backlog: Backlog) -> Payout | None:
    """The payout if this try has ended it."""
    payout = kept.record
    try:
        if payout.attempts and not _is_ready(account_of(payout, till), ready, till):
            # That is its owner's to change, and the provider tells when it has.
            return None
        return pay(kept, till)
    except PayoutRefused:
        # Its record has the reason.
        return None
    except MarketError as failed:
        backlog.failures.append(f"{payout.id}: {failed.reason}")
        return None


def _is_ready(account: str, ready: dict[str, bool], till: Till) -> bool:
    if account not in ready:
        ready[account] = till.payments().payout_account(account).payouts_enabled
    return ready[account]
