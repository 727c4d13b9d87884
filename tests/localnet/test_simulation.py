"""Simulations: what a transaction would do, with nothing done."""

from __future__ import annotations

import pytest
from aptos_sdk.account import Account
from aptos_sdk.async_client import ApiError

from infra.local.chain.process import Running
from tests.localnet.support import OCTAS, Chain, raw_transaction, signed, story, transfer

pytestmark = pytest.mark.chain


def test_a_simulation_foresees_the_gas_and_leaves_no_trace(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        sender, taker = await chain.account(), await chain.account()
        raw = raw_transaction(sender, 0, transfer(taker, 5))
        (foreseen,) = await chain.client.simulate_transaction(raw, sender)
        assert foreseen["success"]
        assert await chain.client.account_balance(taker.address()) == OCTAS
        outcome = await chain.settled(await chain.client.submit_bcs_transaction(signed(sender, raw)))
        assert outcome["gas_used"] == foreseen["gas_used"]
        assert outcome["changes"][-1]["type"] == foreseen["changes"][-1]["type"]

    story(localnet, tell)


def test_a_simulation_tells_the_abort(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        sender = await chain.account()
        raw = raw_transaction(sender, 0, transfer(Account.generate(), OCTAS * 2))
        (foreseen,) = await chain.client.simulate_transaction(raw, sender)
        assert "EINSUFFICIENT_BALANCE" in foreseen["vm_status"]

    story(localnet, tell)


def test_the_node_estimates_how_much_gas_may_be_used(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        sender = await chain.account()
        raw = raw_transaction(sender, 0, transfer(sender, 5), max_gas=3)
        (foreseen,) = await chain.client.simulate_transaction(raw, sender, estimate_gas_usage=True)
        assert foreseen["success"]
        assert int(foreseen["max_gas_amount"]) > int(foreseen["gas_used"]) > 3

    story(localnet, tell)


def test_a_validly_signed_transaction_is_not_simulated(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        sender = await chain.account()
        with pytest.raises(ApiError, match="must not have a valid signature"):
            await chain.client.simulate_bcs_transaction(
                signed(sender, raw_transaction(sender, 0, transfer(sender, 5)))
            )

    story(localnet, tell)


def test_a_simulation_that_validation_stops_says_why(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        sender = await chain.account()
        raw = raw_transaction(sender, 3, transfer(sender, 5))
        (foreseen,) = await chain.client.simulate_transaction(raw, sender)
        assert (foreseen["success"], foreseen["vm_status"]) == (False, "SEQUENCE_NUMBER_TOO_NEW")

    story(localnet, tell)
