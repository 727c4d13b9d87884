"""Brings a registry's issuances to the chain and opens their books, each once, whatever is repeated."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from carbonmarket import ids
from carbonmarket.chain import calls, market_calls
from carbonmarket.chain.aborts import refused
from carbonmarket.errors import NotYetFinal
from carbonmarket.importing.records import Issuance
from carbonmarket.operations.issue_batch import batch_uri
from carbonmarket.ports.chain import ChainAccess, Fate

TICK = 10_000
"""A cent a tonne, in USDC units."""
LOT = 1_000
"""A kilogram, in grams."""
MIN_NOTIONAL = 100_000
"""Ten cents."""

# Of one account at most 100 transactions may wait; threads share its numbers.
_THREADS = 8
_WAIT_S = 120
_BEFORE = "imports::E_IMPORTED_BEFORE"


@dataclass(frozen=True)
class Imported:
    """An issuance that is a batch on chain, with its book. ``fresh`` says that this run brought it."""

    issuance: Issuance
    batch_id: str
    batch: str
    owner: str
    book: int
    fresh: bool


@dataclass(frozen=True)
class Importer:
    """``issuer`` is the key that imports and opens books, ``quote`` the asset that prices are in.

    ``owner`` answers the address that an issuance's credits go to.
    """

    chain: ChainAccess
    issuer: str
    quote: str
    public_url: str
    owner: Callable[[Issuance], str]

    def bring(self, issuances: Iterable[Issuance], told: Callable[[int], None]) -> list[Imported]:
        """Import what may be sold and open its book; ``told`` hears how many are done. The buffer's share
        stays in its registry. ChainRefused says what a contract refused and why."""
        listed = [issuance for issuance in issuances if issuance.grams_project]
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="import") as threads:
            return list(_counted(threads.map(self._bring, listed), told))

    def _bring(self, issuance: Issuance) -> Imported:
        batch_id = ids.derive("BAT", issuance.registry, issuance.serial)
        owner = self.owner(issuance)
        fresh = not self.chain.view("imports::was_imported", [], [issuance.registry, issuance.serial])[0]
        if fresh:
            self._import(issuance, batch_id, owner)
        [batch] = self.chain.view("credit_batch::batch_address", [], [batch_id])
        return Imported(issuance, batch_id, batch, owner, self._book(batch_id, batch), fresh)

    def _import(self, issuance: Issuance, batch_id: str, owner: str) -> None:
        fate = self._settled(
            f"import/{issuance.registry}/{issuance.serial}",
            calls.import_batch(
                owner=owner,
                batch_id=batch_id,
                registry=issuance.registry,
                registry_serial=issuance.serial,
                project=issuance.project,
                project_name=issuance.project_name,
                country=issuance.country,
                methodology=issuance.project_type,
                vintage_start=_new_year_s(issuance.vintage),
                vintage_end=_new_year_s(issuance.vintage + 1),
                grams=issuance.grams_project,
                labels=0,
                uri=batch_uri(self.public_url, batch_id),
            ),
        )
        # Another run may have come between the question and the call.
        if not fate.success and fate.abort != _BEFORE:
            raise refused(fate)

    def _book(self, batch_id: str, batch: str) -> int:
        number = self._number(batch)
        if not number:
            call = market_calls.open_book(batch, self.quote, TICK, LOT, MIN_NOTIONAL, 0)
            fate = self._settled(f"book/{batch_id}", call)
            if not fate.success:
                raise refused(fate)
            number = self._number(batch)
        return number

    def _number(self, batch: str) -> int:
        return int(self.chain.view("market_book::number", [], [batch, self.quote])[0])

    def _settled(self, key: str, call: calls.EntryCall) -> Fate:
        deadline = time.monotonic() + _WAIT_S
        while True:
            try:
                return self.chain.settle(key, self.issuer, call)
            except NotYetFinal:
                if time.monotonic() > deadline:
                    raise


def _counted(found: Iterator[Imported], told: Callable[[int], None]) -> Iterator[Imported]:
    for number, each in enumerate(found, 1):
        told(number)
        yield each


def _new_year_s(year: int) -> int:
    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp())
