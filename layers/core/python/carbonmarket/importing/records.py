"""What a registry's file says: issuances that can be imported, and rows that can't."""

from __future__ import annotations

import msgspec

NOT_MEASURED_HERE = "not measured here"
"""What is said of every imported credit: no reading of ours stands behind it."""


class Issuance(msgspec.Struct, frozen=True, kw_only=True):
    """One row: credits that a registry issued, in grams.

    ``row`` counts the file's rows from 1, the header left out. ``serial`` is the registry's own name of the
    issuance, by which it is imported once. ``grams`` = ``grams_project`` + ``grams_buffer``: what the project
    may sell, and what the registry's buffer pool holds, which is never for sale. ``issued_us`` is the day's
    first microsecond.
    """

    row: int
    registry: str
    serial: str
    project: str
    project_name: str
    developer: str
    project_type: str
    protocol: str
    vintage: int
    issued_us: int
    grams: int
    grams_project: int
    grams_buffer: int
    country: str
    location: str
    certifications: tuple[str, ...]
    verifier: str
    website: str
    arb_eligible: bool
    corsia_qualified: bool


class RejectedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row that can't be imported: which field, why, and the row itself, by column."""

    row: int
    field: str
    reason: str
    values: dict[str, str]


class RegistryFile(msgspec.Struct, frozen=True, kw_only=True):
    """All rows of a file, in its order: each is in one of the two."""

    issuances: tuple[Issuance, ...]
    rejects: tuple[RejectedRow, ...]
