"""A chain, a DynamoDB and the market's chain adapters over them, all real."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.local.chain.process import Running, running
from tests.chain.world import World

_stages = itertools.count()


@pytest.fixture(scope="session")
def chain_localnet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("chain") / "state.db") as started:
        yield started


@pytest.fixture
def make_world(
    dynamodb_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Running], World]:
    """Makes a world over a localnet: own tables, own keys."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    return lambda localnet: World(localnet, dynamodb_url, tmp_path, f"chain{next(_stages)}")


@pytest.fixture
def world(make_world: Callable[[Running], World], chain_localnet: Running) -> World:
    """A world over the session's localnet."""
    return make_world(chain_localnet)
