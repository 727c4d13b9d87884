"""Who signed a transaction: keys, signatures, and what each signer's signature must cover."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
from cryptography.hazmat.primitives.hashes import SHA256

from infra.local.chain import bcs
from infra.local.chain.bcs import BcsError, Reader

_SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_MAX_KEYS = 32
_KEY_NAMES = {0: "ed25519", 1: "secp256k1_ecdsa"}
_KEY_SIZES = {0: 32, 1: 65}


@dataclass(frozen=True, slots=True)
class Key:
    """A public key: ``scheme`` 0 is Ed25519 (32 bytes), 1 is ECDSA on secp256k1 (65 bytes, uncompressed)."""

    scheme: int
    data: bytes

    def to_bytes(self) -> bytes:
        return bcs.uleb(self.scheme) + bcs.blob(self.data)

    def verifies(self, signature: bytes, message: bytes) -> bool:
        if self.scheme == 0:
            return _verifies_ed25519(self.data, signature, message)
        return _verifies_secp256k1(self.data, signature, message)

    def to_json(self) -> dict[str, str]:
        return {"type": _KEY_NAMES[self.scheme], "value": "0x" + self.data.hex()}


@lru_cache(maxsize=4096)
def _ed25519_key(data: bytes) -> ed25519.Ed25519PublicKey:
    return ed25519.Ed25519PublicKey.from_public_bytes(data)


def _verifies_ed25519(key: bytes, signature: bytes, message: bytes) -> bool:
    try:
        _ed25519_key(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _verifies_secp256k1(key: bytes, signature: bytes, message: bytes) -> bool:
    """Over SHA3-256 of the message; a high s is refused, since it would give a second valid form."""
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if s > _SECP256K1_ORDER // 2:
        return False
    try:
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256K1(), key)
        digest = hashlib.sha3_256(message).digest()
        # SHA-256 only tells the library that the digest has 32 bytes.
        public.verify(utils.encode_dss_signature(r, s), digest, ec.ECDSA(utils.Prehashed(SHA256())))
    except (InvalidSignature, ValueError):
        return False
    return True


@dataclass(frozen=True, slots=True)
class AccountAuthenticator:
    """One account's part. ``kind`` is ed25519, multi_ed25519, single_key, multi_key or none.

    ``signatures`` are (index of the key, its 64 bytes); ``threshold`` of them are needed.
    """

    kind: str
    keys: tuple[Key, ...]
    signatures: tuple[tuple[int, int, bytes], ...]
    threshold: int
    bitmap: bytes = b""

    def auth_key(self) -> bytes:
        """The account's authentication key that these public keys hash to."""
        packed = b"".join(key.data for key in self.keys)
        if self.kind == "ed25519":
            material = packed + b"\x00"
        elif self.kind == "multi_ed25519":
            material = packed + bytes((self.threshold, 1))
        elif self.kind == "single_key":
            material = self.keys[0].to_bytes() + b"\x02"
        else:
            listed = bcs.uleb(len(self.keys)) + b"".join(key.to_bytes() for key in self.keys)
            material = listed + bytes((self.threshold, 3))
        return hashlib.sha3_256(material).digest()

    def verifies(self, message: bytes) -> bool:
        """Whether enough of the keys signed ``message``, and every signature given is right."""
        if self.kind == "none" or len(self.signatures) < self.threshold:
            return False
        return all(
            scheme == self.keys[index].scheme and self.keys[index].verifies(signature, message)
            for index, scheme, signature in self.signatures
        )

    def to_json(self) -> dict[str, Any]:
        signatures = [(index, scheme, "0x" + data.hex()) for index, scheme, data in self.signatures]
        if self.kind == "none":
            return {"type": "no_account_signature"}
        if self.kind == "ed25519":
            key = "0x" + self.keys[0].data.hex()
            return {"type": "ed25519_signature", "public_key": key, "signature": signatures[0][2]}
        if self.kind == "multi_ed25519":
            return {
                "type": "multi_ed25519_signature",
                "public_keys": ["0x" + key.data.hex() for key in self.keys],
                "signatures": [data for _, _, data in signatures],
                "threshold": self.threshold,
                "bitmap": "0x" + self.bitmap.hex(),
            }
        typed = [(index, {"type": _KEY_NAMES[scheme], "value": data}) for index, scheme, data in signatures]
        if self.kind == "single_key":
            public_key, signature = self.keys[0].to_json(), typed[0][1]
            return {"type": "single_key_signature", "public_key": public_key, "signature": signature}
        return {
            "type": "multi_key_signature",
            "public_keys": [key.to_json() for key in self.keys],
            "signatures": [{"index": index, "signature": signature} for index, signature in typed],
            "signatures_required": self.threshold,
        }


