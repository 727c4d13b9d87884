"""A published package: entry functions, events, changes, tables, views."""

from __future__ import annotations

from typing import Any

import pytest
from aptos_sdk.account import Account
from aptos_sdk.account_address import AccountAddress
from aptos_sdk.async_client import ApiError
from aptos_sdk.bcs import Serializer
from aptos_sdk.transactions import Script, ScriptArgument, TransactionArgument
from aptos_sdk.type_tag import StructTag, TypeTag

from infra.local.chain import compiler
from infra.local.chain.process import Running
from tests.localnet.support import OCTAS, PROBE, Chain, entry, story

pytestmark = pytest.mark.chain


@pytest.fixture(scope="module")
def told(localnet: Running) -> dict[str, Any]:
    """A counter that was started and stepped by 5; what the chain says of it."""

    async def tell(chain: Chain) -> dict[str, Any]:
        owner = await chain.account()
        address = await chain.publish_probe(owner)
        module = f"{address}::counter"
        started = await chain.run(owner, entry(module, "start"))
        stepped = await chain.run(owner, entry(module, "step", (5, Serializer.u64), ("five", Serializer.str)))
        resource = await chain.client.account_resource(owner.address(), f"{module}::Counter")
        return {
            "owner": owner,
            "address": address,
            "module": module,
            "started": started,
            "stepped": stepped,
            "counter": resource["data"],
        }

    result: dict[str, Any] = story(localnet, tell)
    return result


