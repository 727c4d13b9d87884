"""Table registry: projects, documents, periods, reviews, batches, transfers and retirements.

Keys (pk / sk, listed by gsi1):
``project#<id>`` / ``project`` (``projects``) · / ``document#<id>`` · / ``period#<id>``
(``periods#<project>``, by start) · / ``review#<period>#<reviewer>`` (``reviews#<organisation>``, by time) ·
``batch#<id>`` / ``batch`` (``batches``, by time) · ``organisation#<sender>`` / ``transfer#<id>``
(``received#<receiver>``) · ``retirement#<id>`` / ``retirement`` (``retirements#<organisation>``, by time).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

import msgspec

from carbonmarket.ports.registry import Kept
from carbonmarket.records.audit import AuditEntry
from carbonmarket.records.credits import Retirement, Transfer
from carbonmarket.records.registry import Batch, Document, Period, Project, Review
from carbonmarket.settings import Settings
from carbonmarket_adapters.dynamo.audit import AuditedTable
from carbonmarket_adapters.dynamo.table import Kind, Stored, Write


def _with_certificate_url(retirement: dict[str, Any]) -> dict[str, Any]:
    """Version 1 of a retirement kept no address of its certificate."""
    return retirement | {"certificate_url": ""}


PROJECT = Kind("project", Project)
DOCUMENT = Kind("document", Document)
PERIOD = Kind("period", Period)
REVIEW = Kind("review", Review)
BATCH = Kind("batch", Batch)
TRANSFER = Kind("transfer", Transfer)
RETIREMENT = Kind("retirement", Retirement, version=2, upcasters={1: _with_certificate_url})

R = TypeVar("R", bound=msgspec.Struct)


class DynamoRegistry:
    """The :class:`carbonmarket.ports.registry.RegistryStore` over DynamoDB."""

    def __init__(self, settings: Settings) -> None:
        self._table = AuditedTable(settings, "registry")

    def project(self, project: str) -> Kept[Project] | None:
        return _kept(self._table.get(PROJECT, f"project#{project}", "project"))

    def projects(self, after: str | None) -> Iterator[tuple[str, Project]]:
        return self._index(PROJECT, "projects", after)

    def save_project(self, project: Project, revision: int, entry: AuditEntry) -> None:
        write = Write(PROJECT, f"project#{project.id}", "project", project, revision, "projects", project.id)
        self._table.save([write], entry)

    def document(self, project: str, document: str) -> Kept[Document] | None:
        return _kept(self._table.get(DOCUMENT, f"project#{project}", f"document#{document}"))

    def documents(self, project: str, after: str | None) -> Iterator[tuple[str, Document]]:
        return self._partition(DOCUMENT, f"project#{project}", "document#", after)

    def save_document(self, document: Document, revision: int, entry: AuditEntry) -> None:
        key = (f"project#{document.project}", f"document#{document.id}")
        self._table.save([Write(DOCUMENT, *key, document, revision)], entry)

    def period(self, project: str, period: str) -> Kept[Period] | None:
        return _kept(self._table.get(PERIOD, f"project#{project}", f"period#{period}"))

    def periods(self, project: str, after: str | None) -> Iterator[tuple[str, Period]]:
        return self._index(PERIOD, f"periods#{project}", after)

    def save_period(
        self, period: Period, revision: int, entry: AuditEntry, reviews: Sequence[Review] = ()
    ) -> None:
        kept = {review.reviewer for review in self.reviews(period.project, period.id)} if reviews else set()
        asked = [_review_write(review, 0) for review in reviews if review.reviewer not in kept]
        self._table.save([_period_write(period, revision), *asked], entry)

    def review(self, project: str, period: str, reviewer: str) -> Kept[Review] | None:
        return _kept(self._table.get(REVIEW, f"project#{project}", f"review#{period}#{reviewer}"))

    def reviews(self, project: str, period: str) -> list[Review]:
        found = self._table.query(REVIEW, f"project#{project}", prefix=f"review#{period}#")
        return [stored.record for _, stored in found]

    def reviews_of(self, organisation: str, after: str | None) -> Iterator[tuple[str, Review]]:
        return self._index(REVIEW, f"reviews#{organisation}", after)

    def save_review(self, review: Review, revision: int, entry: AuditEntry) -> None:
        self._table.save([_review_write(review, revision)], entry)

    def batch(self, batch: str) -> Kept[Batch] | None:
        return _kept(self._table.get(BATCH, f"batch#{batch}", "batch"))

    def batches_named(self, batches: Iterable[str]) -> dict[str, Batch]:
        found = self._table.get_many(BATCH, {(f"batch#{batch}", "batch") for batch in batches})
        return {stored.record.id: stored.record for stored in found.values()}

    def batches(self, after: str | None) -> Iterator[tuple[str, Batch]]:
        return self._index(BATCH, "batches", after)

    def save_batch(self, batch: Batch, period: Kept[Period], entry: AuditEntry) -> None:
        place = f"{batch.issued_us:017d}#{batch.id}"
        write = Write(BATCH, f"batch#{batch.id}", "batch", batch, 0, "batches", place)
        self._table.save([write, _period_write(period.record, period.revision)], entry)

    def transfer(self, sender: str, transfer: str) -> Kept[Transfer] | None:
        return _kept(self._table.get(TRANSFER, f"organisation#{sender}", f"transfer#{transfer}"))

    def transfers(self, organisation: str, after: str | None) -> Iterator[tuple[str, Transfer]]:
        return self._partition(TRANSFER, f"organisation#{organisation}", "transfer#", after)

    def transfers_to(self, organisation: str, after: str | None) -> Iterator[tuple[str, Transfer]]:
        return self._index(TRANSFER, f"received#{organisation}", after)

    def save_transfer(self, transfer: Transfer, revision: int, entry: AuditEntry) -> None:
        key = (f"organisation#{transfer.sender}", f"transfer#{transfer.id}")
        place = (f"received#{transfer.receiver}", f"{transfer.created_us:017d}#{transfer.id}")
        self._table.save([Write(TRANSFER, *key, transfer, revision, *place)], entry)

    def retirement(self, retirement: str) -> Kept[Retirement] | None:
        return _kept(self._table.get(RETIREMENT, f"retirement#{retirement}", "retirement"))

    def retirements(self, organisation: str, after: str | None) -> Iterator[tuple[str, Retirement]]:
        return self._index(RETIREMENT, f"retirements#{organisation}", after)

    def save_retirement(self, retirement: Retirement, revision: int, entry: AuditEntry) -> None:
        key = (f"retirement#{retirement.id}", "retirement")
        place = (
            f"retirements#{retirement.organisation}",
            f"{retirement.created_us:017d}#{retirement.id}",
        )
        self._table.save([Write(RETIREMENT, *key, retirement, revision, *place)], entry)

    def _index(self, kind: Kind[R], partition: str, after: str | None) -> Iterator[tuple[str, R]]:
        for key, stored in self._table.query_gsi1(kind, partition, after=after):
            yield key, stored.record

    def _partition(
        self, kind: Kind[R], partition: str, prefix: str, after: str | None
    ) -> Iterator[tuple[str, R]]:
        # A cursor of another list must not lead out of this one.
        start = after if after is not None and after.startswith(prefix) else None
        for key, stored in self._table.query(kind, partition, prefix=prefix, after=start):
            if key.startswith(prefix):
                yield key, stored.record


def _period_write(period: Period, revision: int) -> Write:
    key = (f"project#{period.project}", f"period#{period.id}")
    place = (f"periods#{period.project}", f"{period.start_us:017d}#{period.id}")
    return Write(PERIOD, *key, period, revision, *place)


def _review_write(review: Review, revision: int) -> Write:
    key = (f"project#{review.project}", f"review#{review.period}#{review.reviewer}")
    place = (f"reviews#{review.organisation}", f"{review.asked_us:017d}#{review.period}")
    return Write(REVIEW, *key, review, revision, *place)


def _kept(stored: Stored[R] | None) -> Kept[R] | None:
    return None if stored is None else Kept(stored.record, stored.revision)
