"""Sealing personal data: AES-256-GCM under a data key per subject, which KMS wraps.

KMS binds the subject to the wrapped key (encryption context) and AES-GCM to the text (associated data), so
neither can be moved to another subject. Erasing the row in the table erases the data.
"""

from __future__ import annotations

import base64
import os
from typing import Any

from carbonmarket.records.credits import Sealed
from carbonmarket.settings import Settings
from carbonmarket_adapters.dynamo.subject_keys import DynamoSubjectKeys

NONCE_BYTES = 12


class KmsSubjectKeys:
    """The :class:`carbonmarket.ports.personal.SubjectKeys` over KMS and DynamoDB."""

    def __init__(self, settings: Settings, kms: Any) -> None:
        self._kms = kms
        self._keys = DynamoSubjectKeys(settings)
        self._alias = f"alias/{settings.prefix}subjects"

    def seal(self, subject: str, data: bytes) -> Sealed:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        key = self._existing(subject) or self._fresh(subject)
        nonce = os.urandom(NONCE_BYTES)
        return Sealed(
            subject=subject,
            nonce=base64.b64encode(nonce).decode(),
            ciphertext=base64.b64encode(AESGCM(key).encrypt(nonce, data, subject.encode())).decode(),
        )

    def open(self, sealed: Sealed) -> bytes | None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        key = self._existing(sealed.subject)
        if key is None:
            return None
        nonce, ciphertext = base64.b64decode(sealed.nonce), base64.b64decode(sealed.ciphertext)
        return AESGCM(key).decrypt(nonce, ciphertext, sealed.subject.encode())

    def erase(self, subject: str) -> None:
        self._keys.erase(subject)

    def _existing(self, subject: str) -> bytes | None:
        wrapped = self._keys.wrapped(subject)
        return None if wrapped is None else self._unwrap(subject, wrapped)

    def _fresh(self, subject: str) -> bytes:
        made = self._kms.generate_data_key(
            KeyId=self._alias, KeySpec="AES_256", EncryptionContext={"subject": subject}
        )
        kept = self._keys.add(subject, base64.b64encode(made["CiphertextBlob"]).decode())
        return self._unwrap(subject, kept)

    def _unwrap(self, subject: str, wrapped: str) -> bytes:
        answer = self._kms.decrypt(
            KeyId=self._alias,
            CiphertextBlob=base64.b64decode(wrapped),
            EncryptionContext={"subject": subject},
        )
        return bytes(answer["Plaintext"])
