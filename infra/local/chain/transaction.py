"""Signed transactions: BCS as the SDKs send it, the hash by which they are known, and their JSON."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from infra.local.chain import bcs
from infra.local.chain.authenticator import RAW_PREFIX, Authenticator, read_authenticator
from infra.local.chain.bcs import BcsError, Reader
from infra.local.chain.types import MoveType, read_type
from infra.local.chain.vm import Call, ScriptCall

_PREFIX = hashlib.sha3_256(b"APTOS::Transaction").digest()
_USER, _GENESIS = b"\x00", b"\x01"

_INTEGER_ARGUMENTS = {
    0: ("u8", 1),
    1: ("u64", 8),
    2: ("u128", 16),
    6: ("u16", 2),
    7: ("u32", 4),
    8: ("u256", 32),
}


class UnsupportedPayload(BcsError):
    """A kind of payload that Aptos knows and the localnet does not run."""


@dataclass(frozen=True, slots=True)
class ScriptArgument:
    """A script's argument: its type's name (``serialized`` when not told) and its BCS."""

    kind: str
    data: bytes


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """``raw`` is BCS of what is signed, ``body`` of all; the hash is the transaction's identity."""

    sender: bytes
    sequence: int
    payload: Call | ScriptCall
    script_arguments: tuple[ScriptArgument, ...]
    max_gas: int
    gas_price: int
    expiration_seconds: int
    chain_id: int
    authenticator: Authenticator
    raw: bytes
    body: bytes
    hash: bytes

    @property
    def payer(self) -> bytes:
        """The account that pays the fee."""
        return self.authenticator.fee_payer[0] if self.authenticator.fee_payer else self.sender

    @property
    def signers(self) -> list[bytes]:
        """The accounts whose signers the payload gets, in order."""
        return [self.sender, *(address for address, _ in self.authenticator.secondary)]


def sign(
    key: Ed25519PrivateKey,
    sender: bytes,
    sequence: int,
    call: Call,
    *,
    max_gas: int,
    gas_price: int,
    expiration_seconds: int,
    chain_id: int,
) -> bytes:
    """BCS of an entry function's transaction, signed by the sender's one Ed25519 key."""
    raw = (
        sender
        + bcs.u64(sequence)
        + b"\x02"
        + call.to_bytes()
        + bcs.u64(max_gas)
        + bcs.u64(gas_price)
        + bcs.u64(expiration_seconds)
        + bytes((chain_id,))
    )
    signature = key.sign(RAW_PREFIX + raw)
    return raw + b"\x00" + bcs.blob(key.public_key().public_bytes_raw()) + bcs.blob(signature)


def user_hash(body: bytes) -> bytes:
    """The hash of a signed transaction given in BCS."""
    return hashlib.sha3_256(_PREFIX + _USER + body).digest()


def genesis_hash(content: bytes) -> bytes:
    return hashlib.sha3_256(_PREFIX + _GENESIS + content).digest()


def _types(reader: Reader) -> tuple[MoveType, ...]:
    return tuple(read_type(reader) for _ in range(reader.uleb()))


def read_call(reader: Reader) -> Call:
    """An entry or view function's call from BCS."""
    address, module, function = reader.take(32), reader.text(), reader.text()
    return Call(address, module, function, _types(reader), tuple(reader.blobs()))


def _read_script_argument(reader: Reader) -> ScriptArgument:
    variant = reader.uleb()
    if variant in _INTEGER_ARGUMENTS:
        kind, size = _INTEGER_ARGUMENTS[variant]
        return ScriptArgument(kind, reader.take(size))
    if variant == 3:
        return ScriptArgument("address", reader.take(32))
    if variant == 4:
        return ScriptArgument("vector<u8>", bcs.blob(reader.blob()))
    if variant == 5:
        return ScriptArgument("bool", bcs.flag(reader.flag()))
    if variant == 9:
        return ScriptArgument("serialized", reader.blob())
    raise BcsError(f"There is no script argument of the kind {variant}.")


def _read_payload(reader: Reader) -> tuple[Call | ScriptCall, tuple[ScriptArgument, ...]]:
    variant = reader.uleb()
    if variant == 0:
        code, types = reader.blob(), _types(reader)
        arguments = tuple(_read_script_argument(reader) for _ in range(reader.uleb()))
        return ScriptCall(code, types, tuple(argument.data for argument in arguments)), arguments
    if variant == 2:
        return read_call(reader), ()
    raise UnsupportedPayload(
        f"Payloads of the kind {variant} are not supported; scripts and entry functions are."
    )


def read_signed(body: bytes) -> SignedTransaction:
    """Read a signed transaction from BCS; raises BcsError saying what is wrong with it."""
    reader = Reader(body)
    tx = read_next_signed(reader)
    reader.end()
    return tx


def read_next_signed(reader: Reader) -> SignedTransaction:
    """Read the signed transaction at the reader's place, which may be one of several."""
    start = reader.pos
    sender, sequence = reader.take(32), reader.number(8)
    payload, script_arguments = _read_payload(reader)
    max_gas, gas_price, expiration = reader.number(8), reader.number(8), reader.number(8)
    chain_id = reader.byte()
    raw = reader.data[start : reader.pos]
    authenticator = read_authenticator(reader)
    body = reader.data[start : reader.pos]
    return SignedTransaction(
        sender,
        sequence,
        payload,
        script_arguments,
        max_gas,
        gas_price,
        expiration,
        chain_id,
        authenticator,
        raw,
        body,
        user_hash(body),
    )
