"""Table devices, what came of messages: sequences, hours, rejects and counts.

Keys: ``gateway#<id>`` / ``sequence#<number>`` · ``hours#<project>`` / ``<hour>`` · ``unanchored#<project>`` /
``<hour>`` or ``<hour>#<part>`` (gsi1 ``unanchored``) · ``rejects#<project>`` / ``<id>`` (gsi1
``rejects#<project>``, by time) · ``counts#<project>`` / ``<name>``.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action
from pynamodb.models import Model

from carbonmarket.ports.devices import IngestCommit, Versioned
from carbonmarket.records.devices import HourRecord, ReadingCounts, Reject, SequenceRecord, Unanchored
from carbonmarket.settings import Settings
from carbonmarket_adapters.dynamo.table import Delete, DocumentTable, Kind, Stored, Write

R = TypeVar("R", bound=msgspec.Struct)

SEQUENCE = Kind("sequence", SequenceRecord)
HOUR = Kind("hour", HourRecord)
UNANCHORED = Kind("unanchored", Unanchored)
REJECT = Kind("reject", Reject)
UNANCHORED_INDEX = "unanchored"


class Count(Model):
    """A number that transactions add to; subclassed per table by :func:`count_model`."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    kind = UnicodeAttribute()
    readings = NumberAttribute()


@functools.cache
def count_model(settings: Settings) -> type[Count]:
    """PynamoDB's model of the counts in table devices."""

    class Meta:
        table_name = settings.prefix + "devices"
        region = settings.aws_region
        host = settings.aws_endpoint_url or None

    return type("Count_devices", (Count,), {"Meta": Meta})


class CountingTable(DocumentTable):
    """Table devices with counts that grow in the same transaction as the records."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings, "devices")
        self._counts = count_model(settings)

    def write(
        self, operations: Sequence[Write | Delete], counts: dict[tuple[str, str], int] | None = None
    ) -> None:
        """All or none, at most 100 items; StaleWrite if any condition fails. ``counts`` are added."""
        with self.transaction() as transaction:
            for operation in operations:
                self.stage(transaction, operation)
            for (project, name), number in (counts or {}).items():
                actions: list[Action] = [self._counts.readings.add(number), self._counts.kind.set("count")]
                transaction.update(self._counts(f"counts#{project}", name), actions=actions)

    def unanchored(self, project: str) -> list[Unanchored]:
        """The marks of a project, read consistently: closing a period rests on there being none."""
        found = self._model.query(f"unanchored#{project}", consistent_read=True)
        return [UNANCHORED.decode(item.body, int(item.item_version)) for item in found]

    def counts(self, project: str) -> dict[str, int]:
        """The counts of a project by name."""
        found = self._counts.query(f"counts#{project}", consistent_read=True)
        return {item.sk: int(item.readings) for item in found}


class DynamoIngest:
    """The :class:`carbonmarket.ports.devices.IngestStore` over DynamoDB."""

    def __init__(self, settings: Settings) -> None:
        self._table = CountingTable(settings)

    def sequences(self, keys: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Versioned[SequenceRecord]]:
        found = self._load(SEQUENCE, [_sequence_key(*key) for key in keys])
        return {(v.record.gateway, v.record.sequence): v for v in found}

    def hours(self, keys: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Versioned[HourRecord]]:
        found = self._load(HOUR, [hour_key(*key) for key in keys])
        return {(v.record.project, v.record.hour_us): v for v in found}

    def rejects_by_id(self, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Versioned[Reject]]:
        found = self._load(REJECT, [(f"rejects#{project}", reject) for project, reject in keys])
        return {(v.record.project, v.record.id): v for v in found}

    def commit(self, commit: IngestCommit) -> None:
        writes = [
            *(
                Write(SEQUENCE, *_sequence_key(v.record.gateway, v.record.sequence), v.record, v.revision)
                for v in commit.sequences
            ),
            *(hour_write(v) for v in commit.hours),
            *(unanchored_write(*key) for key in commit.dirty),
            *(_reject_write(v) for v in commit.rejects),
        ]
        if writes or commit.counts:
            self._table.write(writes, dict(commit.counts))

    def rejects(
        self, project: str, *, after: str | None = None, first: int | None = None
    ) -> list[tuple[str, Reject]]:
        found = self._table.query_gsi1(REJECT, f"rejects#{project}", after=after, limit=first)
        return [(key, stored.record) for key, stored in found]

    def counts(self, project: str) -> ReadingCounts:
        counts = self._table.counts(project)
        return ReadingCounts(
            accepted=counts.get("accepted", 0),
            redelivered=counts.get("redelivered", 0),
            anchored=counts.get("anchored", 0),
            rejected={
                name.removeprefix("rejected#"): number
                for name, number in counts.items()
                if name.startswith("rejected#") and number
            },
        )

    def _load(self, kind: Kind[Any], keys: list[tuple[str, str]]) -> list[Versioned[Any]]:
        if not keys:
            return []
        return [Versioned(s.record, s.revision) for s in self._table.get_many(kind, keys).values()]


def hour_key(project: str, hour_us: int) -> tuple[str, str]:
    """Where an hour stands in the table."""
    return f"hours#{project}", f"{hour_us:017d}"


def unanchored_key(project: str, hour_us: int, part: int | None = None) -> tuple[str, str]:
    """Where the mark of an hour, or of a part, that is not anchored stands."""
    return f"unanchored#{project}", f"{hour_us:017d}" if part is None else f"{hour_us:017d}#{part:06d}"


def unanchored_write(project: str, hour_us: int, part: int | None = None) -> Write:
    """The write of such a mark."""
    record = Unanchored(project=project, hour_us=hour_us, part=part)
    key = unanchored_key(project, hour_us, part)
    return Write(UNANCHORED, *key, record, gsi1pk=UNANCHORED_INDEX, gsi1sk=f"{project}#{key[1]}")


def hour_write(hour: Versioned[HourRecord] | Stored[HourRecord]) -> Write:
    """The write of an hour."""
    return Write(HOUR, *hour_key(hour.record.project, hour.record.hour_us), hour.record, hour.revision)


def _sequence_key(gateway: str, sequence: int) -> tuple[str, str]:
    return f"gateway#{gateway}", f"sequence#{sequence:016d}"


def _reject_write(reject: Versioned[Reject]) -> Write:
    record = reject.record
    return Write(
        REJECT,
        f"rejects#{record.project}",
        record.id,
        record,
        reject.revision,
        gsi1pk=f"rejects#{record.project}",
        gsi1sk=f"{record.received_us:017d}#{record.id}",
    )
