"""A project's way: draft → submitted → validated → approved, or rejected.

The developer submits, a validator of another organisation validates, an operator approves; whoever could take
the next step may also reject. Approval registers the project on chain before it counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from carbonmarket import canonical
from carbonmarket.authorise import require_own, require_role
from carbonmarket.chain import calls
from carbonmarket.chain.aborts import refused
from carbonmarket.errors import Conflict, NotAllowed
from carbonmarket.operations.find_project import find_project
from carbonmarket.ports.accounts import AccountsStore
from carbonmarket.ports.chain import ChainAccess
from carbonmarket.ports.registry import Kept, RegistryStore
from carbonmarket.records.accounts import Organisation
from carbonmarket.records.audit import told
from carbonmarket.records.principal import DEVELOPER, OPERATOR, VALIDATOR, Principal
from carbonmarket.records.registry import Document, Project, ProjectState, StateChange

FATE_WAIT_S = 10


class Comment(msgspec.Struct, frozen=True, kw_only=True):
    """What the one who decides wants to be read."""

    comment: str = ""


class _Step(NamedTuple):
    origin: tuple[ProjectState, ...]
    target: ProjectState
    roles: tuple[str, ...]


_STEPS = {
    "submit_project": _Step(("draft",), "submitted", (DEVELOPER,)),
    "validate_project": _Step(("submitted",), "validated", (VALIDATOR,)),
    "approve_project": _Step(("validated",), "approved", (OPERATOR,)),
    "reject_project": _Step(("submitted", "validated"), "rejected", (VALIDATOR, OPERATOR)),
}


def decide_advance(project: Project, action: str, *, caller: Principal, comment: str, now_us: int) -> Project:
    """The project after ``action``; NotAllowed or Conflict says why not. Repeated, it changes nothing."""
    step = _STEPS[action]
    require_role(caller, *step.roles)
    if action == "submit_project":
        require_own(caller, project.organisation, "project")
    elif caller.organisation == project.organisation:
        raise NotAllowed("nobody of the developer's own organisation decides about its project")
    if project.state == step.target and project.history[-1].by == caller.subject:
        return project
    if project.state not in step.origin:
        raise Conflict(
            f"the project is {project.state}; to be {step.target} it must be {' or '.join(step.origin)}"
        )
    change = StateChange(
        state=step.target,
        by=caller.subject,
        organisation=caller.organisation,
        at_us=now_us,
        comment=comment,
    )
    return msgspec.structs.replace(project, state=step.target, history=(*project.history, change))


def decide_validation(
    project: Project, hashes: tuple[str, ...], *, caller: Principal, comment: str, now_us: int
) -> Project:
    """The validated project. ``hashes`` are of its documents, settled here: one that comes later must not
    change the registration between two tries."""
    moved = decide_advance(project, "validate_project", caller=caller, comment=comment, now_us=now_us)
    return moved if moved is project else msgspec.structs.replace(moved, document_hashes=hashes)


def kept_hashes(documents: Iterable[Document]) -> tuple[str, ...]:
    """The SHA-256 (hex, sorted) of those whose bytes were checked."""
    return tuple(sorted({document.sha256 for document in documents if document.state == "kept"}))


def submit_project(
    project: str, request: Comment, *, caller: Principal, registry: RegistryStore, now_us: int
) -> Project:
    """The developer hands the draft in; at least one of its documents must be kept."""
    kept = find_project(project, caller=caller, registry=registry)
    if not kept_hashes(document for _, document in registry.documents(project, None)):
        raise Conflict("upload and complete at least one document before you submit the project")
    return _advance(kept, "submit_project", request, caller, registry, now_us)


def validate_project(
    project: str, request: Comment, *, caller: Principal, registry: RegistryStore, now_us: int
) -> Project:
    """A validator confirms the design, with the documents that are kept at this moment."""
    kept = find_project(project, caller=caller, registry=registry)
    hashes = kept_hashes(document for _, document in registry.documents(project, None))
    moved = decide_validation(kept.record, hashes, caller=caller, comment=request.comment, now_us=now_us)
    return _save(kept, moved, "validate_project", caller, registry, now_us)


def reject_project(
    project: str, request: Comment, *, caller: Principal, registry: RegistryStore, now_us: int
) -> Project:
    """A validator or an operator turns it down."""
    kept = find_project(project, caller=caller, registry=registry)
    return _advance(kept, "reject_project", request, caller, registry, now_us)


def approve_project(
    project: str,
    request: Comment,
    *,
    caller: Principal,
    registry: RegistryStore,
    accounts: AccountsStore,
    chain: ChainAccess,
    issuer: str,
    now_us: int,
) -> Project:
    """An operator approves: the project stands on chain before it counts as approved.

    NotYetFinal where the chain has not answered in time; the same request again goes on from there.
    """
    kept = find_project(project, caller=caller, registry=registry)
    decide_advance(kept.record, "approve_project", caller=caller, comment=request.comment, now_us=now_us)
    developer = accounts.organisation(kept.record.organisation)
    if developer is None:
        raise Conflict("the developer's organisation has not been admitted")
    key = f"register-project/{project}"
    chain.submit(key, issuer, registration(kept.record, developer))
    fate = chain.await_fate(key, FATE_WAIT_S)
    if not fate.success:
        raise refused(fate)
    return _advance(kept, "approve_project", request, caller, registry, now_us)


def registration(project: Project, developer: Organisation) -> calls.EntryCall:
    """The call that registers the project on chain.

    ``metadata_hash`` commits to what is public of it and to its documents. A project validated before their
    hashes were settled commits to none.
    """
    facts: dict[str, object] = {
        "id": project.id,
        "name": project.name,
        "country": project.country,
        "latitude_udeg": project.location.latitude_udeg,
        "longitude_udeg": project.location.longitude_udeg,
        "technology": project.technology,
        "capacity_w": project.capacity_w,
        "commissioned_us": project.commissioned_us,
    }
    if project.document_hashes:
        facts["documents"] = list(project.document_hashes)
    return calls.register_project(
        project=project.id,
        developer=developer.account_address,
        organisation=bytes.fromhex(developer.commitment),
        country=project.country,
        methodology=project.methodology.id,
        methodology_version=project.methodology.version,
        metadata_hash=canonical.digest(facts),
    )


def _advance(
    kept: Kept[Project],
    action: str,
    request: Comment,
    caller: Principal,
    registry: RegistryStore,
    now_us: int,
) -> Project:
    moved = decide_advance(kept.record, action, caller=caller, comment=request.comment, now_us=now_us)
    return _save(kept, moved, action, caller, registry, now_us)


def _save(
    kept: Kept[Project],
    moved: Project,
    action: str,
    caller: Principal,
    registry: RegistryStore,
    now_us: int,
) -> Project:
    if moved is not kept.record:
        registry.save_project(moved, kept.revision, told(caller, action, moved.id, moved.state, now_us))
    return moved
