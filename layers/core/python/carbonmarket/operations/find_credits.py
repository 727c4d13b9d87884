"""Batches and holdings: what was issued, and what of it an organisation holds."""

from __future__ import annotations

from collections.abc import Iterator

from carbonmarket.chain.addresses import canonical
from carbonmarket.errors import AccountFrozen, InsufficientHolding, InvalidInput, NotAllowed, NotFound
from carbonmarket.ports.accounts import AccountsStore
from carbonmarket.ports.chain import ChainAccess
from carbonmarket.ports.registry import RegistryStore
from carbonmarket.records.accounts import Organisation
from carbonmarket.records.chain import Origin
from carbonmarket.records.principal import Principal
from carbonmarket.records.registry import Batch, MethodologyRef
from carbonmarket.times import MICROSECONDS

_BALANCE = "0x1::primary_fungible_store::balance"
_METADATA = "0x1::fungible_asset::Metadata"


def get_batch(batch: str, *, registry: RegistryStore, chain: ChainAccess) -> Batch:
    """One batch as it was issued here or imported."""
    kept = registry.batch(batch)
    found = kept.record if kept is not None else imported_batch(batch, chain)
    if found is None:
        raise NotFound("there is no batch with this id", field="batch")
    return found


def list_batches(after: str | None, *, registry: RegistryStore) -> Iterator[tuple[str, Batch]]:
    """All batches in the order they were issued."""
    return registry.batches(after)


def named_batch(batch: str, *, registry: RegistryStore, chain: ChainAccess) -> Batch:
    """The batch that a request's body names, issued here or imported; InvalidInput (field ``batch``) if there
    is none."""
    kept = registry.batch(batch)
    found = kept.record if kept is not None else imported_batch(batch, chain)
    if found is None:
        raise InvalidInput("there is no batch with this id", field="batch")
    return found


def imported_batch(batch: str, chain: ChainAccess) -> Batch | None:
    """A batch that was imported, as the chain itself tells of it; None for every other.

    The registry keeps what was measured here. Nothing of an import has to be kept beside the chain.
    """
    [address] = chain.view("credit_batch::batch_address", [], [batch])
    exists = chain.view("credit_batch::batch_exists", [], [address])[0]
    if not exists or not chain.view("credit_batch::is_imported", [], [address])[0]:
        return None
    [seen] = chain.view("credit_batch::batch", [], [address])
    registry, serial, project_name = chain.view("imports::origin", [], [address])
    return Batch(
        id=batch,
        project=seen["project"],
        organisation="",
        period="",
        address=canonical(address),
        grams=int(seen["issued"]),
        buffered=int(seen["buffered"]),
        serial_first=int(seen["serial_first"]),
        serial_last=int(seen["serial_last"]),
        country=seen["country"],
        methodology=MethodologyRef(id=seen["methodology"], version=int(seen["methodology_version"])),
        report_hash="",
        start_us=int(seen["period_start"]) * MICROSECONDS,
        end_us=int(seen["period_end"]) * MICROSECONDS,
        transaction="",
        version=0,
        issued_us=0,
        origin=Origin(registry=registry, serial=serial, project_name=project_name),
    )


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
