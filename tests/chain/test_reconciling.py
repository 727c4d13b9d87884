"""Reconciliation finds nothing where all agree, and names the batch where the projection was changed."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from carbonmarket.chain import calls, market_calls
from carbonmarket.errors import InvalidInput, NotYetFinal
from carbonmarket.operations.reconcile import reconcile
from carbonmarket.records.chain import BatchReconciliation
from carbonmarket_adapters.dynamo.chain_keys import write_of
from carbonmarket_adapters.dynamo.table import DocumentTable
from functions.reconcile.handler import handler
from tests.chain.exchange import Exchange
from tests.chain.market import START_S, Market

COMMITMENT = b"\x07" * 32


def run(market: Market) -> Any:
    return reconcile(
        chain=market.outbox, projection=market.projection, catch_up=market.watch, now_us=1_467_331_200_000_000
    )


def retire(market: Market, grams: int) -> None:
    batch = market.issue()
    market.do(
        "developer",
        calls.retire(batch.address, grams, "RET1", COMMITMENT, "net zero", "DE", START_S, START_S + 86_400),
    )
    market.do("developer", calls.cancel(batch.address, 50, "CAN1", "withdrawn"))


def test_serials_supply_and_projection_agree_after_every_kind_of_burn(market: Market) -> None:
    retire(market, 400)
    result = run(market)
    (batch,) = result.batches
    assert result.differences == 0
    assert (batch.retired, batch.cancelled) == (400, 50)
    assert batch.outstanding == batch.chain_supply == batch.projected_held
    assert market.projection.reconciliation() == result.summary()
    assert list(market.projection.reconciled_assets(None)) == []


def test_a_projection_that_lags_is_let_catch_up_first(market: Market) -> None:
    market.issue()
    batch = market.projection.batches()[0][1]
    market.do("developer", calls.cancel(batch.address, 50, "CAN1", "withdrawn"))
    assert run(market).differences == 0


def test_a_store_that_says_more_than_the_chain_is_named(market: Market) -> None:
    batch = market.issue()
    (store,) = market.projection.stores(market.address("developer"))
    forged = msgspec.structs.replace(store, inline=store.inline + 1)
    DocumentTable(market.settings, "chain").put(write_of(("store", store.address), forged))
    result = run(market)
    assert result.differences == 1
    assert f"{batch.issued + 1} g" in result.batches[0].differences[0]


def test_the_vault_holds_what_is_claimable_and_in_orders_and_a_false_balance_is_named(
    exchange: Exchange,
) -> None:
    exchange.place("developer", False, 12, 100)
    exchange.place("buyer", True, 12, 40)
    result = run(exchange)
    assert result.differences == 0
    amounts = {asset.asset: asset for asset in result.assets}
    grams = amounts[exchange.batch.address]
    assert grams.orders == 60
    assert grams.vault_holds == grams.claimable + grams.orders + grams.listings + grams.gifts
    # What a stranger sends to the vault is nobody's, and no difference.
    sent = calls.give(exchange.batch.address, exchange.vault, 3)
    exchange.do("developer", sent, exchange.key())
    exchange.watch()
    with_more = {asset.asset: asset for asset in run(exchange).assets}[exchange.batch.address]
    assert (with_more.vault_owes, with_more.vault_holds) == (grams.vault_owes, grams.vault_holds + 3)
    assert with_more.differences == ()
    key = ("claimable", exchange.address("buyer"), exchange.batch.address)
    [claimable] = [c for c in exchange.trading.claimables(key[1]) if c.asset == key[2]]
    table = DocumentTable(exchange.settings, "chain")
    table.put(write_of(key, msgspec.structs.replace(claimable, amount=claimable.amount + 1)))
    result = run(exchange)
    table.put(write_of(key, claimable))
    assert [asset.asset for asset in result.assets if asset.differences] == [exchange.batch.address]


def test_ended_orders_trades_and_candles_are_not_read_into_memory(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange.place("developer", False, 12, 100)
    exchange.place("buyer", True, 12, 40)

    def refuse(_projection: object) -> None:
        raise AssertionError("all of the projection at once")

    monkeypatch.setattr(type(exchange.projection), "everything", refuse)
    assert run(exchange).differences == 0


def test_trading_all_the_while_is_no_difference(exchange: Exchange) -> None:
    """One asset differs at each look, never the same one twice."""
    looks = iter(("batch", "quote", "batch"))

    def move(*_: object) -> None:
        asset = exchange.batch.address if next(looks) == "batch" else exchange.quote
        exchange.watch()
        name = "developer" if asset == exchange.batch.address else "buyer"
        exchange.do(name, market_calls.deposit(asset, 7), exchange.key())

    move()
    result = reconcile(chain=exchange.outbox, projection=exchange.projection, catch_up=move, now_us=1)
    assert result.differences == 0
    exchange.watch()


def test_thousands_of_batches_are_published_and_read_in_pages(market: Market) -> None:
    market.issue()
    one = run(market)
    [row] = one.batches
    batches = [msgspec.structs.replace(row, batch=f"0x{number:064x}") for number in range(1_050)]
    batches[777] = msgspec.structs.replace(batches[777], differences=("a story",))
    market.projection.publish(
        msgspec.structs.replace(one, at_us=one.at_us + 1, batches=tuple(batches), differences=1)
    )
    told = market.projection.reconciliation()
    assert told is not None
    assert (told.batches, told.differing_batches) == (1_050, (batches[777],))

    read: list[BatchReconciliation] = []
    cursor = None
    while page := list(itertools.islice(market.projection.reconciled_batches(cursor), 70)):
        # Whoever reads on reads the one that was begun.
        run(market)
        read += [each for _, each in page]
        cursor = page[-1][0]
    assert read == batches
    assert [each for _, each in market.projection.reconciled_batches(None)] == [row]


@pytest.mark.parametrize("cursor", ["", "0x1", "1#-1", "1#2#3", "9" * 18 + "#1"])
def test_a_cursor_of_another_list_is_refused(market: Market, cursor: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        list(market.projection.reconciled_batches(cursor))
    assert refused.value.field == "after"


def test_nothing_projected_is_not_taken_for_agreement(market: Market) -> None:
    with pytest.raises(NotYetFinal):
        reconcile(chain=market.outbox, projection=market.projection, catch_up=lambda: None, now_us=0)


def test_the_function_publishes(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    market.issue()
    market.wire(monkeypatch)
    context: Any = SimpleNamespace(
        aws_request_id="one",
        function_name="reconcile",
        memory_limit_in_mb=512,
        invoked_function_arn="arn:aws:lambda:us-east-1:000000000000:function:reconcile",
    )
    assert handler({}, context)["differences"] == 0
    published = market.projection.reconciliation()
    assert published is not None
    assert published.batches == 1
