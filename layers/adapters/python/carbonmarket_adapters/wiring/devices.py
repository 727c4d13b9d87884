"""Gateways, devices, what came of their messages, and the readings store."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from carbonmarket_adapters.wiring import settings

if TYPE_CHECKING:
    from carbonmarket.operations.ingest_readings import Intake
    from carbonmarket.ports.devices import AnchorStore, DeviceLookup, DevicesStore, IngestStore
    from carbonmarket.ports.readings import ReadingsStore


@functools.cache
def devices() -> DevicesStore:
    """Gateways, devices, calibrations."""
    from carbonmarket_adapters.dynamo.devices import DynamoDevices

    return DynamoDevices(settings())


@functools.cache
def lookup() -> DeviceLookup:
    """Gateways and devices for ingestion, kept in memory for half a minute."""
    from carbonmarket_adapters.device_lookup import CachedLookup

    return CachedLookup(devices())


@functools.cache
def ingest() -> IngestStore:
    """Sequences, hours, rejects, counts."""
    from carbonmarket_adapters.dynamo.ingest import DynamoIngest

    return DynamoIngest(settings())


@functools.cache
def anchors() -> AnchorStore:
    """Parts of hours and the transactions that carry them."""
    from carbonmarket_adapters.dynamo.anchors import DynamoAnchors

    return DynamoAnchors(settings())


@functools.cache
def readings() -> ReadingsStore:
    """The store of accepted readings."""
    from carbonmarket_adapters.readings import open_store

    return open_store(settings().readings_store)


@functools.cache
def intake() -> Intake:
    """All that ingestion reads and writes."""
    from carbonmarket.operations.ingest_readings import Intake
    from carbonmarket_adapters.wiring.evidence import evidence, salts

    return Intake(
        environment=settings().stage,
        devices=lookup(),
        store=ingest(),
        readings=readings(),
        evidence=evidence(),
        salts=salts(),
    )
