"""Saga mint, undo: free the period on chain and mark it rejected. Only what can't be issued any more."""

from __future__ import annotations

import msgspec

from carbonmarket.chain import calls
from carbonmarket.errors import Conflict, NotFound
from carbonmarket.operations.fates import event_of, final_fate, was_never_taken
from carbonmarket.operations.issue_batch import issue_key
from carbonmarket.operations.quantify import closing_key
from carbonmarket.ports.chain import ChainAccess
from carbonmarket.ports.registry import RegistryStore
from carbonmarket.records.audit import SYSTEM, told
from carbonmarket.records.registry import Period


class AlreadyIssued(Conflict):
    """The batch stands on chain; an issuance is never undone."""

    code = "already-issued"


def reject_period(
    project: str,
    period: str,
    reason: str,
    *,
    registry: RegistryStore,
    chain: ChainAccess,
    oracle: str,
    now_us: int,
) -> Period:
    """The period, rejected. NotYetFinal while a transaction's fate is unknown: nothing is undone before."""
    kept = registry.period(project, period)
    if kept is None:
        raise NotFound(f"project {project} has no period {period}")
    if kept.record.state == "rejected":
        return kept.record
    if not was_never_taken(chain, issue_key(period)):
        raise AlreadyIssued(f"period {period} was issued; it can't be rejected")
    if not was_never_taken(chain, closing_key(period)):
        number = int(event_of(chain.fate(closing_key(period)), "data_anchor::PeriodClosed")["number"])
        reopening = f"reopen-period/{period}"
        chain.submit(reopening, oracle, calls.reopen_period(project, number))
        final_fate(chain, reopening)
    rejected = msgspec.structs.replace(kept.record, state="rejected", reason=reason)
    registry.save_period(rejected, kept.revision, told(SYSTEM, "reject_period", period, "rejected", now_us))
    return rejected
