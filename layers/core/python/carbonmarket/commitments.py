"""Commitments to personal data: on chain and in certificates stands a hash, never a name.

The hash is SHA-256(0x02 ‖ salt ‖ canonical JSON). The random 256-bit salt keeps a short name from being
guessed; with the salt erased, what was committed can't be shown or found any more, and every proof stays
valid. 0x02 keeps commitments apart from the leaves (0x00) and nodes (0x01) of trees.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from carbonmarket import canonical
from carbonmarket.errors import InvalidInput

SALT_BYTES = 32


def personal_commitment(salt: bytes, person: Mapping[str, Any]) -> bytes:
    """The commitment (32 bytes) to ``person``, such as {"name": "Ada"}; ``salt`` is 32 random bytes."""
    if len(salt) != SALT_BYTES:
        raise InvalidInput(f"the salt of a commitment has {SALT_BYTES} bytes, not {len(salt)}", field="salt")
    return hashlib.sha256(b"\x02" + salt + canonical.dumps(dict(person))).digest()


def opens(commitment: bytes, salt: bytes, person: Mapping[str, Any]) -> bool:
    """Whether ``salt`` and ``person`` are what ``commitment`` was made of."""
    return hmac.compare_digest(commitment, personal_commitment(salt, person))
