"""The second half: what messages change, given what is kept. Pure; the whole batch is one decision."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from carbonmarket import ids, readings
from carbonmarket.intake import checking
from carbonmarket.intake.opening import Opened, Refused
from carbonmarket.ports.devices import IngestCommit, Versioned
from carbonmarket.ports.readings import Point
from carbonmarket.records.devices import (
    HOUR_US,
    Device,
    HourRecord,
    MessageRef,
    RefusedReading,
    Reject,
    SequenceRecord,
)

MessageKey = tuple[str, int, str, int]
"""(gateway, sequence, hash, hour_us): where the evidence keeps a message."""

_FRAME = frozenset({"device", "type", "start", "seconds"})


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What was loaded: devices by (project, id), sequences by (gateway, number), hours by
    (project, hour_us), rejects by (project, id). What is absent does not exist."""

    devices: Mapping[tuple[str, str], Device]
    sequences: Mapping[tuple[str, int], Versioned[SequenceRecord]]
    hours: Mapping[tuple[str, int], Versioned[HourRecord]]
    rejects: Mapping[tuple[str, str], Versioned[Reject]]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one message: how many readings were accepted, how many refused for which reason."""

    state: Literal["taken", "redelivered", "rejected"]
    accepted: int = 0
    rejected: dict[str, int] = {}


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What to save: evidence by project first, then the commit, then the points."""

    outcomes: dict[str, Outcome]
    evidence: dict[str, dict[MessageKey, bytes]]
    commit: IngestCommit
    points: list[Point]


class _Hour:
    """An hour while a batch is decided."""

    def __init__(self, stored: Versioned[HourRecord] | None) -> None:
        self.revision = stored.revision if stored else 0
        self.parts = stored.record.parts if stored else 0
        self.claims = dict(stored.record.claims) if stored else {}
        self.pending = list(stored.record.pending) if stored else []
        self.was_dirty = bool(self.pending)
        self.changed = False


