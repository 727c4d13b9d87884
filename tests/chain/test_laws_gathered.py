"""The laws are judged on what really stands in the stores and on chain."""

from __future__ import annotations

import msgspec

from carbonmarket.chain import calls
from carbonmarket.laws import judge
from carbonmarket_adapters.dynamo.chain_keys import write_of
from carbonmarket_adapters.dynamo.table import DocumentTable
from carbonmarket_adapters.snapshots import gather, retired_by_batch
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


def test_a_name_written_on_chain_is_found(market: Market) -> None:
    retire(market, "for Ada Lovelace")
    assert results(market)["no_personal_data_on_chain"] is False
