"""Stores of accepted readings, chosen by the URL in the settings."""

from __future__ import annotations

from carbonmarket.ports.readings import ReadingsStore


def open_store(url: str) -> ReadingsStore:
    """The store of a URL: ``sqlite://`` followed by the file's absolute path.

    Raises ValueError for a URL that no store here speaks.
    """
    scheme, _, path = url.partition("://")
    if scheme == "sqlite" and path.startswith("/"):
        from carbonmarket_adapters.readings.sqlite import SqliteReadings

        # sqlite:////tmp/x and sqlite:///tmp/x both mean /tmp/x.
        return SqliteReadings("/" + path.lstrip("/"))
    raise ValueError(f"no readings store speaks {url!r}; give sqlite:///absolute/path")
