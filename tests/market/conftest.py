"""One exchange for these stories: two minted batches with books in test USDC, and people with money."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.market.exchange import Exchange
from tests.sagas.world import World


@pytest.fixture(scope="session")
def opened_exchange(opened_world: World) -> Iterator[Exchange]:
    """The exchange, made once."""
    with pytest.MonkeyPatch.context() as patch:
        opened_world.wire(patch)
        exchange = Exchange(opened_world)
        exchange.open(patch)
        yield exchange


@pytest.fixture
def exchange(opened_exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> Exchange:
    """The exchange, wired into this process, with empty books."""
    opened_exchange.world.wire(monkeypatch)
    opened_exchange.clear()
    return opened_exchange