@dataclass(frozen=True, slots=True)
class Authenticator:
    """All parts of one transaction. ``form`` is single, multi_agent or fee_payer."""

    form: str
    sender: AccountAuthenticator
    secondary: tuple[tuple[bytes, AccountAuthenticator], ...] = ()
    fee_payer: tuple[bytes, AccountAuthenticator] | None = None

    def verifies(self, raw: bytes) -> bool:
        """Whether everyone signed what they must have, given BCS of the raw transaction.

        The sender and secondary signers of a sponsored transaction may have signed before they knew who
        pays: then they covered the address 0x0 in the payer's place.
        """
        if self.form == "single":
            return self.sender.verifies(RAW_PREFIX + raw)
        addresses = bcs.uleb(len(self.secondary)) + b"".join(address for address, _ in self.secondary)
        signers = (self.sender, *(part for _, part in self.secondary))
        if self.fee_payer is None:
            message = _PREFIX_WITH_DATA + b"\x00" + raw + addresses
            return all(part.verifies(message) for part in signers)
        open_message = _PREFIX_WITH_DATA + b"\x01" + raw + addresses + bytes(32)
        message = _PREFIX_WITH_DATA + b"\x01" + raw + addresses + self.fee_payer[0]
        if not self.fee_payer[1].verifies(message):
            return False
        return any(all(part.verifies(each) for part in signers) for each in (message, open_message))

    def to_json(self) -> dict[str, Any]:
        if self.form == "single":
            return self.sender.to_json()
        out: dict[str, Any] = {
            "type": "multi_agent_signature",
            "sender": self.sender.to_json(),
            "secondary_signer_addresses": ["0x" + address.hex() for address, _ in self.secondary],
            "secondary_signers": [part.to_json() for _, part in self.secondary],
        }
        if self.fee_payer is not None:
            out["type"] = "fee_payer_signature"
            out["fee_payer_address"] = "0x" + self.fee_payer[0].hex()
            out["fee_payer_signer"] = self.fee_payer[1].to_json()
        return out


RAW_PREFIX = hashlib.sha3_256(b"APTOS::RawTransaction").digest()
"""Comes before BCS of the raw transaction in what a single signer signs."""

_PREFIX_WITH_DATA = hashlib.sha3_256(b"APTOS::RawTransactionWithData").digest()


def _sized(reader: Reader, size: int, what: str) -> bytes:
    data = reader.blob()
    if len(data) != size:
        raise BcsError(f"{what} has {len(data)} bytes; it must have {size}.")
    return data


def _read_key(reader: Reader) -> Key:
    scheme = reader.uleb()
    if scheme not in _KEY_NAMES:
        raise BcsError(f"Keys of the scheme {scheme} are not supported; Ed25519 (0) and secp256k1 (1) are.")
    return Key(scheme, _sized(reader, _KEY_SIZES[scheme], "A public key"))


def _read_signature(reader: Reader) -> tuple[int, bytes]:
    scheme = reader.uleb()
    if scheme not in _KEY_NAMES:
        raise BcsError(f"Signatures of the scheme {scheme} are not supported; Ed25519 and secp256k1 are.")
    return scheme, _sized(reader, 64, "A signature")


