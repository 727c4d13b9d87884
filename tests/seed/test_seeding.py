"""A registry's file becomes batches with books, once, and agents trade in them for a day."""

from __future__ import annotations

import io
from collections.abc import Callable

import httpx
from rich.console import Console

from carbonmarket.chain import market_calls
from carbonmarket.labels import BITS
from carbonmarket_adapters.wiring import chain
from infra.local.narrator import Narrator
from infra.local.seed import shown as showing
from infra.local.seed.bulk import Bulk
from infra.local.seed.command import SAMPLE, read_report
from infra.local.seed.day import Plan, Seeded, Seeder
from infra.local.seed.prices import read_prices
from tests.market.exchange import Exchange

PLAN = Plan(orders=120, books=6, hours=0, seed=7)
BALANCE, METADATA = "0x1::primary_fungible_store::balance", "0x1::fungible_asset::Metadata"
_OCTAS = 10**12


def funding(exchange: Exchange) -> Callable[[str], None]:
    """Gives an account coins."""
    faucet = exchange.world.localnet.faucet

    def fund(account: str) -> None:
        httpx.post(f"{faucet}/mint", params={"address": account, "amount": _OCTAS}).raise_for_status()

    return fund


def seed(exchange: Exchange, plan: Plan = PLAN) -> Seeded:
    """Seed the exchange's chain from the sample."""
    seeder = Seeder(exchange.world.settings, chain.signer(), funding(exchange))
    done = seeder.seed(read_report(SAMPLE).issuances, read_prices(), plan, Narrator(Console(quiet=True)))
    exchange.watch()
    return done


def told(done: Seeded) -> str:
    """What the command prints of it."""
    out = io.StringIO()
    console = Console(file=out, width=120)
    showing.imports(read_report(SAMPLE), done, console)
    showing.day(done, read_prices(), console)
    return out.getvalue()


def test_a_file_is_imported_once_and_traded(exchange: Exchange) -> None:
    done = seed(exchange)
    assert done.fresh == 12
    for each in done.imported:
        batch = exchange.batch(each.batch_id)
        assert batch.issued == each.issuance.grams_project
        assert batch.buffered == 0
        assert batch.labels == 1 << BITS["not-measured-here"]
        assert batch.origin is not None
        assert (batch.origin.registry, batch.origin.serial) == ("ACR", each.issuance.serial)
        book = chain.market_projection().book_of(batch.address)
        assert book is not None
        assert book.number == each.book
    shown = exchange.get(exchange.buyer, f"/v1/batches/{done.imported[0].batch_id}")
    assert shown["origin"]["serial"] == "ACR9001-2015-20160418-12500-1"
    assert shown["transaction"] == exchange.batch(done.imported[0].batch_id).transaction
    total = done.tape.total()
    assert total.orders + done.tape.refused >= PLAN.orders
    assert total.fills > 0
    assert 0 < total.fees < total.quote // 100
    seen = [chain.market_projection().trades(venue.book, first=1_000) for venue in done.venues]
    assert sum(map(len, seen)) == total.fills
    assert sum(trade.grams for trades in seen for _, trade in trades) == total.grams
    for venue in done.venues:
        for _, trade in chain.market_projection().trades(venue.book):
            assert venue.published * 7 // 10 < trade.price < venue.published * 13 // 10
    assert "12 batches imported, 90,450 t, labelled 'not measured here'" in told(done)

    again = seed(exchange, Plan(orders=0, books=1, hours=0, seed=7))
    assert again.fresh == 0
    assert again.tape.total().orders == 0
    text = told(again)
    assert "12 were imported before" in text
    assert "11,850 t lie in the registry's buffer pool" in text
    assert "https://www.forestdatanetwork.com/" in text


def test_waves_are_sent_however_long_those_before_took(exchange: Exchange) -> None:
    settings = exchange.world.settings
    bulk = Bulk(settings.aptos_node_url, chain.signer(), settings.market_address, funding(exchange))
    bulk._now_s -= 3_600
    bulk.settle()
    account = bulk.address("agent-late")
    bulk.send("agent-late", market_calls.usdc_faucet(exchange.usdc_address, account, 7))
    bulk.settle()
    held = chain.chain_access().view(BALANCE, [METADATA], [account, exchange.quote])
    assert int(held[0]) == 7
