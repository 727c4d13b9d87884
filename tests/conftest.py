"""Fixtures for every test: engines in tests/fixtures/machine.py, a whole market in tests/fixtures/market.py."""

pytest_plugins = ["tests.fixtures.machine", "tests.fixtures.market"]
