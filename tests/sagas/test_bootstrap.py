"""What a machine finds on its chain when it starts, and finds again when it starts anew."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest

from carbonmarket.chain.addresses import canonical
from carbonmarket.ledger.chart import posted
from carbonmarket.records.money import TREASURY_FLOAT
from carbonmarket_adapters.wiring import chain, money
from functions.work_books import handler as work_books
from infra.bootstrap import FLOAT, PAUSER, TEST_USDC
from tests.sagas.world import World

pytestmark = [pytest.mark.chain, pytest.mark.engines]

IN_TIME = SimpleNamespace(
    function_name="work-books",
    memory_limit_in_mb=128,
    invoked_function_arn="arn",
    aws_request_id="request",
    get_remaining_time_in_millis=lambda: 60_000,
)
METADATA = "0x1::fungible_asset::Metadata"


def treasury(world: World) -> tuple[int, int, int]:
    """(in the wallet, claimable, in the ledger) of the treasury's float."""
    asset, account = world.settings.quote_asset, chain.signer().address(world.settings.treasury_key)
    look = chain.chain_access().view
    [wallet] = look("0x1::primary_fungible_store::balance", [METADATA], [account, asset])
    [claimable] = look("market_vault::balance", [], [account, asset])
    [booked] = [posted(each) for each in money.ledger().balances(TREASURY_FLOAT) if each.currency == "USDC"]
    return int(wallet), int(claimable), booked


def test_the_quote_asset_is_where_the_settings_say(world: World) -> None:
    publisher = chain.signer().address(TEST_USDC)
    [found] = chain.chain_access().view(f"{publisher}::usdc::asset_address", [], [])
    assert canonical(found) == world.settings.quote_asset


def test_who_stops_the_market_can_pay_for_it(world: World) -> None:
    pauser = chain.signer().address(PAUSER)
    [coins] = chain.chain_access().view("0x1::coin::balance", ["0x1::aptos_coin::AptosCoin"], [pauser])
    assert int(coins) > 0


def test_what_the_sponsor_has_left_is_told_each_minute(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    work_books.handler({}, IN_TIME)
    [told] = re.findall(r'"SponsorOctas":\[([0-9.]+)\]', capsys.readouterr().out)
    assert float(told) > 10**8


def test_a_start_anew_changes_neither_float_nor_fees(world: World) -> None:
    look = chain.chain_access().view
    before, fees = treasury(world), look("market_fees::fees", [], [])
    put_in = money.ledger().entry("bootstrap/float")
    assert put_in is not None
    assert [(each.amount, each.currency) for each in put_in.transfers] == [(FLOAT, "USDC")]
    world.bootstrap()
    assert treasury(world) == before
    assert look("market_fees::fees", [], []) == fees
