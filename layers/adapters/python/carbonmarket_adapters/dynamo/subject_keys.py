"""Table subject_keys: each subject's data key, wrapped by KMS. Keys: ``subject#<id>`` / ``key``."""

from __future__ import annotations

import msgspec

from carbonmarket.errors import StaleWrite
from carbonmarket.settings import Settings
from carbonmarket_adapters.dynamo.table import DocumentTable, Kind, Write


class WrappedKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A data key as KMS wrapped it, in base64; of no use without KMS."""

    wrapped: str


KEY = Kind("subject-key", WrappedKey)


class DynamoSubjectKeys:
    """The stored half of :class:`carbonmarket_adapters.subject_keys.KmsSubjectKeys`."""

    def __init__(self, settings: Settings) -> None:
        self._table = DocumentTable(settings, "subject_keys")

    def wrapped(self, subject: str) -> str | None:
        """The subject's wrapped key, or None if there is none or it was erased."""
        stored = self._table.get(KEY, f"subject#{subject}", "key")
        return stored.record.wrapped if stored else None

    def add(self, subject: str, wrapped: str, expires_at: int | None = None) -> str:
        """Keep a first key and return it; the one another writer kept first wins. ``expires_at`` are the
        seconds at which it leaves by TTL."""
        key = WrappedKey(wrapped=wrapped)
        try:
            self._table.put(Write(KEY, f"subject#{subject}", "key", key, 0, expires_at=expires_at))
        except StaleWrite:
            return self.wrapped(subject) or self.add(subject, wrapped, expires_at)
        return wrapped

    def keep(self, subject: str, expires_at: int | None) -> None:
        """Let the key leave by TTL at another time, or not at all."""
        place = (f"subject#{subject}", "key")
        stored = self._table.get(KEY, *place)
        if stored is not None:
            self._table.put(Write(KEY, *place, stored.record, stored.revision, expires_at=expires_at))

    def erase(self, subject: str) -> None:
        """Remove the key."""
        self._table.delete(f"subject#{subject}", "key")
