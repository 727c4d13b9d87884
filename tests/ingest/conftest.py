"""Real stores for these tests; each test has a project of its own in the shared tables."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from carbonmarket.operations.ingest_readings import Intake
from carbonmarket_adapters.device_lookup import CachedLookup
from carbonmarket_adapters.dynamo.anchors import DynamoAnchors
from carbonmarket_adapters.dynamo.devices import DynamoDevices
from carbonmarket_adapters.dynamo.ingest import DynamoIngest
from carbonmarket_adapters.evidence_store import MasterSecretSalts, S3Evidence
from carbonmarket_adapters.readings.sqlite import SqliteReadings
from infra.local.settings import CREDENTIALS
from tests.fixtures.machine import AwsEndpoint
from tests.ingest.story import Site

_numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """PynamoDB looks for credentials in the environment; the engines take any."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def site() -> Site:
    """A project that no other test knows."""
    return Site(f"{next(_numbers):012d}")


@pytest.fixture
def devices(aws: AwsEndpoint) -> DynamoDevices:
    return DynamoDevices(aws.settings)


@pytest.fixture
def store(aws: AwsEndpoint) -> DynamoIngest:
    return DynamoIngest(aws.settings)


@pytest.fixture
def anchors(aws: AwsEndpoint) -> DynamoAnchors:
    return DynamoAnchors(aws.settings)


@pytest.fixture
def evidence(aws: AwsEndpoint) -> S3Evidence:
    return S3Evidence(aws.client("s3"), aws.name("evidence"))


@pytest.fixture
def readings(tmp_path: Path) -> SqliteReadings:
    return SqliteReadings(str(tmp_path / "readings.sqlite"))


@pytest.fixture
def intake(
    devices: DynamoDevices, store: DynamoIngest, readings: SqliteReadings, evidence: S3Evidence
) -> Intake:
    """What the ingest function works with, over real engines."""
    return Intake(
        environment="test",
        devices=CachedLookup(devices),
        store=store,
        readings=readings,
        evidence=evidence,
        salts=MasterSecretSalts(b"m" * 32),
    )
