"""Projects as a caller may see them: approved ones by everybody, the others by those who work on them."""

from __future__ import annotations

from collections.abc import Iterator

from carbonmarket.authorise import require_own, require_role
from carbonmarket.errors import Conflict, NotFound
from carbonmarket.methodologies import registry as methodologies
from carbonmarket.ports.registry import Kept, RegistryStore
from carbonmarket.records.principal import DEVELOPER, OPERATOR, REVIEWER, VALIDATOR, Principal
from carbonmarket.records.registry import Project

_OVERSEERS = frozenset({VALIDATOR, REVIEWER, OPERATOR})


def find_project(project: str, *, caller: Principal, registry: RegistryStore) -> Kept[Project]:
    """The project, or NotFound where there is none that the caller may see."""
    kept = registry.project(project)
    if kept is None or not _may_see(caller, kept.record):
        raise NotFound("there is no project with this id that you may see", field="project")
    return kept


def find_own_project(project: str, *, caller: Principal, registry: RegistryStore) -> Kept[Project]:
    """The project of the caller's own organisation, for a developer who is to change it."""
    require_role(caller, DEVELOPER)
    kept = find_project(project, caller=caller, registry=registry)
    require_own(caller, kept.record.organisation, "project")
    return kept


def find_overseen_project(project: str, *, caller: Principal, registry: RegistryStore) -> Kept[Project]:
    """The project for those who may see its inner records: its developer's people, and overseers."""
    kept = find_project(project, caller=caller, registry=registry)
    if kept.record.organisation != caller.organisation and not caller.roles & _OVERSEERS:
        raise NotFound("there is no project with this id whose records you may see", field="project")
    return kept


def find_shown_project(
    project: str, *, is_issued: bool, caller: Principal, registry: RegistryStore
) -> Kept[Project]:
    """The project whose records of a period are asked for: everybody may see what issued credits rest on."""
    find = find_project if is_issued else find_overseen_project
    return find(project, caller=caller, registry=registry)


def require_approved(project: Project) -> None:
    """Refuse (Conflict) what only an approved project may do."""
    if project.state != "approved":
        raise Conflict(f"the project is {project.state}; it must be approved first", field="project")


def measured_types(project: str, *, registry: RegistryStore) -> frozenset[str]:
    """The sensor types that the project's methodology measures."""
    kept = registry.project(project)
    if kept is None:
        raise NotFound(f"there is no project {project}")
    chosen = kept.record.methodology
    return methodologies.get(chosen.id, chosen.version).measures


def list_projects(
    after: str | None, *, caller: Principal, registry: RegistryStore
) -> Iterator[tuple[str, Project]]:
    """Those the caller may see, in the order of ids."""
    for cursor, project in registry.projects(after):
        if _may_see(caller, project):
            yield cursor, project


def _may_see(caller: Principal, project: Project) -> bool:
    mine = project.organisation == caller.organisation
    return mine or project.state == "approved" or bool(caller.roles & _OVERSEERS)
