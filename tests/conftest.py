"""Fixtures for every test: engines in fixtures/machine.py, a whole market in fixtures/market.py,
its exchange in fixtures/exchange.py,
its till in fixtures/till.py."""

pytest_plugins = [
    "tests.fixtures.machine",
    "tests.fixtures.market",
    "tests.fixtures.exchange",
    "tests.fixtures.till",
]
