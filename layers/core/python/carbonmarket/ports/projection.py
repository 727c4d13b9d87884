"""What the market reads of the chain's projection, and what keeps the projection."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from carbonmarket.records.chain import (
    Anchor,
    Batch,
    BatchReconciliation,
    Cancellation,
    Cursor,
    Holding,
    Period,
    Project,
    Reconciliation,
    ReconciliationSummary,
    Retirement,
    Store,
    VaultReconciliation,
)

Key = tuple[str, ...]
"""A projected record's kind and identity: ("batch", "0x…"), ("anchor", "PRJ…", "1467356400", "0")."""

State = Mapping[Key, msgspec.Struct | None]
"""Records by key; None says that there is none."""


class ChainProjection(Protocol):
    """What the chain was seen to hold, as of :meth:`cursor`. Addresses are in the long form."""

    def cursor(self) -> Cursor | None:
        """The last version folded; None before the first."""
        ...

    def project(self, project: str) -> Project | None:
        """A project as registered on chain."""
        ...

    def batch(self, batch_id: str) -> Batch | None:
        """A batch by its id."""
        ...

    def batch_at(self, address: str) -> Batch | None:
        """A batch by its address."""
        ...

    def batches_at(self, addresses: Iterable[str]) -> dict[str, Batch]:
        """The batches that are at the addresses, by address, read together."""
        ...

    def batches(self, *, after: str | None = None, first: int = 50) -> list[tuple[str, Batch]]:
        """(cursor, batch) in the order of issue."""
        ...

    def holding(self, owner: str, batch: str) -> int:
        """Grams that ``owner`` holds of the batch at address ``batch``, in all its stores."""
        ...

    def holdings(self, owner: str, *, after: str | None = None, first: int = 50) -> list[Holding]:
        """What ``owner`` holds, by batch address, those above ``after``; nothing of zero grams."""
        ...

    def stores(self, owner: str) -> list[Store]:
        """Each store of ``owner``, empty ones too."""
        ...

    def retirement(self, retirement_id: str) -> Retirement | None:
        """A retirement by its id."""
        ...

    def anchor(self, project: str, hour_s: int, part: int) -> Anchor | None:
        """One part of one hour."""
        ...

    def anchors(self, project: str, from_s: int, to_s: int) -> list[Anchor]:
        """The parts of the hours from ``from_s`` up to before ``to_s``, in order."""
        ...

    def period(self, project: str, number: int) -> Period | None:
        """A closed, issued or reopened period."""
        ...

    def is_frozen(self, account: str) -> bool:
        """Whether the account or batch is frozen."""
        ...

    def frozen(self) -> frozenset[str]:
        """All accounts and batches that are frozen; a moment late."""
        ...

    def retirements_of(self, batch: str) -> list[Retirement]:
        """The retirements of the batch at an address, in the order of their serials."""
        ...

    def cancellations_of(self, batch: str) -> list[Cancellation]:
        """The cancellations and reversals of the batch at an address, in the order of their serials."""
        ...

    def all_of(self, kinds: Collection[str]) -> Iterator[msgspec.Struct]:
        """Every projected record of the kinds, one by one and in no order: for what looks at all of them."""
        ...

    def everything(self) -> dict[Key, msgspec.Struct]:
        """Every projected record by its key: for laws and comparisons, not for serving."""
        ...

    def reconciliation(self) -> ReconciliationSummary | None:
        """The reconciliation last published, in short."""
        ...

    def reconciled_batches(self, after: str | None) -> Iterator[tuple[str, BatchReconciliation]]:
        """(cursor, row) of the batches it compared, in the order of their serials. A cursor leads on in the
        reconciliation that it is of, for a week."""
        ...

    def reconciled_assets(self, after: str | None) -> Iterator[tuple[str, VaultReconciliation]]:
        """(cursor, row) of the vault's assets it compared, in the same way."""
        ...

    def publish(self, reconciliation: Reconciliation) -> None:
        """Make a reconciliation the published one."""
        ...


class Folded(msgspec.Struct, frozen=True):
    """What one version did: ``effects`` are the records as they are after it."""

    version: int
    fingerprint: str
    ledger_us: int
    effects: dict[Key, msgspec.Struct | None]
    before: dict[Key, msgspec.Struct | None]


class Mark(msgspec.Struct, frozen=True):
    """A version the projection can be rewound to, with the fingerprint it had."""

    version: int
    fingerprint: str


class ProjectionStore(Protocol):
    """Keeps the projection: effects, cursor and journal move together or not at all."""

    def begin(self) -> Cursor | None:
        """Where to go on from, after undoing what a killed writer left half done."""
        ...

    def load(self, keys: Iterable[Key]) -> dict[Key, msgspec.Struct | None]:
        """The records as they are now; None for those that are not there."""
        ...

    def commit(self, chain_id: int, versions: Sequence[Folded]) -> Cursor:
        """Write consecutive versions and move the cursor; StaleWrite if another watcher was first."""
        ...

    def marks(self) -> Iterable[Mark]:
        """The versions that can be rewound to, newest first; the cursor's own is the first."""
        ...

    def undo_newest(self) -> Cursor | None:
        """Undo the newest journal entry; the cursor then stands before it. NotFound if there is none."""
        ...

    def clear(self) -> None:
        """Remove every projected record, the journal and the cursor; after a kill it is to be repeated."""
        ...


class Page(msgspec.Struct, frozen=True):
    """Consecutive transactions in the node's JSON, and the state of the ledger they were read from."""

    chain_id: int
    ledger_version: int
    transactions: list[dict[str, Any]]


class ChainSource(Protocol):
    """A node to read transactions from, in order."""

    def page(self, start: int, limit: int) -> Page:
        """Transactions from version ``start`` on, none if the ledger hasn't come so far."""
        ...

    def fingerprint(self, version: int) -> str | None:
        """The fingerprint of a version, or None if the ledger hasn't come to it."""
        ...
