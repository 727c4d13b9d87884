"""The accepted readings of a project, for those who may see its records, and its anchors."""

from __future__ import annotations

from carbonmarket.errors import InvalidInput
from carbonmarket.operations.find_project import find_overseen_project, find_shown_project
from carbonmarket.ports.devices import AnchorStore
from carbonmarket.ports.readings import Point, ReadingsStore
from carbonmarket.ports.registry import RegistryStore
from carbonmarket.records.devices import AnchorPart
from carbonmarket.records.principal import Principal


def list_readings(
    project: str,
    *,
    device: str | None,
    from_us: int,
    to_us: int,
    after: str | None,
    first: int,
    caller: Principal,
    registry: RegistryStore,
    readings: ReadingsStore,
) -> list[tuple[str, Point]]:
    """(cursor, reading) with from_us <= start < to_us in the order of start and device; one more than
    ``first``, so that the caller knows whether there are more."""
    find_overseen_project(project, caller=caller, registry=registry)
    _check_range(from_us, to_us)
    found = readings.range(
        project,
        device=device,
        from_us=from_us,
        to_us=to_us,
        after=None if after is None else _place(after),
        limit=first + 1,
    )
    return [(f"{point.start_us}:{point.device}", point) for point in found]


def list_anchors(
    project: str,
    *,
    from_us: int,
    to_us: int,
    after: str | None,
    first: int,
    caller: Principal,
    registry: RegistryStore,
    anchors: AnchorStore,
) -> list[tuple[str, AnchorPart]]:
    """(cursor, part) of the hours from_us <= hour < to_us; one more than ``first``. Everybody may see those
    of a period whose credits were issued."""
    is_issued = _is_issued(project, from_us, to_us, registry)
    find_shown_project(project, is_issued=is_issued, caller=caller, registry=registry)
    _check_range(from_us, to_us)
    return anchors.parts(project, from_us=from_us, to_us=to_us, after=after, first=first + 1)


def _is_issued(project: str, from_us: int, to_us: int, registry: RegistryStore) -> bool:
    """Whether the hours are of one period whose credits were issued."""
    issued = (period for _, period in registry.periods(project, None) if period.state == "registered")
    return any(period.start_us <= from_us and to_us <= period.end_us for period in issued)


def _check_range(from_us: int, to_us: int) -> None:
    if from_us >= to_us:
        raise InvalidInput("from must be before to", field="from")


def _place(cursor: str) -> tuple[int, str]:
    start, _, device = cursor.partition(":")
    if not (start.isascii() and start.isdecimal() and device):
        raise InvalidInput("after must be a cursor that this list gave", field="after")
    return int(start), device
