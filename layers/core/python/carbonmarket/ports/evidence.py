"""The store of evidence: signed messages and anchored parts, kept for the life of the credits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from carbonmarket.records.devices import MessageRef


class EvidenceStore(Protocol):
    """Objects that are written once and never changed; writing the same bytes again changes nothing."""

    def put_messages(self, project: str, messages: Mapping[tuple[str, int, str, int], bytes]) -> None:
        """Keep signed messages; keys are (gateway, sequence, hash in hex, hour_us)."""
        ...

    def messages(self, project: str, refs: Sequence[MessageRef]) -> dict[tuple[str, int, str], bytes]:
        """The bytes of each ref by (gateway, sequence, hash); NotFound names one that is missing."""
        ...

    def put_parts(self, project: str, parts: Mapping[tuple[int, int], bytes]) -> dict[tuple[int, int], str]:
        """Keep the evidence of parts, by (hour_us, part); answers their URIs."""
        ...

    def part(self, project: str, hour_us: int, part: int) -> bytes | None:
        """The evidence of a part, or None."""
        ...


class SaltSecrets(Protocol):
    """The secret from which each project's leaf salts come."""

    def of(self, project: str) -> bytes:
        """The project's secret, 32 bytes."""
        ...
