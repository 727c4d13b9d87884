"""Documents of a project: declared, uploaded by the developer straight to the store, checked, kept."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from carbonmarket import ids
from carbonmarket.border import parse_range
from carbonmarket.errors import Conflict, IdempotencyMismatch, InvalidInput, NotFound
from carbonmarket.operations.find_project import find_overseen_project, find_own_project
from carbonmarket.ports.documents import DocumentFiles, StoredObject, Upload
from carbonmarket.ports.registry import NEW, RegistryStore
from carbonmarket.records.audit import told
from carbonmarket.records.principal import Principal
from carbonmarket.records.registry import Document

SIZE_MAX = 50_000_000


class CreateDocument(msgspec.Struct, frozen=True, kw_only=True):
    """``sha256`` is the hash of the bytes to come, 64 hex digits; ``size`` their number as a string."""

    name: str
    kind: str
    media_type: str
    sha256: str
    size: str


def create_document(
    project: str,
    request: CreateDocument,
    *,
    caller: Principal,
    key: str,
    registry: RegistryStore,
    files: DocumentFiles,
    now_us: int,
) -> tuple[Document, Upload]:
    """Declare a document and answer where to PUT its bytes."""
    owner = find_own_project(project, caller=caller, registry=registry).record
    if owner.state == "rejected":
        raise Conflict("the project was rejected; it takes no more documents", field="project")
    id = ids.derive("DOC", project, caller.organisation, key)
    declared = Document(
        id=id,
        project=project,
        name=request.name,
        kind=request.kind,
        media_type=request.media_type,
        sha256=request.sha256,
        size=parse_range(request.size, "size", 0, 1, SIZE_MAX),
        state="awaited",
        created_us=now_us,
    )
    kept = registry.document(project, id)
    if kept is None:
        registry.save_document(declared, NEW, told(caller, "create_document", id, "awaited", now_us))
    elif msgspec.structs.replace(declared, state=kept.record.state, created_us=kept.record.created_us) != (
        kept.record
    ):
        raise IdempotencyMismatch("this Idempotency-Key declared another document")
    upload = files.upload(project, id, media_type=declared.media_type, sha256=declared.sha256, now_us=now_us)
    return (declared if kept is None else kept.record), upload


def decide_completion(document: Document, stored: StoredObject | None) -> Document:
    """The kept document; Conflict where nothing was uploaded, InvalidInput where it is something else."""
    if stored is None:
        raise Conflict("nothing was uploaded for this document yet; PUT it to the URL you were given")
    if stored.sha256 != document.sha256:
        raise InvalidInput(
            f"the uploaded bytes have the SHA-256 {stored.sha256}, declared was {document.sha256}",
            field="sha256",
        )
    if stored.size != document.size:
        raise InvalidInput(f"{stored.size} bytes were uploaded, declared were {document.size}", field="size")
    return msgspec.structs.replace(document, state="kept")


def complete_document(
    project: str,
    document: str,
    *,
    caller: Principal,
    registry: RegistryStore,
    files: DocumentFiles,
    now_us: int,
) -> Document:
    """Check the uploaded bytes against what was declared, and keep the document."""
    find_own_project(project, caller=caller, registry=registry)
    kept = registry.document(project, document)
    if kept is None:
        raise NotFound("the project has no document with this id", field="document")
    if kept.record.state == "kept":
        return kept.record
    completed = decide_completion(kept.record, files.stored(project, document))
    registry.save_document(
        completed, kept.revision, told(caller, "complete_document", document, "kept", now_us)
    )
    return completed


def list_documents(
    project: str, after: str | None, *, caller: Principal, registry: RegistryStore
) -> Iterator[tuple[str, Document]]:
    """A project's documents."""
    find_overseen_project(project, caller=caller, registry=registry)
    return registry.documents(project, after)
