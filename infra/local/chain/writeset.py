"""What a transaction wrote, packed for history, and the keys' parts."""

from __future__ import annotations

from typing import NamedTuple

from infra.local.chain import bcs
from infra.local.chain.bcs import Reader
from infra.local.chain.vm import KIND_CHECKSUM, KIND_TABLE_INFO, Writes

_INTERNAL = {KIND_CHECKSUM, KIND_TABLE_INFO}


class Change(NamedTuple):
    """One key's change: ``owner`` is an address or a table's handle; ``value`` is None when deleted."""

    owner: bytes
    kind: int
    path: bytes
    value: bytes | None


def pack(writes: Writes) -> bytes:
    """All but what the VM keeps for itself, in the order of the keys."""
    kept = [(key, writes[key]) for key in sorted(writes) if key[32] not in _INTERNAL]
    parts = [bcs.uleb(len(kept))]
    for key, value in kept:
        parts.append(bcs.blob(key) + (b"\x00" if value is None else b"\x01" + bcs.blob(value)))
    return b"".join(parts)


def unpack(data: bytes) -> list[Change]:
    reader = Reader(data)
    changes = []
    for _ in range(reader.uleb()):
        key = reader.blob()
        value = reader.blob() if reader.flag() else None
        changes.append(Change(key[:32], key[32], key[33:], value))
    return changes
