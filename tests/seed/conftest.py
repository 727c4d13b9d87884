"""These tests leave batches and reputations on the exchange's chain, where others count what there is: they
go last."""

from __future__ import annotations

from pathlib import Path

import pytest

FOLDER = Path(__file__).parent


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Behind everything else, in their own order."""
    items.sort(key=lambda item: FOLDER in item.path.parents)
