"""A chain, a DynamoDB and the market's chain adapters over them, all real."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.local.chain.process import Running, running
from tests.chain.exchange import Exchange, new_exchange
from tests.chain.market import Market
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


@pytest.fixture
def own_localnet(tmp_path: Path) -> Iterator[Running]:
    """A localnet that a story may stop, replace or set the clock of."""
    with running(tmp_path / "own.db") as started:
        yield started


@pytest.fixture
def make_market(
    dynamodb_url: str, tmp_path: Path, make_world: Callable[[Running], World]
) -> Callable[[Running], Market]:
    """Makes a market over a localnet, with contracts, project and anchored hours, but nothing issued."""

    def make(localnet: Running) -> Market:
        market = Market(localnet, dynamodb_url, tmp_path, f"chain{next(_stages)}")
        market.publish()
        market.register()
        market.anchor()
        return market

    return make


@pytest.fixture
def market(make_market: Callable[[Running], Market], chain_localnet: Running) -> Market:
    """A market over the session's localnet."""
    return make_market(chain_localnet)


@pytest.fixture(scope="session")
def open_exchange(
    dynamodb_url: str, tmp_path_factory: pytest.TempPathFactory, chain_localnet: Running
) -> Iterator[Exchange]:
    """One open exchange over the session's localnet, since opening one takes seconds."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        folder = tmp_path_factory.mktemp("exchange")
        yield new_exchange(chain_localnet, dynamodb_url, folder, f"chain{next(_stages)}")


@pytest.fixture
def exchange(make_world: Callable[[Running], World], open_exchange: Exchange) -> Iterator[Exchange]:
    """The open exchange with an empty book."""
    yield open_exchange
    open_exchange.clear()
