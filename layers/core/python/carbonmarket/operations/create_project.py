"""A developer drafts a project."""

from __future__ import annotations

import msgspec

from carbonmarket import ids
from carbonmarket.authorise import require_role
from carbonmarket.border import parse_range
from carbonmarket.errors import IdempotencyMismatch, InvalidInput
from carbonmarket.ports.registry import NEW, RegistryStore
from carbonmarket.records.audit import told
from carbonmarket.records.principal import DEVELOPER, Principal
from carbonmarket.records.registry import Location, MethodologyRef, Project, StateChange
from carbonmarket.times import parse_us

_CAPACITY_W_MAX = 10**11


class CreateProject(msgspec.Struct, frozen=True, kw_only=True):
    """Decimal strings for quantities: degrees of WGS 84, watts; an ISO time for ``commissioned``."""

    name: str
    description: str
    country: str
    latitude: str
    longitude: str
    technology: str
    capacity_w: str
    commissioned: str
    methodology: str
    methodology_version: int


def decide_project(
    request: CreateProject,
    *,
    id: str,
    caller: Principal,
    methodologies: frozenset[tuple[str, int]],
    now_us: int,
) -> Project:
    """The draft; InvalidInput with the field of a value out of range or a methodology that is not ours."""
    methodology = (request.methodology, request.methodology_version)
    if methodology not in methodologies:
        known = ", ".join(f"{name} version {version}" for name, version in sorted(methodologies))
        raise InvalidInput(f"the methodology is not registered; there are: {known}", field="methodology")
    return Project(
        id=id,
        organisation=caller.organisation,
        name=request.name,
        description=request.description,
        country=request.country,
        location=Location(
            latitude_udeg=parse_range(request.latitude, "latitude", 6, -90_000_000, 90_000_000),
            longitude_udeg=parse_range(request.longitude, "longitude", 6, -180_000_000, 180_000_000),
        ),
        technology=request.technology,
        capacity_w=parse_range(request.capacity_w, "capacity_w", 0, 1, _CAPACITY_W_MAX),
        commissioned_us=parse_us(request.commissioned, "commissioned"),
        methodology=MethodologyRef(id=request.methodology, version=request.methodology_version),
        state="draft",
        history=(_first_state(caller, now_us),),
        created_us=now_us,
    )


def create_project(
    request: CreateProject,
    *,
    caller: Principal,
    key: str,
    registry: RegistryStore,
    methodologies: frozenset[tuple[str, int]],
    now_us: int,
) -> Project:
    """Draft a project of the caller's organisation. ``methodologies`` are the (id, version) on offer."""
    require_role(caller, DEVELOPER)
    id = ids.derive("PRJ", caller.organisation, key)
    drafted = decide_project(request, id=id, caller=caller, methodologies=methodologies, now_us=now_us)
    kept = registry.project(id)
    if kept is None:
        registry.save_project(drafted, NEW, told(caller, "create_project", id, "draft", now_us))
        return drafted
    then = msgspec.structs.replace(
        drafted,
        state=kept.record.state,
        history=kept.record.history,
        created_us=kept.record.created_us,
        document_hashes=kept.record.document_hashes,
    )
    if then != kept.record:
        raise IdempotencyMismatch("this Idempotency-Key drafted another project")
    return kept.record


def _first_state(caller: Principal, now_us: int) -> StateChange:
    return StateChange(state="draft", by=caller.subject, organisation=caller.organisation, at_us=now_us)
