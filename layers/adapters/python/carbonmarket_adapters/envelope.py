"""Envelope encryption: AES-256-GCM under a data key that KMS makes and wraps, both bound to one name.

KMS binds the name to the wrapped key (encryption context) and AES-GCM to the text (associated data), so
neither can be moved to another name. Who keeps the wrapped key, and for how many texts, is the caller's.
"""

from __future__ import annotations

import base64
import os
from typing import Any

NONCE_BYTES = 12


class SealBroken(Exception):
    """What is kept under a name was not sealed for it, or was changed since."""


class Envelope:
    """Data keys of one KMS key. ``field`` is the one field of their encryption context, which names them."""

    def __init__(self, kms: Any, alias: str, field: str) -> None:
        """``kms`` is a boto3 client; ``alias`` names the KMS key ("alias/…")."""
        self._kms = kms
        self._alias = alias
        self._field = field

    def fresh(self, name: str) -> tuple[bytes, str]:
        """A new data key of 32 bytes, and itself as KMS wrapped it, in base64."""
        made = self._kms.generate_data_key(
            KeyId=self._alias, KeySpec="AES_256", EncryptionContext={self._field: name}
        )
        return bytes(made["Plaintext"]), base64.b64encode(made["CiphertextBlob"]).decode()

    def unwrap(self, name: str, wrapped: str) -> bytes:
        """The data key; SealBroken if KMS did not wrap it for this name."""
        refusals = self._kms.exceptions
        try:
            answer = self._kms.decrypt(
                KeyId=self._alias,
                CiphertextBlob=base64.b64decode(wrapped),
                EncryptionContext={self._field: name},
            )
        except (refusals.InvalidCiphertextException, refusals.IncorrectKeyException):
            raise SealBroken(f"the data key kept for {name} was not wrapped for it") from None
        return bytes(answer["Plaintext"])


def seal(key: bytes, name: str, data: bytes) -> tuple[str, str]:
    """(nonce, ciphertext), both in base64, of ``data`` under a data key."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(NONCE_BYTES)
    ciphertext = AESGCM(key).encrypt(nonce, data, name.encode())
    return base64.b64encode(nonce).decode(), base64.b64encode(ciphertext).decode()


def unseal(key: bytes, name: str, nonce: str, ciphertext: str) -> bytes:
    """What was sealed; SealBroken if it was sealed for another name or under another key."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        return AESGCM(key).decrypt(base64.b64decode(nonce), base64.b64decode(ciphertext), name.encode())
    except InvalidTag:
        raise SealBroken(f"what is kept for {name} was not sealed for it, or was changed since") from None
