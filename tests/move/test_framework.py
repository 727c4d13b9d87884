"""The local Aptos framework against the record of the true one, and its code in the VM itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from infra.local.chain import bcs, compiler
from infra.local.chain.overlay import framework_packages
from infra.local.chain.types import MoveType, parse_address, parse_type
from infra.local.chain.vm import Call, Env, MoveVm, Outcome

pytestmark = pytest.mark.chain

RECORDS = Path(__file__).resolve().parent / "record"

LOCAL_MODULES = {
    "0x1::aggregator": "layout of a coin's supply counter",
    "0x1::aggregator_v2": "counters of token collections, plain values here",
    "0x1::block": "the VM's native for height and time",
    "0x1::cmp": "order of values, native on Aptos",
    "0x1::genesis": "how the chain begins",
    "0x1::optional_aggregator": "layout of a coin's supply counter",
    "0x1::transaction_fee": "the event that says what a transaction cost",
    "0x1::util": "from_bytes for the framework itself",
}
"""Modules that are not on the record, and why they are here."""

LOCAL_STRUCTS = {
    "0x1::big_ordered_map::Slot",
    "0x1::code::PendingPublish",
    "0x1::function_info::Dispatch",
    "0x1::object::DerivedSeed",
    "0x1::object::GuidSeed",
}
"""Private structs of recorded modules that exist here only; contracts cannot name them."""

Abis = dict[str, Mapping[str, Any]]


@pytest.fixture(scope="module")
def abis() -> Abis:
    modules = [module.abi for package in compiler.framework().values() for module in package.modules]
    return {f"{abi['address']}::{abi['name']}": abi for abi in modules}


@pytest.fixture(scope="module")
def record() -> dict[str, Any]:
    modules: dict[str, Any] = json.loads((RECORDS / "framework_1.27_interface.json").read_text())["modules"]
    return modules


def bare(types: list[str]) -> list[str]:
    """The record leaves 0x1 out in some places."""
    return [name.replace("0x1::", "") for name in types]


def signature(function: Mapping[str, Any]) -> tuple[Any, ...]:
    return (
        function["visibility"],
        function["is_entry"],
        [sorted(parameter["constraints"]) for parameter in function["generic_type_params"]],
        bare(function["params"]),
        bare(function["return"]),
    )


def recorded_signature(function: Mapping[str, Any]) -> tuple[Any, ...]:
    return (
        function["visibility"],
        function["entry"],
        [sorted(constraints) for constraints in function["type_params"]],
        bare(function["params"]),
        bare(function["returns"]),
    )


def test_each_function_has_the_type_that_it_has_on_aptos(abis: Abis, record: dict[str, Any]) -> None:
    shared = {
        f"{module}::{function['name']}": (signature(function), recorded_signature(known))
        for module in abis.keys() & record.keys()
        for function in abis[module]["exposed_functions"]
        if (known := record[module]["functions"].get(function["name"]))
    }
    assert len(shared) > 500
    assert {name: pair for name, pair in shared.items() if pair[0] != pair[1]} == {}


def test_each_struct_has_the_layout_that_it_has_on_aptos(abis: Abis, record: dict[str, Any]) -> None:
    differing = {}
    unknown = set()
    for module in abis.keys() & record.keys():
        for struct in abis[module]["structs"]:
            name = f"{module}::{struct['name']}"
            known = record[module]["structs"].get(struct["name"])
            if known is None:
                unknown.add(name)
                continue
            fields = [[field["name"], *bare([field["type"]])] for field in struct["fields"]]
            ours = (sorted(struct["abilities"]), len(struct["generic_type_params"]), fields)
            recorded = [[field, *bare([kind])] for field, kind in known["fields"]]
            theirs = (sorted(known["abilities"]), known["type_params"], recorded)
            if ours != theirs:
                differing[name] = (ours, theirs)
    assert differing == {}
    assert unknown == LOCAL_STRUCTS


def test_each_event_is_an_event_on_aptos(abis: Abis, record: dict[str, Any]) -> None:
    ours = {
        f"{module}::{struct['name']}"
        for module in abis.keys() & record.keys()
        for struct in abis[module]["structs"]
        if struct["is_event"]
    }
    theirs = {f"{module}::{name}" for module, known in record.items() for name in known["events"]}
    assert "0x1::fungible_asset::Deposit" in ours
    assert ours <= theirs


def test_nothing_is_public_that_is_not_on_aptos(abis: Abis, record: dict[str, Any]) -> None:
    assert abis.keys() - record.keys() == LOCAL_MODULES.keys()
    extra = {
        f"{module}::{function['name']}"
        for module in abis.keys() & record.keys()
        for function in abis[module]["exposed_functions"]
        if function["visibility"] != "friend" and function["name"] not in record[module]["functions"]
    }
    assert extra == set()


def test_from_bytes_is_for_friends_of_the_framework(abis: Abis) -> None:
    friends = {"0x1::any", "0x1::cmp", "0x1::copyable_any", "0x1::util"}
    for module, allowed in (("0x1::from_bcs", friends), ("0x1::util", {"0x1::aggregator_v2", "0x1::code"})):
        functions = {function["name"]: function for function in abis[module]["exposed_functions"]}
        assert functions["from_bytes"]["visibility"] == "friend"
        assert set(abis[module]["friends"]) == allowed


def test_create_signer_is_for_friends_of_the_framework(abis: Abis) -> None:
    functions = {function["name"]: function for function in abis["0x1::account"]["exposed_functions"]}
    assert functions["create_signer"]["visibility"] == "friend"
    assert all(friend.startswith("0x1::") for friend in abis["0x1::account"]["friends"])


@pytest.mark.parametrize("call", ["from_bcs::from_bytes<signer>(bytes)", "account::create_signer(@0x1)"])
def test_a_contract_that_forges_a_signer_does_not_compile(tmp_path: Path, call: str) -> None:
    source = f"""
    module forger::forge {{
        use aptos_std::from_bcs;
        use aptos_framework::account;
        public fun forge(bytes: vector<u8>): signer {{ {call} }}
    }}"""
    with pytest.raises(compiler.MoveCompileError, match=r"friend|visible|called"):
        compiler.build(write_package(tmp_path, "Forger", "forger", source))


@pytest.mark.parametrize("name", sorted(framework_packages()))
def test_the_packages_own_tests_pass(name: str) -> None:
    run = compiler.test(framework_packages()[name])
    assert run.outcomes
    assert [test for test, passed in run.outcomes.items() if not passed] == []


class Chain:
    """The framework in the VM, over a dictionary."""

    def __init__(self) -> None:
        self.store: dict[bytes, bytes] = {}
        self.vm = MoveVm(self.store.get)
        self.number = 0
        packages = compiler.framework()
        self.take(self.vm.initialize(self.env(), packages["AptosFramework"].codes))
        self.ok("0x1", "genesis::initialize", bytes((4,)))
        self.publish("0x4", packages["AptosTokenObjects"])

    def env(self) -> Env:
        self.number += 1
        return Env(self.number, 1_700_000_000 + self.number, self.number.to_bytes(32, "big"))

    def take(self, outcome: Outcome) -> Outcome:
        for key, value in outcome.writes.items():
            if value is None:
                self.store.pop(key, None)
            else:
                self.store[key] = value
        return outcome

    def run(self, sender: str, function: str, *args: bytes, at: str = "0x1") -> Outcome:
        module, name = function.split("::")
        call = Call(parse_address(at), module, name, (), args)
        return self.take(self.vm.execute(self.env(), [parse_address(sender)], call, 10**9))

    def ok(self, sender: str, function: str, *args: bytes, at: str = "0x1") -> Outcome:
        outcome = self.run(sender, function, *args, at=at)
        assert outcome.failure is None, outcome.failure
        return outcome

    def fails(self, code: int, sender: str, function: str, *args: bytes, at: str = "0x1") -> None:
        failure = self.run(sender, function, *args, at=at).failure or "it did not fail"
        assert failure.endswith(f"code={code}"), failure

    def view(self, function: str, *args: bytes, types: tuple[str, ...] = (), at: str = "0x1") -> Any:
        module, name = function.split("::")
        kinds: tuple[MoveType, ...] = tuple(map(parse_type, types))
        env = Env(self.number, 1_700_000_000, bytes(32))
        failure, text = self.vm.view(env, Call(parse_address(at), module, name, kinds, args), 10**9)
        assert failure is None, failure
        return json.loads(text)

    def publish(self, sender: str, package: compiler.BuiltPackage) -> Outcome:
        return self.ok(sender, "code::publish_package_txn", *publication(package))


@pytest.fixture
def chain() -> Iterator[Chain]:
    started = Chain()
    yield started
    started.vm.close()


def write_package(folder: Path, name: str, address_name: str, source: str, address: str = "0xcafe") -> Path:
    package = folder / name
    (package / "sources").mkdir(parents=True)
    (package / "sources" / "source.move").write_text(source)
    (package / "Move.toml").write_text(
        f'[package]\nname = "{name}"\nversion = "1.0.0"\n'
        f'[addresses]\n{address_name} = "{address}"\n'
        '[dependencies]\nAptosFramework = { git = "https://github.com/aptos-labs/aptos-framework.git" }\n'
    )
    return package


def publication(package: compiler.BuiltPackage, metadata: bytes | None = None) -> tuple[bytes, bytes]:
    return bcs.blob(metadata or package.metadata), bcs.blobs(package.codes)


def simple_package(folder: Path, name: str, module: str, body: str) -> compiler.BuiltPackage:
    return compiler.build(write_package(folder, name, "owner", f"module owner::{module} {{ {body} }}"))


HOOKED_ASSET = """
module owner::hooks {
    use aptos_framework::fungible_asset::{Self, FungibleAsset, TransferRef};
    use aptos_framework::object::Object;

