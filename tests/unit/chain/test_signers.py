"""Keys stay with their keeper, sign what they may, and control the accounts that Aptos says they do."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path

import pytest
from aptos_sdk import ed25519, secp256k1_ecdsa
from aptos_sdk.account_address import AccountAddress
from aptos_sdk.asymmetric_crypto_wrapper import PublicKey as AnyPublicKey

from carbonmarket.errors import Conflict, InvalidInput, NotFound
from carbonmarket.ports.chain import MESSAGE_BYTES_MAX, Scheme
from carbonmarket_adapters.aptos.signers import FileSigner

HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


@pytest.fixture
def signer(tmp_path: Path) -> FileSigner:
    return FileSigner(tmp_path / "keys")


def test_an_ed25519_key_signs_for_the_account_aptos_derives(signer: FileSigner) -> None:
    public = ed25519.PublicKey.from_str(signer.create("org").key.hex())
    assert public.verify(b"message", ed25519.Signature(signer.sign("org", b"message")))
    assert signer.address("org") == "0x" + AccountAddress.from_key(public).address.hex()


def test_a_secp256k1_key_signs_with_low_s_for_the_account_aptos_derives(signer: FileSigner) -> None:
    public = secp256k1_ecdsa.PublicKey.from_str(signer.create("publisher", "secp256k1").key.hex())
    address = AccountAddress.from_key(AnyPublicKey(public))
    assert signer.address("publisher") == "0x" + address.address.hex()
    for number in range(8):
        message = hashlib.sha256(bytes([number])).digest()
        signature = signer.sign("publisher", message)
        assert public.verify(message, secp256k1_ecdsa.Signature(signature))
        assert int.from_bytes(signature[32:], "big") <= HALF_ORDER


def test_a_message_longer_than_kms_signs_is_refused_here_too(signer: FileSigner) -> None:
    signer.create("org")
    assert len(signer.sign("org", bytes(MESSAGE_BYTES_MAX))) == 64
    with pytest.raises(InvalidInput, match="4096"):
        signer.sign("org", bytes(MESSAGE_BYTES_MAX + 1))


def test_a_secp256k1_key_signs_long_messages(signer: FileSigner) -> None:
    signer.create("publisher", "secp256k1")
    assert len(signer.sign("publisher", bytes(40_000))) == 64


def test_only_the_owner_can_read_a_key(signer: FileSigner, tmp_path: Path) -> None:
    signer.create("org")
    (path,) = (tmp_path / "keys").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("scheme", ["ed25519", "secp256k1"])
def test_creating_a_key_again_gives_the_same_key(signer: FileSigner, tmp_path: Path, scheme: Scheme) -> None:
    made = signer.create("org", scheme)
    assert FileSigner(tmp_path / "keys").create("org", scheme) == made


def test_a_key_has_one_scheme(signer: FileSigner) -> None:
    signer.create("org")
    with pytest.raises(Conflict, match="ed25519"):
        signer.create("org", "secp256k1")


def test_a_key_that_was_never_made_is_named(signer: FileSigner) -> None:
    with pytest.raises(NotFound, match="nobody"):
        signer.sign("nobody", b"")


@pytest.mark.parametrize("key_id", ["../escape", "", "a/b", "x" * 65])
def test_a_key_id_cannot_leave_the_directory(signer: FileSigner, key_id: str) -> None:
    with pytest.raises(InvalidInput):
        signer.create(key_id)
