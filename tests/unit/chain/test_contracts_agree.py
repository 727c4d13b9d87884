"""What the core says of the contracts is what the contracts are: calls, events and errors."""

from __future__ import annotations

import functools
import inspect
from typing import Any, get_type_hints

import pytest

from carbonmarket.chain import calls, events, market_calls
from carbonmarket.chain.aborts import abort_of, known_aborts
from carbonmarket.chain.calls import EntryCall
from infra import aborts
from infra.local.chain import compiler
from infra.local.chain.compiler import BuiltModule

pytestmark = pytest.mark.chain
_OBJECT = "0x1::object::Object<0x1::fungible_asset::Metadata>"
_STRING = "0x1::string::String"
FRAMEWORK_MODULES = {"0x1::aptos_account", "0x1::primary_fungible_store"}
_SAMPLES: dict[str, Any] = {"str": "0x1", "int": 1, "bytes": b"\x01", "bool": True}


@functools.cache
def contracts() -> dict[str, BuiltModule]:
    """The modules at the market's address."""
    packages = (
        compiler.build(aborts.ROOT / "move" / name, {"carbon_market": "0xcafe"}) for name in ("", "market")
    )
    return {module.name: module for built in packages for module in built.modules}


@functools.cache
def play_money() -> dict[str, BuiltModule]:
    built = compiler.build(aborts.ROOT / "move" / "test_usdc", {"test_usdc": "0x1"})
    return {f"0x1::{module.name}": module for module in built.modules}


def builders() -> list[Any]:
    return [
        value
        for module in (calls, market_calls)
        for name, value in vars(module).items()
        if not name.startswith("_") and inspect.isfunction(value) and value.__module__ == module.__name__
    ]


def call_of(builder: Any) -> EntryCall | None:
    """The builder's call on sample values; None for what builds no call of our packages."""
    arguments = []
    for hint in (h for name, h in get_type_hints(builder).items() if name != "return"):
        text = getattr(hint, "__name__", str(hint))
        inner = getattr(hint, "__args__", None)
        arguments.append([_SAMPLES[inner[0].__name__]] if inner else _SAMPLES[text])
    built = builder(*arguments)
    return built if isinstance(built, EntryCall) and built.module not in FRAMEWORK_MODULES else None


CALLS = [call for call in map(call_of, builders()) if call is not None]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
def test_a_call_has_the_entry_functions_arguments(call: EntryCall) -> None:
    exposed = (contracts() | play_money())[call.module].abi["exposed_functions"]
    function = next(each for each in exposed if each["name"] == call.function)
    assert function["is_entry"]
    params = [text.replace(_STRING, "String") for text in function["params"] if "signer" not in text]
    assert [kind for kind, _ in call.args] == [text.replace(_OBJECT, "address") for text in params]


def test_every_entry_function_has_a_builder() -> None:
    entries = {
        f"{name}::{function['name']}"
        for name, module in (contracts() | play_money()).items()
        for function in module.abi["exposed_functions"]
        if function["is_entry"]
    }
    assert {call.name for call in CALLS} == entries


def structs() -> dict[str, dict[str, Any]]:
    return {
        f"{module.name}::{struct['name']}": struct
        for module in contracts().values()
        for struct in module.abi["structs"]
    }


def test_every_event_of_the_contracts_is_decoded() -> None:
    emitted = {name for name, struct in structs().items() if struct.get("is_event")}
    assert events.event_names() >= emitted
    assert events.event_names() <= structs().keys()


@pytest.mark.parametrize("name", sorted(events.event_names()))
def test_an_events_fields_are_the_contracts(name: str) -> None:
    record = next(form.record for known, form in events._forms().items() if known == name)
    ours = record.__struct_encode_fields__
    assert list(ours) == [field["name"] for field in structs()[name]["fields"]]


def test_the_errors_file_is_current() -> None:
    assert aborts.TARGET.read_text() == aborts.generate()


def test_every_error_has_a_sentence_of_its_own() -> None:
    for module, errors in known_aborts().items():
        sentences = [abort.sentence for abort in errors.values()]
        assert all(sentences), module
        assert len(set(sentences)) == len(sentences), module


def test_an_error_without_a_comment_is_refused() -> None:
    with pytest.raises(aborts.SilentError, match="E_MUTE"):
        aborts.errors_of("module a::m {\n    const E_MUTE: u64 = 1;\n}")


@pytest.mark.parametrize(
    "words",
    [
        "Move abort in 0xcafe::access_control: E_PAUSED(0xa): whatever the node says",
        "Move abort in 0xcafe::access_control: 0xa",
        "Move abort in 0xcafe::access_control: E_PAUSED(0x1000a): with a category",
    ],
)
def test_an_abort_is_named_from_a_nodes_words(words: str) -> None:
    abort, sentence = abort_of(words)
    assert abort == "access_control::E_PAUSED"
    assert sentence is not None
    assert "paused" in sentence


def test_an_abort_of_another_package_keeps_the_nodes_words() -> None:
    told = abort_of("Move abort in 0x1::coin: EINSUFFICIENT_BALANCE(0x10006): Not enough coins")
    assert told == ("coin::EINSUFFICIENT_BALANCE", "Not enough coins")
    assert abort_of("Move abort in 0x1::coin: 0x10006") == ("coin::0x10006", None)


def test_words_about_no_abort_name_none() -> None:
    assert abort_of("Out of gas") == (None, None)
