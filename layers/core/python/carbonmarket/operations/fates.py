"""What the sagas ask of the chain: whether a call has come to its end, and what it told."""

from __future__ import annotations

from typing import Any

from carbonmarket.chain.aborts import refused
from carbonmarket.errors import Conflict, NotYetFinal
from carbonmarket.ports.chain import ChainAccess, Fate


class TransactionExpired(Conflict):
    """The bytes can't commit any more; submitting again under the same key makes new ones."""

    code = "transaction-expired"


WAIT_S = 5
"""A step waits this long itself, since the chain seldom takes longer; then its saga asks again later."""


def final_fate(chain: ChainAccess, key: str) -> Fate:
    """The successful fate of the call under ``key``, waited for a moment.

    NotYetFinal while it is open, TransactionExpired if it died, ChainRefused if it committed as failed.
    """
    fate = committed_fate(chain, key)
    if not fate.success:
        raise refused(fate)
    return fate


def committed_fate(chain: ChainAccess, key: str) -> Fate:
    """The fate of the call under ``key`` once it stands on chain, as successful or as failed; neither ever
    changes. NotYetFinal and TransactionExpired as of :func:`final_fate`."""
    fate = chain.await_fate(key, WAIT_S)
    if fate.state == "dead":
        raise TransactionExpired("the transaction expired before the chain took it")
    if fate.state != "committed":
        raise NotYetFinal("the chain has not answered yet")
    return fate


def was_never_taken(chain: ChainAccess, key: str) -> bool:
    """Whether the call under ``key`` can have had no effect, now or later; NotYetFinal while unknown."""
    fate = chain.fate(key)
    if fate.state == "unknown" and fate.hash is None:
        return True
    if fate.state in ("unknown", "pending"):
        raise NotYetFinal("nothing is undone while the fate of the transaction is unknown")
    return fate.state == "dead" or not fate.success


def event_of(fate: Fate, name: str) -> dict[str, Any]:
    """The data of the event ``module::Name`` that the transaction emitted; numbers are strings there."""
    for event in fate.events:
        if event["type"].endswith(f"::{name}"):
            data: dict[str, Any] = event["data"]
            return data
    raise Conflict(f"transaction {fate.hash} emitted no {name}")
