"""Identifiers that come from what they identify, so that a repeated request names the same thing."""

from __future__ import annotations

import hashlib

# Crockford's base 32: no I, L, O or U, so an id read over the telephone survives.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 12  # 60 bits: 10^6 ids collide with probability 4 * 10^-7


def derive(prefix: str, *parts: str) -> str:
    """An id of ``prefix`` and 12 base-32 characters, the same for the same parts.

    Parts are length-prefixed before hashing, so ("ab", "c") and ("a", "bc") differ. The form is
    ``[A-Z]+[0-9A-Z]{12}``, at most 16 characters for prefixes of up to four, which the contracts take.
    """
    digest = hashlib.sha256()
    for part in parts:
        encoded = part.encode()
        digest.update(len(encoded).to_bytes(4, "big") + encoded)
    number = int.from_bytes(digest.digest()[:8], "big") >> 4
    return prefix + "".join(_ALPHABET[(number >> shift) & 31] for shift in range(55, -5, -5))
