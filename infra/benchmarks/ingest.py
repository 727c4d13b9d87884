"""How many readings a second ingestion takes in: signature, schema, physics, hash, evidence, store."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from carbonmarket import readings, times
from carbonmarket.intake.opening import Delivery
from carbonmarket.operations.ingest_readings import Intake, ingest_readings
from carbonmarket.records.devices import Device, Gateway
from carbonmarket.settings import Settings
from carbonmarket_adapters.device_lookup import CachedLookup
from carbonmarket_adapters.dynamo.devices import DynamoDevices
from carbonmarket_adapters.dynamo.ingest import DynamoIngest
from carbonmarket_adapters.evidence_store import MasterSecretSalts, S3Evidence
from carbonmarket_adapters.readings.sqlite import SqliteReadings
from infra.benchmarks.figures import RUNS
from infra.declarations import QUEUE_SOURCES

READINGS_IN_MESSAGE = 100
MESSAGES_IN_BATCH = QUEUE_SOURCES[0].batch_size
MESSAGES_IN_ROUND = 100
_START_US = times.parse_us("2016-07-01T00:00:00Z", "start")


def bench_ingest(settings: Settings, client: Callable[[str], Any]) -> list[int]:
    """Readings a second in each of 5 rounds of 10,000, in messages of 100 and the queue's own batches.

    ``settings`` name an endpoint with everything deployed; ``client("s3")`` is a boto3 client of it. The
    time is the wall's and holds the engines' too; signing the messages is not in it.
    """
    with tempfile.TemporaryDirectory() as folder:
        devices = DynamoDevices(settings)
        store = SqliteReadings(str(Path(folder) / "readings.sqlite"))
        intake = Intake(
            environment=settings.stage,
            devices=CachedLookup(devices),
            store=DynamoIngest(settings),
            readings=store,
            evidence=S3Evidence(client("s3"), settings.prefix + "evidence"),
            salts=MasterSecretSalts(b"benchmark" * 4),
        )
        messages = _messages(settings.stage, devices)
        rates = [
            _round(messages[at : at + MESSAGES_IN_ROUND], intake)
            for at in range(0, len(messages), MESSAGES_IN_ROUND)
        ]
        store.close()
    return rates


def _round(messages: list[Delivery], intake: Intake) -> int:
    before = time.perf_counter()
    for at in range(0, len(messages), MESSAGES_IN_BATCH):
        batch = messages[at : at + MESSAGES_IN_BATCH]
        result = ingest_readings(batch, intake)
        accepted = sum(outcome.accepted for outcome in result.outcomes.values())
        if accepted != len(batch) * READINGS_IN_MESSAGE:
            raise AssertionError(f"a batch was not taken whole: {accepted} readings, {result.failures}")
    return round(len(messages) * READINGS_IN_MESSAGE / (time.perf_counter() - before))


def _messages(stage: str, devices: DynamoDevices) -> list[Delivery]:
    """A new project's messages: 100 meters, a quarter of an hour in each."""
    name = uuid4().hex[:12].upper()
    project, key = f"PRJ{name}", Ed25519PrivateKey.generate()
    gateway = Gateway(
        id=f"GW{name}",
        project=project,
        organisation="ORG",
        name="benchmark",
        public_key=key.public_key().public_bytes_raw().hex(),
        certificate_fingerprint="00" * 32,
        created_us=0,
    )
    devices.save_gateway(gateway)
    meters = [f"DEV{number}" for number in range(READINGS_IN_MESSAGE)]
    for meter in meters:
        devices.save_device(_meter(project, meter))
    count = RUNS * MESSAGES_IN_ROUND
    return [_delivery(stage, gateway, key, meters, number) for number in range(count)]


def _delivery(
    stage: str, gateway: Gateway, key: Ed25519PrivateKey, meters: list[str], number: int
) -> Delivery:
    start_us = _START_US + number * 900 * times.MICROSECONDS
    data = readings.sign_message(
        environment=stage,
        project=gateway.project,
        gateway=gateway.id,
        sequence=number + 1,
        sent_at=times.format_us(start_us + 900 * times.MICROSECONDS),
        readings=[
            {
                "device": meter,
                "type": "solar_output",
                "start": times.format_us(start_us),
                "seconds": 900,
                "power_uw": 1_000_000 + number,
            }
            for meter in meters
        ],
        key=key,
    )
    received_us = start_us + 3_600 * times.MICROSECONDS
    return Delivery(key=str(number), gateway=gateway.id, received_us=received_us, data=data)


def _meter(project: str, meter: str) -> Device:
    return Device(
        id=meter,
        project=project,
        organisation="ORG",
        type="solar_output",
        name=meter,
        manufacturer="benchmark",
        model="",
        serial=f"{project}-{meter}",
        nameplate=6_000_000_000,
        standby=10_000_000,
        interval_seconds=900,
        error_ppm=10_000,
        from_us=0,
        created_us=0,
    )