    /// Withdrawals of this amount are refused.
    const REFUSED: u64 = 66;

    public fun withdraw<T: key>(store: Object<T>, amount: u64, ref: &TransferRef): FungibleAsset {
        assert!(amount != REFUSED, REFUSED);
        ref.withdraw_with_ref(store, amount)
    }

    public fun deposit<T: key>(store: Object<T>, fa: FungibleAsset, ref: &TransferRef) {
        ref.deposit_with_ref(store, fa)
    }

    public fun derived_balance<T: key>(store: Object<T>): u64 {
        fungible_asset::balance(store) * 10
    }
}

module owner::asset {
    use std::option;
    use std::signer;
    use std::string::utf8;
    use aptos_framework::dispatchable_fungible_asset;
    use aptos_framework::function_info;
    use aptos_framework::fungible_asset::{Self, Metadata};
    use aptos_framework::object;
    use aptos_framework::primary_fungible_store;

    public entry fun make(owner: &signer, withdraw: vector<u8>) {
        let ref = object::create_named_object(owner, b"gram");
        primary_fungible_store::create_primary_store_enabled_fungible_asset(
            &ref, option::none(), utf8(b"Gram"), utf8(b"G"), 6, utf8(b""), utf8(b"")
        );
        let module_name = utf8(b"hooks");
        dispatchable_fungible_asset::register_dispatch_functions(
            &ref,
            option::some(function_info::new_function_info(owner, module_name, utf8(withdraw))),
            option::some(function_info::new_function_info(owner, module_name, utf8(b"deposit"))),
            option::some(function_info::new_function_info(owner, module_name, utf8(b"derived_balance")))
        );
        let mint_ref = fungible_asset::generate_mint_ref(&ref);
        primary_fungible_store::mint(&mint_ref, signer::address_of(owner), 1000);
    }

