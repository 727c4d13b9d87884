"""These tests leave batches and reputations on the exchange's chain, where others count what there is: they
go last."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.settings import CREDENTIALS, MachineSettings
from tests.fixtures.machine import forget_wiring

FOLDER = Path(__file__).parent


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Behind everything else, in their own order."""
    items.sort(key=lambda item: FOLDER in item.path.parents)


@pytest.fixture
def a_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The state folder of a machine whose engines are all down."""
    settings = MachineSettings(state=tmp_path / "machine").on_free_ports()
    environment = settings.market_settings("0x1", "0x2").to_env()
    settings.environment_file.write_text(json.dumps(environment))
    # What the command sets is put back after the test.
    for name in (*environment, *CREDENTIALS):
        monkeypatch.setenv(name, "")
    forget_wiring()
    yield settings.state
    forget_wiring()
