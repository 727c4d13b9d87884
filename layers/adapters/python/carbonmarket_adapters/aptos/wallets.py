"""Transactions that accounts of others sign: built here, signed by them, and last by the sponsor.

A signer signs the sponsored transaction with the sponsor named in it, so that nobody else's payment can be
put in its place.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
from aptos_sdk import ed25519, secp256k1_ecdsa
from aptos_sdk.asymmetric_crypto_wrapper import MultiPublicKey, MultiSignature
from aptos_sdk.asymmetric_crypto_wrapper import PublicKey as AnyPublicKey
from aptos_sdk.asymmetric_crypto_wrapper import Signature as AnySignature
from aptos_sdk.authenticator import (
    AccountAuthenticator,
    Ed25519Authenticator,
    MultiEd25519Authenticator,
    MultiKeyAuthenticator,
    SingleKeyAuthenticator,
)
from aptos_sdk.bcs import Deserializer
from aptos_sdk.transactions import RawTransaction

from carbonmarket.chain.calls import EntryCall
from carbonmarket.errors import Conflict, InvalidInput
from carbonmarket.records.chain import Submission
from carbonmarket.records.transactions import BuiltTransaction, WalletKeys
from carbonmarket.times import MICROSECONDS
from carbonmarket_adapters.aptos.client import NodeClient
from carbonmarket_adapters.aptos.outbox import Outbox
from carbonmarket_adapters.aptos.sponsorship import GAS_UNITS_MAX, Sponsorship, expiry_of
from carbonmarket_adapters.aptos.transactions import (
    account_of,
    bcs,
    payload_of,
    signed_bytes,
    signing_message,
    transaction_hash,
)

_ED25519_BYTES = 32
_SUFFIX = {"ed25519": 0, "multi_ed25519": 1, "secp256k1": 2, "multi_key": 3}
# Of the two valid s of a secp256k1 signature, Aptos takes the lower.
_S_MAX = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141 // 2
_AnyKey = ed25519.PublicKey | secp256k1_ecdsa.PublicKey
_AnySignature = ed25519.Signature | secp256k1_ecdsa.Signature


class AptosWallets:
    """:class:`carbonmarket.ports.transactions.Wallets` over one node."""

    def __init__(
        self, *, node: NodeClient, outbox: Outbox, sponsorship: Sponsorship, market: str, chain_id: int
    ) -> None:
        self._node = node
        self._outbox = outbox
        self._sponsorship = sponsorship
        self._market = market
        self._chain_id = chain_id

    def build(self, built: BuiltTransaction, call: EntryCall) -> BuiltTransaction:
        keys = built.keys
        account = self._node.account(built.account)
        expected = account.body["authentication_key"] if account.body else built.account
        if expected != authentication_key(keys):
            raise InvalidInput(
                "the public keys are not those of the account: their authentication key is another",
                field="keys",
            )
        raw = RawTransaction(
            account_of(built.account),
            int(account.body["sequence_number"]) if account.body else 0,
            payload_of(call, self._market),
            GAS_UNITS_MAX,
            self._outbox.gas_price(),
            account.timestamp_us // MICROSECONDS + expiry_of(keys.threshold),
            self._chain_id,
        )
        self._sponsorship.check(raw, account.timestamp_us, keys.threshold)
        return msgspec.structs.replace(
            built,
            raw=bcs(raw).hex(),
            message=signing_message(raw, self._sponsorship.address).hex(),
            sequence=raw.sequence_number,
            expiration_s=raw.expiration_timestamps_secs,
        )

    def check(self, built: BuiltTransaction, position: int, signature: str) -> None:
        key = _key(built.keys.public_keys[position])
        content = bytes.fromhex(signature)
        is_low = isinstance(key, ed25519.PublicKey) or int.from_bytes(content[32:], "big") <= _S_MAX
        if not (is_low and key.verify(bytes.fromhex(built.message), _signature(key, content))):
            raise InvalidInput(
                f"the signature of key {position} is not that key's over the transaction's message",
                field="signatures",
            )

    def positions(self, authenticator: str, built: BuiltTransaction) -> dict[int, str]:
        content = bytes.fromhex(authenticator)
        try:
            signatures = {at: each.hex() for at, each in _signatures(content).items()}
            stated = account_authenticator(
                msgspec.structs.replace(built, signatures={str(at): text for at, text in signatures.items()})
            )
        except Exception as error:
            # aptos-sdk says in many ways that bytes are none.
            raise InvalidInput(
                "authenticator can't be read as an account's", field="authenticator"
            ) from error
        if bcs(stated) != content:
            raise InvalidInput(
                "authenticator names other keys than the transaction was built for", field="authenticator"
            )
        return signatures

    def submit(self, built: BuiltTransaction, key: str, budget_of: str) -> str:
        sent = self._outbox.fate(key)
        if sent.hash is not None:
            return self._outbox.resubmit(key) if sent.state == "unknown" else sent.hash
        raw = RawTransaction.deserialize(Deserializer(bytes.fromhex(built.raw)))
        account = self._node.account(built.account)
        if account.body and int(account.body["sequence_number"]) > built.sequence:
            raise Conflict("another transaction of the account has used its number; build it again")
        signers = built.keys.threshold
        reserved = self._sponsorship.reserve(raw, account.timestamp_us, signers, account=budget_of)
        payer = (self._sponsorship.address, self._sponsorship.sign(raw))
        signed = signed_bytes(raw, account_authenticator(built), payer)
        payload = raw.payload.value
        return self._outbox.submit_foreign(
            Submission(
                key=key,
                sender="",
                address=built.account,
                sequence=built.sequence,
                call=f"{payload.module.name}::{payload.function}",
                call_digest=hashlib.sha256(bcs(raw.payload)).hexdigest(),
                hash=transaction_hash(signed),
                signed=signed.hex(),
                expiration_s=built.expiration_s,
                gas_day=reserved.day,
                gas_account=budget_of,
            )
        )


def authentication_key(keys: WalletKeys) -> str:
    """What the keys hash to, 0x-hex: the address of an account that never changed its keys.

    InvalidInput where the keys do not fit the scheme.
    """
    public = _public(keys)
    packed = public.to_crypto_bytes() if keys.scheme != "secp256k1" else bcs(public)
    digest = hashlib.sha3_256(bytes(packed) + bytes([_SUFFIX[keys.scheme]]))
    return "0x" + digest.hexdigest()


def account_authenticator(built: BuiltTransaction) -> AccountAuthenticator:
    """The account's proof, with the signatures that there are in the order of their keys."""
    keys = built.keys
    public: Any = _public(keys)
    parts = [_key(text) for text in keys.public_keys]
    signatures: list[tuple[int, Any]]
    signed = sorted((int(at), bytes.fromhex(text)) for at, text in built.signatures.items())
    signatures = [(at, _signature(parts[at], content)) for at, content in signed]
    if keys.scheme == "ed25519":
        return AccountAuthenticator(Ed25519Authenticator(public, signatures[0][1]))
    if keys.scheme == "secp256k1":
        return AccountAuthenticator(SingleKeyAuthenticator(public, AnySignature(signatures[0][1])))
    if keys.scheme == "multi_ed25519":
        multi: Any = MultiEd25519Authenticator
        return AccountAuthenticator(multi(public, ed25519.MultiSignature(signatures)))
    return AccountAuthenticator(MultiKeyAuthenticator(public, MultiSignature(list(signatures))))