    public entry fun give(owner: &signer, to: address, amount: u64) {
        primary_fungible_store::transfer(owner, gram(), to, amount)
    }

    public entry fun give_past_the_hooks(owner: &signer, to: address, amount: u64) {
        let from = primary_fungible_store::primary_store(signer::address_of(owner), gram());
        let to = primary_fungible_store::ensure_primary_store_exists(to, gram());
        fungible_asset::transfer(owner, from, to, amount)
    }

    #[view]
    public fun balances(holder: address): (u64, u64) {
        let store = primary_fungible_store::primary_store(holder, gram());
        (primary_fungible_store::balance(holder, gram()), fungible_asset::balance(store))
    }

    fun gram(): object::Object<Metadata> {
        object::address_to_object(object::create_object_address(&@owner, b"gram"))
    }
}
"""


@pytest.fixture
def hooked(chain: Chain, tmp_path: Path) -> Chain:
    chain.publish("0xcafe", compiler.build(write_package(tmp_path, "Hooked", "owner", HOOKED_ASSET)))
    return chain


BOB = parse_address("0xb0b")


def test_hooks_stand_before_movements_and_balances(hooked: Chain) -> None:
    hooked.ok("0xcafe", "asset::make", bcs.blob(b"withdraw"), at="0xcafe")
    outcome = hooked.ok("0xcafe", "asset::give", BOB, bcs.u64(30), at="0xcafe")
    kinds = [kind for kind, _ in outcome.events]
    assert kinds == ["0x1::fungible_asset::Withdraw", "0x1::fungible_asset::Deposit"]
    assert hooked.view("asset::balances", BOB, at="0xcafe") == ["300", "30"]


def test_a_hook_stops_a_movement(hooked: Chain) -> None:
    hooked.ok("0xcafe", "asset::make", bcs.blob(b"withdraw"), at="0xcafe")
    hooked.fails(66, "0xcafe", "asset::give", BOB, bcs.u64(66), at="0xcafe")


def test_hooks_are_not_passed_by(hooked: Chain) -> None:
    hooked.ok("0xcafe", "asset::make", bcs.blob(b"withdraw"), at="0xcafe")
    hooked.fails(0x1001C, "0xcafe", "asset::give_past_the_hooks", BOB, bcs.u64(1), at="0xcafe")


def test_a_hook_of_another_type_is_refused(hooked: Chain) -> None:
    hooked.fails(0x10019, "0xcafe", "asset::make", bcs.blob(b"deposit"), at="0xcafe")


DERIVED = """
module owner::derived {
    use std::string::String;
    use aptos_framework::account;
    use aptos_framework::fungible_asset::Metadata;
    use aptos_framework::object;
    use aptos_token_objects::collection;
    use aptos_token_objects::token;

