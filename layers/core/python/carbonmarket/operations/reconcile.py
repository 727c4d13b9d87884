"""Reconciliation: serial ranges, supply on chain and projection say the same of every batch, and the
marketplace's vault holds on chain what the projection says it owes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from carbonmarket.custody import CUSTODY_KINDS, Owed, Vaulted, owed
from carbonmarket.errors import NotYetFinal
from carbonmarket.ports.chain import ChainAccess
from carbonmarket.ports.projection import ChainProjection
from carbonmarket.records.chain import (
    Batch,
    BatchReconciliation,
    Cancellation,
    Cursor,
    Reconciliation,
    Retirement,
    Store,
    VaultReconciliation,
)

_TRIES = 3
_KINDS = ("store", "retirement", "cancellation", *CUSTODY_KINDS)


class Projected(msgspec.Struct):
    """What is compared of the projection: the batches, by batch the grams in stores and the serials that were
    retired and cancelled, and what the vault owes by asset."""

    batches: list[Batch] = msgspec.field(default_factory=list)
    held: Counter[str] = msgspec.field(default_factory=Counter)
    retired: Counter[str] = msgspec.field(default_factory=Counter)
    cancelled: Counter[str] = msgspec.field(default_factory=Counter)
    owed: dict[str, Owed] = msgspec.field(default_factory=dict)


def reconcile(
    *,
    chain: ChainAccess,
    projection: ChainProjection,
    catch_up: Callable[[], None],
    now_us: int,
) -> Reconciliation:
    """Compare, publish and return the result.

    The chain goes on while it is compared: where something differs, ``catch_up`` lets the projection
    come up to it and the comparison is made again. A batch or asset that agreed once is published as it was
    then, so that trading all the while raises no alarm, and only a difference that stays is published as one.
    NotYetFinal before anything was projected.
    """
    result = _compare(chain, projection, now_us)
    for _ in range(_TRIES - 1):
        if result.differences == 0:
            break
        catch_up()
        result = with_agreed(result, _compare(chain, projection, now_us))
    projection.publish(result)
    return result


def with_agreed(earlier: Reconciliation, later: Reconciliation) -> Reconciliation:
    """The later comparison, each batch and asset that differs in it as it was in the earlier one if it agreed
    there."""
    agreed_batches = {each.batch: each for each in earlier.batches if not each.differences}
    agreed_assets = {each.asset: each for each in earlier.assets if not each.differences}
    batches = tuple(
        agreed_batches.get(each.batch, each) if each.differences else each for each in later.batches
    )
    assets = tuple(agreed_assets.get(each.asset, each) if each.differences else each for each in later.assets)
    left = sum(len(found) for found in _differences(batches, assets))
    return msgspec.structs.replace(later, batches=batches, assets=assets, differences=left)


def _compare(chain: ChainAccess, projection: ChainProjection, now_us: int) -> Reconciliation:
    cursor = projection.cursor()
    if cursor is None:
        raise NotYetFinal("no version of the chain was projected yet; run watch_chain first")
    seen = projected(projection.all_of(_KINDS))
    supplies = {batch.address: _supply(chain, batch.address) for batch in seen.batches}
    vault = {asset: vaulted(chain, asset) for asset in seen.owed}
    return decide_reconciliation(seen, supplies, vault, cursor, now_us)


def _supply(chain: ChainAccess, batch: str) -> int:
    return int(chain.view("credit_batch::supply", [], [batch])[0])


def vaulted(chain: ChainAccess, asset: str) -> Vaulted:
    """What the chain says of an asset in the vault."""
    owes, holds = (int(chain.view(f"market_vault::{name}", [], [asset])[0]) for name in ("owed", "held"))
    return Vaulted(owes=owes, holds=holds)


def projected(records: Iterable[msgspec.Struct]) -> Projected:
    """What is compared of projected records, which are seen once and not kept."""
    seen = Projected()

    def counted() -> Iterator[msgspec.Struct]:
        for record in records:
            if isinstance(record, Batch):
                seen.batches.append(record)
            elif isinstance(record, Store):
                seen.held[record.batch] += record.grams
            elif isinstance(record, Retirement):
                seen.retired[record.batch] += _serials(record)
            elif isinstance(record, Cancellation):
                seen.cancelled[record.batch] += _serials(record)
            yield record

    seen.owed = owed(counted())
    return seen


def decide_reconciliation(
    seen: Projected,
    supplies: Mapping[str, int],
    vault: Mapping[str, Vaulted],
    cursor: Cursor,
    now_us: int,
) -> Reconciliation:
    """The comparison of what was projected with the chain: its ``supplies`` by batch address, in grams, and
    the ``vault`` by asset, in the asset's units."""
    batches = tuple(
        _batch(batch, seen, supplies[batch.address])
        for batch in sorted(seen.batches, key=lambda batch: batch.serial_first)
    )
    assets = tuple(_asset(asset, amounts, vault[asset]) for asset, amounts in sorted(seen.owed.items()))
    return Reconciliation(
        at_us=now_us,
        chain_id=cursor.chain_id,
        version=cursor.version,
        batches=batches,
        assets=assets,
        differences=sum(len(found) for found in _differences(batches, assets)),
    )


def _differences(
    batches: Iterable[BatchReconciliation], assets: Iterable[VaultReconciliation]
) -> Iterable[tuple[str, ...]]:
    yield from (batch.differences for batch in batches)
    yield from (asset.differences for asset in assets)


def _asset(asset: str, amounts: Owed, vault: Vaulted) -> VaultReconciliation:
    differences = []
    if amounts.total != vault.owes:
        differences.append(
            f"balances, orders, listings and gifts are {amounts.total} and the vault owes {vault.owes}"
        )
    if vault.holds < vault.owes:
        differences.append(f"the vault owes {vault.owes} and holds {vault.holds}")
    return VaultReconciliation(
        asset=asset,
        claimable=amounts.claimable,
        orders=amounts.orders,
        listings=amounts.listings,
        gifts=amounts.gifts,
        vault_owes=vault.owes,
        vault_holds=vault.holds,
        differences=tuple(differences),
    )


def _batch(batch: Batch, seen: Projected, supply: int) -> BatchReconciliation:
    issued = batch.serial_last - batch.serial_first + 1
    held, retired, cancelled = (each[batch.address] for each in (seen.held, seen.retired, seen.cancelled))
    outstanding = issued - retired - cancelled
    pairs = (
        ("serials leave", outstanding, "the chain's supply is", supply),
        ("the chain's supply is", supply, "stores hold", held),
        ("retired serials are", retired, "the batch says", batch.retired),
        ("cancelled serials are", cancelled, "the batch says", batch.cancelled),
        ("issued serials are", issued, "the batch says", batch.issued),
    )
    differences = tuple(f"{a} {x} g and {b} {y} g" for a, x, b, y in pairs if x != y)
    return BatchReconciliation(
        batch=batch.address,
        batch_id=batch.id,
        issued=issued,
        retired=retired,
        cancelled=cancelled,
        outstanding=outstanding,
        chain_supply=supply,
        projected_held=held,
        differences=differences,
    )


def _serials(burnt: Retirement | Cancellation) -> int:
    """The length of a serial range; a reversal that burnt nothing has none."""
    return burnt.serial_last - burnt.serial_first + 1 if burnt.serial_first else 0
