"""Fixtures for every test: engines in fixtures/machine.py, a whole market in fixtures/market.py,
its exchange in fixtures/exchange.py,
its till in fixtures/till.py; and who runs with whom."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = [
    "tests.fixtures.machine",
    "tests.fixtures.market",
    "tests.fixtures.exchange",
    "tests.fixtures.till",
]

FOLDER = Path(__file__).parent
ROOMS = {"chain", "e2e", "infra", "localnet", "money", "move", "sagas"}
"""Folders whose tests share engines, templates or compiled contracts."""
SESSIONS = {"opened_world": "exchange", "aws": "stores", "samples": "samples"}
"""Of the other folders: slow fixtures of a session, which stories leave changed, and who has them."""


LONGEST = ("e2e", "sagas", "exchange", "chain", "move")
"""Groups that begin before others, so that nobody waits for one that began last."""


# Before the workers read the groups.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One process runs all that shares an engine, in the order of the files: it is started once, and what a
    story finds there does not hang on which process was free."""
    for item in items:
        room = item.path.relative_to(FOLDER).parts[0]
        fixtures: list[str] = getattr(item, "fixturenames", [])
        shared = [room] if room in ROOMS else [SESSIONS[each] for each in SESSIONS if each in fixtures]
        if shared and not any(item.iter_markers("xdist_group")):
            item.add_marker(pytest.mark.xdist_group(shared[0]))
    items.sort(key=_begins)


def _begins(item: pytest.Item) -> int:
    group = item.get_closest_marker("xdist_group")
    return LONGEST.index(group.args[0]) if group and group.args[0] in LONGEST else len(LONGEST)
