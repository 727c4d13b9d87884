"""KMS keys sign what Aptos verifies: Ed25519 over raw messages, secp256k1 over a digest."""

from __future__ import annotations

from typing import Any

import pytest
from aptos_sdk import ed25519, secp256k1_ecdsa

from carbonmarket.errors import Conflict, InvalidInput, NotFound
from carbonmarket.ports.chain import MESSAGE_BYTES_MAX
from carbonmarket_adapters.aptos.signers import KmsSigner

HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


@pytest.fixture
def signer(aws: Any) -> KmsSigner:
    return KmsSigner(aws.client("kms"), aws.settings.prefix)


def test_an_ed25519_key_of_kms_signs_for_aptos(signer: KmsSigner) -> None:
    public = ed25519.PublicKey.from_str(signer.create("kms-org").key.hex())
    message = bytes(MESSAGE_BYTES_MAX)
    assert public.verify(message, ed25519.Signature(signer.sign("kms-org", message)))


def test_kms_is_not_asked_to_sign_more_than_it_may(signer: KmsSigner) -> None:
    signer.create("kms-org")
    with pytest.raises(InvalidInput, match="4096"):
        signer.sign("kms-org", bytes(MESSAGE_BYTES_MAX + 1))


def test_a_secp256k1_key_of_kms_signs_long_messages_with_low_s(signer: KmsSigner) -> None:
    public = secp256k1_ecdsa.PublicKey.from_str(signer.create("kms-publisher", "secp256k1").key.hex())
    for length in range(40_000, 40_006):
        signature = signer.sign("kms-publisher", bytes(length))
        assert public.verify(bytes(length), secp256k1_ecdsa.Signature(signature))
        assert int.from_bytes(signature[32:], "big") <= HALF_ORDER


def test_a_key_is_made_once_and_has_one_scheme(aws: Any, signer: KmsSigner) -> None:
    made = signer.create("kms-once")
    assert KmsSigner(aws.client("kms"), aws.settings.prefix).create("kms-once") == made
    with pytest.raises(Conflict, match="ed25519"):
        signer.create("kms-once", "secp256k1")


def test_a_key_that_was_never_made_is_named(signer: KmsSigner) -> None:
    with pytest.raises(NotFound, match="kms-nobody"):
        signer.sign("kms-nobody", b"")