    #[view]
    public fun named_object(creator: address, seed: vector<u8>): address {
        object::create_object_address(&creator, seed)
    }

    #[view]
    public fun named_collection(creator: address, name: String): address {
        collection::create_collection_address(&creator, &name)
    }

    #[view]
    public fun named_token(creator: address, collection: String, name: String): address {
        token::create_token_address(&creator, &collection, &name)
    }

    #[view]
    public fun guid_object(creator: address, creation_number: u64): address {
        object::create_guid_object_address(creator, creation_number)
    }

    #[view]
    public fun resource_account(creator: address, seed: vector<u8>): address {
        account::create_resource_address(&creator, seed)
    }

    #[view]
    public fun primary_store(owner: address, metadata: address): address {
        object::create_user_derived_object_address(owner, metadata)
    }
}
"""


def encoded(name: str, value: str | int) -> bytes:
    """A field of the file of derived addresses as the argument of a view."""
    if isinstance(value, int):
        return bcs.u64(value)
    if name.endswith("_hex"):
        return bcs.blob(bytes.fromhex(value))
    return parse_address(value) if value.startswith("0x") else bcs.text(value)


def test_derived_addresses_are_those_of_the_sdk(chain: Chain, tmp_path: Path) -> None:
    chain.publish("0xcafe", compiler.build(write_package(tmp_path, "Derived", "owner", DERIVED)))
    known = json.loads((RECORDS / "derived_addresses.json").read_text())
    kinds = ("named_object", "named_collection", "named_token", "guid_object", "resource_account")
    ours, theirs = [], []
    for kind in (*kinds, "primary_store"):
        for case in known[kind]:
            arguments = [encoded(name, case[name]) for name in case if name not in {"address", "rule"}]
            ours.append(parse_address(chain.view(f"derived::{kind}", *arguments, at="0xcafe")))
            theirs.append(parse_address(case["address"]))
    assert len(theirs) >= 6
    assert ours == theirs


# Publishing.

ONE = "public fun one(): u64 { 1 }"


def test_an_upgrade_keeps_what_others_may_call(chain: Chain, tmp_path: Path) -> None:
    chain.publish("0xcafe", simple_package(tmp_path / "1", "Pack", "a", ONE))
    chain.publish("0xcafe", simple_package(tmp_path / "2", "Pack", "a", ONE + " public fun two(): u64 { 2 }"))
    worse = simple_package(tmp_path / "3", "Pack", "a", "public fun two(): u64 { 2 }")
    failure = chain.run("0xcafe", "code::publish_package_txn", *publication(worse)).failure
    assert failure is not None
    assert "BACKWARD_INCOMPATIBLE_MODULE_UPDATE" in failure


def test_a_module_runs_its_init_once(chain: Chain, tmp_path: Path) -> None:
    body = """
        struct Count has key { value: u64 }
        fun init_module(owner: &signer) { move_to(owner, Count { value: 1 }) }
        #[view] public fun count(): u64 acquires Count { Count[@owner].value }"""
    chain.publish("0xcafe", simple_package(tmp_path / "1", "Pack", "a", body))
    chain.publish("0xcafe", simple_package(tmp_path / "2", "Pack", "a", body + ONE))
    assert chain.view("a::count", at="0xcafe") == "1"


