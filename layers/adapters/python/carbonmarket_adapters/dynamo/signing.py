"""Table ``signing``: sequence leases, stored bytes and their fates, the sponsor's budget. Never disposable.

Each change of an account's leases and the bytes it concerns are one transaction, so that no number is
leased without bytes and no bytes exist without their number.
"""

from __future__ import annotations

from collections.abc import Iterator

from carbonmarket.records.chain import GasBudget, Leases, Submission
from carbonmarket.settings import Settings
from carbonmarket_adapters.dynamo.table import DocumentTable, Kind, Stored, Write, table_model

_LEASES = Kind("leases", Leases)
_SUBMISSION = Kind("submission", Submission)
_BUDGET = Kind("gas_budget", GasBudget)
_OPEN = "OPEN"


class SigningTable:
    """Reads and writes of table ``signing``."""

    def __init__(self, settings: Settings) -> None:
        self._table = DocumentTable(settings, "signing")
        self._model = table_model(settings, "signing")

    def leases(self, address: str) -> Stored[Leases]:
        """The account's leases, at revision 0 where it never had any."""
        found = self._table.get(_LEASES, f"ACCOUNT#{address}", "LEASES")
        return found or Stored(Leases(address=address, held={}), 0)

    def submission(self, key: str) -> Stored[Submission] | None:
        """What is stored under an outbox key."""
        return self._table.get(_SUBMISSION, f"KEY#{key}", "SUBMISSION")

    def budget(self, sponsor: str, day: str) -> Stored[GasBudget]:
        """What the sponsor has signed for on ``day`` (YYYY-MM-DD)."""
        found = self._table.get(_BUDGET, f"SPONSOR#{sponsor}", day)
        return found or Stored(GasBudget(sponsor=sponsor, day=day, gas_units=0), 0)

    def open_submissions(self) -> Iterator[Submission]:
        """Submissions whose fate isn't final, by account and sequence number; a moment late."""
        for _, stored in self._table.query_gsi1(_SUBMISSION, _OPEN):
            yield stored.record

    def save(
        self,
        leases: Stored[Leases],
        submission: Stored[Submission],
        budget: Stored[GasBudget] | None = None,
    ) -> None:
        """Write all, each where its revision still stands; StaleWrite otherwise."""
        writes = [
            Write(_LEASES, f"ACCOUNT#{leases.record.address}", "LEASES", leases.record, leases.revision),
            self._submission_write(submission),
        ]
        if budget is not None:
            record = budget.record
            writes.append(Write(_BUDGET, f"SPONSOR#{record.sponsor}", record.day, record, budget.revision))
        self._table.transact(writes)

    def _submission_write(self, stored: Stored[Submission]) -> Write:
        record = stored.record
        is_open = record.state == "open"
        return Write(
            _SUBMISSION,
            f"KEY#{record.key}",
            "SUBMISSION",
            record,
            stored.revision,
            gsi1pk=_OPEN if is_open else None,
            gsi1sk=f"{record.address}#{record.sequence:020}#{record.key}" if is_open else None,
        )

    def submissions(self) -> Iterator[Submission]:
        """Every submission, in no order: for the laws, not for serving."""
        for item in self._model.scan(self._model.kind == _SUBMISSION.name):
            yield _SUBMISSION.decode(item.body, int(item.item_version))
