"""Saga retire, steps 1 to 3 and its undo: check, retire on chain, await finality; or say why not."""

from __future__ import annotations

from typing import Any

import msgspec

from carbonmarket.chain import calls, market_calls
from carbonmarket.chain.calls import EntryCall
from carbonmarket.errors import Conflict, NotFound
from carbonmarket.operations.fates import event_of, final_fate, was_never_taken
from carbonmarket.operations.find_credits import named_batch, require_holding
from carbonmarket.ports.accounts import AccountsStore
from carbonmarket.ports.chain import ChainAccess, Fate
from carbonmarket.ports.registry import Kept, RegistryStore
from carbonmarket.records.accounts import Organisation
from carbonmarket.records.audit import SYSTEM, told
from carbonmarket.records.credits import Retirement, RetirementState
from carbonmarket.times import MICROSECONDS

_ORDER: tuple[RetirementState, ...] = ("accepted", "checked", "submitted", "final", "certified")


class RetirementFailed(Conflict):
    """The retirement has failed before; its saga has nothing to do."""

    code = "retirement-failed"


class AlreadyRetired(Conflict):
    """The grams are burnt on chain; that is never undone."""

    code = "already-retired"


def retire_key(retirement: str) -> str:
    """The chain key of the retirement."""
    return f"retire/{retirement}"


def load_retirement(retirement: str, registry: RegistryStore) -> Kept[Retirement]:
    """The retirement of a saga's input."""
    kept = registry.retirement(retirement)
    if kept is None:
        raise NotFound(f"there is no retirement {retirement}")
    if kept.record.state == "failed":
        raise RetirementFailed(f"retirement {retirement} failed: {kept.record.failure}")
    return kept


def check_holding(
    retirement: str, *, registry: RegistryStore, accounts: AccountsStore, chain: ChainAccess, now_us: int
) -> Retirement:
    """Refuse what the account doesn't hold or may not move, before anything is sent."""
    kept = load_retirement(retirement, registry)
    if kept.record.state != "accepted":
        return kept.record
    batch = named_batch(kept.record.batch, registry=registry, chain=chain)
    owner = _owner(kept.record, accounts)
    if kept.record.purchase is None:
        from_balance = kept.record.from_balance
        require_holding(owner, batch, kept.record.grams, chain=chain, from_balance=from_balance)
    return _advance(kept, "checked", "check_holding", registry, now_us)


def retire_grams(
    retirement: str, *, registry: RegistryStore, accounts: AccountsStore, chain: ChainAccess, now_us: int
) -> str:
    """Submit the retirement, signed by the organisation's key; returns the transaction's hash."""
    kept = load_retirement(retirement, registry)
    found = kept.record
    batch = named_batch(found.batch, registry=registry, chain=chain)
    owner = _owner(found, accounts)
    if _ORDER.index(found.state) < _ORDER.index("submitted"):
        _advance(kept, "submitted", "retire_grams", registry, now_us)
    return chain.submit(retire_key(retirement), owner.key_id, _call(found, batch.address))


def _call(retirement: Retirement, batch: str) -> EntryCall:
    """Retire what the wallet holds, what is claimable, or what is bought in the same transaction."""
    claim: dict[str, Any] = {
        "grams": retirement.grams,
        "retirement_id": retirement.id,
        "beneficiary_commitment": bytes.fromhex(retirement.beneficiary),
        "reason": retirement.reason,
        "country": retirement.country,
        "period_start": retirement.start_us // MICROSECONDS,
        "period_end": retirement.end_us // MICROSECONDS,
    }
    if retirement.purchase is not None:
        return market_calls.buy_and_retire(**msgspec.structs.asdict(retirement.purchase), **claim)
    if retirement.from_balance:
        return market_calls.retire_claimable(batch=batch, **claim)
    return calls.retire(batch=batch, **claim)


def await_retirement(
    retirement: str, *, registry: RegistryStore, chain: ChainAccess, now_us: int
) -> Retirement:
    """The retirement with its serial range, once the chain has it for good."""
    kept = load_retirement(retirement, registry)
    if _ORDER.index(kept.record.state) >= _ORDER.index("final"):
        return kept.record
    final = decide_final(kept.record, final_fate(chain, retire_key(retirement)))
    registry.save_retirement(
        final, kept.revision, told(SYSTEM, "await_retirement", retirement, "final", now_us)
    )
    return final


def decide_final(retirement: Retirement, fate: Fate) -> Retirement:
    """The record after the event CreditsRetired."""
    event = event_of(fate, "carbon_credit::CreditsRetired")
    if (event["retirement_id"], int(event["grams"])) != (retirement.id, retirement.grams):
        raise Conflict(f"transaction {fate.hash} retired something else than {retirement.id}")
    return msgspec.structs.replace(
        retirement,
        state="final",
        serial_first=int(event["serial_first"]),
        serial_last=int(event["serial_last"]),
        transaction=fate.hash or "",
        version=fate.version,
        retired_us=fate.timestamp_us,
    )


def fail_retirement(
    retirement: str, reason: str, *, registry: RegistryStore, chain: ChainAccess, now_us: int
) -> Retirement:
    """Mark it failed. Only what can't be retired any more: NotYetFinal while its fate is unknown."""
    kept = registry.retirement(retirement)
    if kept is None:
        raise NotFound(f"there is no retirement {retirement}")
    if kept.record.state == "failed":
        return kept.record
    if not was_never_taken(chain, retire_key(retirement)):
        raise AlreadyRetired(f"retirement {retirement} stands on chain; it can't fail any more")
    failed = msgspec.structs.replace(kept.record, state="failed", failure=reason)
    registry.save_retirement(
        failed, kept.revision, told(SYSTEM, "fail_retirement", retirement, "failed", now_us)
    )
    return failed


def _owner(retirement: Retirement, accounts: AccountsStore) -> Organisation:
    owner = accounts.organisation(retirement.organisation)
    if owner is None:
        raise Conflict(f"organisation {retirement.organisation} has not been admitted")
    return owner


def _advance(
    kept: Kept[Retirement], state: RetirementState, action: str, registry: RegistryStore, now_us: int
) -> Retirement:
    moved = msgspec.structs.replace(kept.record, state=state)
    registry.save_retirement(moved, kept.revision, told(SYSTEM, action, moved.id, state, now_us))
    return moved