def immutable(package: compiler.BuiltPackage) -> bytes:
    """The package's metadata with the policy behind its name set to immutable."""
    position = len(bcs.text(package.name))
    return package.metadata[:position] + b"\x02" + package.metadata[position + 1 :]


def test_an_immutable_package_stays(chain: Chain, tmp_path: Path) -> None:
    package = simple_package(tmp_path / "1", "Pack", "a", ONE)
    metadata = immutable(package)
    chain.ok("0xcafe", "code::publish_package_txn", *publication(package, metadata))
    chain.fails(0x10002, "0xcafe", "code::publish_package_txn", *publication(package, metadata))


def test_another_package_does_not_take_over_a_module(chain: Chain, tmp_path: Path) -> None:
    chain.publish("0xcafe", simple_package(tmp_path / "1", "Pack", "a", ONE))
    thief = simple_package(tmp_path / "2", "Thief", "a", ONE)
    chain.fails(0x80001, "0xcafe", "code::publish_package_txn", *publication(thief))


def test_bytecode_that_the_metadata_does_not_name_is_refused(chain: Chain, tmp_path: Path) -> None:
    package = simple_package(tmp_path / "1", "Pack", "a", ONE)
    chain.ok("0xcafe", "code::publish_package_txn", *publication(package, immutable(package)))
    cover = simple_package(tmp_path / "2", "Cover", "b", ONE)
    arguments = bcs.blob(cover.metadata), bcs.blobs(package.codes)
    chain.fails(0x1000B, "0xcafe", "code::publish_package_txn", *arguments)


def test_modules_are_published_by_their_address_alone(chain: Chain, tmp_path: Path) -> None:
    package = simple_package(tmp_path, "Pack", "a", ONE)
    assert chain.run("0xb0b", "code::publish_package_txn", *publication(package)).failure is not None


def test_code_objects_are_upgraded_by_their_owner(chain: Chain, tmp_path: Path) -> None:
    chain.ok("0xcafe", "aptos_account::create_account", parse_address("0xcafe"))
    seed = bcs.text("aptos_framework::object_code_deployment") + bcs.u64(1)
    hasher = hashlib.sha3_256(parse_address("0xcafe") + seed + b"\xfe")
    address = "0x" + hasher.hexdigest()
    source = f"module owner::a {{ {ONE} }}"
    package = compiler.build(write_package(tmp_path, "Pack", "owner", source, address))
    chain.ok("0xcafe", "object_code_deployment::publish", *publication(package))
    upgrade = (*publication(package), parse_address(address))
    chain.ok("0xcafe", "object_code_deployment::upgrade", *upgrade)
    chain.fails(0x50002, "0xb0b", "object_code_deployment::upgrade", *upgrade)
    chain.ok("0xcafe", "object_code_deployment::freeze_code_object", parse_address(address))
    chain.fails(0x10002, "0xcafe", "object_code_deployment::upgrade", *upgrade)
