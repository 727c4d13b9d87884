"""The fold is pure: transactions in, records out, whatever else the chain did in between."""

from __future__ import annotations

from typing import Any

from carbonmarket.ports.projection import Key
from carbonmarket.projection.fold import fold, wanted
from carbonmarket.records.chain import Batch, Store

MARKET = "0x" + "c" * 64
BATCH = "0x" + "b" * 64
STORE = "0x" + "5" * 64
ALICE, BOB = "0x" + "a" * 64, "0x" + "d" * 64


def transaction(version: int, *, events: list[Any] | None = None, changes: list[Any] | None = None) -> Any:
    return {
        "type": "user_transaction",
        "version": str(version),
        "hash": f"0x{version:064x}",
        "accumulator_root_hash": f"0x{version + 1:064x}",
        "timestamp": "1467331200000000",
        "events": events or [],
        "changes": changes or [],
    }


def resource(address: str, kind: str, **data: Any) -> dict[str, Any]:
    return {"type": "write_resource", "address": address, "data": {"type": kind, "data": data}}


def core(owner: str) -> dict[str, Any]:
    return resource(STORE, "0x1::object::ObjectCore", owner=owner, allow_ungated_transfer=True)


def store(grams: int, *, metadata: str = BATCH, frozen: bool = False) -> dict[str, Any]:
    kind = "0x1::fungible_asset::FungibleStore"
    return resource(STORE, kind, metadata={"inner": metadata}, balance=str(grams), frozen=frozen)


def concurrent(grams: int) -> dict[str, Any]:
    kind = "0x1::fungible_asset::ConcurrentFungibleBalance"
    return resource(STORE, kind, balance={"value": str(grams), "max_value": str(2**64 - 1)})


def issued() -> dict[str, Any]:
    data = {
        "batch": BATCH,
        "batch_id": "BAT1",
        "project": "PRJ1",
        "period_number": "1",
        "period_start": "0",
        "period_end": "86400",
        "developer": ALICE,
        "serial_first": "1",
        "serial_last": "1000",
        "issued": "1000",
        "buffered": "100",
        "labels": "0",
        "report_hash": "0x00",
        "methodology": "M",
        "methodology_version": "1",
        "country": "US",
        "uri": "",
    }
    return {"type": f"{MARKET}::carbon_credit::BatchIssued", "data": data}


def state_after(*transactions: dict[str, Any]) -> dict[Key, Any]:
    """Fold one transaction after the other, each with only the records it asks for."""
    state: dict[Key, Any] = {}
    for each in transactions:
        before = {key: state.get(key) for key in wanted([each], MARKET)}
        state.update(fold([each], before, MARKET)[0].effects)
    return state


def stored(state: dict[Key, Any]) -> Store:
    found = state[("store", STORE)]
    assert isinstance(found, Store)
    return found


def test_a_batch_and_its_first_store_come_from_one_transaction() -> None:
    state = state_after(transaction(1, events=[issued()], changes=[core(ALICE), store(900)]))
    assert isinstance(state[("batch", BATCH)], Batch)
    assert (stored(state).owner, stored(state).grams) == (ALICE, 900)


def test_a_balance_that_changes_alone_keeps_its_owner() -> None:
    state = state_after(
        transaction(1, events=[issued()], changes=[core(ALICE), store(900)]),
        transaction(2, changes=[store(650)]),
    )
    assert (stored(state).owner, stored(state).grams) == (ALICE, 650)


def test_a_store_that_changes_hands_takes_its_grams_along() -> None:
    state = state_after(
        transaction(1, events=[issued()], changes=[core(ALICE), store(900)]),
        transaction(2, changes=[core(BOB)]),
    )
    assert (stored(state).owner, stored(state).grams) == (BOB, 900)


def test_an_upgraded_store_holds_its_concurrent_balance() -> None:
    state = state_after(
        transaction(1, events=[issued()], changes=[core(ALICE), store(900)]),
        transaction(2, changes=[store(0), concurrent(900)]),
        transaction(3, changes=[concurrent(850)]),
    )
    assert stored(state).grams == 850


def test_a_store_that_is_removed_is_gone() -> None:
    removed = {
        "type": "delete_resource",
        "address": STORE,
        "resource": "0x1::fungible_asset::FungibleStore",
    }
    state = state_after(
        transaction(1, events=[issued()], changes=[core(ALICE), store(0)]),
        transaction(2, changes=[removed]),
    )
    assert state[("store", STORE)] is None


def test_stores_of_other_assets_are_not_kept() -> None:
    state = state_after(transaction(1, changes=[core(ALICE), store(900, metadata="0xa")]))
    assert state == {}


def test_events_of_another_package_are_not_ours() -> None:
    strange = {**issued(), "type": f"{BOB}::carbon_credit::BatchIssued"}
    assert state_after(transaction(1, events=[strange])) == {}


def test_the_state_given_is_not_changed() -> None:
    first = transaction(1, events=[issued()], changes=[core(ALICE), store(900)])
    before: dict[Key, Any] = dict.fromkeys(wanted([first], MARKET))
    fold([first], before, MARKET)
    assert set(before.values()) == {None}


def test_what_was_before_is_kept_for_undoing() -> None:
    state = state_after(transaction(1, events=[issued()], changes=[core(ALICE), store(900)]))
    (folded,) = fold([transaction(2, changes=[store(1), core(BOB)])], state, MARKET)
    assert folded.before == {("store", STORE): state[("store", STORE)]}
