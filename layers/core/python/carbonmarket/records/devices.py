"""Gateways, devices and what is kept of the messages they send.

Times are integer microseconds since 1970 (UTC), power is in microwatts, energy in microjoules. The anchor
hour of a reading is the UTC hour in which its interval lies; no interval may cross one.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

HOUR_US = 3_600_000_000
CLOCK_AHEAD_MAX_US = 600_000_000
"""How far ahead of ours a gateway's clock may be: 10 minutes."""

MessageReason = Literal[
    "not_canonical",
    "invalid_schema",
    "unknown_gateway",
    "bad_signature",
    "other_gateway",
    "other_environment",
    "other_projects_gateway",
    "clock_ahead",
    "too_many_hours",
    "sequence_reused",
]
"""Why a whole message is refused."""


class Gateway(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A gateway of one project. ``public_key`` is its Ed25519 key, 64 hex digits; the certificate's
    fingerprint (SHA-256, hex) says which X.509 certificate it connects with."""

    id: str
    project: str
    organisation: str
    name: str
    public_key: str
    certificate_fingerprint: str
    created_us: int
    revoked_us: int | None = None


class Device(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A meter or sensor that reports to a project from ``from_us`` up to, not including, ``to_us``.

    ``type`` names the sensor's schema. ``serial`` is the maker's number: it belongs to one project at a
    time. ``nameplate`` and ``standby`` bound what it can measure, in the unit of its type's main field
    (solar_output: microwatts; the standby draw is a positive number). ``interval_seconds`` is how often it
    is to report;
    ``error_ppm`` is the maximum permissible error of its class, in parts per million.
    """

    id: str
    project: str
    organisation: str
    type: str
    name: str
    manufacturer: str
    model: str
    serial: str
    nameplate: int
    standby: int
    interval_seconds: int
    error_ppm: int
    from_us: int
    created_us: int
    to_us: int | None = None

    def reports_at(self, start_us: int, end_us: int) -> bool:
        """Whether the interval lies wholly in the time the device belongs to the project."""
        return self.from_us <= start_us and (self.to_us is None or end_us <= self.to_us)


class MeterAssignment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One project's time with a meter."""

    project: str
    device: str
    from_us: int
    to_us: int | None


class Meter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A physical meter and whose it was when, so that no two projects count it at one time."""

    manufacturer: str
    serial: str
    assignments: tuple[MeterAssignment, ...]


class Calibration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One calibration of a device: valid from ``performed_us`` up to ``valid_until_us``.

    ``error_ppm`` is the error found, in parts per million, signed; ``document`` is the id of the
    certificate among the project's documents, or empty.
    """

    id: str
    project: str
    device: str
    performed_us: int
    valid_until_us: int
    laboratory: str
    error_ppm: int
    document: str
    created_us: int


class MessageRef(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Some readings of one signed message. ``hash`` is the SHA-256 of the message's bytes in hex;
    ``hour_us`` is under which hour the evidence keeps it; ``readings`` are positions in the message."""

    gateway: str
    sequence: int
    hash: str
    hour_us: int
    readings: tuple[int, ...]


class SequenceRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """That a gateway's sequence was taken by these bytes; ``accepted`` are positions of its readings."""

    gateway: str
    sequence: int
    hash: str
    received_us: int
    accepted: tuple[int, ...]


class HourRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One project's hour: which seconds each device has reported, what waits for an anchor.

    ``claims`` gives per device the reported seconds of the hour as disjoint, ascending [from, to) pairs,
    merged where they touch; a reading that overlaps one is a duplicate. ``pending`` are the accepted
    readings of no part yet; ``parts`` counts the parts already decided.
    """

    project: str
    hour_us: int
    claims: dict[str, tuple[tuple[int, int], ...]]
    pending: tuple[MessageRef, ...]
    parts: int


class Unanchored(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """That an hour of a project has readings of no part yet, or that its ``part`` is not anchored yet."""

    project: str
    hour_us: int
    part: int | None = None


class RefusedReading(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One reading that was refused: its position in the message and the sentence why."""

    index: int
    device: str
    detail: str


class Reject(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message, or some readings of one, that was refused, with the bytes as they came.

    ``project`` is that of the gateway whose topic it came on, or "" if there is none such. ``reason`` is a
    stable code: a message's (``MessageReason``) or a reading's. ``readings`` is empty where the whole
    message was refused; ``count`` is how many readings the reject stands for. ``message`` is the message
    in base64. ``state`` is "open", or "replayed" once a replay accepted them.
    """

    id: str
    project: str
    gateway: str
    sequence: int | None
    reason: str
    detail: str
    readings: tuple[RefusedReading, ...]
    count: int
    message: str
    received_us: int
    state: Literal["open", "replayed"] = "open"
    replayed_us: int | None = None


class AnchorPart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One part of an hour's readings, to be anchored or anchored.

    ``messages`` never changes once decided. From "submitted" on, ``root`` (hex), ``count`` and the two sums
    (microjoules, neither negative) are those of the evidence object at ``uri``, and ``batch`` is the key of
    the transaction that carries the part; ``transaction`` and ``version`` are set when the chain has it.
    ``refusals`` counts transactions that the contract refused.
    """

    project: str
    hour_us: int
    part: int
    messages: tuple[MessageRef, ...]
    decided_us: int
    state: Literal["decided", "submitted", "anchored"] = "decided"
    root: str = ""
    count: int = 0
    positive_uj: str = "0"
    negative_uj: str = "0"
    uri: str = ""
    batch: str = ""
    transaction: str = ""
    version: int | None = None
    refusals: int = 0


class AnchorBatch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The parts, as (hour_us, part), that one transaction carries; ``key`` names it to the chain port.

    ``refusal`` is the contract's error where it refused; the parts then go into a later batch.
    """

    key: str
    project: str
    parts: tuple[tuple[int, int], ...]
    created_us: int
    state: Literal["open", "anchored", "refused"] = "open"
    refusal: str = ""


class ReadingCounts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many readings of a project came, and what became of them.

    ``received`` = accepted + redelivered + the rejected of every reason.
    """

    accepted: int
    redelivered: int
    anchored: int
    rejected: dict[str, int]

    @property
    def received(self) -> int:
        """All readings that came, redeliveries included."""
        return self.accepted + self.redelivered + sum(self.rejected.values())


class InclusionProof(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What shows that one reading is under an anchored root.

    ``leaf_data`` is the hashed object, ``salt`` 64 hex digits, ``path`` the RFC 6962 audit path (hex, from
    the leaf's sibling up), ``index`` and ``size`` the leaf's place. ``transaction`` is empty until the
    chain has the root.
    """

    reading: str
    leaf_data: dict[str, Any]
    salt: str
    leaf: str
    index: int
    size: int
    path: tuple[str, ...]
    root: str
    project: str
    hour_us: int
    part: int
    transaction: str
    version: int | None
