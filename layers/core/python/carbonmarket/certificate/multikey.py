"""Ed25519 public keys as Multikey text (``z6Mk…``) and as ``did:key``: W3C Controlled Identifiers 1.0."""

from __future__ import annotations

import base58

from carbonmarket.errors import InvalidInput

_ED25519_PREFIX = b"\xed\x01"
_DID = "did:key:"
KEY_BYTES = 32


def encode(public_key: bytes) -> str:
    """``z6Mk…`` of an Ed25519 public key of 32 bytes."""
    return "z" + base58.b58encode(_ED25519_PREFIX + public_key).decode()


def decode(text: str, field: str = "key") -> bytes:
    """The 32 bytes of a ``z6Mk…`` key; InvalidInput for anything else."""
    problem = InvalidInput(f"{field} must be an Ed25519 key such as z6Mk…, not {text[:60]!r}", field=field)
    try:
        raw = base58.b58decode(text[1:])
    except ValueError:
        raise problem from None
    if text[:1] != "z" or raw[:2] != _ED25519_PREFIX or len(raw) != KEY_BYTES + 2 or encode(raw[2:]) != text:
        raise problem
    return raw[2:]


def did(public_key: bytes) -> str:
    """``did:key:z6Mk…``."""
    return _DID + encode(public_key)


def verification_method(public_key: bytes) -> str:
    """``did:key:z6Mk…#z6Mk…``, the only key that a ``did:key`` of Ed25519 names for assertions."""
    return f"{did(public_key)}#{encode(public_key)}"


def key_of_method(method: str) -> bytes:
    """The key that a verification method of the form above names; InvalidInput for another form."""
    controller, _, fragment = method.partition("#")
    if not controller.startswith(_DID) or controller.removeprefix(_DID) != fragment:
        raise InvalidInput(
            "the proof's verification method is no did:key of Ed25519", field="verificationMethod"
        )
    return decode(fragment, "verificationMethod")
