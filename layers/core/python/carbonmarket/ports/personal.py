"""Personal data: sealed under a key of its own subject, so that erasing the key erases the data."""

from __future__ import annotations

from typing import Protocol

from carbonmarket.records.credits import Sealed


class SubjectKeys(Protocol):
    """One data key per subject; proofs hold commitments only and don't need it."""

    def seal(self, subject: str, data: bytes, until_us: int | None = None) -> Sealed:
        """Seal. Where ``until_us`` is given, the key erases itself some time after, unless it is kept."""
        ...

    def keep(self, subject: str) -> None:
        """Let the subject's key stay until it is erased; none there is no error."""
        ...

    def open(self, sealed: Sealed) -> bytes | None:
        """The data, or None once the subject's key was erased."""
        ...

    def erase(self, subject: str) -> None:
        """Forget the subject's key, for good."""
        ...