def _changes(transaction: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [change for change in transaction["changes"] if change["type"] == kind]


def test_a_resource_is_shown_in_aptos_form(told: dict[str, Any]) -> None:
    counter = told["counter"]
    assert counter["total"] == "5"
    assert counter["last_note"] == {"vec": ["five"]}
    assert counter["shape"] == {"__variant__": "Square", "side": "2", "tilted": True}
    assert counter["big"] == str(1 << 200)
    assert counter["small"] == 7
    assert counter["raw"] == "0xc0ffee"
    assert len(counter["home"]["inner"]) == 66


def test_an_event_is_shown_in_aptos_form(told: dict[str, Any]) -> None:
    event = told["stepped"]["events"][0]
    assert event["type"] == f"{told['module']}::Stepped"
    assert event["data"] == {
        "who": told["address"],
        "amount": "5",
        "note": {"vec": ["five"]},
        "raw": "0x",
        "none": {"vec": []},
        "home": told["counter"]["home"],
    }


def test_the_last_event_tells_the_fee(told: dict[str, Any]) -> None:
    last = told["stepped"]["events"][-1]
    assert last["type"] == "0x1::transaction_fee::FeeStatement"
    assert last["data"]["total_charge_gas_units"] == told["stepped"]["gas_used"]


def test_a_written_resource_is_among_the_changes(told: dict[str, Any]) -> None:
    written = {change["data"]["type"]: change for change in _changes(told["stepped"], "write_resource")}
    change = written[f"{told['module']}::Counter"]
    assert change["address"] == told["address"]
    assert change["data"]["data"] == told["counter"]
    assert len(change["state_key_hash"]) == 66


def test_a_table_item_is_among_the_changes_raw_and_decoded(told: dict[str, Any]) -> None:
    (item,) = _changes(told["stepped"], "write_table_item")
    assert item["handle"] == told["counter"]["steps"]["handle"]
    assert item["key"] == "0x0500000000000000"
    assert item["data"]["key"] == "5"
    assert item["data"]["key_type"] == "u64"
    assert item["data"]["value_type"] == f"{told['module']}::Step"
    assert item["data"]["value"]["amount"] == "5"


def test_a_table_item_is_found_by_its_key(localnet: Running, told: dict[str, Any]) -> None:
    async def tell(chain: Chain) -> None:
        handle = told["counter"]["steps"]["handle"]
        item = await chain.client.get_table_item(handle, "u64", f"{told['module']}::Step", "5")
        assert item["amount"] == "5"
        with pytest.raises(ApiError, match="table_item_not_found"):
            await chain.client.get_table_item(handle, "u64", f"{told['module']}::Step", "6")

    story(localnet, tell)


def test_a_published_module_shows_its_abi(localnet: Running, told: dict[str, Any]) -> None:
    async def tell(chain: Chain) -> None:
        module = await chain.client.account_module(told["owner"].address(), "counter")
        functions = {each["name"]: each for each in module["abi"]["exposed_functions"]}
        assert functions["step"]["is_entry"] and not functions["step"]["is_view"]
        assert functions["total"]["is_view"]
        structs = {each["name"]: each for each in module["abi"]["structs"]}
        assert structs["Stepped"]["is_event"] and not structs["Step"]["is_event"]
        assert [variant["name"] for variant in structs["Shape"]["variants"]] == ["Round", "Square"]
        assert len(await chain.client.account_modules(told["owner"].address())) == 1

    story(localnet, tell)


def test_a_view_answers_the_same_to_bcs_and_json(localnet: Running, told: dict[str, Any]) -> None:
    async def tell(chain: Chain) -> None:
        by_bcs = await chain.client.view_bcs_payload(
            told["module"],
            "described",
            [],
            [
                TransactionArgument(told["owner"].address(), Serializer.struct),
                TransactionArgument(b"\x01\x02", Serializer.to_bytes),
            ],
        )
        response = await chain.client.view(f"{told['module']}::described", [], [told["address"], "0x0102"])
        assert response.decode() and by_bcs == [
            "5",
            {"vec": ["five"]},
            "0x0102",
            {"__variant__": "Square", "side": "2", "tilted": True},
            told["counter"]["home"],
        ]

    story(localnet, tell)


def test_a_function_that_is_no_view_is_not_called_as_one(localnet: Running, told: dict[str, Any]) -> None:
    async def tell(chain: Chain) -> None:
        with pytest.raises(ApiError, match="not marked as a view"):
            await chain.client.view_bcs_payload(told["module"], "endless", [], [])

    story(localnet, tell)


def test_removing_shows_as_deletions(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        owner = await chain.account()
        module = f"{await chain.publish_probe(owner)}::counter"
        await chain.run(owner, entry(module, "start"))
        await chain.run(owner, entry(module, "step", (5, Serializer.u64), ("five", Serializer.str)))
        forgotten = await chain.run(owner, entry(module, "forget", (5, Serializer.u64)))
        vanished = await chain.run(owner, entry(module, "vanish"))
        (item,) = _changes(forgotten, "delete_table_item")
        assert item["data"] == {"key": "5", "key_type": "u64"}
        (resource,) = _changes(vanished, "delete_resource")
        assert resource["resource"] == f"{module}::Gone"

    story(localnet, tell)


def test_a_script_runs_and_its_arguments_are_shown(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        owner = await chain.account()
        address = await chain.publish_probe(owner)
        await chain.run(owner, entry(f"{address}::counter", "start"))
        code = compiler.build(PROBE, {"probe": address}).scripts["step_twice"]
        outcome = await chain.run(owner, Script(code, [], [ScriptArgument(ScriptArgument.U64, 5)]))
        assert outcome["success"], outcome["vm_status"]
        assert outcome["payload"]["arguments"] == ["5"]
        counter = await chain.client.account_resource(owner.address(), f"{address}::counter::Counter")
        assert counter["data"]["total"] == "11"

    story(localnet, tell)


def test_a_type_that_is_nested_too_deeply_is_refused_and_the_node_goes_on(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        deep = "u8"
        for _ in range(9):
            deep = f"vector<{deep}>"
        with pytest.raises(ApiError, match="nested deeper"):
            await chain.client.view("0x1::coin::balance", [deep], ["0x1"])
        tag = TypeTag(StructTag.from_str("0x1::aptos_coin::AptosCoin"))
        for _ in range(9):
            tag = TypeTag(StructTag(AccountAddress.from_str("0x1"), "option", "Option", [tag]))
        arguments = [TransactionArgument(AccountAddress.from_str("0x1"), Serializer.struct)]
        with pytest.raises(ApiError, match="nested deeper"):
            await chain.client.view_bcs_payload("0x1::coin", "balance", [tag], arguments)
        assert await chain.client.info()

    story(localnet, tell)


def test_publishing_again_upgrades(localnet: Running) -> None:
    async def tell(chain: Chain) -> None:
        owner: Account = await chain.account(OCTAS)
        await chain.publish_probe(owner)
        await chain.publish_probe(owner)
        registry = await chain.client.account_resource(owner.address(), "0x1::code::PackageRegistry")
        assert [each["upgrade_number"] for each in registry["data"]["packages"]] == ["1"]

    story(localnet, tell)
