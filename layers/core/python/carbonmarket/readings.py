"""The signed message a gateway sends, and the leaf that each of its readings becomes.

A message is canonical JSON: version, environment, project, gateway, sequence, sent_at, readings, signature.
The Ed25519 signature covers ``DOMAIN`` followed by the canonical bytes of everything but the signature, so
that a message can't be replayed in another environment, for another project or as anything but readings.

Messages are evidence for the life of the credits, so each says which form it has. Another form gets another
``VERSION`` and ``DOMAIN``, and the older ones stay readable.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from carbonmarket import canonical, merkle, schema
from carbonmarket.errors import InvalidInput

VERSION = 1
DOMAIN = b"CARBONMARKET::READINGS::V1"
# What AWS IoT Core takes in one message: 128 KiB, some 1,000 readings of one power each.
MAX_MESSAGE_BYTES = 131_072

Reading = Mapping[str, Any]
"""One reading on the wire: device, type, start (ISO 8601, Z), seconds, and the type's own integer fields."""


class BadSignature(InvalidInput):
    """The signature isn't the named gateway's over these bytes."""

    code = "bad-signature"


class Message(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A gateway's message as it was sent; ``signature`` is 128 hex digits."""

    version: int
    environment: str
    project: str
    gateway: str
    sequence: int
    sent_at: str
    readings: tuple[dict[str, Any], ...]
    signature: str


def sign_message(
    *,
    environment: str,
    project: str,
    gateway: str,
    sequence: int,
    sent_at: str,
    readings: Sequence[Reading],
    key: Ed25519PrivateKey,
) -> bytes:
    """The wire bytes of a message signed with the gateway's ``key``."""
    body = {
        "version": VERSION,
        "environment": environment,
        "project": project,
        "gateway": gateway,
        "sequence": sequence,
        "sent_at": sent_at,
        "readings": [dict(reading) for reading in readings],
    }
    signature = key.sign(DOMAIN + canonical.dumps(body))
    return canonical.dumps(body | {"signature": signature.hex()})


def parse_message(data: bytes) -> Message:
    """The message in ``data``; InvalidInput names what is wrong with its form.

    The form only: ``verify_message`` checks the signature, ``sensors.check_reading`` each reading's fields.
    """
    if len(data) > MAX_MESSAGE_BYTES:
        raise InvalidInput(f"the message has {len(data)} bytes; at most {MAX_MESSAGE_BYTES} are taken")
    value = canonical.loads(data, "the message")
    schema.check("events/reading_message", value)
    return Message(**{**value, "readings": tuple(value["readings"])})


def verify_message(message: Message, public_key: bytes) -> None:
    """Raise BadSignature unless ``public_key`` (Ed25519, 32 bytes) signed this message."""
    try:
        _public_key(public_key).verify(bytes.fromhex(message.signature), DOMAIN + signed_bytes(message))
    except (InvalidSignature, ValueError):
        raise BadSignature(
            f"the signature of message {message.sequence} is not that of gateway {message.gateway}",
            field="signature",
        ) from None


def signed_bytes(message: Message) -> bytes:
    """The canonical bytes that the signature covers, after the domain."""
    return canonical.dumps(
        {
            "version": message.version,
            "environment": message.environment,
            "project": message.project,
            "gateway": message.gateway,
            "sequence": message.sequence,
            "sent_at": message.sent_at,
            "readings": message.readings,
        }
    )


def message_bytes(message: Message) -> bytes:
    """The wire bytes of a parsed message, equal to those it was parsed from."""
    return canonical.dumps(msgspec.structs.asdict(message))


def leaf_salt(project_secret: bytes, gateway: str, sequence: int, device: str) -> bytes:
    """HMAC-SHA-256 of (gateway, sequence, device), each length-prefixed; 32 bytes.

    A redelivered reading gets the same salt, and so the same leaf. Who holds no secret can't guess a
    reading from its leaf.
    """
    text = b"".join(_prefixed(part) for part in (gateway.encode(), str(sequence).encode(), device.encode()))
    return hmac.digest(project_secret, text, "sha256")


def leaf_hash(*, salt: bytes, project: str, gateway: str, sequence: int, reading: Reading) -> bytes:
    """SHA-256(0x00 ‖ salt ‖ JCS({project, gateway, message_sequence, device, reading})), 32 bytes.

    ``reading`` is the wire reading; its ``device`` stands beside it in the hashed object, not in it.
    """
    hashed = {
        "project": project,
        "gateway": gateway,
        "message_sequence": sequence,
        "device": reading["device"],
        "reading": {name: value for name, value in reading.items() if name != "device"},
    }
    return merkle.leaf_hash(salt + canonical.dumps(hashed))


def leaf_hashes(message: Message, project_secret: bytes) -> list[bytes]:
    """The leaf of each reading of ``message``, in its order."""
    salts: dict[str, bytes] = {}
    leaves = []
    for reading in message.readings:
        device = reading["device"]
        if device not in salts:
            salts[device] = leaf_salt(project_secret, message.gateway, message.sequence, device)
        leaves.append(
            leaf_hash(
                salt=salts[device],
                project=message.project,
                gateway=message.gateway,
                sequence=message.sequence,
                reading=reading,
            )
        )
    return leaves


def _prefixed(part: bytes) -> bytes:
    return len(part).to_bytes(4, "big") + part


@lru_cache(maxsize=4_096)
def _public_key(raw: bytes) -> Ed25519PublicKey:
    # Decoding the point costs as much as a third of the check; a gateway sends thousands of messages.
    return Ed25519PublicKey.from_public_bytes(raw)
