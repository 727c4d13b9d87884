"""Table ``signing``: stored bytes, their sequence numbers and fates, the sponsor's budget. Never disposable.

Bytes and the number they use are written in one transaction, which fails where the number or the key was
used before: no number is taken without bytes, and no bytes exist without their number. Numbers of dead bytes
are freed with the record of the death; those of committed ones stay taken until they can confuse nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from carbonmarket.records.audit import AuditEntry
from carbonmarket.records.chain import GasBudget, Held, Submission
from carbonmarket.settings import Settings
from carbonmarket_adapters.dynamo.audit import AuditedTable
from carbonmarket_adapters.dynamo.table import Delete, Kind, Stored, Write, table_model

_NUMBER = Kind("number", Held)
_SUBMISSION = Kind("submission", Submission)
_BUDGET = Kind("gas_budget", GasBudget)
_OPEN = "OPEN"
_KEPT_S = 86_400
"""A number is kept as taken for so long after its bytes have expired."""
_BUDGET_KEPT_S = 7 * 86_400


class SigningTable:
    """Reads and writes of table ``signing``."""

    def __init__(self, settings: Settings) -> None:
        self._table = AuditedTable(settings, "signing")
        self._model = table_model(settings, "signing")

    def held(self, address: str, account_sequence: int) -> dict[int, Held]:
        """The numbers of the account that are taken, from the one that it uses next on."""
        before = _number_key(account_sequence - 1) if account_sequence else None
        rows = self._table.query(_NUMBER, f"ACCOUNT#{address}", prefix="N#", after=before, consistent=True)
        return {int(sk.removeprefix("N#")): stored.record for sk, stored in rows}

    def submission(self, key: str) -> Stored[Submission] | None:
        """What is stored under an outbox key."""
        return self._table.get(_SUBMISSION, f"KEY#{key}", "SUBMISSION")

    def budget(self, sponsor: str, day: str, account: str = "") -> Stored[GasBudget]:
        """What the sponsor has signed for on ``day`` (YYYY-MM-DD), for one account or for all."""
        found = self._table.get(_BUDGET, _budget_key(sponsor, account), day)
        return found or Stored(GasBudget(sponsor=sponsor, day=day, gas_units=0, account=account), 0)

    def open_submissions(self, after: str | None, first: int) -> Iterator[tuple[str, Stored[Submission]]]:
        """(cursor, submission) of those whose fate isn't final, by account and sequence number; a moment
        late."""
        return self._table.query_gsi1(_SUBMISSION, _OPEN, after=after, limit=first)

    def save(self, submission: Submission, revision: int, entry: AuditEntry | None) -> None:
        """Keep new bytes under their key and take their number; StaleWrite if either was used before.

        ``revision`` is that of the dead bytes which these replace, 0 where there are none. An ``entry`` of
        the audit stands or falls with them.
        """
        number = Write(
            _NUMBER,
            f"ACCOUNT#{submission.address}",
            _number_key(submission.sequence),
            Held(key=submission.key, expiration_s=submission.expiration_s),
            0,
            expires_at=submission.expiration_s + _KEPT_S,
        )
        writes = [self._submission_write(Stored(submission, revision)), number]
        if entry is None:
            self._table.transact(writes)
        else:
            self._table.save(writes, entry)

    def save_foreign(self, submission: Submission) -> None:
        """Keep bytes of a wallet, whose numbers are its own affair; StaleWrite if the key was used."""
        self._table.put(self._submission_write(Stored(submission, 0)))

    def save_committed(self, submissions: Sequence[Stored[Submission]]) -> None:
        """Keep the final state of at most 100; StaleWrite, and none is kept, if one has moved on."""
        self._table.transact([self._submission_write(stored) for stored in submissions])

    def save_dead(self, submission: Stored[Submission]) -> None:
        """Keep that the bytes died, and free their number; StaleWrite if the record has moved on."""
        write: list[Write | Delete] = [self._submission_write(submission)]
        record = submission.record
        if record.sender:
            write.append(Delete(f"ACCOUNT#{record.address}", _number_key(record.sequence)))
        self._table.transact(write)

    def save_budget(self, budget: Stored[GasBudget]) -> None:
        """Keep what the sponsor has signed for; StaleWrite if the record has moved on."""
        record = budget.record
        place = _budget_key(record.sponsor, record.account)
        # There are as many of accounts as accounts that send something on a day.
        ends = _midnight_s(record.day) + _BUDGET_KEPT_S if record.account else None
        self._table.put(Write(_BUDGET, place, record.day, record, budget.revision, expires_at=ends))

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


def _budget_key(sponsor: str, account: str) -> str:
    return f"SPONSOR#{sponsor}#{account}" if account else f"SPONSOR#{sponsor}"


def _midnight_s(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())


def _number_key(number: int) -> str:
    return f"N#{number:020}"
