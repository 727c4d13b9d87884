"""Calls as Aptos transactions: payloads in BCS, signing messages, authenticators and hashes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from aptos_sdk import ed25519, secp256k1_ecdsa
from aptos_sdk.account_address import AccountAddress
from aptos_sdk.asymmetric_crypto_wrapper import PublicKey as AnyPublicKey
from aptos_sdk.asymmetric_crypto_wrapper import Signature as AnySignature
from aptos_sdk.authenticator import (
    AccountAuthenticator,
    Authenticator,
    Ed25519Authenticator,
    FeePayerAuthenticator,
    SingleKeyAuthenticator,
    SingleSenderAuthenticator,
)
from aptos_sdk.bcs import Deserializer, Serializer
from aptos_sdk.transactions import (
    EntryFunction,
    FeePayerRawTransaction,
    ModuleId,
    RawTransaction,
    SignedTransaction,
    TransactionPayload,
)
from aptos_sdk.type_tag import StructTag, TypeTag

from carbonmarket.chain.addresses import canonical
from carbonmarket.chain.calls import EntryCall
from carbonmarket.ports.chain import PublicKey

_HASH_PREFIX = hashlib.sha3_256(b"APTOS::Transaction").digest()
_USER_TRANSACTION = b"\x00"


def account_of(address: str) -> AccountAddress:
    """aptos-sdk's form of an address."""
    return AccountAddress.from_str(canonical(address))


def payload_of(call: EntryCall, market: str) -> TransactionPayload:
    """The call's payload; modules are the market's package's, or named in full (``0x1::…``)."""
    address, _, name = call.module.rpartition("::")
    module = ModuleId(account_of(address or market), name)
    type_args = [TypeTag(StructTag.from_str(text)) for text in call.type_args]
    arguments = [_encoded(kind, value) for kind, value in call.args]
    return TransactionPayload(EntryFunction(module, call.function, type_args, arguments))


def _encoded(kind: str, value: Any) -> bytes:
    serializer = Serializer()  # type: ignore[no-untyped-call]
    _writer(kind)(serializer, value)
    return serializer.output()


def _writer(kind: str) -> Callable[[Serializer, Any], None]:
    if kind == "vector<u8>":
        return Serializer.to_bytes
    if kind.startswith("vector<"):
        item = _writer(kind[len("vector<") : -1])
        return lambda serializer, values: serializer.sequence(list(values), item)
    if kind == "address":
        return lambda serializer, value: serializer.struct(account_of(value))
    return _WRITERS[kind]


_WRITERS: dict[str, Callable[[Serializer, Any], None]] = {
    "u8": Serializer.u8,
    "u16": Serializer.u16,
    "u32": Serializer.u32,
    "u64": Serializer.u64,
    "u128": Serializer.u128,
    "u256": Serializer.u256,
    "bool": Serializer.bool,
    "String": Serializer.str,
}


def bcs(value: Any) -> bytes:
    """A value of aptos-sdk's in BCS."""
    serializer = Serializer()  # type: ignore[no-untyped-call]
    value.serialize(serializer)
    return serializer.output()


def signing_message(raw: RawTransaction, fee_payer: str | None) -> bytes:
    """What sender and fee payer sign; one sender, no other signers."""
    if fee_payer is None:
        return raw.keyed()
    return FeePayerRawTransaction(raw, [], account_of(fee_payer)).keyed()


def authenticator_of(key: PublicKey, signature: bytes) -> AccountAuthenticator:
    """An account's proof: Ed25519 as legacy accounts carry it, secp256k1 as SingleKey."""
    if key.scheme == "ed25519":
        public = ed25519.PublicKey.from_str(key.key.hex())
        return AccountAuthenticator(Ed25519Authenticator(public, ed25519.Signature(signature)))
    single = AnyPublicKey(secp256k1_ecdsa.PublicKey.from_str(key.key[1:].hex()))
    wrapped = AnySignature(secp256k1_ecdsa.Signature(signature))
    return AccountAuthenticator(SingleKeyAuthenticator(single, wrapped))


def signed_bytes(
    raw: RawTransaction,
    sender: AccountAuthenticator,
    fee_payer: tuple[str, AccountAuthenticator] | None,
) -> bytes:
    """The signed transaction in BCS, as it is stored and sent."""
    if fee_payer is not None:
        payer = (account_of(fee_payer[0]), fee_payer[1])
        return SignedTransaction(raw, Authenticator(FeePayerAuthenticator(sender, [], payer))).bytes()
    if sender.variant == AccountAuthenticator.ED25519:
        return SignedTransaction(raw, Authenticator(sender.authenticator)).bytes()
    return SignedTransaction(raw, Authenticator(SingleSenderAuthenticator(sender))).bytes()


def transaction_hash(signed: bytes) -> str:
    """The hash the chain will know the signed bytes by, 0x-hex."""
    return "0x" + hashlib.sha3_256(_HASH_PREFIX + _USER_TRANSACTION + signed).hexdigest()


def raw_transaction_of(signed: bytes) -> RawTransaction:
    """The transaction within signed bytes."""
    return RawTransaction.deserialize(Deserializer(signed))
