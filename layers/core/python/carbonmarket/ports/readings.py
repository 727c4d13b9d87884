"""The store of accepted readings: what line protocol can write and a range query can read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import msgspec


class Point(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One accepted reading. (project, device, start_us) names it; ``values`` are its integer fields in
    the units of the sensor's schema; ``leaf`` is the leaf hash in hex."""

    project: str
    gateway: str
    sequence: int
    index: int
    device: str
    type: str
    start_us: int
    seconds: int
    values: dict[str, int | str]
    leaf: str
    received_us: int

    @property
    def id(self) -> str:
        """The reading's id in URLs: gateway, sequence, device and start, joined by colons."""
        return f"{self.gateway}:{self.sequence}:{self.device}:{self.start_us}"


class EnergySums(msgspec.Struct, frozen=True, kw_only=True):
    """Energy of a range in microjoules (power x seconds), its positive and negative part apart.

    ``first_us`` is the earliest start, None where there are no readings.
    """

    count: int
    positive_uj: int
    negative_uj: int
    first_us: int | None

    @property
    def net_uj(self) -> int:
        """Positive less negative."""
        return self.positive_uj - self.negative_uj


class ReadingsStore(Protocol):
    """Readings by time. Ranges take from, leave to, and are in the order of (start_us, device)."""

    def write(self, points: Sequence[Point]) -> None:
        """Store the points; writing one again changes nothing."""
        ...

    def range(
        self,
        project: str,
        *,
        device: str | None = None,
        from_us: int,
        to_us: int,
        after: tuple[int, str] | None = None,
        limit: int | None = None,
    ) -> Iterator[Point]:
        """Points with from_us <= start < to_us, after the (start_us, device) of ``after``."""
        ...

    def energy(self, project: str, *, device: str | None = None, from_us: int, to_us: int) -> EnergySums:
        """The sums of power_uw x seconds over a range."""
        ...