def _public(keys: WalletKeys) -> Any:
    """aptos-sdk's form of an account's public key."""
    parts: list[Any] = [_key(text) for text in keys.public_keys]
    is_single = keys.scheme in ("ed25519", "secp256k1")
    if is_single != (len(parts) == 1) or keys.threshold > (1 if is_single else len(parts)):
        raise InvalidInput(
            "a single key has threshold 1; several have the scheme multi_key or multi_ed25519, and a "
            "threshold of at most their number",
            field="keys",
        )
    wanted = {"secp256k1": secp256k1_ecdsa.PublicKey, "multi_key": object}.get(keys.scheme, ed25519.PublicKey)
    if not all(isinstance(part, wanted) for part in parts):
        raise InvalidInput(f"the public keys are not of the scheme {keys.scheme}", field="keys")
    if keys.scheme == "ed25519":
        return parts[0]
    if keys.scheme == "secp256k1":
        return AnyPublicKey(parts[0])
    if keys.scheme == "multi_ed25519":
        return ed25519.MultiPublicKey(parts, keys.threshold)
    return MultiPublicKey(list(parts), keys.threshold)


def _key(text: str) -> _AnyKey:
    content = bytes.fromhex(text)
    try:
        if len(content) == _ED25519_BYTES:
            return ed25519.PublicKey.from_str(content.hex())
        return secp256k1_ecdsa.PublicKey.from_str(content[1:].hex())
    except Exception as error:
        raise InvalidInput("public_keys has one that is no key", field="keys") from error


def _signature(key: _AnyKey, content: bytes) -> _AnySignature:
    if isinstance(key, ed25519.PublicKey):
        return ed25519.Signature(content)
    return secp256k1_ecdsa.Signature(content)


def _signatures(content: bytes) -> dict[int, bytes]:
    """The signatures in an account authenticator (BCS) by the position of their key."""
    reader = Deserializer(content)
    if reader.uleb128() == AccountAuthenticator.MULTI_ED25519:
        # aptos-sdk writes this form and doesn't read it.
        ed25519.MultiPublicKey.deserialize(reader)
        return {at: each.data() for at, each in ed25519.MultiSignature.deserialize(reader).signatures}
    inner: Any = AccountAuthenticator.deserialize(Deserializer(content)).authenticator
    if isinstance(inner, Ed25519Authenticator):
        return {0: inner.signature.data()}
    if isinstance(inner, SingleKeyAuthenticator):
        single: Any = inner.signature.signature
        return {0: single.data()}
    return {at: each.signature.data() for at, each in inner.signature.signatures}