def _indexes(bitmap: bytes, keys: int, signatures: int) -> list[int]:
    """The keys that signed: bits from the left, one signature for each."""
    indexes = [at for at in range(len(bitmap) * 8) if bitmap[at // 8] & (128 >> at % 8)]
    if len(indexes) != signatures or any(index >= keys for index in indexes):
        raise BcsError("The bitmap of signers does not fit the keys and signatures.")
    return indexes


def _read_multi_ed25519(reader: Reader) -> AccountAuthenticator:
    packed, signed = reader.blob(), reader.blob()
    if len(packed) % 32 != 1 or not 2 <= len(packed) // 32 <= _MAX_KEYS or len(signed) % 64 != 4:
        raise BcsError("A MultiEd25519 signature has 2 to 32 keys, a threshold, signatures and a bitmap.")
    keys = tuple(Key(0, packed[at : at + 32]) for at in range(0, len(packed) - 1, 32))
    signatures, bitmap = signed[:-4], signed[-4:]
    threshold = packed[-1]
    if not 1 <= threshold <= len(keys):
        raise BcsError(f"{threshold} of {len(keys)} keys cannot be required.")
    indexes = _indexes(bitmap, len(keys), len(signatures) // 64)
    paired = tuple((index, 0, signatures[at * 64 : at * 64 + 64]) for at, index in enumerate(indexes))
    return AccountAuthenticator("multi_ed25519", keys, paired, threshold, bitmap)


def _read_multi_key(reader: Reader) -> AccountAuthenticator:
    keys = tuple(_read_key(reader) for _ in range(reader.uleb()))
    threshold = reader.byte()
    if not 1 <= threshold <= len(keys) <= _MAX_KEYS:
        raise BcsError(f"{threshold} of {len(keys)} keys cannot be required.")
    signatures = [_read_signature(reader) for _ in range(reader.uleb())]
    bitmap = reader.blob()
    indexes = _indexes(bitmap, len(keys), len(signatures))
    paired = tuple((index, *signature) for index, signature in zip(indexes, signatures, strict=True))
    return AccountAuthenticator("multi_key", keys, paired, threshold, bitmap)


def _read_ed25519(reader: Reader) -> AccountAuthenticator:
    key = Key(0, _sized(reader, 32, "A public key"))
    return AccountAuthenticator("ed25519", (key,), ((0, 0, _sized(reader, 64, "A signature")),), 1)


def read_account_authenticator(reader: Reader) -> AccountAuthenticator:
    """One account's part from BCS."""
    variant = reader.uleb()
    if variant == 0:
        return _read_ed25519(reader)
    if variant == 1:
        return _read_multi_ed25519(reader)
    if variant == 2:
        key = _read_key(reader)
        return AccountAuthenticator("single_key", (key,), ((0, *_read_signature(reader)),), 1)
    if variant == 3:
        return _read_multi_key(reader)
    if variant == 4:
        return AccountAuthenticator("none", (), (), 1)
    raise BcsError(f"Account authenticators of the kind {variant} are not supported.")


def read_authenticator(reader: Reader) -> Authenticator:
    """The authenticator at the end of a signed transaction, from BCS."""
    variant = reader.uleb()
    if variant == 0:
        return Authenticator("single", _read_ed25519(reader))
    if variant == 1:
        return Authenticator("single", _read_multi_ed25519(reader))
    if variant == 4:
        return Authenticator("single", read_account_authenticator(reader))
    if variant not in {2, 3}:
        raise BcsError(f"Authenticators of the kind {variant} are not supported.")
    sender = read_account_authenticator(reader)
    addresses = [reader.take(32) for _ in range(reader.uleb())]
    parts = [read_account_authenticator(reader) for _ in range(reader.uleb())]
    if len(addresses) != len(parts):
        raise BcsError("There must be one signature for each secondary signer.")
    secondary = tuple(zip(addresses, parts, strict=True))
    if variant == 2:
        return Authenticator("multi_agent", sender, secondary)
    payer = (reader.take(32), read_account_authenticator(reader))
    return Authenticator("fee_payer", sender, secondary, payer)
