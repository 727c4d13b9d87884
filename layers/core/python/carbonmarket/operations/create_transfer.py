"""An organisation gives grams of a batch to another."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from carbonmarket import ids
from carbonmarket.authorise import require_role
from carbonmarket.chain import calls
from carbonmarket.chain.aborts import refused
from carbonmarket.errors import Conflict, IdempotencyMismatch, InvalidInput, NotYetFinal
from carbonmarket.operations.find_credits import named_batch, own_organisation, require_holding
from carbonmarket.ports.accounts import AccountsStore
from carbonmarket.ports.chain import ChainAccess, Fate
from carbonmarket.ports.registry import NEW, Kept, RegistryStore
from carbonmarket.quantities import parse_grams
from carbonmarket.records.audit import told
from carbonmarket.records.credits import Transfer
from carbonmarket.records.principal import BUYER, DEVELOPER, Principal

FATE_WAIT_S = 10


class CreateTransfer(msgspec.Struct, frozen=True, kw_only=True):
    """``to`` is the receiving organisation's id; ``grams`` whole grams as a string."""

    batch: str
    to: str
    grams: str


def decide_outcome(transfer: Transfer, fate: Fate) -> Transfer:
    """The transfer after what the chain says of it."""
    if fate.state != "committed":
        return transfer
    if fate.success:
        return msgspec.structs.replace(transfer, state="done", transaction=fate.hash or "")
    return msgspec.structs.replace(
        transfer, state="failed", transaction=fate.hash or "", reason=refused(fate).reason
    )


def create_transfer(
    request: CreateTransfer,
    *,
    caller: Principal,
    key: str,
    registry: RegistryStore,
    accounts: AccountsStore,
    chain: ChainAccess,
    now_us: int,
) -> Transfer:
    """Give, and wait for the chain a moment.

    A transfer the chain has not answered yet is returned in state "submitted"; reading it later says more.
    """
    require_role(caller, DEVELOPER, BUYER)
    grams = parse_grams(request.grams, "grams")
    sender = own_organisation(caller, accounts)
    id = ids.derive("TRF", caller.organisation, key)
    kept = registry.transfer(sender.id, id)
    if kept is None:
        batch = named_batch(request.batch, registry=registry, chain=chain)
        receiver = accounts.organisation(request.to)
        if receiver is None or receiver.id == sender.id:
            raise InvalidInput("to must be the id of another organisation", field="to")
        require_holding(sender, batch, grams, chain=chain)
        made = Transfer(
            id=id,
            sender=sender.id,
            receiver=receiver.id,
            batch=batch.id,
            grams=grams,
            state="submitted",
            created_us=now_us,
        )
        registry.save_transfer(made, NEW, told(caller, "create_transfer", id, "submitted", now_us))
        kept = Kept(made, 1)
    elif (kept.record.batch, kept.record.receiver, kept.record.grams) != (request.batch, request.to, grams):
        raise IdempotencyMismatch("this Idempotency-Key gave something else")
    done = finish_transfer(
        kept, caller=caller, registry=registry, accounts=accounts, chain=chain, now_us=now_us
    )
    if done.state == "failed":
        raise Conflict(f"the chain refused the transfer: {done.reason}")
    return done


def finish_transfer(
    kept: Kept[Transfer],
    *,
    caller: Principal,
    registry: RegistryStore,
    accounts: AccountsStore,
    chain: ChainAccess,
    now_us: int,
) -> Transfer:
    """Send a submitted transfer, or go on with it, and keep what became of it. Finished ones are left."""
    transfer = kept.record
    if transfer.state != "submitted":
        return transfer
    receiver = accounts.organisation(transfer.receiver)
    batch = named_batch(transfer.batch, registry=registry, chain=chain)
    if receiver is None:
        raise InvalidInput("the receiving organisation is gone", field="to")
    sender = own_organisation(caller, accounts)
    chain_key = f"give/{transfer.id}"
    chain.submit(
        chain_key, sender.key_id, calls.give(batch.address, receiver.account_address, transfer.grams)
    )
    try:
        fate = chain.await_fate(chain_key, FATE_WAIT_S)
    except NotYetFinal:
        return transfer
    after = decide_outcome(transfer, fate)
    if after is not transfer:
        registry.save_transfer(
            after, kept.revision, told(caller, "finish_transfer", transfer.id, after.state, now_us)
        )
    return after


def list_transfers(
    after: str | None,
    *,
    received: bool,
    caller: Principal,
    registry: RegistryStore,
    accounts: AccountsStore,
    chain: ChainAccess,
    now_us: int,
) -> Iterator[tuple[str, Transfer]]:
    """What the caller's organisation gave, or with ``received`` what it was given.

    Transfers that were left in flight are finished as they are met.
    """
    if received:
        yield from registry.transfers_to(caller.organisation, after)
        return
    for cursor, transfer in registry.transfers(caller.organisation, after):
        kept = registry.transfer(caller.organisation, transfer.id) if transfer.state == "submitted" else None
        if kept is None:
            yield cursor, transfer
            continue
        yield (
            cursor,
            finish_transfer(
                kept, caller=caller, registry=registry, accounts=accounts, chain=chain, now_us=now_us
            ),
        )
