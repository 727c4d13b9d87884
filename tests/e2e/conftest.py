"""The market's main job, done once by the real machine; every test of this folder asks what came of it."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from infra.local.demo.results import conclude, judge
from infra.local.demo.story import tell
from infra.local.machine import Machine
from infra.local.narrator import Narrator
from infra.local.run import prepare
from infra.local.settings import MachineSettings
from tests.e2e.market import Market
from tests.fixtures.machine import forget_wiring

FOLDER = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of this folder lives on one machine."""
    for item in items:
        if FOLDER in item.path.parents:
            for mark in (pytest.mark.engines, pytest.mark.chain):
                item.add_marker(mark)


@pytest.fixture(scope="session")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    """The demo's story told on free ports; the machine then stays up. Its functions go on working."""
    out = tmp_path_factory.mktemp("market")
    settings = MachineSettings(state=out / "machine").on_free_ports()
    printed = io.StringIO()
    console = Console(file=printed, width=200)
    before = dict(os.environ)
    # The demo believes the machine's key in the trust store of the user, who is not this test's.
    os.environ["XDG_CONFIG_HOME"] = str(out / "config")
    forget_wiring()
    try:
        with Machine(settings, prepare, console) as machine:
            told = tell(machine, out, Narrator(console))
            summary = conclude(machine, told, out, console)
            yield Market(machine, told, summary, out, printed.getvalue())
    finally:
        os.environ.clear()
        os.environ.update(before)
        forget_wiring()


@pytest.fixture
def lawful(market: Market) -> Iterator[None]:
    """After each test every law holds."""
    yield
    results = judge(market.machine, market.told.retired_before, market.told.personal)
    assert [law.detail for law in results if not law.holds] == []
