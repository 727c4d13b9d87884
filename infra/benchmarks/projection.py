"""The chain's projection: the pure fold, and the store against bare transactions of 100 puts."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace
from typing import Any

from carbonmarket.ports.projection import Key
from carbonmarket.projection.fold import fold, wanted
from carbonmarket.projection.watch import STEP_VERSIONS
from carbonmarket.settings import Settings
from carbonmarket_adapters.dynamo.chain_keys import write_of
from carbonmarket_adapters.dynamo.chain_writer import ChainWriter
from carbonmarket_adapters.dynamo.table import TRANSACTION_ITEMS_MAX, DocumentTable, table_model

MARKET = "0x" + "c" * 64
FOLD_TRANSACTIONS = 10_000
STORE_TRANSACTIONS = 1_000
WARM_TRANSACTIONS = 500
_ACCOUNTS = 500


def _address(name: str) -> str:
    return "0x" + hashlib.sha3_256(name.encode()).hexdigest()


BATCH = _address("batch")


def _transaction(version: int, events: list[Any], changes: list[Any]) -> dict[str, Any]:
    return {
        "version": str(version),
        "hash": _address(f"transaction {version}"),
        "accumulator_root_hash": _address(f"root {version}"),
        "timestamp": str(1_467_331_200_000_000 + version),
        "events": events,
        "changes": changes,
    }


def _event(name: str, **data: str) -> dict[str, Any]:
    return {"type": f"{MARKET}::carbon_credit::{name}", "data": data}


def _store(owner: str, grams: int) -> list[dict[str, Any]]:
    address = _address("store of " + owner)
    balance = {"metadata": {"inner": BATCH}, "balance": str(grams), "frozen": False}
    values = (("0x1::object::ObjectCore", {"owner": owner}), ("0x1::fungible_asset::FungibleStore", balance))
    return [
        {"type": "write_resource", "address": address, "data": {"type": kind, "data": data}}
        for kind, data in values
    ]


def _issue() -> dict[str, Any]:
    issued = _event(
        "BatchIssued",
        batch=BATCH,
        batch_id="BATBENCH",
        project="PRJBENCH",
        period_number="1",
        period_start="0",
        period_end="86400",
        developer=_address("account 0"),
        serial_first="1",
        serial_last="1000000000",
        issued="1000000000",
        buffered="0",
        labels="0",
        report_hash="0x00",
        methodology="M",
        methodology_version="1",
        country="US",
        uri="",
    )
    return _transaction(0, [issued], _store(_address("account 0"), 10**9))


def _retirement(version: int) -> dict[str, Any]:
    """One holder's retirement, with the fungible asset's own event, as the chain shows it."""
    holder = _address(f"account {version % _ACCOUNTS}")
    retired = _event(
        "CreditsRetired",
        retirement_id=f"RET{version}",
        batch=BATCH,
        batch_id="BATBENCH",
        project="PRJBENCH",
        holder=holder,
        grams="10",
        serial_first=str(version * 10),
        serial_last=str(version * 10 + 9),
        beneficiary_commitment=_address("beneficiary"),
        reason="net zero",
        country="DE",
        period_start="0",
        period_end="86400",
        certificate=_address(f"certificate {version}"),
        retired_old=str(version * 10),
        retired_new=str(version * 10 + 10),
    )
    withdrawn = {
        "type": "0x1::fungible_asset::Withdraw",
        "data": {"store": _address("store of " + holder), "amount": "10"},
    }
    return _transaction(version, [withdrawn, retired], _store(holder, 10**6 - version))


def _transactions(count: int) -> list[dict[str, Any]]:
    return [_issue(), *map(_retirement, range(1, count))]


def bench_fold() -> dict[str, Any]:
    """Events folded a second, in the watcher's steps, on one core."""
    transactions = _transactions(FOLD_TRANSACTIONS)
    state: dict[Key, Any] = {}
    began = time.perf_counter()
    for start in range(0, len(transactions), STEP_VERSIONS):
        page = transactions[start : start + STEP_VERSIONS]
        before = {key: state.get(key) for key in wanted(page, MARKET)}
        for folded in fold(page, before, MARKET):
            state.update(folded.effects)
    seconds = time.perf_counter() - began
    events = sum(len(transaction["events"]) for transaction in transactions)
    return {"events": events, "events_per_s": round(events / seconds)}


def bench_store(dynamodb_url: str) -> dict[str, Any]:
    """Items a second of stored steps, and of bare transactions of 100 puts of the same records.

    Items are the projection's own records as they are written; journal and cursor are not counted. The
    table is made anew and removed.
    """
    settings = _settings(dynamodb_url, f"bench{time.time_ns()}")
    model = table_model(settings, "chain")
    model.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    try:
        stored = _stored_items_per_s(settings)
        bare = _bare_items_per_s(settings)
    finally:
        model.delete_table()
    return {
        "stored_items_per_s": round(stored),
        "bare_items_per_s": round(bare),
        "stored_to_bare": round(stored / bare, 3),
    }


def _settings(dynamodb_url: str, stage: str) -> Settings:
    return replace(
        Settings(
            stage=stage,
            aptos_node_url="unused",
            chain_id=4,
            market_address=MARKET,
            public_url="unused",
            readings_store="unused",
        ),
        aws_endpoint_url=dynamodb_url,
    )


def _stored_items_per_s(settings: Settings) -> float:
    writer = ChainWriter(settings)
    writer.begin()
    transactions = _transactions(WARM_TRANSACTIONS + STORE_TRANSACTIONS)
    items, began = 0, 0.0
    for start in range(0, len(transactions), STEP_VERSIONS):
        if start == WARM_TRANSACTIONS:
            items, began = 0, time.perf_counter()
        page = transactions[start : start + STEP_VERSIONS]
        versions = fold(page, writer.load(wanted(page, MARKET)), MARKET)
        writer.commit(settings.chain_id, versions)
        # What several versions of a step did to one record is written once.
        items += len({key for folded in versions for key in folded.effects})
    return items / (time.perf_counter() - began)


def _bare_items_per_s(settings: Settings) -> float:
    table = DocumentTable(settings, "chain")
    transactions = _transactions(STORE_TRANSACTIONS)
    before = dict.fromkeys(wanted(transactions, MARKET))
    retirements = [
        write_of(key, record)
        for folded in fold(transactions, before, MARKET)
        for key, record in folded.effects.items()
        if key[0] == "retirement" and record is not None
    ]
    began = time.perf_counter()
    for start in range(0, len(retirements), TRANSACTION_ITEMS_MAX):
        table.transact(retirements[start : start + TRANSACTION_ITEMS_MAX])
    return len(retirements) / (time.perf_counter() - began)
