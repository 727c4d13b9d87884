"""The monitoring report: every input, factor, deduction and rounding of one quantification, line by line."""

from __future__ import annotations

import hashlib
from typing import Annotated

import msgspec

from carbonmarket import canonical
from carbonmarket.errors import InvalidInput

Natural = Annotated[int, msgspec.Meta(ge=0)]
Microseconds = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799_999_999)]
"""Since 1970, up to the end of the year 9999."""
Digits = Annotated[str, msgspec.Meta(pattern=r"^(0|[1-9][0-9]{0,38})\Z")]


class Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line: ``value`` is a decimal string in ``unit``; ``source`` says where it comes from.

    ``key`` names the line to programs and never changes within a methodology version.
    """

    key: str
    label: str
    value: str
    unit: str
    source: str
    rounding: str


class Calibrated(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A span in which a calibration was valid: from ``from_us`` up to, not including, ``until_us``."""

    from_us: Microseconds
    until_us: Microseconds


class DeviceInputs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the quantification needs to know of a device.

    ``started_us`` is its start-up, ``ended_us`` when it left the project (None: still there);
    ``auxiliary_uw`` the consumption assumed while it is silent (µW); ``error_ppm`` the maximum permissible
    error of its class.
    """

    device: str
    type: str
    started_us: Microseconds
    ended_us: Microseconds | None
    interval_seconds: Natural
    auxiliary_uw: Natural
    error_ppm: Natural
    calibrations: tuple[Calibrated, ...]


class Interval(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One accepted and anchored reading: mean ``power_uw`` (µW) over ``seconds`` from ``start_us``."""

    device: str
    start_us: int
    seconds: int
    power_uw: int


class QuantifyInputs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that a methodology is given; nothing else may influence the result.

    ``intervals`` are the period's anchored readings in any order, those anchored after the period was closed
    left out. The anchored sums (µJ) are the contract's for the period: the intervals must give the same.
    """

    project: str
    period_start_us: int
    period_end_us: int
    devices: tuple[DeviceInputs, ...]
    intervals: tuple[Interval, ...]
    anchored_positive_uj: int
    anchored_negative_uj: int


class MrvReport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The report that reviewers approve and the contract knows by its hash.

    Energies are strings of whole µJ, ``grams`` a string of whole grams (it may be "0"). ``devices`` are the
    inputs besides the readings, so that the report can be computed again from it and the signed messages.
    """

    version: int
    methodology: str
    methodology_version: int
    methodology_document: str
    project: str
    period_start_us: Microseconds
    period_end_us: Microseconds
    devices: tuple[DeviceInputs, ...]
    readings: Natural
    positive_uj: Digits
    negative_uj: Digits
    grams: Digits
    lines: tuple[Line, ...]

    def line(self, key: str) -> Line:
        """The line of that key; KeyError where the report has none."""
        for line in self.lines:
            if line.key == key:
                return line
        raise KeyError(key)


def report_bytes(report: MrvReport) -> bytes:
    """The report's canonical JSON."""
    return canonical.dumps(msgspec.to_builtins(report))


def report_hash(report: MrvReport) -> bytes:
    """SHA-256 (32 bytes) of the report's canonical JSON: what reviewers sign and the contract keeps."""
    return hashlib.sha256(report_bytes(report)).digest()


def parse_report(data: bytes) -> MrvReport:
    """The report in canonical bytes; InvalidInput for another form."""
    try:
        return msgspec.convert(canonical.loads(data, "the report"), MrvReport)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"the report does not have the form of one: {error}") from None
