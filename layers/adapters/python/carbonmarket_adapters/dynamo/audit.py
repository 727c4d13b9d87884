"""Table audit, and the writes of other tables that must stand or fall with an entry of it.

Keys: pk ``<thing>``, sk ``<time>#<action>#<state>``. Entries are put, never changed or removed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from carbonmarket.records.audit import AuditEntry
from carbonmarket.settings import Settings
from carbonmarket_adapters.dynamo.table import Delete, DocumentTable, Kind, Write

ENTRY = Kind("audit-entry", AuditEntry)


class AuditedTable(DocumentTable):
    """A table whose every write is told of in the audit, in one transaction of both tables."""

    def __init__(self, settings: Settings, table: str) -> None:
        super().__init__(settings, table)
        self._audit = DocumentTable(settings, "audit")

    def save(self, writes: Sequence[Write | Delete], entry: AuditEntry) -> None:
        """Write all and the entry, or none; StaleWrite if a revision has moved on."""
        with self.transaction() as transaction:
            for write in writes:
                self.stage(transaction, write)
            self._audit.stage(transaction, _told(entry))


def _told(entry: AuditEntry) -> Write:
    return Write(ENTRY, entry.thing, f"{entry.at_us:017d}#{entry.action}#{entry.state}", entry)


def entries(settings: Settings, thing: str) -> Iterator[AuditEntry]:
    """What the audit tells of a thing, in order of time."""
    for _, stored in DocumentTable(settings, "audit").query(ENTRY, thing):
        yield stored.record
