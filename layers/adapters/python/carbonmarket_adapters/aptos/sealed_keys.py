"""The signer port's keeper of organisations' keys: Ed25519 seeds, each sealed under a data key of its own.

A seed is opened to sign and stays open in this process' memory, for a while and for so many keys; public
keys are read without KMS.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from carbonmarket.errors import InvalidInput, NotFound
from carbonmarket.ports.chain import PublicKey, Scheme, SignerPort
from carbonmarket.records.accounts import ORGANISATION_PREFIX
from carbonmarket.settings import Settings
from carbonmarket_adapters.aptos.signers import account_address, checked_id, public_half, refuse_long
from carbonmarket_adapters.dynamo.custody import DynamoCustody, SealedKey
from carbonmarket_adapters.envelope import Envelope, SealBroken, seal, unseal
from carbonmarket_adapters.remembered import remembered

OPEN_MAX = 1_000
OPEN_S = 900.0
"""How many keys a process holds open at once, and for how long one stays open, in seconds."""


class SealedSigner:
    """Keys in table ``custody`` under the KMS key ``alias/<prefix>custody``, whose context names the key.

    All are Ed25519, with KMS's limit on messages, so that a key can move into KMS itself.
    """

    def __init__(self, settings: Settings, kms: Any, now: Callable[[], float] = time.monotonic) -> None:
        """``kms`` is a boto3 client; ``now`` is a clock in seconds."""
        self._table = DynamoCustody(settings)
        self._envelope = Envelope(kms, f"alias/{settings.prefix}custody", "key")
        self._look = remembered(self._table.key)
        self._open: OrderedDict[str, tuple[Ed25519PrivateKey, float]] = OrderedDict()
        self._lock = threading.Lock()
        self._now = now

    def create(self, key_id: str, scheme: Scheme = "ed25519") -> PublicKey:
        if scheme != "ed25519":
            raise InvalidInput(f"key {key_id} can't be of scheme {scheme}: keys in custody are ed25519")
        if self._look(checked_id(key_id)) is None:
            self._table.add(key_id, self._sealed(key_id))
        return self.public_key(key_id)

    def public_key(self, key_id: str) -> PublicKey:
        return PublicKey(scheme="ed25519", key=bytes.fromhex(self._stored(key_id).public_key))

    def address(self, key_id: str) -> str:
        return account_address(self.public_key(key_id))

    def sign(self, key_id: str, message: bytes) -> bytes:
        refuse_long(message, key_id)
        return self._opened(key_id).sign(message)

    def _stored(self, key_id: str) -> SealedKey:
        found = self._look(checked_id(key_id))
        if found is None:
            raise NotFound(f"there is no key {key_id}; create it first")
        return found

    def _sealed(self, key_id: str) -> SealedKey:
        made = Ed25519PrivateKey.generate()
        data_key, wrapped = self._envelope.fresh(key_id)
        nonce, ciphertext = seal(data_key, key_id, made.private_bytes_raw())
        public = made.public_key().public_bytes_raw().hex()
        return SealedKey(public_key=public, wrapped=wrapped, nonce=nonce, ciphertext=ciphertext)

    def _opened(self, key_id: str) -> Ed25519PrivateKey:
        with self._lock:
            self._forget_old()
            if key_id not in self._open:
                self._open[key_id] = (self._unsealed(key_id), self._now())
                if len(self._open) > OPEN_MAX:
                    self._open.popitem(last=False)
            return self._open[key_id][0]

    def _forget_old(self) -> None:
        # They stand in the order in which they were opened.
        while self._open and next(iter(self._open.values()))[1] < self._now() - OPEN_S:
            self._open.popitem(last=False)

    def _unsealed(self, key_id: str) -> Ed25519PrivateKey:
        stored = self._stored(key_id)
        data_key = self._envelope.unwrap(key_id, stored.wrapped)
        key = Ed25519PrivateKey.from_private_bytes(unseal(data_key, key_id, stored.nonce, stored.ciphertext))
        if public_half(key.public_key()) != self.public_key(key_id):
            raise SealBroken(f"the public key kept for {key_id} is another key's")
        return key


class SignerByHolder:
    """Organisations' keys are the custody's, which is made when first asked for; all others ``own``'s."""

    def __init__(self, own: SignerPort, custody: Callable[[], SignerPort]) -> None:
        self._own = own
        self._custody = custody

    def create(self, key_id: str, scheme: Scheme = "ed25519") -> PublicKey:
        return self._keeper(key_id).create(key_id, scheme)

    def public_key(self, key_id: str) -> PublicKey:
        return self._keeper(key_id).public_key(key_id)

    def address(self, key_id: str) -> str:
        return self._keeper(key_id).address(key_id)

    def sign(self, key_id: str, message: bytes) -> bytes:
        return self._keeper(key_id).sign(key_id, message)

    def _keeper(self, key_id: str) -> SignerPort:
        return self._custody() if key_id.startswith(ORGANISATION_PREFIX) else self._own
