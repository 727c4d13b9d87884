"""The pure fold: transactions in the node's JSON become the records as they are after them.

Holdings follow the stores: a store's balance and its owner are read from the transaction's ``changes``
(FungibleStore, ConcurrentFungibleBalance, ObjectCore), so that transfers made in any wallet are seen, through
primary and secondary stores alike. Only stores of issued batches are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from carbonmarket.chain.addresses import canonical
from carbonmarket.chain.event import Event
from carbonmarket.chain.events import decode
from carbonmarket.ports.projection import Folded, Key, State
from carbonmarket.projection import market_rules, offer_rules, reputation_rules, rules
from carbonmarket.projection.rule import Place, Rules
from carbonmarket.projection.rules import batch_key
from carbonmarket.records.chain import Store

Transaction = dict[str, Any]

_STORE = "0x1::fungible_asset::FungibleStore"
_CONCURRENT = "0x1::fungible_asset::ConcurrentFungibleBalance"
_OBJECT = "0x1::object::ObjectCore"
_HELD = frozenset({_STORE, _CONCURRENT, _OBJECT})
FINGERPRINT = "accumulator_root_hash"

_RULES: Rules = {**rules.RULES, **market_rules.RULES, **offer_rules.RULES, **reputation_rules.RULES}
"""By event type: its rule, and the records the rule needs. Events that change no record have no entry."""


def wanted(transactions: Iterable[Transaction], market: str) -> set[Key]:
    """The records that :func:`fold` reads of the state before ``transactions``."""
    keys: set[Key] = set()
    for transaction in transactions:
        for event, place in _events(transaction, market):
            keys.update(_RULES[type(event)][1](event, place))
        for change in transaction.get("changes", ()):
            keys.update(_change_needs(change))
    return keys


def _change_needs(change: dict[str, Any]) -> Iterator[Key]:
    kind, data = _resource(change)
    if kind not in _HELD:
        return
    yield _store_key(change)
    if kind == _STORE and data is not None:
        yield batch_key(canonical(data["metadata"]["inner"]))


def fold(transactions: Sequence[Transaction], state: State, market: str) -> list[Folded]:
    """One :class:`Folded` for each transaction, in order.

    ``state`` holds the records of :func:`wanted` as they are before; it isn't changed. ``market`` is the
    package's address in the long form.
    """
    now: dict[Key, msgspec.Struct | None] = dict(state)
    return [_fold_one(transaction, now, market) for transaction in transactions]


def _fold_one(transaction: Transaction, now: dict[Key, msgspec.Struct | None], market: str) -> Folded:
    """Fold one transaction and bring ``now`` up to after it."""
    effects: dict[Key, msgspec.Struct | None] = {}
    before: dict[Key, msgspec.Struct | None] = {}
    for event, place in _events(transaction, market):
        for key, record in _RULES[type(event)][0](event, place, now.get):
            before.setdefault(key, now.get(key))
            effects[key] = now[key] = record
    for key, store in _store_effects(transaction, now):
        before.setdefault(key, now.get(key))
        effects[key] = now[key] = store
    # An order that passes through a price level or a balance leaves no trace there, and costs no write.
    for key in [key for key, record in effects.items() if record == before[key]]:
        del effects[key], before[key]
    return Folded(
        int(transaction["version"]),
        transaction[FINGERPRINT],
        _time_us(transaction),
        effects,
        before,
    )


def _events(transaction: Transaction, market: str) -> Iterator[tuple[Event, Place]]:
    """The events that have a rule, and where they happened."""
    for number, event in enumerate(transaction.get("events", ())):
        decoded = decode(event["type"], event["data"], market)
        if type(decoded) in _RULES and decoded is not None:
            version = int(transaction["version"])
            yield decoded, Place(version, transaction["hash"], _time_us(transaction), number)


def _time_us(transaction: Transaction) -> int:
    """The ledger's time; genesis has none."""
    return int(transaction.get("timestamp", 0))


def _store_effects(
    transaction: Transaction, now: dict[Key, msgspec.Struct | None]
) -> Iterator[tuple[Key, Store | None]]:
    """The stores of batches as they are after the transaction."""
    touched: dict[Key, dict[str, dict[str, Any] | None]] = {}
    for change in transaction.get("changes", ()):
        kind, data = _resource(change)
        if kind in _HELD:
            touched.setdefault(_store_key(change), {})[kind] = data
    for key, resources in touched.items():
        known = now.get(key)
        after = _store_after(key[1], known if isinstance(known, Store) else None, resources, now)
        if after != known:
            yield key, after


def _store_after(
    address: str,
    known: Store | None,
    resources: dict[str, dict[str, Any] | None],
    now: dict[Key, msgspec.Struct | None],
) -> Store | None:
    core, store = resources.get(_OBJECT), resources.get(_STORE)
    if _STORE in resources and store is None:
        return None
    if known is None:
        if store is None or core is None:
            return None
        batch = canonical(store["metadata"]["inner"])
        if now.get(batch_key(batch)) is None:
            return None
        known = Store(address=address, batch=batch, owner=canonical(core["owner"]), inline=0)
    concurrent = resources.get(_CONCURRENT)
    return replace(
        known,
        owner=canonical(core["owner"]) if core else known.owner,
        inline=int(store["balance"]) if store else known.inline,
        frozen=store["frozen"] if store else known.frozen,
        concurrent=int(concurrent["balance"]["value"]) if concurrent else known.concurrent,
    )


def _store_key(change: dict[str, Any]) -> Key:
    return ("store", canonical(change["address"]))


def _resource(change: dict[str, Any]) -> tuple[str, dict[str, Any] | None]:
    """(type, value) of a written resource; the value of a deleted one is None."""
    kind = change["type"]
    if kind == "write_resource":
        data = change["data"]
        return data["type"], data["data"]
    return (change["resource"], None) if kind == "delete_resource" else ("", None)
