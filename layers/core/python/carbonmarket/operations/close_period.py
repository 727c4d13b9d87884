"""A developer closes a monitoring period: the saga mint begins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from carbonmarket import ids
from carbonmarket.border import parse_days
from carbonmarket.errors import Conflict, IdempotencyMismatch, InvalidInput, NotFound
from carbonmarket.operations.find_project import (
    find_overseen_project,
    find_own_project,
    find_shown_project,
    require_approved,
)
from carbonmarket.ports.documents import ReportFiles
from carbonmarket.ports.registry import NEW, RegistryStore
from carbonmarket.ports.sagas import Sagas
from carbonmarket.records.audit import told
from carbonmarket.records.principal import Principal
from carbonmarket.records.registry import Period, Project


class ClosePeriod(msgspec.Struct, frozen=True, kw_only=True):
    """Whole UTC days: ``start`` is the first midnight, ``end`` the midnight after the last day."""

    start: str
    end: str


def decide_period(
    project: Project,
    request: ClosePeriod,
    *,
    id: str,
    caller: Principal,
    others: Iterable[Period],
    now_us: int,
) -> Period:
    """The new period; Conflict where it overlaps one that stands, InvalidInput where it is not over yet."""
    start_us, end_us = parse_days(request.start, request.end)
    if end_us > now_us:
        raise InvalidInput("the period is not over yet", field="end")
    for other in others:
        if other.state != "rejected" and start_us < other.end_us and other.start_us < end_us:
            raise Conflict(f"the period overlaps period {other.id}, which is {other.state}", field="start")
    return Period(
        id=id,
        project=project.id,
        organisation=project.organisation,
        start_us=start_us,
        end_us=end_us,
        state="closing",
        closed_by=caller.subject,
        created_us=now_us,
    )


def close_period(
    project: str,
    request: ClosePeriod,
    *,
    caller: Principal,
    key: str,
    registry: RegistryStore,
    sagas: Sagas,
    now_us: int,
) -> Period:
    """Close a period of an approved project and start its saga."""
    owner = find_own_project(project, caller=caller, registry=registry).record
    require_approved(owner)
    id = ids.derive("PER", project, caller.organisation, key)
    kept = registry.period(project, id)
    if kept is None:
        others = [period for _, period in registry.periods(project, None)]
        period = decide_period(owner, request, id=id, caller=caller, others=others, now_us=now_us)
        registry.save_period(period, NEW, told(caller, "close_period", id, "closing", now_us))
    else:
        period = kept.record
        if (period.start_us, period.end_us) != parse_days(request.start, request.end):
            raise IdempotencyMismatch("this Idempotency-Key closed another period")
    sagas.start("mint", id, {"project": project, "period": id})
    return period


def get_period(project: str, period: str, *, caller: Principal, registry: RegistryStore) -> Period:
    """One period; of one whose credits were issued everybody may see what they rest on."""
    kept = registry.period(project, period)
    is_issued = kept is not None and kept.record.state == "registered"
    find_shown_project(project, is_issued=is_issued, caller=caller, registry=registry)
    if kept is None:
        raise NotFound("the project has no period with this id", field="period")
    return kept.record


def list_periods(
    project: str, after: str | None, *, caller: Principal, registry: RegistryStore
) -> Iterator[tuple[str, Period]]:
    """A project's periods in the order of time."""
    find_overseen_project(project, caller=caller, registry=registry)
    return registry.periods(project, after)


def get_report(
    project: str, period: str, *, caller: Principal, registry: RegistryStore, reports: ReportFiles
) -> bytes:
    """The period's report in the bytes that its hash is of; NotFound until it is quantified."""
    found = get_period(project, period, caller=caller, registry=registry)
    content = reports.report(project, period, found.report_hash) if found.report_hash else None
    if content is None:
        raise NotFound(f"the period is {found.state} and has no report yet", field="period")
    return content
