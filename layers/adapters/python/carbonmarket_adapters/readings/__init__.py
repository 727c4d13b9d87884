"""Stores of accepted readings, chosen by the URL in the settings."""

from __future__ import annotations

from carbonmarket.errors import EngineUnavailable
from carbonmarket.ports.readings import ReadingsStore


def open_store(url: str) -> ReadingsStore:
    """The store of a URL: ``sqlite://`` followed by the file's absolute path.

    Raises EngineUnavailable for any other: no store but SQLite is there yet.
    """
    scheme, _, path = url.partition("://")
    if scheme == "sqlite" and path.startswith("/"):
        from carbonmarket_adapters.readings.sqlite import SqliteReadings

        # sqlite:////tmp/x and sqlite:///tmp/x both mean /tmp/x.
        return SqliteReadings("/" + path.lstrip("/"))
    # The URL is not repeated: it may hold a password.
    raise EngineUnavailable(
        "CARBONMARKET_READINGS_STORE must be sqlite:///absolute/path: SQLite on one machine is the only "
        "readings store there is yet"
    )
