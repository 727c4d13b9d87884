"""Sealing personal data under a data key per subject: erasing the key's row erases the data."""

from __future__ import annotations

from typing import Any

from carbonmarket.records.credits import Sealed
from carbonmarket.settings import Settings
from carbonmarket.times import MICROSECONDS
from carbonmarket_adapters.dynamo.subject_keys import DynamoSubjectKeys
from carbonmarket_adapters.envelope import Envelope, seal, unseal


class KmsSubjectKeys:
    """The :class:`carbonmarket.ports.personal.SubjectKeys` over KMS and DynamoDB."""

    def __init__(self, settings: Settings, kms: Any) -> None:
        self._keys = DynamoSubjectKeys(settings)
        self._envelope = Envelope(kms, f"alias/{settings.prefix}subjects", "subject")

    def seal(self, subject: str, data: bytes, until_us: int | None = None) -> Sealed:
        expires_at = None if until_us is None else until_us // MICROSECONDS
        key = self._existing(subject)
        if key is None:
            key = self._fresh(subject, expires_at)
        elif expires_at is not None:
            self._keys.keep(subject, expires_at)
        nonce, ciphertext = seal(key, subject, data)
        return Sealed(subject=subject, nonce=nonce, ciphertext=ciphertext)

    def open(self, sealed: Sealed) -> bytes | None:
        key = self._existing(sealed.subject)
        if key is None:
            return None
        return unseal(key, sealed.subject, sealed.nonce, sealed.ciphertext)

    def keep(self, subject: str) -> None:
        self._keys.keep(subject, None)

    def erase(self, subject: str) -> None:
        self._keys.erase(subject)

    def _existing(self, subject: str) -> bytes | None:
        wrapped = self._keys.wrapped(subject)
        return None if wrapped is None else self._envelope.unwrap(subject, wrapped)

    def _fresh(self, subject: str, expires_at: int | None) -> bytes:
        key, wrapped = self._envelope.fresh(subject)
        kept = self._keys.add(subject, wrapped, expires_at)
        return key if kept == wrapped else self._envelope.unwrap(subject, kept)
