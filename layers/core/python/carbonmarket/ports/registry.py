"""What is kept of projects, periods, reviews, batches, transfers and retirements.

Every write carries the entry of the audit that tells of it, and both stand or fall together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Generic, Protocol, TypeVar

import msgspec

from carbonmarket.records.audit import AuditEntry
from carbonmarket.records.credits import Retirement, Transfer
from carbonmarket.records.registry import Batch, Document, Period, Project, Review

R_co = TypeVar("R_co", covariant=True)


class Kept(msgspec.Struct, Generic[R_co], frozen=True):
    """A record with the revision it was read at; it is saved only if that is still the newest."""

    record: R_co
    revision: int


NEW = 0
"""The revision of a record that must not exist yet."""


class RegistryStore(Protocol):
    """Lists are (cursor, record) in the order of their cursors, after ``after``.

    Every ``save_*`` raises StaleWrite, and writes nothing, if the record is no longer at ``revision``.
    """

    def project(self, project: str) -> Kept[Project] | None: ...

    def projects(self, after: str | None) -> Iterator[tuple[str, Project]]: ...

    def save_project(self, project: Project, revision: int, entry: AuditEntry) -> None: ...

    def document(self, project: str, document: str) -> Kept[Document] | None: ...

    def documents(self, project: str, after: str | None) -> Iterator[tuple[str, Document]]: ...

    def save_document(self, document: Document, revision: int, entry: AuditEntry) -> None: ...

    def period(self, project: str, period: str) -> Kept[Period] | None: ...

    def periods(self, project: str, after: str | None) -> Iterator[tuple[str, Period]]: ...

    def save_period(
        self, period: Period, revision: int, entry: AuditEntry, reviews: Sequence[Review] = ()
    ) -> None:
        """``reviews`` are new tasks that come with the period's new state; one already there is kept."""
        ...

    def review(self, project: str, period: str, reviewer: str) -> Kept[Review] | None: ...

    def reviews(self, project: str, period: str) -> list[Review]: ...

    def reviews_of(self, organisation: str, after: str | None) -> Iterator[tuple[str, Review]]: ...

    def save_review(self, review: Review, revision: int, entry: AuditEntry) -> None: ...

    def batch(self, batch: str) -> Kept[Batch] | None: ...

    def batches_named(self, batches: Iterable[str]) -> dict[str, Batch]:
        """The batches that have the ids, by id, read together."""
        ...

    def batches(self, after: str | None) -> Iterator[tuple[str, Batch]]: ...

    def save_batch(self, batch: Batch, period: Kept[Period], entry: AuditEntry) -> None:
        """Keep the new batch together with its period's new state (``period.revision`` as read)."""
        ...

    def transfer(self, sender: str, transfer: str) -> Kept[Transfer] | None: ...

    def transfers(self, organisation: str, after: str | None) -> Iterator[tuple[str, Transfer]]:
        """Those it gave."""
        ...

    def transfers_to(self, organisation: str, after: str | None) -> Iterator[tuple[str, Transfer]]:
        """Those it was given."""
        ...

    def save_transfer(self, transfer: Transfer, revision: int, entry: AuditEntry) -> None: ...

    def retirement(self, retirement: str) -> Kept[Retirement] | None: ...

    def retirements(self, organisation: str, after: str | None) -> Iterator[tuple[str, Retirement]]: ...

    def save_retirement(self, retirement: Retirement, revision: int, entry: AuditEntry) -> None: ...
