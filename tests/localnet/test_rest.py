"""The REST API where the SDK does not reach: headers, BCS answers, batches, waiting, JSON submissions."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest
from aptos_sdk.account import Account
from aptos_sdk.bcs import Deserializer, Serializer

from infra.local.chain.process import Running
from tests.localnet.support import Chain, entry, raw_transaction, signed, story, transfer

pytestmark = pytest.mark.chain

_SIGNED = {"Content-Type": "application/x.aptos.signed_transaction+bcs"}


def test_every_answer_says_where_the_chain_stands(localnet: Running) -> None:
    answer = httpx.get(localnet.node)
    assert answer.headers["x-aptos-chain-id"] == str(answer.json()["chain_id"])
    assert answer.headers["x-aptos-ledger-version"] == answer.json()["ledger_version"]
    assert answer.headers["x-aptos-block-height"] == answer.json()["block_height"]
    assert int(answer.headers["x-aptos-ledger-timestampusec"]) >= int(answer.json()["ledger_timestamp"])


def test_the_node_is_healthy_and_names_a_gas_price(localnet: Running) -> None:
    assert httpx.get(f"{localnet.node}/-/healthy").status_code == 200
    assert httpx.get(f"{localnet.node}/estimate_gas_price").json()["gas_estimate"] == 100


def test_the_fund_call_gives_hashes_of_committed_transactions(localnet: Running) -> None:
    address = str(Account.generate().address())
    answer = httpx.post(f"{localnet.faucet}/fund", json={"address": address, "amount": 5})
    (tx_hash,) = answer.json()["txn_hashes"]
    assert httpx.get(f"{localnet.node}/transactions/by_hash/{tx_hash}").json()["success"]


def test_a_batch_names_those_that_are_refused(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        sender = await chain.account()
        good = signed(sender, raw_transaction(sender, 0, transfer(sender, 1)))
        wrong_chain = signed(sender, raw_transaction(sender, 1, transfer(sender, 1), chain_id=9))
        body = Serializer()
        body.sequence([good, wrong_chain], Serializer.struct)
        answer = await chain.client.client.post(
            f"{chain.client.base_url}/transactions/batch", headers=_SIGNED, content=body.output()
        )
        assert answer.status_code == 206
        assert [each["transaction_index"] for each in answer.json()["transaction_failures"]] == [1]

    story(localnet, tell)


def test_waiting_for_a_transaction_gives_it_committed(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        sender = await chain.account()
        tx_hash = await chain.client.bcs_transfer(sender, sender.address(), 1)
        answer = await chain.client.client.get(f"{chain.client.base_url}/transactions/wait_by_hash/{tx_hash}")
        assert answer.json()["type"] == "user_transaction"

    story(localnet, tell)


def test_a_transaction_that_is_sent_again_while_it_waits_is_the_same(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        sender = await chain.account()
        waiting = signed(sender, raw_transaction(sender, 1, transfer(sender, 1)))
        first = await chain.client.submit_bcs_transaction(waiting)
        assert await chain.client.submit_bcs_transaction(waiting) == first

    story(localnet, tell)


def _as_json(sender: Account, raw: Any) -> dict[str, Any]:
    authenticator = sender.sign_transaction(raw).authenticator
    return {
        "sender": str(sender.address()),
        "sequence_number": str(raw.sequence_number),
        "max_gas_amount": str(raw.max_gas_amount),
        "gas_unit_price": str(raw.gas_unit_price),
        "expiration_timestamp_secs": str(raw.expiration_timestamps_secs),
        "payload": {
            "type": "entry_function_payload",
            "function": "0x1::aptos_account::transfer",
            "type_arguments": [],
            "arguments": [str(sender.address()), "1"],
        },
        "signature": {
            "type": "ed25519_signature",
            "public_key": str(authenticator.public_key),
            "signature": str(authenticator.signature),
        },
    }


def test_a_transaction_given_as_json_is_the_one_that_was_signed(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        sender = await chain.account()
        raw = raw_transaction(sender, 0, transfer(sender, 1))
        answer = await chain.client.client.post(
            f"{chain.client.base_url}/transactions", json=_as_json(sender, raw)
        )
        assert answer.status_code == 202, answer.text
        assert (await chain.settled(answer.json()["hash"]))["success"]

    story(localnet, tell)


def test_bcs_is_given_where_it_is_asked_for(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        owner = await chain.account()
        module = f"{await chain.publish_probe(owner)}::counter"
        await chain.run(owner, entry(module, "start"))
        base, wanted = chain.client.base_url, {"Accept": "application/x-bcs"}
        asked = {"function": f"{module}::total", "type_arguments": [], "arguments": [str(owner.address())]}
        view = await chain.client.client.post(f"{base}/view", json=asked, headers=wanted)
        assert Deserializer(view.content).sequence(Deserializer.to_bytes) == [bytes(8)]
        account = await chain.client.client.get(
            f"{base}/accounts/{owner.address()}/resource/0x1::account::Account", headers=wanted
        )
        assert Deserializer(account.content).to_bytes() == owner.address().address

    story(localnet, tell)


def test_a_raw_table_item_is_the_bytes_that_the_contract_wrote(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        owner = await chain.account()
        module = f"{await chain.publish_probe(owner)}::counter"
        await chain.run(owner, entry(module, "start"))
        step = entry(module, "step", (5, Serializer.u64), ("five", Serializer.str))
        outcome = await chain.run(owner, step)
        (item,) = [change for change in outcome["changes"] if change["type"] == "write_table_item"]
        answer = await chain.client.client.post(
            f"{chain.client.base_url}/tables/{item['handle']}/raw_item", json={"key": item["key"]}
        )
        assert "0x" + answer.content.hex() == item["value"]
        assert abs(int.from_bytes(answer.content[8:], "little") - time.time()) < 60

    story(localnet, tell)


def test_resources_come_in_pages(localnet: Running) -> None:
    url = f"{localnet.node}/accounts/0x1/resources"
    everything = httpx.get(url).json()
    first = httpx.get(url, params={"limit": 2})
    rest = httpx.get(url, params={"start": first.headers["x-aptos-cursor"]}).json()
    assert [*first.json(), *rest] == everything
