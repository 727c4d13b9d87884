"""Telling people and other programs what happened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Notifications(Protocol):
    """At least once: a receiver drops an ``id`` it has seen. Ids and quantities only, no personal data."""

    def send(self, id: str, type: str, organisation: str, data: Mapping[str, str]) -> None: ...
