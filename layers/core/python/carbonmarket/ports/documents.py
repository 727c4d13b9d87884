"""Where the bytes of documents, reports and certificates are kept."""

from __future__ import annotations

from typing import Protocol

import msgspec


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """Where to PUT a document, with exactly these headers, until ``expires_us``."""

    url: str
    headers: dict[str, str]
    expires_us: int


class StoredObject(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of kept bytes; ``sha256`` in hex."""

    sha256: str
    size: int


class DocumentFiles(Protocol):
    """Documents of projects, uploaded by their owners."""

    def upload(self, project: str, document: str, *, media_type: str, sha256: str, now_us: int) -> Upload: ...

    def stored(self, project: str, document: str) -> StoredObject | None:
        """What was uploaded, its hash computed from the bytes themselves, or None."""
        ...


class ReportFiles(Protocol):
    """Reports of closed periods, by their hash."""

    def put_report(self, project: str, period: str, report_hash: str, content: bytes) -> None: ...

    def report(self, project: str, period: str, report_hash: str) -> bytes | None: ...


class CertificateFiles(Protocol):
    """Certificates: ``certificate.json``, ``certificate.pdf`` and ``evidence.zip`` of each retirement."""

    def put(self, retirement: str, name: str, content: bytes) -> None:
        """Keep a file for good; the same bytes again change nothing."""
        ...

    def get(self, retirement: str, name: str) -> bytes | None: ...

    def link(self, retirement: str, name: str) -> str:
        """A URL under which anybody can fetch the file for a few minutes."""
        ...
