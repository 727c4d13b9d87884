"""Fixtures for every test: the engines live in tests/fixtures/machine.py."""

pytest_plugins = ["tests.fixtures.machine"]
