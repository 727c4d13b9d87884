"""Anchor: seal the hours of a project into parts, write their evidence, put their roots on chain.

Each step is stored before the next begins, so a run that dies anywhere is finished by the next one: parts
are decided once, evidence is rebuilt to the same bytes, and a batch keeps the key it is submitted under.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress

import msgspec

from carbonmarket import times
from carbonmarket.chain import calls
from carbonmarket.errors import NotYetFinal, StaleWrite
from carbonmarket.intake.parts import build_part
from carbonmarket.ports.chain import ChainAccess, Fate
from carbonmarket.ports.devices import AnchorStore, Versioned
from carbonmarket.ports.evidence import EvidenceStore, SaltSecrets
from carbonmarket.records.devices import HOUR_US, AnchorBatch, AnchorPart, HourRecord

BATCH_PARTS_MAX = 20
"""A transaction of 20 parts stays below the 4,096 bytes that KMS signs."""
SETTLE_US = 600_000_000
"""An hour is sealed 10 minutes after its end, so that its last message is seldom a part of its own."""
_IN_FLIGHT_MAX = 8
"""Batches are carried so many at a time, each step of each after the one before is stored."""
_SEALED_AT_ONCE = 25

Part = Versioned[AnchorPart]
Opened = tuple[AnchorBatch, list[Part]]
Carried = tuple[list[Part], Fate | None]


class Anchoring(msgspec.Struct, frozen=True, kw_only=True):
    """The stores, the chain, and ``oracle``: the key id that signs anchors.

    ``measured`` answers the sensor types that a project's methodology measures; sums hold only those.
    """

    store: AnchorStore
    evidence: EvidenceStore
    salts: SaltSecrets
    chain: ChainAccess
    oracle: str
    measured: Callable[[str], frozenset[str]]


class AnchorResult(msgspec.Struct, frozen=True, kw_only=True):
    """What one run did: parts and readings anchored, parts whose fate is not known yet, and the
    contract's errors for parts that it refused."""

    parts: int
    readings: int
    waiting: int
    refusals: tuple[str, ...]


def anchor_readings(
    project: str, anchoring: Anchoring, *, now_us: int, timeout_s: float = 30
) -> AnchorResult:
    """Anchor every accepted reading of ``project`` whose hour is over; waits for the chain up to
    ``timeout_s`` a transaction. StaleWrite where two runs met: the other one goes on."""

    def go_on(opened: Opened) -> Carried:
        return _carry(opened, anchoring, timeout_s)

    def begin(members: list[Part]) -> Carried:
        return _carry(_open(members, anchoring, now_us), anchoring, timeout_s)

    with ThreadPoolExecutor(_IN_FLIGHT_MAX, thread_name_prefix="anchor") as threads:
        _seal_hours(project, anchoring, now_us, threads)
        open_batches, decided = _open_work(project, anchoring)
        old = threads.map(go_on, open_batches)
        new = threads.map(begin, grouped(decided))
        return _result([*old, *new])


def seal(hour: HourRecord, now_us: int) -> AnchorPart:
    """The next part of an hour: all that waits in it."""
    return AnchorPart(
        project=hour.project,
        hour_us=hour.hour_us,
        part=hour.parts,
        messages=hour.pending,
        decided_us=now_us,
    )


def grouped(parts: Sequence[Part]) -> list[list[Part]]:
    """The parts of each new transaction. One that was refused goes alone, since the contract takes all of
    a transaction or nothing, and it would hold back the others for ever."""
    fresh = [part for part in parts if part.record.refusals == 0]
    groups = [fresh[at : at + BATCH_PARTS_MAX] for at in range(0, len(fresh), BATCH_PARTS_MAX)]
    return [*groups, *([part] for part in parts if part.record.refusals)]


def batch_of(members: Sequence[Part], now_us: int) -> AnchorBatch:
    """The batch of parts of one project, named by its first one and by how often that was refused."""
    first = members[0].record
    place = f"{first.project}/{times.format_us(first.hour_us)}/{first.part}/{first.refusals}"
    return AnchorBatch(
        key=f"anchor/{place}",
        project=first.project,
        parts=tuple((member.record.hour_us, member.record.part) for member in members),
        created_us=now_us,
    )


def answered(batch: AnchorBatch, members: Sequence[Part], fate: Fate) -> tuple[AnchorBatch, list[Part], int]:
    """The batch, its parts and how many readings were anchored, after the chain's answer."""
    if fate.success:
        done = [
            _replace(m, state="anchored", transaction=fate.hash or "", version=fate.version) for m in members
        ]
        finished = msgspec.structs.replace(batch, state="anchored")
        return finished, done, sum(member.record.count for member in members)
    refusal = fate.abort or fate.vm_status or ""
    again = [_replace(m, state="decided", batch="", refusals=m.record.refusals + 1) for m in members]
    return msgspec.structs.replace(batch, state="refused", refusal=refusal), again, 0


