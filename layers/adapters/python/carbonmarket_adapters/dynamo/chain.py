"""Table ``chain``: reading the projection, and the published reconciliation."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import msgspec

from carbonmarket.errors import InvalidInput
from carbonmarket.ports.projection import Key
from carbonmarket.records.chain import (
    Anchor,
    Batch,
    BatchName,
    BatchReconciliation,
    Cancellation,
    Cursor,
    Freeze,
    Holding,
    Period,
    Project,
    Reconciliation,
    ReconciliationSummary,
    Retirement,
    Store,
    VaultReconciliation,
)
from carbonmarket.settings import Settings
from carbonmarket.times import MICROSECONDS
from carbonmarket_adapters.dynamo.chain_keys import (
    BATCHES,
    FROZEN,
    anchor_sort,
    is_projected,
    key_of,
    keys_of,
    kind_of,
)
from carbonmarket_adapters.dynamo.table import DocumentTable, Kind, Stored, Write, table_model

R = TypeVar("R", bound=msgspec.Struct)

CURSOR = Kind("cursor", Cursor)
CURSOR_KEYS = ("CURSOR", "CURSOR")
_SUMMARY = Kind("reconciliation_summary", ReconciliationSummary)
_SUMMARY_KEYS = ("RECONCILIATION", "SUMMARY")


class ReconciledBatches(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Some of a published reconciliation's batches: an item of DynamoDB holds 400 KB, and all are more."""

    rows: tuple[BatchReconciliation, ...]


