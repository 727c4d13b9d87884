"""What is kept of gateways and devices, of the messages that came, and of their anchors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

import msgspec

from carbonmarket.records.devices import (
    AnchorBatch,
    AnchorPart,
    Calibration,
    Device,
    Gateway,
    HourRecord,
    ReadingCounts,
    Reject,
    SequenceRecord,
)

R = TypeVar("R", bound=msgspec.Struct)


class DevicesStore(Protocol):
    """Gateways, devices and calibrations. Lists are in the order of ids (calibrations: of time)."""

    def save_gateway(self, gateway: Gateway) -> None:
        """Keep a new gateway; the same again changes nothing, another under its id is a Conflict."""
        ...

    def revoke_gateway(self, gateway: str, at_us: int) -> None:
        """From ``at_us`` on its messages are those of an unknown gateway."""
        ...

    def gateway(self, gateway: str) -> Gateway | None:
        """The gateway of an id."""
        ...

    def gateways(self, project: str, *, after: str | None = None, first: int | None = None) -> list[Gateway]:
        """A project's gateways."""
        ...

    def save_device(self, device: Device) -> None:
        """Keep a new device; Conflict if its meter reports to a project in an overlapping time."""
        ...

    def end_device(self, project: str, device: str, to_us: int) -> None:
        """The device leaves the project at ``to_us``; its meter may then report to another."""
        ...

    def device(self, project: str, device: str) -> Device | None:
        """A device of a project."""
        ...

    def devices(self, project: str, *, after: str | None = None, first: int | None = None) -> list[Device]:
        """A project's devices."""
        ...

    def save_calibration(self, calibration: Calibration) -> None:
        """Keep a calibration; the same again changes nothing."""
        ...

    def calibrations(self, project: str, device: str | None = None) -> list[Calibration]:
        """The calibrations of a project or of one device, in the order of device and time."""
        ...


class DeviceLookup(Protocol):
    """Gateways and devices as ingestion asks for them; answers may be half a minute old."""

    def gateway(self, gateway: str) -> Gateway | None:
        """The gateway of an id."""
        ...

    def devices_named(self, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Device]:
        """Those of the (project, device id) that there are."""
        ...


class Versioned(msgspec.Struct, Generic[R], frozen=True):
    """A record as it was read; revision 0 says that there is none yet."""

    record: R
    revision: int


class IngestCommit(msgspec.Struct, frozen=True, kw_only=True):
    """All that a decision about messages writes, at once or not at all.

    Each record must still be at its revision. ``counts`` are added to (project, name), where the name is
    "accepted", "redelivered" or "rejected#<reason>"; ``dirty`` are the (project, hour_us) that now
    have readings of no part.
    """

    sequences: Sequence[Versioned[SequenceRecord]] = ()
    hours: Sequence[Versioned[HourRecord]] = ()
    dirty: Sequence[tuple[str, int]] = ()
    rejects: Sequence[Versioned[Reject]] = ()
    counts: Mapping[tuple[str, str], int] = {}

    @property
    def items(self) -> int:
        """How many items the transaction has."""
        return sum(map(len, (self.sequences, self.hours, self.dirty, self.rejects, self.counts)))


class IngestStore(Protocol):
    """Sequences, hours, rejects and counts."""

    def sequences(self, keys: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Versioned[SequenceRecord]]:
        """Those of the (gateway, sequence) that were taken."""
        ...

    def hours(self, keys: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Versioned[HourRecord]]:
        """Those of the (project, hour_us) that were ever written."""
        ...

    def commit(self, commit: IngestCommit) -> None:
        """Write all; StaleWrite, and nothing written, if another writer came first."""
        ...

    def rejects_by_id(self, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Versioned[Reject]]:
        """Those of the (project, reject id) that there are; the project is "" for no known gateway."""
        ...

    def rejects(
        self, project: str, *, after: str | None = None, first: int | None = None
    ) -> list[tuple[str, Reject]]:
        """(cursor, reject) in the order they came."""
        ...

    def counts(self, project: str) -> ReadingCounts:
        """What became of a project's readings."""
        ...


class AnchorStore(Protocol):
    """Parts of hours and the transactions that carry them."""

    def dirty_projects(self) -> list[str]:
        """Projects with readings of no part yet, or with parts that are not anchored yet."""
        ...

    def dirty_hours(self, project: str) -> list[Versioned[HourRecord]]:
        """A project's hours with readings of no part yet."""
        ...

    def decide_parts(self, sealed: Sequence[tuple[Versioned[HourRecord], AnchorPart]]) -> None:
        """Write each new part and its hour with nothing pending; StaleWrite if an hour has moved on."""
        ...

    def open_parts(self, project: str) -> list[Versioned[AnchorPart]]:
        """A project's parts that are not anchored yet, in order of hour and part."""
        ...

    def open_batch(self, batch: AnchorBatch, parts: Sequence[Versioned[AnchorPart]]) -> None:
        """Keep a new batch with its parts as they now are; StaleWrite if another run was first."""
        ...

    def finish_batch(self, batch: AnchorBatch, parts: Sequence[Versioned[AnchorPart]], anchored: int) -> None:
        """Keep what the chain answered; ``anchored`` readings are counted. StaleWrite as above."""
        ...

    def part(self, project: str, hour_us: int, part: int) -> AnchorPart | None:
        """One part."""
        ...

    def parts(
        self, project: str, *, from_us: int, to_us: int, after: str | None = None, first: int | None = None
    ) -> list[tuple[str, AnchorPart]]:
        """(cursor, part) of the hours from_us <= hour < to_us, in order of hour and part."""
        ...
