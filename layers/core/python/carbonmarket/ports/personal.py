"""Personal data: sealed under a key of its own subject, so that erasing the key erases the data."""

from __future__ import annotations

from typing import Protocol

from carbonmarket.records.credits import Sealed


class SubjectKeys(Protocol):
    """One data key per subject; proofs hold commitments only and don't need it."""

    def seal(self, subject: str, data: bytes) -> Sealed: ...

    def open(self, sealed: Sealed) -> bytes | None:
        """The data, or None once the subject's key was erased."""
        ...

    def erase(self, subject: str) -> None:
        """Forget the subject's key, for good."""
        ...
