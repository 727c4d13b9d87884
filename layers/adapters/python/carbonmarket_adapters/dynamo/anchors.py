"""Table devices, the anchors: parts of hours and the transactions that carry them.

Keys: ``anchors#<project>`` / ``<hour>#<part>`` · ``anchor_batches#<project>`` / ``<key>``. The marks of
what is not anchored yet are in ingest.py.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from carbonmarket.ports.devices import Versioned
from carbonmarket.records.devices import AnchorBatch, AnchorPart, HourRecord
from carbonmarket.settings import Settings
from carbonmarket_adapters.dynamo.ingest import (
    HOUR,
    UNANCHORED,
    UNANCHORED_INDEX,
    CountingTable,
    hour_key,
    hour_write,
    unanchored_key,
    unanchored_write,
)
from carbonmarket_adapters.dynamo.table import TRANSACTION_ITEMS_MAX, Delete, Kind, Write

PART = Kind("anchor_part", AnchorPart)
BATCH = Kind("anchor_batch", AnchorBatch)
_SEALED_AT_ONCE = TRANSACTION_ITEMS_MAX // 4


class DynamoAnchors:
    """The :class:`carbonmarket.ports.devices.AnchorStore` over DynamoDB."""

    def __init__(self, settings: Settings) -> None:
        self._table = CountingTable(settings)

    def dirty_projects(self) -> list[str]:
        found = self._table.query_gsi1(UNANCHORED, UNANCHORED_INDEX)
        return sorted({stored.record.project for _, stored in found})

    def dirty_hours(self, project: str) -> list[Versioned[HourRecord]]:
        keys = [hour_key(project, m.hour_us) for m in self._table.unanchored(project) if m.part is None]
        found = self._table.get_many(HOUR, keys).values() if keys else ()
        return sorted((Versioned(s.record, s.revision) for s in found), key=lambda h: h.record.hour_us)

    def decide_parts(self, sealed: Sequence[tuple[Versioned[HourRecord], AnchorPart]]) -> None:
        for start in range(0, len(sealed), _SEALED_AT_ONCE):
            operations: list[Write | Delete] = []
            for hour, part in sealed[start : start + _SEALED_AT_ONCE]:
                record = msgspec.structs.replace(hour.record, pending=(), parts=part.part + 1)
                operations.append(hour_write(Versioned(record, hour.revision)))
                operations.append(_part_write(Versioned(part, 0)))
                operations.append(Delete(*unanchored_key(part.project, part.hour_us)))
                operations.append(unanchored_write(part.project, part.hour_us, part.part))
            self._table.write(operations)

    def open_parts(self, project: str) -> list[Versioned[AnchorPart]]:
        marks = [mark for mark in self._table.unanchored(project) if mark.part is not None]
        keys = [(f"anchors#{project}", _part_sort(mark.hour_us, mark.part or 0)) for mark in marks]
        found = self._table.get_many(PART, keys).values() if keys else ()
        parts = [Versioned(stored.record, stored.revision) for stored in found]
        return sorted(parts, key=lambda part: (part.record.hour_us, part.record.part))

    def open_batch(self, batch: AnchorBatch, parts: Sequence[Versioned[AnchorPart]]) -> None:
        self._table.write([*map(_part_write, parts), _batch_write(batch, 0)])

    def finish_batch(self, batch: AnchorBatch, parts: Sequence[Versioned[AnchorPart]], anchored: int) -> None:
        done = [part.record for part in parts if part.record.state == "anchored"]
        marks = [Delete(*unanchored_key(part.project, part.hour_us, part.part)) for part in done]
        counts = {(batch.project, "anchored"): anchored} if anchored else {}
        # A batch is written twice in its life: opened at revision 1, finished here.
        self._table.write([*map(_part_write, parts), *marks, _batch_write(batch, 1)], counts)

    def part(self, project: str, hour_us: int, part: int) -> AnchorPart | None:
        stored = self._table.get(PART, f"anchors#{project}", _part_sort(hour_us, part))
        return stored.record if stored else None

    def parts(
        self, project: str, *, from_us: int, to_us: int, after: str | None = None, first: int | None = None
    ) -> list[tuple[str, AnchorPart]]:
        taken: list[tuple[str, AnchorPart]] = []
        # A key of part 0 stands after the hour alone, so this cursor begins with the first hour itself.
        start = after or f"{from_us:017d}"
        for key, stored in self._table.query(PART, f"anchors#{project}", after=start):
            if stored.record.hour_us >= to_us or (first is not None and len(taken) >= first):
                break
            taken.append((key, stored.record))
        return taken


def _part_sort(hour_us: int, part: int) -> str:
    return f"{hour_us:017d}#{part:06d}"


def _part_key(part: AnchorPart) -> tuple[str, str]:
    return f"anchors#{part.project}", _part_sort(part.hour_us, part.part)


def _part_write(part: Versioned[AnchorPart]) -> Write:
    return Write(PART, *_part_key(part.record), part.record, part.revision)


def _batch_write(batch: AnchorBatch, revision: int) -> Write:
    return Write(BATCH, f"anchor_batches#{batch.project}", batch.key, batch, revision)
