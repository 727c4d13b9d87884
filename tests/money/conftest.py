"""A ledger in a real DynamoDB, and a payment provider in a process of its own."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import stripe

from carbonmarket_adapters.dynamo.ledger import DynamoLedger
from carbonmarket_adapters.dynamo.table import table_model
from carbonmarket_adapters.payments_stripe import StripePayments
from infra.local.settings import MachineSettings
from tests.money.provider import Inbox, Provider

_stages = itertools.count()


@pytest.fixture
def ledger(dynamodb_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DynamoLedger:
    """A ledger with a table of its own."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    machine = MachineSettings(state=tmp_path, stage=f"money{next(_stages)}")
    settings = replace(machine.market_settings("0x" + "c" * 64), aws_endpoint_url=dynamodb_url)
    table_model(settings, "ledger").create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    return DynamoLedger(settings)


@pytest.fixture(scope="session")
def inbox() -> Iterator[Inbox]:
    """Where the provider's webhooks arrive."""
    with Inbox() as opened:
        yield opened


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory, inbox: Inbox) -> Iterator[Provider]:
    """The session's provider. Stories share its balance: they look at what they moved themselves."""
    started = Provider(tmp_path_factory.mktemp("stripe"), inbox.url)
    started.start()
    yield started
    started.stop()


@pytest.fixture
def own_provider(tmp_path: Path) -> Iterator[Provider]:
    """A provider that a story may kill, or put ahead in time."""
    started = Provider(tmp_path / "stripe", "")
    started.start()
    yield started
    started.stop()


@pytest.fixture
def api(provider: Provider) -> stripe.StripeClient:
    """The stripe package, as anybody would use it."""
    return provider.client()


@pytest.fixture
def payments(provider: Provider) -> StripePayments:
    """The adapter under test."""
    return provider.payments()


@pytest.fixture
def key() -> Callable[[], str]:
    """Keys that no other story uses."""
    return lambda: f"key-{next(_stages)}"
