"""The rejects of a project, in the order they came, and what became of its readings."""

from __future__ import annotations

from carbonmarket.authorise import require_role
from carbonmarket.operations.find_project import find_overseen_project
from carbonmarket.ports.devices import IngestStore
from carbonmarket.ports.registry import RegistryStore
from carbonmarket.records.devices import ReadingCounts, Reject
from carbonmarket.records.principal import OPERATOR, Principal

NO_PROJECT = "unassigned"
"""Stands in URLs for messages that came on the topic of no known gateway; operators see them."""


def list_rejects(
    project: str,
    *,
    after: str | None,
    first: int,
    caller: Principal,
    registry: RegistryStore,
    store: IngestStore,
) -> list[tuple[str, Reject]]:
    """(cursor, reject); one more than ``first``, so that the caller knows whether there are more."""
    kept_under = require_rejects_of(project, caller=caller, registry=registry)
    return store.rejects(kept_under, after=after, first=first + 1)


def count_readings(
    project: str, *, caller: Principal, registry: RegistryStore, store: IngestStore
) -> ReadingCounts:
    """How many readings were received, accepted, redelivered, rejected by reason and anchored."""
    return store.counts(require_rejects_of(project, caller=caller, registry=registry))


def require_rejects_of(project: str, *, caller: Principal, registry: RegistryStore) -> str:
    """The name under which a project's rejects are kept, if the caller may see them."""
    if project == NO_PROJECT:
        require_role(caller, OPERATOR)
        return ""
    find_overseen_project(project, caller=caller, registry=registry)
    return project
