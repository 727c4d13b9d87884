"""The signer port's keepers of the platform's own keys: files on this machine, and KMS, of either curve.

Organisations' keys are in sealed_keys.py.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA3_256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
    load_pem_private_key,
)

from carbonmarket.errors import Conflict, InvalidInput, NotFound
from carbonmarket.ports.chain import MESSAGE_BYTES_MAX, PublicKey, Scheme

_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
# The order of secp256k1's group; of the two valid s, Aptos takes the lower.
_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_ED25519_SUFFIX, _SINGLE_KEY_SUFFIX = b"\x00", b"\x02"


def account_address(public_key: PublicKey) -> str:
    """The account a key controls: SHA3-256 of the key and its scheme, in the long form.

    Ed25519 keys make legacy accounts (suffix 0x00), secp256k1 keys SingleKey accounts (variant, length
    and key in BCS, suffix 0x02), as Aptos derives them.
    """
    if public_key.scheme == "ed25519":
        preimage = public_key.key + _ED25519_SUFFIX
    else:
        preimage = b"\x01" + bytes([len(public_key.key)]) + public_key.key + _SINGLE_KEY_SUFFIX
    return "0x" + hashlib.sha3_256(preimage).hexdigest()


def checked_id(key_id: str) -> str:
    """The id; InvalidInput if it can't name a key."""
    if not _KEY_ID.fullmatch(key_id):
        raise InvalidInput(f"{key_id!r} can't name a key: letters, digits, - and _, at most 64")
    return key_id


def refuse_long(message: bytes, key_id: str) -> None:
    """InvalidInput for a message of more than 4,096 bytes, which KMS would not sign with Ed25519."""
    if len(message) > MESSAGE_BYTES_MAX:
        raise InvalidInput(
            f"the message for key {key_id} has {len(message)} bytes; an Ed25519 key signs at most "
            f"{MESSAGE_BYTES_MAX}: split the call, or use a secp256k1 key"
        )


def _compact(der: bytes) -> bytes:
    """r ‖ s with the lower s, of an ECDSA signature in DER."""
    r, s = decode_dss_signature(der)
    return r.to_bytes(32, "big") + min(s, _ORDER - s).to_bytes(32, "big")


def public_half(key: Any) -> PublicKey:
    """The port's form of a public key of ``cryptography``."""
    if isinstance(key, ed25519.Ed25519PublicKey):
        return PublicKey(scheme="ed25519", key=key.public_bytes(Encoding.Raw, PublicFormat.Raw))
    raw = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return PublicKey(scheme="secp256k1", key=raw)


class FileSigner:
    """Keys as PKCS 8 PEM files, readable by their owner only.

    The Ed25519 limit is KMS's, so that what signs on one machine signs on AWS.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._keys: dict[str, Any] = {}

    def create(self, key_id: str, scheme: Scheme = "ed25519") -> PublicKey:
        path = self._path(key_id)
        if not path.exists():
            self._write(path, scheme)
        made = self.public_key(key_id)
        if made.scheme != scheme:
            raise Conflict(f"key {key_id} exists and is of scheme {made.scheme}, not {scheme}")
        return made

    def public_key(self, key_id: str) -> PublicKey:
        return public_half(self._load(key_id).public_key())

    def address(self, key_id: str) -> str:
        return account_address(self.public_key(key_id))

    def sign(self, key_id: str, message: bytes) -> bytes:
        key = self._load(key_id)
        if isinstance(key, ed25519.Ed25519PrivateKey):
            refuse_long(message, key_id)
            return key.sign(message)
        digest = hashlib.sha3_256(message).digest()
        return _compact(key.sign(digest, ec.ECDSA(Prehashed(SHA3_256()))))

    def _path(self, key_id: str) -> Path:
        return self._directory / f"{checked_id(key_id)}.pem"

    def _write(self, path: Path, scheme: Scheme) -> None:
        key = ed25519.Ed25519PrivateKey.generate() if scheme == "ed25519" else _new_secp256k1()
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Written aside and linked, so that a reader never meets half a file and the first writer wins.
        aside = path.with_suffix(f".{os.getpid()}.{os.urandom(4).hex()}")
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(aside)
        except FileExistsError:
            pass
        finally:
            aside.unlink()

    def _load(self, key_id: str) -> Any:
        if key_id not in self._keys:
            try:
                pem = self._path(key_id).read_bytes()
            except FileNotFoundError:
                raise NotFound(f"there is no key {key_id}; create it first") from None
            self._keys[key_id] = load_pem_private_key(pem, password=None)
        return self._keys[key_id]


def _new_secp256k1() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256K1())


_KEY_SPECS: dict[Scheme, str] = {"ed25519": "ECC_NIST_EDWARDS25519", "secp256k1": "ECC_SECG_P256K1"}


class KmsSigner:
    """Keys in AWS KMS under the alias ``alias/<prefix><key id>``; they never leave it."""

    def __init__(self, kms: Any, prefix: str) -> None:
        """``kms`` is a boto3 client; ``prefix`` is the stage's."""
        self._kms = kms
        self._prefix = "alias/" + prefix
        self._public_keys: dict[str, PublicKey] = {}

    def create(self, key_id: str, scheme: Scheme = "ed25519") -> PublicKey:
        try:
            made = self.public_key(key_id)
        except NotFound:
            self._create(key_id, scheme)
            made = self.public_key(key_id)
        if made.scheme != scheme:
            raise Conflict(f"key {key_id} exists and is of scheme {made.scheme}, not {scheme}")
        return made

    def _create(self, key_id: str, scheme: Scheme) -> None:
        kms = self._kms
        made = kms.create_key(KeySpec=_KEY_SPECS[scheme], KeyUsage="SIGN_VERIFY", Description=key_id)
        identity = made["KeyMetadata"]["KeyId"]
        try:
            kms.create_alias(AliasName=self._alias(key_id), TargetKeyId=identity)
        except kms.exceptions.AlreadyExistsException:
            # Another caller named its key first; ours was never used.
            kms.schedule_key_deletion(KeyId=identity, PendingWindowInDays=7)

    def public_key(self, key_id: str) -> PublicKey:
        if key_id not in self._public_keys:
            try:
                answer = self._kms.get_public_key(KeyId=self._alias(key_id))
            except self._kms.exceptions.NotFoundException:
                raise NotFound(f"there is no key {key_id}; create it first") from None
            self._public_keys[key_id] = public_half(load_der_public_key(answer["PublicKey"]))
        return self._public_keys[key_id]

    def address(self, key_id: str) -> str:
        return account_address(self.public_key(key_id))

    def sign(self, key_id: str, message: bytes) -> bytes:
        if self.public_key(key_id).scheme == "ed25519":
            refuse_long(message, key_id)
            return self._sign(key_id, message, "RAW", "ED25519_SHA_512")
        digest = hashlib.sha3_256(message).digest()
        return _compact(self._sign(key_id, digest, "DIGEST", "ECDSA_SHA_256"))

    def _sign(self, key_id: str, message: bytes, message_type: str, algorithm: str) -> bytes:
        answer = self._kms.sign(
            KeyId=self._alias(key_id),
            Message=message,
            MessageType=message_type,
            SigningAlgorithm=algorithm,
        )
        return bytes(answer["Signature"])

    def _alias(self, key_id: str) -> str:
        return self._prefix + checked_id(key_id)
