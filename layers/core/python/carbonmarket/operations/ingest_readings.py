"""Ingest: from messages out of the queue to accepted readings, rejects and what waits for an anchor.

Evidence is written first, since an anchor is made from it; then the decision, at once or not at all; then
the points. A redelivery writes evidence and points again. A process that dies anywhere leaves the message in
its queue.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import msgspec

from carbonmarket.errors import StaleWrite
from carbonmarket.intake.deciding import Decision, Draft, Known, Outcome, reject_id
from carbonmarket.intake.opening import Delivery, Opened, Refused, open_delivery
from carbonmarket.ports.devices import DeviceLookup, IngestStore
from carbonmarket.ports.evidence import EvidenceStore, SaltSecrets
from carbonmarket.ports.readings import ReadingsStore

ATTEMPTS_MAX = 5
TRANSACTION_ITEMS_MAX = 100


class Intake(msgspec.Struct, frozen=True, kw_only=True):
    """The stores that ingestion reads and writes; ``environment`` is the stage messages must name."""

    environment: str
    devices: DeviceLookup
    store: IngestStore
    readings: ReadingsStore
    evidence: EvidenceStore
    salts: SaltSecrets


class IngestResult(msgspec.Struct, frozen=True, kw_only=True):
    """By delivery key: what became of it, or the error for which the queue must keep it."""

    outcomes: dict[str, Outcome]
    failures: dict[str, Exception]


def ingest_readings(deliveries: Sequence[Delivery], intake: Intake) -> IngestResult:
    """Take a batch of messages. One that fails (a store is away, a writer always came first) fails alone."""
    try:
        return IngestResult(outcomes=_ingest(deliveries, intake), failures={})
    except Exception as error:
        if len(deliveries) == 1:
            return IngestResult(outcomes={}, failures={deliveries[0].key: error})
    results = [ingest_readings([delivery], intake) for delivery in deliveries]
    return IngestResult(
        outcomes={key: outcome for result in results for key, outcome in result.outcomes.items()},
        failures={key: error for result in results for key, error in result.failures.items()},
    )


def open_all(deliveries: Sequence[Delivery], intake: Intake) -> list[Opened | Refused]:
    """Each delivery opened with the key of the gateway whose topic it came on."""
    gateways = {name: intake.devices.gateway(name) for name in {d.gateway for d in deliveries}}
    return [open_delivery(d, gateways[d.gateway], intake.environment) for d in deliveries]


def load_known(items: Sequence[Opened | Refused], intake: Intake) -> Known:
    """All that the decision about ``items`` rests on."""
    opened = [item for item in items if isinstance(item, Opened)]
    refused = [item for item in items if isinstance(item, Refused)]
    sequences = intake.store.sequences({(item.gateway.id, item.message.sequence) for item in opened})
    rejects = {(item.project, reject_id(item.delivery.gateway, item.hash, item.reason)) for item in refused}
    for item in opened:
        taken = sequences.get((item.gateway.id, item.message.sequence))
        if taken is not None and taken.record.hash != item.hash:
            rejects.add((item.gateway.project, reject_id(item.gateway.id, item.hash, "sequence_reused")))
    named = {(item.gateway.project, r["device"]) for item in opened for r in item.message.readings}
    return Known(
        devices=intake.devices.devices_named(named),
        sequences=sequences,
        hours=intake.store.hours({(i.gateway.project, hour) for i in opened for hour in i.hours_us}),
        rejects=intake.store.rejects_by_id(rejects),
    )


def save(decision: Decision, intake: Intake) -> None:
    """Write a decision, in the order that a crash at any point allows."""
    for project, messages in decision.evidence.items():
        intake.evidence.put_messages(project, messages)
    intake.store.commit(decision.commit)
    intake.readings.write(decision.points)


def _ingest(deliveries: Sequence[Delivery], intake: Intake) -> dict[str, Outcome]:
    items = open_all(deliveries, intake)
    for attempt in range(ATTEMPTS_MAX):
        draft = Draft(load_known(items, intake), functools.cache(intake.salts.of))
        for item in items:
            draft.add(item)
        decision = draft.decision()
        if decision.commit.items > TRANSACTION_ITEMS_MAX and len(deliveries) > 1:
            half = len(deliveries) // 2
            return _ingest(deliveries[:half], intake) | _ingest(deliveries[half:], intake)
        try:
            save(decision, intake)
        except StaleWrite:
            if attempt == ATTEMPTS_MAX - 1:
                raise
            continue
        return decision.outcomes
    raise AssertionError("unreachable")
