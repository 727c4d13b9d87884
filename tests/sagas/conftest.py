"""One market for the session: chain, engines, contracts, verifiers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infra.local.chain.process import Running, running
from tests.fixtures.machine import AwsEndpoint
from tests.sagas.world import Site, World


@pytest.fixture(scope="session")
def localnet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("saga-chain") / "state.db") as started:
        yield started


@pytest.fixture(scope="session")
def opened_world(aws: AwsEndpoint, localnet: Running) -> Iterator[World]:
    world = World(aws, localnet)
    with pytest.MonkeyPatch.context() as patch:
        world.wire(patch)
        world.open()
        yield world


@pytest.fixture
def world(opened_world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The market, wired into this process."""
    opened_world.wire(monkeypatch)
    return opened_world


@pytest.fixture
def site(world: World) -> Site:
    """An approved project of its own developer."""
    return Site(world)
