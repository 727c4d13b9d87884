"""What the market needs of the chain: to send calls once, to know their fate, to look, and to sign."""

from __future__ import annotations

from typing import Any, Literal, Protocol

import msgspec

from carbonmarket.chain.calls import EntryCall
from carbonmarket.records.audit import AuditEntry

MESSAGE_BYTES_MAX = 4_096
"""AWS KMS signs raw messages of at most this many bytes with Ed25519."""

Scheme = Literal["ed25519", "secp256k1"]
FateState = Literal["unknown", "pending", "committed", "dead"]


class PublicKey(msgspec.Struct, frozen=True, kw_only=True):
    """``key`` is 32 bytes of Ed25519, or 65 of secp256k1 (0x04, x, y)."""

    scheme: Scheme
    key: bytes


class Fate(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the transaction under a key.

    ``unknown``: nothing was ever stored under the key, or the node hasn't seen it and it may still commit.
    ``pending``: the node holds it. ``committed``: it stands on chain, and ``success`` says whether it did
    what was asked; where it didn't, ``abort`` is the contract's error (``carbon_credit::E_FROZEN``) and
    ``reason`` its sentence. ``dead``: the ledger's time is past its expiration and its hash is absent, so
    it can never commit. ``events`` are the node's own JSON: {"type", "data", …}. ``call`` is the function
    that the key stands for (``module::function``), where the fate was asked for by the key.
    """

    state: FateState
    hash: str | None = None
    success: bool = False
    version: int | None = None
    timestamp_us: int | None = None
    vm_status: str | None = None
    abort: str | None = None
    reason: str | None = None
    events: tuple[dict[str, Any], ...] = ()
    gas_used: int = 0
    call: str = ""


class SignerPort(Protocol):
    """Keys that never leave their keeper. A key is named by its id, such as "issuer" or "ORG4K…"."""

    def create(self, key_id: str, scheme: Scheme = "ed25519") -> PublicKey:
        """Make the key, or return the one there is. Raises Conflict if that one is of another scheme."""
        ...

    def public_key(self, key_id: str) -> PublicKey:
        """The key's public half; NotFound if there is no such key."""
        ...

    def address(self, key_id: str) -> str:
        """The chain account that the key controls, in the long form."""
        ...

    def sign(self, key_id: str, message: bytes) -> bytes:
        """64 bytes: Ed25519 over the message, or r ‖ s (low s) over its SHA3-256.

        InvalidInput for more than :data:`MESSAGE_BYTES_MAX` under an Ed25519 key.
        """
        ...


class ChainAccess(Protocol):
    """Sends each call once, whatever is repeated, and says what became of it."""

    def submit(self, key: str, sender: str, call: EntryCall, sponsored: bool = True) -> str:
        """Send ``call`` signed by the key id ``sender``; returns the transaction's hash.

        Idempotent by ``key``: bytes are stored under it before they are sent, and until their fate is
        known only those bytes are sent again. A new try under the same key is made only after the last
        one is dead. IdempotencyMismatch if the key stands for another call; ChainRefused if the node
        refuses the bytes or the sponsor won't pay; EngineUnavailable if the node doesn't answer (the
        bytes are kept: submit again under the same key, or ask for the fate).
        """
        ...

    def settle(
        self, key: str, sender: str, call: EntryCall, entry: AuditEntry | None = None, timeout_s: float = 10
    ) -> Fate:
        """:meth:`submit`, sponsored, and :meth:`await_fate` in one, for calls that come in great numbers.

        One write, which the audit's ``entry`` stands or falls with; that the call is committed is kept later,
        together with others. NotYetFinal when the time has run out; call again to wait on.
        """
        ...

    def resubmit(self, key: str) -> str:
        """Send again the bytes stored under ``key``; NotFound if there are none."""
        ...

    def fate(self, key: str) -> Fate:
        """What became of the bytes under ``key``, asked of the node now unless already final."""
        ...

    def await_fate(self, key: str, timeout_s: float = 30) -> Fate:
        """Wait until the fate is final; NotYetFinal when the time has run out."""
        ...

    def view(self, function: str, type_args: list[str], args: list[Any]) -> list[Any]:
        """Call a view ``module::function`` of the market's package, or ``0x1::module::function``.

        Values are in the node's JSON: u64 and larger as strings, ``vector<u8>`` as 0x-hex. ChainRefused
        with ``abort`` where the view aborts.
        """
        ...
