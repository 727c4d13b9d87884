"""How a kind of projected record is stored in table ``chain``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

Index = tuple[str, str] | None


class Place(msgspec.Struct, frozen=True):
    """How one kind is stored: its form, its keys, its index entry and its identity."""

    kind: Any
    keys: Callable[..., tuple[str, str]]
    identity: Callable[[Any], tuple[str, ...]]
    index: Callable[[Any], Index]


def no_index(_record: Any) -> Index:
    """For kinds that are found by their keys alone."""
    return None
