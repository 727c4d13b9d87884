"""Transactions that a wallet signs itself, and messages of gifts: what the market keeps of both."""

from __future__ import annotations

from typing import Literal

import msgspec

from carbonmarket.records.credits import Sealed

WalletScheme = Literal["ed25519", "secp256k1", "multi_ed25519", "multi_key"]


class WalletKeys(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who must sign for an account: its public keys (hex), of which ``threshold`` are enough.

    Keys have 32 bytes of Ed25519, or 65 of secp256k1 (0x04, x, y). ``multi_key`` mixes both,
    ``multi_ed25519`` is the older form with Ed25519 alone.
    """

    scheme: WalletScheme
    public_keys: tuple[str, ...]
    threshold: int = 1


class BuiltTransaction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A transaction that was built for a wallet, and the signatures that came in so far.

    ``raw`` is its BCS and ``message`` what each signer signs (both hex); ``signatures`` are hex by the
    position of their key, "0" for a single one. ``hash`` is known once it was submitted.
    """

    id: str
    organisation: str
    account: str
    keys: WalletKeys
    action: str
    arguments_digest: str
    raw: str
    message: str
    sequence: int
    expiration_s: int
    created_us: int
    signatures: dict[str, str] = {}
    state: Literal["awaits_signatures", "submitted"] = "awaits_signatures"
    hash: str = ""


class GiftMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The text that goes with a gift: on chain stands only its salted hash (0x-hex)."""

    hash: str
    giver: str
    sealed: Sealed
