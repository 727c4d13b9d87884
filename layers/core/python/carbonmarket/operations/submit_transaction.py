"""Signatures of a built transaction come in, one by one; with enough the sponsor signs, and it is sent."""

from __future__ import annotations

from typing import Literal

import msgspec

from carbonmarket.authorise import require_own
from carbonmarket.errors import Conflict, InvalidInput, NotFound
from carbonmarket.operations.acts import WAIT_S, Desk, Done, chain_key, done
from carbonmarket.operations.find_credits import own_organisation
from carbonmarket.ports.registry import Kept
from carbonmarket.ports.transactions import Wallets
from carbonmarket.records.audit import told
from carbonmarket.records.principal import Principal
from carbonmarket.records.transactions import BuiltTransaction
from carbonmarket.times import MICROSECONDS


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """64 bytes (hex) over the transaction's message; ``key`` is the position of the public key."""

    key: int
    signature: str


class SubmitTransaction(msgspec.Struct, frozen=True, kw_only=True):
    """Either signatures, or a wallet's account authenticator in BCS (hex)."""

    signatures: tuple[Signature, ...] = ()
    authenticator: str = ""


class Submitted(msgspec.Struct, frozen=True, kw_only=True):
    """The transaction with the signatures it has, and what came of it once it was sent."""

    built: BuiltTransaction
    done: Done | None

    @property
    def state(self) -> Literal["awaits_signatures", "submitted", "committed"]:
        """How far it is."""
        return self.done.state if self.done is not None else "awaits_signatures"


def submit_transaction(
    transaction: str,
    request: SubmitTransaction,
    *,
    caller: Principal,
    desk: Desk,
    wallets: Wallets,
) -> Submitted:
    """Check and keep the signatures; sponsor and send once there are enough of them.

    InvalidInput for a signature that is not the key's; Conflict if the bytes have expired. Signatures that
    come again change nothing.
    """
    kept = _visible(transaction, caller, desk)
    if kept.record.state != "submitted":
        kept = _with_signatures(kept, request, caller=caller, desk=desk, wallets=wallets)
    if len(kept.record.signatures) < kept.record.keys.threshold:
        return Submitted(built=kept.record, done=None)
    key = chain_key(transaction)
    sent = kept.record
    if sent.state != "submitted":
        hash = wallets.submit(sent, key, own_organisation(caller, desk.accounts).account_address)
        sent = msgspec.structs.replace(sent, state="submitted", hash=hash)
        entry = told(caller, "submit_transaction", transaction, "submitted", desk.now_us)
        desk.kept.save_built(sent, kept.revision, entry)
    return Submitted(
        built=sent, done=done(transaction, lambda: desk.chain.await_fate(key, WAIT_S), desk.chain)
    )


def get_transaction(transaction: str, *, caller: Principal, desk: Desk) -> Submitted:
    """A built transaction of the caller's organisation, and what came of it."""
    built = _visible(transaction, caller, desk).record
    if built.state != "submitted":
        return Submitted(built=built, done=None)
    key = chain_key(transaction)
    return Submitted(built=built, done=done(transaction, lambda: desk.chain.await_fate(key, 0), desk.chain))


def _with_signatures(
    kept: Kept[BuiltTransaction],
    request: SubmitTransaction,
    *,
    caller: Principal,
    desk: Desk,
    wallets: Wallets,
) -> Kept[BuiltTransaction]:
    """The transaction with the new signatures, checked and kept."""
    built = kept.record
    if built.expiration_s * MICROSECONDS <= desk.now_us:
        raise Conflict("the transaction has expired; build it again")
    new = {each.key: each.signature for each in request.signatures}
    if request.authenticator:
        new |= wallets.positions(request.authenticator, built)
    if not new:
        raise InvalidInput("send signatures, or an authenticator", field="signatures")
    for position, signature in new.items():
        if not position < len(built.keys.public_keys):
            raise InvalidInput(f"there is no key {position}; positions begin with 0", field="signatures")
        wallets.check(built, position, signature)
    signatures = {**built.signatures, **{str(position): text for position, text in new.items()}}
    if signatures == built.signatures:
        return kept
    signed = msgspec.structs.replace(built, signatures=signatures)
    entry = told(caller, "submit_transaction", built.id, "awaits_signatures", desk.now_us)
    desk.kept.save_built(signed, kept.revision, entry)
    return Kept(signed, kept.revision + 1)


def _visible(transaction: str, caller: Principal, desk: Desk) -> Kept[BuiltTransaction]:
    kept = desk.kept.built(transaction)
    if kept is None or kept.record.organisation != caller.organisation:
        raise NotFound("there is no transaction with this id among yours", field="transaction")
    require_own(caller, kept.record.organisation, "transaction")
    return kept
