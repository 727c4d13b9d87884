"""Batches and holdings: what was issued, and what of it an organisation holds."""

from __future__ import annotations

from collections.abc import Iterator

from carbonmarket.errors import AccountFrozen, InsufficientHolding, InvalidInput, NotAllowed, NotFound
from carbonmarket.ports.accounts import AccountsStore
from carbonmarket.ports.chain import ChainAccess
from carbonmarket.ports.registry import RegistryStore
from carbonmarket.records.accounts import Organisation
from carbonmarket.records.principal import Principal
from carbonmarket.records.registry import Batch

_BALANCE = "0x1::primary_fungible_store::balance"
_METADATA = "0x1::fungible_asset::Metadata"


def get_batch(batch: str, *, registry: RegistryStore) -> Batch:
    """One batch as it was issued."""
    kept = registry.batch(batch)
    if kept is None:
        raise NotFound("there is no batch with this id", field="batch")
    return kept.record


def list_batches(after: str | None, *, registry: RegistryStore) -> Iterator[tuple[str, Batch]]:
    """All batches in the order they were issued."""
    return registry.batches(after)


def named_batch(batch: str, *, registry: RegistryStore) -> Batch:
    """The batch that a request's body names; InvalidInput (field ``batch``) if there is none."""
    kept = registry.batch(batch)
    if kept is None:
        raise InvalidInput("there is no batch with this id", field="batch")
    return kept.record


def own_organisation(caller: Principal, accounts: AccountsStore) -> Organisation:
    """The caller's organisation, which must have been admitted: it has the account on chain."""
    organisation = accounts.organisation(caller.organisation)
    if organisation is None:
        raise NotAllowed("your organisation has not been admitted yet, so it has no account")
    return organisation


def require_holding(
    owner: Organisation, batch: Batch, grams: int, *, chain: ChainAccess, from_balance: bool = False
) -> None:
    """Refuse more grams than the account holds now, and any while it is frozen.

    ``from_balance`` looks at what the market holds claimable for it. Asked of the chain itself, since the
    projection is a moment behind; the contract has the last word.
    """
    if chain.view("transfer_policy::is_frozen", [], [owner.account_address])[0]:
        raise AccountFrozen("your account is frozen: it can't give or retire")
    account = [owner.account_address, batch.address]
    if from_balance:
        held, verb = int(chain.view("market_vault::balance", [], account)[0]), "may claim"
    else:
        held, verb = int(chain.view(_BALANCE, [_METADATA], account)[0]), "hold"
    if grams > held:
        raise InsufficientHolding(f"you {verb} {held} grams of batch {batch.id}, not {grams}", field="grams")
