"""Accounts, APT and lists, as a wallet sees them."""

from __future__ import annotations

import pytest
from aptos_sdk.account import Account
from aptos_sdk.async_client import ApiError, ResourceNotFound

from infra.local.chain.process import Running
from tests.localnet.support import OCTAS, Chain, story, transfer

pytestmark = pytest.mark.chain


def test_the_faucet_gives_what_is_asked_and_the_account_exists(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        account = await chain.account(12_345)
        assert await chain.client.account_balance(account.address()) == 12_345
        told = await chain.client.account(account.address())
        assert told == {"sequence_number": "0", "authentication_key": str(account.address())}

    story(localnet, tell)


def test_the_faucet_says_that_it_is_there(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        assert await chain.faucet.healthy()

    story(localnet, tell)


def test_the_faucet_refuses_more_than_its_limit(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        with pytest.raises(ApiError, match="octas at once"):
            await chain.faucet.fund_account(Account.generate().address(), 10**18)

    story(localnet, tell)


def test_a_transfer_moves_the_amount_and_the_sender_pays_the_gas(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        giver, taker = await chain.account(), Account.generate()
        outcome = await chain.settled(await chain.client.bcs_transfer(giver, taker.address(), 1_000))
        fee = int(outcome["gas_used"]) * int(outcome["gas_unit_price"])
        assert fee > 0
        assert await chain.client.account_balance(taker.address()) == 1_000
        assert await chain.client.account_balance(giver.address()) == OCTAS - 1_000 - fee

    story(localnet, tell)


def test_coins_and_the_fungible_asset_are_the_same_money(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        giver, taker = await chain.account(), Account.generate()
        coin = "0x1::aptos_coin::AptosCoin"
        await chain.settled(await chain.client.transfer_coins(giver, taker.address(), coin, 70))
        response = await chain.client.client.get(
            f"{chain.client.base_url}/accounts/{taker.address()}/balance/0xa"
        )
        assert response.json() == 70

    story(localnet, tell)


def test_an_account_lists_its_own_transactions_by_sequence_number(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        giver, taker = await chain.account(), Account.generate()
        for amount in (1, 2, 3):
            await chain.run(giver, transfer(taker, amount))
        listed = await chain.client.transactions_by_account(giver.address(), limit=2, start=1)
        assert [(each["sequence_number"], each["payload"]["arguments"][1]) for each in listed] == [
            ("1", "2"),
            ("2", "3"),
        ]

    story(localnet, tell)


def test_the_ledger_lists_transactions_without_gaps(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        await chain.account()
        newest = int((await chain.client.info())["ledger_version"])
        listed = await chain.client.transactions(limit=100, start=0)
        assert [int(each["version"]) for each in listed] == list(range(min(100, newest + 1)))
        assert listed[0]["type"] == "genesis_transaction"
        assert await chain.client.transaction_by_version(newest)

    story(localnet, tell)


def test_a_block_holds_its_transactions(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        giver = await chain.account()
        outcome = await chain.run(giver, transfer(giver, 1))
        block = await chain.client.blocks_by_version(int(outcome["version"]), True)
        assert outcome["hash"] in [each["hash"] for each in block["transactions"]]
        assert block == await chain.client.blocks_by_height(int(block["block_height"]), True)

    story(localnet, tell)


def test_a_resource_that_is_not_there_is_a_404(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        account = await chain.account()
        with pytest.raises(ResourceNotFound):
            await chain.client.account_resource(account.address(), "0x1::code::PackageRegistry")

    story(localnet, tell)


def test_the_state_at_an_older_version_is_refused_and_not_misanswered(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        account = await chain.account()
        await chain.run(account, transfer(account, 1))
        with pytest.raises(ApiError, match="version_pruned"):
            await chain.client.account_resource(account.address(), "0x1::account::Account", 1)

    story(localnet, tell)


def test_each_transaction_commits_to_all_before_it(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        await chain.account()
        newest = int((await chain.client.info())["ledger_version"])
        last = await chain.client.transactions(limit=2, start=newest - 1)
        for name in ("state_change_hash", "event_root_hash", "accumulator_root_hash"):
            assert len(last[1][name]) == 66
        assert last[0]["accumulator_root_hash"] != last[1]["accumulator_root_hash"]
        assert last == await chain.client.transactions(limit=2, start=newest - 1)

    story(localnet, tell)
