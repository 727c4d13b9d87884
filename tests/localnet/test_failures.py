"""What goes wrong: refused before it runs, or committed as failed."""

from __future__ import annotations

import time

import pytest
from aptos_sdk.account import Account
from aptos_sdk.async_client import ApiError
from aptos_sdk.bcs import Serializer
from aptos_sdk.ed25519 import Signature
from aptos_sdk.transactions import SignedTransaction

from infra.local.chain.process import Running
from tests.localnet.support import OCTAS, Chain, entry, raw_transaction, signed, story, transfer

pytestmark = pytest.mark.chain


def test_an_abort_is_committed_as_failed_with_its_name_code_and_words(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        owner = await chain.account()
        address = await chain.publish_probe(owner)
        module = f"{address}::counter"
        await chain.run(owner, entry(module, "start"))
        outcome = await chain.run(
            owner, entry(module, "step", (13, Serializer.u64), ("ouch", Serializer.str))
        )
        assert not outcome["success"]
        assert outcome["vm_status"] == (
            f"Move abort in {module}: EUNLUCKY_STEP(0x1): The step is thirteen, which brings bad luck."
        )

    story(localnet, tell)


def test_a_failed_transaction_pays_its_gas_and_changes_nothing_else(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        giver, taker = await chain.account(), Account.generate()
        outcome = await chain.run(giver, transfer(taker, OCTAS * 2))
        assert "EINSUFFICIENT_BALANCE(0x10004)" in outcome["vm_status"]
        fee = int(outcome["gas_used"]) * 100
        assert await chain.client.account_balance(giver.address()) == OCTAS - fee
        assert await chain.client.account_balance(taker.address()) == 0
        assert await chain.client.account_sequence_number(giver.address()) == 1

    story(localnet, tell)


def test_a_loop_without_end_runs_out_of_gas(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        owner = await chain.account()
        module = f"{await chain.publish_probe(owner)}::counter"
        raw = raw_transaction(owner, 1, entry(module, "endless"), max_gas=2_000)
        outcome = await chain.settled(await chain.client.submit_bcs_transaction(signed(owner, raw)))
        assert (outcome["vm_status"], outcome["gas_used"]) == ("Out of gas", "2000")

    story(localnet, tell)


def test_an_arithmetic_error_names_its_place(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        owner = await chain.account()
        module = f"{await chain.publish_probe(owner)}::counter"
        outcome = await chain.run(owner, entry(module, "divide", (0, Serializer.u64)))
        assert outcome["vm_status"].startswith(f"Execution failed in {module} at code offset")

    story(localnet, tell)


def test_a_function_that_does_not_exist_fails(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        owner = await chain.account()
        outcome = await chain.run(owner, entry("0x1::aptos_account", "no_such_function"))
        assert "FUNCTION_RESOLUTION_FAILURE" in outcome["vm_status"]

    story(localnet, tell)


def test_an_old_sequence_number_is_refused(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        sender = await chain.account()
        await chain.run(sender, transfer(sender, 1))
        with pytest.raises(ApiError, match="SEQUENCE_NUMBER_TOO_OLD"):
            await chain.client.submit_bcs_transaction(
                signed(sender, raw_transaction(sender, 0, transfer(sender, 2)))
            )

    story(localnet, tell)


def test_a_transaction_ahead_of_its_turn_waits_for_those_before_it(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        sender = await chain.account()
        second = signed(sender, raw_transaction(sender, 1, transfer(sender, 2)))
        early = await chain.client.submit_bcs_transaction(second)
        assert await chain.client.transaction_pending(early)
        first = signed(sender, raw_transaction(sender, 0, transfer(sender, 1)))
        outcome = await chain.settled(await chain.client.submit_bcs_transaction(first))
        assert int((await chain.settled(early))["version"]) > int(outcome["version"])

    story(localnet, tell)


def test_a_sequence_number_a_hundred_ahead_is_refused(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        sender = await chain.account()
        with pytest.raises(ApiError, match="mempool_is_full"):
            await chain.client.submit_bcs_transaction(
                signed(sender, raw_transaction(sender, 100, transfer(sender, 1)))
            )

    story(localnet, tell)


def test_a_second_transaction_with_the_same_number_is_refused(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        sender = await chain.account()
        for amount in (1, 1):
            waiting = signed(sender, raw_transaction(sender, 5, transfer(sender, amount)))
            await chain.client.submit_bcs_transaction(waiting)
        with pytest.raises(ApiError, match="invalid_transaction_update"):
            await chain.client.submit_bcs_transaction(
                signed(sender, raw_transaction(sender, 5, transfer(sender, 2)))
            )

    story(localnet, tell)


def test_the_wrong_chain_id_is_refused(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        sender = await chain.account()
        raw = raw_transaction(sender, 0, transfer(sender, 1), chain_id=1)
        with pytest.raises(ApiError, match="BAD_CHAIN_ID"):
            await chain.client.submit_bcs_transaction(signed(sender, raw))

    story(localnet, tell)


def test_an_expired_transaction_is_refused(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        sender = await chain.account()
        raw = raw_transaction(sender, 0, transfer(sender, 1), seconds=-1)
        with pytest.raises(ApiError, match="TRANSACTION_EXPIRED"):
            await chain.client.submit_bcs_transaction(signed(sender, raw))

    story(localnet, tell)


def test_a_waiting_transaction_that_expires_is_absent_for_ever(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        sender = await chain.account()
        now = int((await chain.client.info())["ledger_timestamp"]) // 1_000_000
        raw = raw_transaction(sender, 1, transfer(sender, 1), seconds=now + 2 - int(time.time()))
        early = await chain.client.submit_bcs_transaction(signed(sender, raw))
        while int((await chain.client.info())["ledger_timestamp"]) // 1_000_000 < now + 2:
            pass
        with pytest.raises(ApiError, match="transaction_not_found"):
            await chain.client.transaction_by_hash(early)
        await chain.run(sender, transfer(sender, 1))
        assert await chain.client.account_sequence_number(sender.address()) == 1

    story(localnet, tell)


def test_a_bad_signature_is_refused(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        sender = await chain.account()
        raw = raw_transaction(sender, 0, transfer(sender, 1))
        authenticator = sender.sign_transaction(raw)
        good = authenticator.authenticator.signature.data()
        authenticator.authenticator.signature = Signature(bytes([good[0] ^ 1]) + good[1:])
        with pytest.raises(ApiError, match="INVALID_SIGNATURE"):
            await chain.client.submit_bcs_transaction(SignedTransaction(raw, authenticator))

    story(localnet, tell)


def test_another_accounts_key_is_refused(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        sender, stranger = await chain.account(), await chain.account()
        raw = raw_transaction(sender, 0, transfer(stranger, 1))
        with pytest.raises(ApiError, match="INVALID_AUTH_KEY"):
            await chain.client.submit_bcs_transaction(signed(stranger, raw))

    story(localnet, tell)


def test_who_cannot_pay_the_gas_is_refused(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        poor = await chain.account(100)
        with pytest.raises(ApiError, match="INSUFFICIENT_BALANCE_FOR_TRANSACTION_FEE"):
            await chain.run(poor, transfer(poor, 1))

    story(localnet, tell)


def test_bytes_that_are_no_transaction_are_refused(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        for body in (b"", b"\x00" * 40, b"not a transaction at all, and longer than an address"):
            response = await chain.client.client.post(
                f"{chain.client.base_url}/transactions",
                headers={"Content-Type": "application/x.aptos.signed_transaction+bcs"},
                content=body,
            )
            assert response.status_code == 400
            assert response.json()["error_code"] == "invalid_input"

    story(localnet, tell)


def test_the_framework_account_cannot_be_impersonated(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        stranger = await chain.account()
        mint = entry("0x1::aptos_coin", "mint", (stranger.address(), Serializer.struct), (1, Serializer.u64))
        outcome = await chain.run(stranger, mint)
        assert "ENO_CAPABILITIES" in outcome["vm_status"]

    story(localnet, tell)


@pytest.mark.parametrize(
    "path",
    [
        "accounts/0xzz",
        "accounts/0x1/resource/nothing",
        "accounts/0x1/transactions?start=-1",
        "transactions/by_version/99999999999999999999",
        "transactions/by_version/9999999999999999999",
        "transactions/by_hash/0x12",
        "blocks/by_height/one",
        "transactions?limit=many",
    ],
)
def test_a_malformed_question_is_answered_with_what_is_wrong(localnet: Running, path: str) -> None:
    async def tell(chain: Chain) -> None:
        response = await chain.client.client.get(f"{chain.client.base_url}/{path}")
        assert response.status_code == 400
        assert response.json()["error_code"] == "invalid_input"

    story(localnet, tell)


@pytest.mark.parametrize(
    "asked",
    [
        None,
        {"function": "0x1::coin"},
        {"function": "0x1::coin::balance", "type_arguments": ["&u8"], "arguments": ["0x1"]},
        {"function": "0x1::coin::balance", "type_arguments": ["u8"], "arguments": []},
        {"function": "0x1::coin::balance", "type_arguments": [], "arguments": ["0x1"]},
        {"function": "0x1::coin::balance", "type_arguments": ["u8"], "arguments": [1]},
        {"function": "0x1::coin::nothing", "type_arguments": [], "arguments": []},
    ],
)
def test_a_malformed_view_is_refused(localnet: Running, asked: object) -> None:
    async def tell(chain: Chain) -> None:
        response = await chain.client.client.post(f"{chain.client.base_url}/view", json=asked)
        assert response.status_code == 400
        assert response.json()["error_code"] == "invalid_input"

    story(localnet, tell)
