"""Advancing the projection: page by page, and back to the last common version where the chain went back.

Every page begins with the version folded last, so that its fingerprint is compared before anything is added.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from carbonmarket.errors import NotFound
from carbonmarket.ports.projection import ChainSource, Key, Page, ProjectionStore
from carbonmarket.projection.fold import FINGERPRINT, Transaction, fold, wanted

PAGE_VERSIONS = 100
"""Nodes give at most this many transactions at once."""

STEP_VERSIONS = 500
"""About how many versions one step folds where they are waiting."""


class Progress(msgspec.Struct, frozen=True):
    """What one step did: versions folded, journal entries undone, and whether more is waiting."""

    versions: int
    undone: int
    behind: int


def advance(source: ChainSource, store: ProjectionStore, market: str, first_version: int = 0) -> Progress:
    """Fold the next page, or rewind where the chain isn't the one that was folded.

    ``market`` is the package's address in the long form, ``first_version`` one before which it wasn't
    published: a new projection begins there. StaleWrite if another watcher was first.
    """
    cursor = store.begin()
    page = source.page(first_version if cursor is None else cursor.version, PAGE_VERSIONS)
    if cursor is None:
        fresh = page.transactions
    elif _continues(page, cursor.chain_id, cursor.version, cursor.fingerprint):
        fresh = page.transactions[1:]
    else:
        return Progress(0, _rewind(source, store, page), 1)
    if not fresh:
        return Progress(0, 0, 0)
    fresh = _with_more(source, page, fresh)
    state = store.load(wanted(fresh, market))
    after = store.commit(page.chain_id, fold(fresh, state, market))
    return Progress(len(fresh), 0, max(0, page.ledger_version - after.version))


def _with_more(source: ChainSource, page: Page, fresh: list[Transaction]) -> list[Transaction]:
    """Further pages where many versions wait: fuller transactions cost less."""
    while int(fresh[-1]["version"]) < page.ledger_version and len(fresh) < STEP_VERSIONS:
        last = fresh[-1]
        more = source.page(int(last["version"]), PAGE_VERSIONS)
        if not _continues(more, page.chain_id, int(last["version"]), last[FINGERPRINT]):
            break
        fresh = fresh + more.transactions[1:]
    return fresh


def _continues(page: Page, chain_id: int, version: int, fingerprint: str) -> bool:
    """Whether the page begins with the version that was seen last, as it was seen."""
    if page.chain_id != chain_id or not page.transactions:
        return False
    first = page.transactions[0]
    return int(first["version"]) == version and first[FINGERPRINT] == fingerprint


def _rewind(source: ChainSource, store: ProjectionStore, page: Page) -> int:
    """Undo back to the last version that the chain still has as it was folded, or, where the journal doesn't
    reach so far back, clear all; entries undone, the clearing counted as one."""
    cursor = store.begin()
    same_chain = cursor is not None and cursor.chain_id == page.chain_id
    undone = 0
    for mark in store.marks():
        could_stand = same_chain and mark.version <= page.ledger_version
        if could_stand and source.fingerprint(mark.version) == mark.fingerprint:
            return undone
        store.undo_newest()
        undone += 1
    if store.begin() is not None:
        store.clear()
        undone += 1
    return undone


def rebuilt(
    source: ChainSource, market: str, to_version: int, first_version: int = 0
) -> dict[Key, msgspec.Struct]:
    """The records of the whole chain up to ``to_version``, folded afresh from ``first_version``, before which
    the market wasn't published."""
    state: dict[Key, Any] = {}
    version = first_version
    while version <= to_version:
        transactions = source.page(version, min(PAGE_VERSIONS, to_version + 1 - version)).transactions
        if not transactions:
            raise NotFound(f"the node has no version {version}, and {to_version} was asked for")
        before = {key: state.get(key) for key in wanted(transactions, market)}
        for folded in fold(transactions, before, market):
            state.update(folded.effects)
        version += len(transactions)
    return {key: record for key, record in state.items() if record is not None}


def differences(in_place: Mapping[Key, msgspec.Struct], anew: Mapping[Key, msgspec.Struct]) -> list[str]:
    """Sentences on every record that differs between two projections; none where they are equal."""
    return [
        f"{' '.join(key)}: in place {in_place.get(key)}, rebuilt {anew.get(key)}"
        for key in sorted(in_place.keys() | anew.keys())
        if in_place.get(key) != anew.get(key)
    ]