def _open_work(project: str, anchoring: Anchoring) -> tuple[list[tuple[AnchorBatch, list[Part]]], list[Part]]:
    """The batches that an earlier run opened, and the parts that are in none."""
    by_batch: dict[str, list[Part]] = defaultdict(list)
    decided: list[Part] = []
    for part in anchoring.store.open_parts(project):
        if part.record.state == "submitted":
            by_batch[part.record.batch].append(part)
        else:
            decided.append(part)
    return [(_stored_batch(key, members), members) for key, members in by_batch.items()], decided


def _carry(opened: Opened, anchoring: Anchoring, timeout_s: float) -> Carried:
    """One batch from its stored form to the chain's answer, which is stored; None while that is not known."""
    batch, members = opened
    _submit(batch, members, anchoring)
    try:
        fate = anchoring.chain.await_fate(batch.key, timeout_s)
    except NotYetFinal:
        return members, None
    if fate.state == "dead":
        # Expired unseen; the chain port makes a new try under the same key in the next run.
        return members, None
    anchoring.store.finish_batch(*answered(batch, members, fate))
    return members, fate


def _result(carried: Sequence[Carried]) -> AnchorResult:
    known = [(members, fate) for members, fate in carried if fate is not None]
    done = [member.record for members, fate in known if fate.success for member in members]
    return AnchorResult(
        parts=len(done),
        readings=sum(record.count for record in done),
        waiting=sum(len(members) for members, fate in carried if fate is None),
        refusals=tuple(
            fate.abort or fate.vm_status or "refused without a reason"
            for _, fate in known
            if not fate.success
        ),
    )


def _seal_hours(project: str, anchoring: Anchoring, now_us: int, threads: Executor) -> None:
    over = [
        hour
        for hour in anchoring.store.dirty_hours(project)
        if hour.record.hour_us + HOUR_US + SETTLE_US <= now_us
    ]

    def decide(hours: list[Versioned[HourRecord]]) -> None:
        # Where a late message came between, the hours keep their marks and are sealed by the next run.
        with suppress(StaleWrite):
            anchoring.store.decide_parts([(hour, seal(hour.record, now_us)) for hour in hours])

    groups = [over[start : start + _SEALED_AT_ONCE] for start in range(0, len(over), _SEALED_AT_ONCE)]
    list(threads.map(decide, groups))


def _open(members: list[Part], anchoring: Anchoring, now_us: int) -> Opened:
    project = members[0].record.project
    refs = [ref for member in members for ref in member.record.messages]
    messages = anchoring.evidence.messages(project, refs)
    secret = anchoring.salts.of(project)
    measured = anchoring.measured(project)
    built = {
        (m.record.hour_us, m.record.part): build_part(m.record, messages, secret, measured) for m in members
    }
    uris = anchoring.evidence.put_parts(project, {place: b.content for place, b in built.items()})
    batch = batch_of(members, now_us)
    submitted = []
    for member in members:
        place = (member.record.hour_us, member.record.part)
        submitted.append(
            _replace(
                member,
                state="submitted",
                batch=batch.key,
                root=built[place].root,
                count=built[place].count,
                positive_uj=str(built[place].positive_uj),
                negative_uj=str(built[place].negative_uj),
                uri=uris[place],
            )
        )
    anchoring.store.open_batch(batch, submitted)
    return batch, [Versioned(part.record, part.revision + 1) for part in submitted]


def _submit(batch: AnchorBatch, members: Sequence[Part], anchoring: Anchoring) -> None:
    records = [member.record for member in members]
    call = calls.anchor(
        project=batch.project,
        hours=[record.hour_us // times.MICROSECONDS for record in records],
        parts=[record.part for record in records],
        roots=[bytes.fromhex(record.root) for record in records],
        counts=[record.count for record in records],
        positives=[int(record.positive_uj) for record in records],
        negatives=[int(record.negative_uj) for record in records],
        uris=[record.uri for record in records],
    )
    anchoring.chain.submit(batch.key, anchoring.oracle, call)


def _stored_batch(key: str, members: Sequence[Part]) -> AnchorBatch:
    """The batch as it was opened: its parts say all of it."""
    return AnchorBatch(
        key=key,
        project=members[0].record.project,
        parts=tuple((member.record.hour_us, member.record.part) for member in members),
        created_us=members[0].record.decided_us,
    )


def _replace(part: Part, **changes: object) -> Part:
    return Versioned(msgspec.structs.replace(part.record, **changes), part.revision)
