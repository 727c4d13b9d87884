"""Projects, their documents and monitoring periods, reviews of them, and the batches that come of them.

Times are integer microseconds since 1970 (UTC); periods take their start and leave their end. Grams are
integers. States change only as ``operations`` decide; each change is also an entry of the audit.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from carbonmarket.records.chain import Origin

ProjectState = Literal["draft", "submitted", "validated", "approved", "rejected"]
PeriodState = Literal["closing", "in_review", "minting", "registered", "rejected"]
Vote = Literal["approve", "refuse"]


class StateChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who brought a thing into ``state`` and when; ``by`` is a subject's id, never a name."""

    state: str
    by: str
    organisation: str
    at_us: int
    comment: str = ""


class Location(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A place on WGS 84 in millionths of a degree."""

    latitude_udeg: int
    longitude_udeg: int


class MethodologyRef(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One version of a methodology."""

    id: str
    version: int


class Project(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A project of a developer's organisation.

    ``country`` is ISO 3166-1 alpha-2; ``capacity_w`` the nameplate in watts; ``commissioned_us`` when it
    started. ``document_hashes`` are the SHA-256 (hex, sorted) of the documents that were kept when it was
    validated, and that its registration on chain commits to.
    """

    id: str
    organisation: str
    name: str
    description: str
    country: str
    location: Location
    technology: str
    capacity_w: int
    commissioned_us: int
    methodology: MethodologyRef
    state: ProjectState
    history: tuple[StateChange, ...]
    created_us: int
    document_hashes: tuple[str, ...] = ()


class Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A document of a project. ``sha256`` (hex) and ``size`` (bytes) are what was declared before the upload
    and found afterwards; ``kept`` says that the stored bytes were checked against them."""

    id: str
    project: str
    name: str
    kind: str
    media_type: str
    sha256: str
    size: int
    state: Literal["awaited", "kept"]
    created_us: int


class Period(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A monitoring period of a project and what has become of it.

    ``number`` is the contract's, known once it is closed on chain; ``grams`` and ``report_hash`` (hex) are
    the quantified report's; ``signers`` are the reviewers whose approvals the issuance carries, ``batch`` is
    the id of the batch and ``uri`` the address that the issuance gives it, all three settled once; ``reason``
    says why the period was rejected.
    """

    id: str
    project: str
    organisation: str
    start_us: int
    end_us: int
    state: PeriodState
    closed_by: str
    created_us: int
    number: int | None = None
    grams: int | None = None
    report_hash: str = ""
    signers: tuple[str, ...] = ()
    batch: str = ""
    uri: str = ""
    reason: str = ""


class Review(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One drawn reviewer's task: to vote on a report. ``reviewer`` is the chain address that signs.

    ``signature`` is Ed25519 over the bytes of ``carbonmarket.issuance.approval_bytes``, 128 hex digits; a
    refusal carries none.
    """

    id: str
    project: str
    period: str
    reviewer: str
    organisation: str
    report_hash: str
    grams: int
    asked_us: int
    vote: Vote | None = None
    signature: str = ""
    comment: str = ""
    voted_us: int | None = None


class Batch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A batch as it was issued; what has become of its grams since is the chain's to say.

    ``address`` is the token object that is also the fungible asset; ``transaction`` and ``version`` are of
    the issuance. Serials run from the first to the last, both included, one a gram. ``origin`` is set where
    another registry issued it: what this market knows of its own issuances is empty then.
    """

    id: str
    project: str
    organisation: str
    period: str
    address: str
    grams: int
    buffered: int
    serial_first: int
    serial_last: int
    country: str
    methodology: MethodologyRef
    report_hash: str
    start_us: int
    end_us: int
    transaction: str
    version: int
    issued_us: int
    origin: Origin | None = None