class ReconciledAssets(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Some of its assets."""

    rows: tuple[VaultReconciliation, ...]


_BATCHES = Kind("reconciled_batches", ReconciledBatches)
_ASSETS = Kind("reconciled_assets", ReconciledAssets)
_ROWS_AN_ITEM = 100
_ROWS_KEPT_S = 8 * 86_400


class ChainTable:
    """Reads of the projection; a :class:`~carbonmarket.ports.projection.ChainProjection`."""

    def __init__(self, settings: Settings) -> None:
        self._table = DocumentTable(settings, "chain")
        self._model = table_model(settings, "chain")

    def cursor(self) -> Cursor | None:
        found = self._table.get(CURSOR, *CURSOR_KEYS)
        return found.record if found else None

    def project(self, project: str) -> Project | None:
        return self._record(Project, "project", project)

    def batch(self, batch_id: str) -> Batch | None:
        name = self._record(BatchName, "batch_name", batch_id)
        return self.batch_at(name.address) if name else None

    def batch_at(self, address: str) -> Batch | None:
        return self._record(Batch, "batch", address)

    def batches_at(self, addresses: Iterable[str]) -> dict[str, Batch]:
        kind: Kind[Batch] = kind_of("batch")
        found = self._table.get_many(kind, {keys_of(("batch", address)) for address in addresses})
        return {stored.record.address: stored.record for stored in found.values()}

    def batches(self, *, after: str | None = None, first: int = 50) -> list[tuple[str, Batch]]:
        found = self._table.query_gsi1(kind_of("batch"), BATCHES, after=after, limit=first)
        return [(sort, stored.record) for sort, stored in found]

    def holding(self, owner: str, batch: str) -> int:
        return sum(store.grams for store in self._stores(owner, prefix=f"{batch}#"))

    def holdings(self, owner: str, *, after: str | None = None, first: int = 50) -> list[Holding]:
        # "~" sorts after every hex digit, so the cursor passes over all stores of the batch.
        stores = self._stores(owner, after=None if after is None else f"{after}#~")
        by_batch = itertools.groupby(stores, key=lambda store: store.batch)
        totals = ((batch, sum(store.grams for store in group)) for batch, group in by_batch)
        held = (Holding(owner=owner, batch=batch, grams=grams) for batch, grams in totals if grams)
        return list(itertools.islice(held, first))

    def stores(self, owner: str) -> list[Store]:
        return self._stores(owner)

    def retirement(self, retirement_id: str) -> Retirement | None:
        return self._record(Retirement, "retirement", retirement_id)

    def retirements_of(self, batch: str) -> list[Retirement]:
        found = self._table.query_gsi1(kind_of("retirement"), f"BATCH#{batch}")
        return [stored.record for _, stored in found]

    def cancellations_of(self, batch: str) -> list[Cancellation]:
        found = self._table.query_gsi1(kind_of("cancellation"), f"BATCH#{batch}")
        return [stored.record for _, stored in found]

    def anchor(self, project: str, hour_s: int, part: int) -> Anchor | None:
        return self._record(Anchor, "anchor", project, str(hour_s), str(part))

    def anchors(self, project: str, from_s: int, to_s: int) -> list[Anchor]:
        end = anchor_sort(to_s, 0)
        found = self._table.query(
            kind_of("anchor"), f"PROJECT#{project}", prefix="ANCHOR#", after=anchor_sort(from_s, 0)[:-6]
        )
        inside = itertools.takewhile(lambda item: item[0] < end, found)
        return [stored.record for _, stored in inside]

    def period(self, project: str, number: int) -> Period | None:
        return self._record(Period, "period", project, str(number))

    def is_frozen(self, account: str) -> bool:
        found = self._record(Freeze, "freeze", account)
        return found is not None and found.frozen

    def frozen(self) -> frozenset[str]:
        found: Iterator[tuple[str, Stored[Freeze]]] = self._table.query_gsi1(kind_of("freeze"), FROZEN)
        return frozenset(account for account, _ in found)

    def reconciliation(self) -> ReconciliationSummary | None:
        found = self._table.get(_SUMMARY, *_SUMMARY_KEYS)
        return found.record if found else None

    def reconciled_batches(self, after: str | None) -> Iterator[tuple[str, BatchReconciliation]]:
        return self._reconciled(_BATCHES, after)

    def reconciled_assets(self, after: str | None) -> Iterator[tuple[str, VaultReconciliation]]:
        return self._reconciled(_ASSETS, after)

    def _reconciled(self, kind: Kind[Any], after: str | None) -> Iterator[tuple[str, Any]]:
        if after is None:
            latest, begin = self.reconciliation(), 0
            if latest is None:
                return
            at_us = latest.at_us
        else:
            at_us, begin = _row_after(after)
        partition, part = _rows_partition(at_us), begin // _ROWS_AN_ITEM
        before = _rows_sort(kind, part - 1) if part else None
        for _, stored in self._table.query(kind, partition, prefix=f"{kind.name}#", after=before):
            for index, row in enumerate(stored.record.rows, start=part * _ROWS_AN_ITEM):
                if index >= begin:
                    yield f"{at_us}#{index}", row
            part += 1

    def publish(self, reconciliation: Reconciliation) -> None:
        self._publish(_BATCHES, reconciliation.at_us, reconciliation.batches)
        self._publish(_ASSETS, reconciliation.at_us, reconciliation.assets)
        # Last, so that whoever finds it finds its rows.
        self._table.put(Write(_SUMMARY, *_SUMMARY_KEYS, reconciliation.summary()))

    def _publish(self, kind: Kind[Any], at_us: int, rows: Sequence[msgspec.Struct]) -> None:
        expires_s = at_us // MICROSECONDS + _ROWS_KEPT_S
        for start in range(0, len(rows), _ROWS_AN_ITEM):
            place = (_rows_partition(at_us), _rows_sort(kind, start // _ROWS_AN_ITEM))
            part = kind.record(rows=rows[start : start + _ROWS_AN_ITEM])
            self._table.put(Write(kind, *place, part, expires_at=expires_s))

    def all_of(self, kinds: Collection[str]) -> Iterator[msgspec.Struct]:
        for item in self._model.scan(self._model.kind.is_in(*kinds), consistent_read=True):
            yield kind_of(item.kind).decode(item.body, int(item.item_version))

    def everything(self) -> dict[Key, msgspec.Struct]:
        return {
            key_of(item.kind, record): record
            for item in self._model.scan(consistent_read=True)
            if is_projected(item.kind)
            for record in (kind_of(item.kind).decode(item.body, int(item.item_version)),)
        }

    def _stores(self, owner: str, *, prefix: str = "", after: str | None = None) -> list[Store]:
        found = self._table.query_gsi1(kind_of("store"), f"OWNER#{owner}", prefix=prefix, after=after)
        return [stored.record for _, stored in found]

    def _record(self, record: type[R], *key: str) -> R | None:
        kind: Kind[R] = kind_of(key[0])
        found = self._table.get(kind, *keys_of(key))
        return found.record if found else None


def _rows_partition(at_us: int) -> str:
    return f"RECONCILIATION#{at_us}"


def _rows_sort(kind: Kind[Any], part: int) -> str:
    return f"{kind.name}#{part:08}"


def _row_after(cursor: str) -> tuple[int, int]:
    """The reconciliation that a cursor is of, and the number of the row that follows it."""
    parts = cursor.split("#")
    if len(parts) != 2 or not all(part.isascii() and part.isdecimal() and len(part) < 18 for part in parts):
        raise InvalidInput("this cursor is of another list", field="after")
    at_us, index = map(int, parts)
    return at_us, index + 1