class Draft:
    """The decision while it grows, one message after the other."""

    def __init__(self, known: Known, secret_of: Callable[[str], bytes]) -> None:
        self._known = known
        self._secret_of = secret_of
        self._sequences: dict[tuple[str, int], Versioned[SequenceRecord]] = {}
        self._rejects: dict[tuple[str, str], Versioned[Reject]] = {}
        self._hours: dict[tuple[str, int], _Hour] = {}
        self._counts: Counter[tuple[str, str]] = Counter()
        self._evidence: dict[str, dict[MessageKey, bytes]] = {}
        self._points: list[Point] = []
        self._outcomes: dict[str, Outcome] = {}

    def add(self, item: Opened | Refused) -> None:
        """Decide one delivery."""
        outcome = self._refuse_message(item) if isinstance(item, Refused) else self._take_message(item)
        self._outcomes[item.delivery.key] = outcome

    def replay(self, item: Opened, reject: Versioned[Reject], now_us: int) -> bool:
        """Take again what ``reject`` refused; False, and nothing decided, if it is still refused whole."""
        old = reject.record
        left: tuple[RefusedReading, ...] = ()
        taken = self._sequence(item)
        if taken is not None and taken.record.hash != item.hash:
            return False
        if not old.readings and taken is not None:
            # The gateway sent it again by itself: its readings are in already.
            self.count(old.project, "redelivered", old.count)
            accepted = old.count
        else:
            positions = [r.index for r in old.readings] or list(range(len(item.message.readings)))
            good, refused = self._take_readings(item, positions)
            if not good:
                return False
            self._save_sequence(item, taken, good)
            left = tuple(r for group in refused.values() for r in group) if old.readings else ()
            if not old.readings:
                self._refuse_readings(item, refused)
            self.count(old.project, "accepted", len(good))
            accepted = old.count - len(left)
        self.count(old.project, f"rejected#{old.reason}", -accepted)
        closed = msgspec.structs.replace(
            old,
            readings=left or old.readings,
            count=len(left) or old.count,
            state="open" if left else "replayed",
            replayed_us=now_us,
        )
        self._rejects[(old.project, old.id)] = Versioned(closed, reject.revision)
        return True

    def count(self, project: str, name: str, readings_count: int) -> None:
        """Add to a project's count."""
        self._counts[(project, name)] += readings_count

    def decision(self) -> Decision:
        """All of it."""
        hours = {key: hour for key, hour in self._hours.items() if hour.changed}
        return Decision(
            outcomes=self._outcomes,
            evidence=self._evidence,
            points=self._points,
            commit=IngestCommit(
                sequences=tuple(self._sequences.values()),
                hours=tuple(_record(key, hour) for key, hour in hours.items()),
                dirty=tuple(key for key, hour in hours.items() if not hour.was_dirty),
                rejects=tuple(self._rejects.values()),
                counts={key: number for key, number in self._counts.items() if number},
            ),
        )

    def _refuse_message(self, refused: Refused) -> Outcome:
        delivery = refused.delivery
        key = (refused.project, reject_id(delivery.gateway, refused.hash, refused.reason))
        if key in self._rejects or key in self._known.rejects:
            self.count(refused.project, "redelivered", refused.readings)
            return Outcome(state="redelivered")
        self._keep_reject(
            Reject(
                id=key[1],
                project=refused.project,
                gateway=delivery.gateway,
                sequence=refused.sequence,
                reason=refused.reason,
                detail=refused.detail,
                readings=(),
                count=refused.readings,
                message=base64.b64encode(delivery.data).decode(),
                received_us=delivery.received_us,
            )
        )
        return Outcome(state="rejected", rejected={refused.reason: refused.readings})

    def _take_message(self, item: Opened) -> Outcome:
        taken = self._sequence(item)
        count = len(item.message.readings)
        if taken is None:
            accepted, refused = self._take_readings(item, range(count))
            self._save_sequence(item, None, accepted)
            self._refuse_readings(item, refused)
            self.count(item.gateway.project, "accepted", len(accepted))
            rejected = {reason: len(group) for reason, group in refused.items()}
            return Outcome(state="taken", accepted=len(accepted), rejected=rejected)
        if taken.record.hash == item.hash:
            # A crash may have come between commit and points, and a store may have lost what it took. Both
            # are written again, so that an hour can always be anchored.
            if taken.record.accepted:
                self._keep(item, taken.record.accepted)
            self.count(item.gateway.project, "redelivered", count)
            return Outcome(state="redelivered")
        return self._refuse_message(
            Refused(
                delivery=item.delivery,
                project=item.gateway.project,
                hash=item.hash,
                sequence=item.message.sequence,
                reason="sequence_reused",
                detail=f"sequence {item.message.sequence} was used before by another message",
                readings=count,
            )
        )

    def _take_readings(
        self, item: Opened, positions: Iterable[int]
    ) -> tuple[list[int], dict[str, list[RefusedReading]]]:
        """The accepted positions, and the refused readings by reason."""
        project = item.gateway.project
        by_hour: dict[int, list[int]] = {}
        refused: dict[str, list[RefusedReading]] = {}
        for index in positions:
            reading = item.message.readings[index]
            start_us = item.starts_us[index]
            device = self._known.devices.get((project, reading["device"]))
            fault = checking.check(reading, index, start_us, device, item.delivery.received_us)
            if fault is None and start_us is not None:
                hour_us = start_us // HOUR_US * HOUR_US
                fault = self._claim(project, hour_us, start_us, reading)
                if fault is None:
                    by_hour.setdefault(hour_us, []).append(index)
                    continue
            assert fault is not None
            name = RefusedReading(index=index, device=reading["device"], detail=fault[1])
            refused.setdefault(fault[0], []).append(name)
        for hour_us, indexes in by_hour.items():
            self._hour(project, hour_us).pending.append(message_ref(item, indexes))
        accepted = sorted(index for indexes in by_hour.values() for index in indexes)
        if accepted:
            self._keep(item, accepted)
        return accepted, refused

    def _claim(
        self, project: str, hour_us: int, start_us: int, reading: Mapping[str, Any]
    ) -> tuple[str, str] | None:
        hour = self._hour(project, hour_us)
        first = (start_us - hour_us) // 1_000_000
        claims = checking.claim(hour.claims.get(reading["device"], ()), first, first + reading["seconds"])
        if claims is None:
            return "interval_already_reported", f"the device has reported the time from {reading['start']}"
        hour.claims[reading["device"]] = claims
        hour.changed = True
        return None

    def _keep(self, item: Opened, positions: Sequence[int]) -> None:
        """The message's evidence and the points of its accepted readings."""
        key = (item.gateway.id, item.message.sequence, item.hash, _evidence_hour(item))
        self._evidence.setdefault(item.gateway.project, {})[key] = item.delivery.data
        secret = self._secret_of(item.gateway.project)
        message, salts = item.message, dict[str, bytes]()
        for index in positions:
            reading, start_us = message.readings[index], item.starts_us[index]
            assert start_us is not None
            device = reading["device"]
            if device not in salts:
                salts[device] = readings.leaf_salt(secret, message.gateway, message.sequence, device)
            leaf = readings.leaf_hash(
                salt=salts[device],
                project=message.project,
                gateway=message.gateway,
                sequence=message.sequence,
                reading=reading,
            )
            self._points.append(
                Point(
                    project=message.project,
                    gateway=message.gateway,
                    sequence=message.sequence,
                    index=index,
                    device=device,
                    type=reading["type"],
                    start_us=start_us,
                    seconds=reading["seconds"],
                    values={name: value for name, value in reading.items() if name not in _FRAME},
                    leaf=leaf.hex(),
                    received_us=item.delivery.received_us,
                )
            )

    def _refuse_readings(self, item: Opened, refused: Mapping[str, list[RefusedReading]]) -> None:
        for reason, group in refused.items():
            self._keep_reject(
                Reject(
                    id=reject_id(item.gateway.id, item.hash, reason),
                    project=item.gateway.project,
                    gateway=item.gateway.id,
                    sequence=item.message.sequence,
                    reason=reason,
                    detail=group[0].detail,
                    readings=tuple(group),
                    count=len(group),
                    message=base64.b64encode(item.delivery.data).decode(),
                    received_us=item.delivery.received_us,
                )
            )

    def _keep_reject(self, reject: Reject) -> None:
        self._rejects[(reject.project, reject.id)] = Versioned(reject, 0)
        self.count(reject.project, f"rejected#{reject.reason}", reject.count)

    def _sequence(self, item: Opened) -> Versioned[SequenceRecord] | None:
        key = (item.gateway.id, item.message.sequence)
        return self._sequences.get(key) or self._known.sequences.get(key)

    def _save_sequence(
        self, item: Opened, taken: Versioned[SequenceRecord] | None, accepted: Sequence[int]
    ) -> None:
        before = taken.record.accepted if taken else ()
        record = SequenceRecord(
            gateway=item.gateway.id,
            sequence=item.message.sequence,
            hash=item.hash,
            received_us=taken.record.received_us if taken else item.delivery.received_us,
            accepted=tuple(sorted({*before, *accepted})),
        )
        key = (record.gateway, record.sequence)
        self._sequences[key] = Versioned(record, taken.revision if taken else 0)

    def _hour(self, project: str, hour_us: int) -> _Hour:
        key = (project, hour_us)
        if key not in self._hours:
            self._hours[key] = _Hour(self._known.hours.get(key))
        return self._hours[key]


def reject_id(gateway: str, message_hash: str, reason: str) -> str:
    """The same message refused for the same reason is one reject, however often it comes."""
    return ids.derive("REJ", gateway, message_hash, reason)


def message_ref(item: Opened, indexes: Sequence[int]) -> MessageRef:
    """A reference to some readings of a message."""
    return MessageRef(
        gateway=item.gateway.id,
        sequence=item.message.sequence,
        hash=item.hash,
        hour_us=_evidence_hour(item),
        readings=tuple(indexes),
    )


def _evidence_hour(item: Opened) -> int:
    return item.sent_us // HOUR_US * HOUR_US


def _record(key: tuple[str, int], hour: _Hour) -> Versioned[HourRecord]:
    record = HourRecord(
        project=key[0], hour_us=key[1], claims=hour.claims, pending=tuple(hour.pending), parts=hour.parts
    )
    return Versioned(record, hour.revision)
