"""One localnet for all stories that leave each other alone; those that kill it start their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infra.local.chain.process import Running, running


@pytest.fixture(scope="session")
def localnet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("localnet") / "state.db") as started:
        yield started
