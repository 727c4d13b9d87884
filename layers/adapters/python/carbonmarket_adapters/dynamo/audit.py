"""Table audit, and the writes of other tables that must stand or fall with an entry of it.

Keys: pk ``<thing>``, sk ``<time>#<action>#<state>``. Entries are put, never changed or removed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pynamodb.connection import Connection
from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from carbonmarket.errors import StaleWrite
from carbonmarket.records.audit import AuditEntry
from carbonmarket.settings import Settings
from carbonmarket_adapters.dynamo.table import DocumentTable, Kind, Write

ENTRY = Kind("audit-entry", AuditEntry)


class AuditedTable(DocumentTable):
    """A table whose every write is told of in the audit, in one transaction of both tables."""

    def __init__(self, settings: Settings, table: str) -> None:
        super().__init__(settings, table)
        self._audit = DocumentTable(settings, "audit")

    def save(self, writes: Sequence[Write], entry: AuditEntry) -> None:
        """Write all and the entry, or none; StaleWrite if a revision has moved on."""
        connection = Connection(
            region=self._settings.aws_region, host=self._settings.aws_endpoint_url or None
        )
        told = Write(ENTRY, entry.thing, f"{entry.at_us:017d}#{entry.action}#{entry.state}", entry)
        try:
            with TransactWrite(connection=connection) as transaction:
                for write in writes:
                    transaction.save(self._item(write), condition=self._unchanged(write))
                transaction.save(self._audit._item(told))
        except TransactWriteError as error:
            codes = {reason.code for reason in error.cancellation_reasons if reason}
            if codes & {"ConditionalCheckFailed", "TransactionConflict"}:
                raise StaleWrite(f"{entry.thing} was changed by another writer") from error
            raise

    def _unchanged(self, write: Write) -> Condition | None:
        if write.revision is None:
            return None
        if write.revision == 0:
            return self._model.pk.does_not_exist()
        return self._model.revision == write.revision


def entries(settings: Settings, thing: str) -> Iterator[AuditEntry]:
    """What the audit tells of a thing, in order of time."""
    for _, stored in DocumentTable(settings, "audit").query(ENTRY, thing):
        yield stored.record
