"""Table custody: organisations' signing keys, sealed. Keys: ``key#<id>`` / ``key``.

Nothing here changes or removes a key: an account on chain is its key.
"""

from __future__ import annotations

import msgspec

from carbonmarket.errors import StaleWrite
from carbonmarket.settings import Settings
from carbonmarket_adapters.dynamo.table import DocumentTable, Kind, Write


class SealedKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An Ed25519 key as it is kept.

    ``public_key`` is 32 bytes in hex. ``ciphertext`` is the seed of 32 bytes, sealed with ``nonce`` under the
    data key that KMS wrapped as ``wrapped``; all three in base64, and of no use without KMS.
    """

    public_key: str
    wrapped: str
    nonce: str
    ciphertext: str


KEY = Kind("custody-key", SealedKey)


class DynamoCustody:
    """The stored half of :class:`carbonmarket_adapters.aptos.sealed_keys.SealedSigner`."""

    def __init__(self, settings: Settings) -> None:
        self._table = DocumentTable(settings, "custody")

    def key(self, key_id: str) -> SealedKey | None:
        """The key of this id, or None if there is none."""
        stored = self._table.get(KEY, f"key#{key_id}", "key")
        return stored.record if stored else None

    def add(self, key_id: str, sealed: SealedKey) -> None:
        """Keep a first key; the one that another writer kept first stays."""
        try:
            self._table.put(Write(KEY, f"key#{key_id}", "key", sealed, 0))
        except StaleWrite:
            return
