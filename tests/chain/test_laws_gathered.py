"""The laws are judged on what really stands in the stores and on chain."""

from __future__ import annotations

import msgspec

from carbonmarket.chain import calls, market_calls
from carbonmarket.laws import judge
from carbonmarket_adapters.dynamo.chain_keys import write_of
from carbonmarket_adapters.dynamo.table import DocumentTable
from carbonmarket_adapters.snapshots import gather, retired_by_batch
from tests.chain.exchange import Exchange
from tests.chain.market import START_S, Market


def results(market: Market, **changes: object) -> dict[str, bool]:
    arguments: dict[str, object] = {"retired_before": {}, "personal": ["Ada Lovelace"], **changes}
    snapshot = gather(
        chain=market.outbox,
        source=market.source,
        projection=market.projection,
        signing=market.table,
        market=market.address_of_market,
        **arguments,  # type: ignore[arg-type]
    )
    return {result.name: result.holds for result in judge(snapshot)}


def retire(market: Market, reason: str) -> None:
    batch = market.issue()
    commitment = b"\x07" * 32
    market.do(
        "developer",
        calls.retire(batch.address, 400, "RET1", commitment, reason, "DE", START_S, START_S + 86_400),
    )
    market.watch()


def test_the_laws_hold_in_the_system_and_break_with_it(market: Market) -> None:
    retire(market, "net zero")
    assert all(results(market).values()), results(market)
    before = retired_by_batch(market.projection.everything())
    assert all(results(market, retired_before=before).values())

    table = DocumentTable(market.settings, "chain")
    (store,) = market.projection.stores(market.address("developer"))
    table.put(write_of(("store", store.address), msgspec.structs.replace(store, inline=store.inline + 1)))
    broken = {name for name, holds in results(market).items() if not holds}
    assert broken == {"grams_are_conserved", "rebuilt_projection_is_equal"}


def test_the_marketplaces_laws_hold_in_the_system_and_break_with_it(exchange: Exchange) -> None:
    exchange.place("developer", False, 12, 100)
    bid = exchange.place("buyer", True, 13, 130)
    exchange.act(
        "developer",
        market_calls.make_gift(exchange.address("alice"), exchange.batch.address, 9, b"\x07" * 32, True),
    )
    assert all(results(exchange).values()), results(exchange)

    table = DocumentTable(exchange.settings, "chain")
    [level] = exchange.trading.levels(1, True)
    forged = {
        ("order", "1", bid.id): (msgspec.structs.replace(bid, held=bid.held + 1), bid),
        ("level", "1", "bid", str(bid.price)): (msgspec.structs.replace(level, grams=level.grams + 1), level),
    }
    seen = []
    for key, (false, true) in forged.items():
        table.put(write_of(key, false))
        seen.append({name for name, holds in results(exchange).items() if not holds})
        table.put(write_of(key, true))
    equal = "rebuilt_projection_is_equal"
    assert seen == [
        {"the_vault_holds_what_it_owes", "orders_add_up", equal},
        {"books_are_as_on_chain", equal},
    ]


def test_a_name_written_on_chain_is_found(market: Market) -> None:
    retire(market, "for Ada Lovelace")
    assert results(market)["no_personal_data_on_chain"] is False
