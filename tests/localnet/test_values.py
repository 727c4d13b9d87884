"""Values and types: BCS, Aptos' JSON and the VM's JSON."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.chain import bcs, compiler
from infra.local.chain.bcs import BcsError, Reader
from infra.local.chain.bytecode import read_module
from infra.local.chain.types import (
    TypeSyntaxError,
    format_address,
    format_type,
    parse_address,
    parse_type,
    read_type,
    type_bytes,
)
from infra.local.chain.values import UnknownType, ValueMismatch, Values
from tests.localnet.support import PROBE

pytestmark = pytest.mark.chain

PROBE_ADDRESS = "0x" + "cafe".rjust(64, "0")


@pytest.fixture(scope="module")
def values() -> Values:
    codes = [*compiler.framework()["AptosFramework"].codes, *compiler.build(PROBE, {"probe": "0xcafe"}).codes]
    modules = {(info.address, info.name): code for code in codes for info in [read_module(code)]}
    return Values(lambda address, name: modules.get((address, name)))


_TYPES = st.recursive(
    st.sampled_from(["bool", "u8", "u64", "u128", "u256", "address", "0x1::string::String"]),
    lambda inner: st.one_of(
        inner.map(lambda item: f"vector<{item}>"),
        st.tuples(inner, inner).map(lambda pair: f"0x1::table::Table<{pair[0]}, {pair[1]}>"),
    ),
    max_leaves=6,
)


@given(_TYPES)
def test_types_survive_text_and_bcs(text: str) -> None:
    kind = parse_type(text)
    assert parse_type(format_type(kind)) == kind
    assert read_type(Reader(type_bytes(kind))) == kind


@pytest.mark.parametrize(
    "text", ["", "u7", "vector", "vector<u8", "0x1::coin", "u64>", "vector<u8, u8>", "0xg::a::B"]
)
def test_what_is_no_type_is_refused(text: str) -> None:
    with pytest.raises(TypeSyntaxError):
        parse_type(text)


def test_special_addresses_are_short_and_others_long() -> None:
    assert format_address(parse_address("0x000a")) == "0xa"
    assert format_address(parse_address("0x10")) == "0x" + "10".rjust(64, "0")


@given(st.integers(0, (1 << 63) - 1))
def test_lengths_survive(number: int) -> None:
    assert Reader(bcs.uleb(number)).uleb() == number


def test_a_length_has_one_form() -> None:
    with pytest.raises(BcsError, match="needless"):
        Reader(b"\x80\x00").uleb()


@pytest.mark.parametrize(
    ("kind", "value", "data"),
    [
        ("u8", 7, "07"),
        ("u32", 7, "07000000"),
        ("u64", "7", "0700000000000000"),
        ("u256", str(1 << 255), "00" * 31 + "80"),
        ("bool", True, "01"),
        ("vector<u8>", "0xc0ff", "02c0ff"),
        ("vector<u64>", ["1"], "010100000000000000"),
        ("0x1::string::String", "né", "036ec3a9"),
        ("0x1::option::Option<u16>", {"vec": [5]}, "010500"),
        ("0x1::option::Option<u16>", {"vec": []}, "00"),
        ("0x1::option::Option<u8>", {"vec": "0x05"}, "0105"),
    ],
)
def test_a_value_has_one_json_and_one_bcs(values: Values, kind: str, value: Any, data: str) -> None:
    assert values.decode(parse_type(kind), bytes.fromhex(data)) == value
    assert values.encode(parse_type(kind), value).hex() == data


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("u8", 256),
        ("u8", -1),
        ("u64", "1.5"),
        ("u64", 1.5),
        ("u64", True),
        ("u64", "²"),
        ("bool", 1),
        ("address", "0xzz"),
        ("vector<u8>", "0x0"),
        ("vector<u64>", "1"),
        ("0x1::option::Option<u64>", {"vec": ["1", "2"]}),
        ("0x1::string::String", 5),
    ],
)
def test_a_value_that_does_not_fit_is_refused(values: Values, kind: str, value: Any) -> None:
    with pytest.raises(ValueMismatch):
        values.encode(parse_type(kind), value)


@pytest.mark.parametrize(
    ("kind", "of_the_vm", "of_aptos"),
    [
        ("u64", "5", "5"),
        ("u8", 5, 5),
        ("address", "0x5", "0x5"),
        ("vector<u8>", [], "0x"),
        ("vector<u8>", "c0ff", "0xc0ff"),
        ("0x1::option::Option<vector<u8>>", [], {"vec": ["0x"]}),
        ("0x1::option::Option<vector<u8>>", None, {"vec": []}),
        ("0x1::option::Option<u8>", 5, {"vec": "0x05"}),
        ("0x1::fixed_point32::FixedPoint32", "0.5", {"value": str(1 << 31)}),
        (f"{PROBE_ADDRESS}::counter::Shape", ["2"], {"__variant__": "Round", "radius": "2"}),
    ],
)
def test_the_vms_json_becomes_aptos_json(values: Values, kind: str, of_the_vm: Any, of_aptos: Any) -> None:
    assert values.from_vm(parse_type(kind), of_the_vm) == of_aptos


def test_a_type_that_is_not_published_has_no_values(values: Values) -> None:
    with pytest.raises(UnknownType, match="not published"):
        values.decode(parse_type("0x1::nowhere::Nothing"), b"")


def test_bytes_after_the_value_are_refused(values: Values) -> None:
    with pytest.raises(BcsError, match="follow the end"):
        values.decode(parse_type("u8"), b"\x01\x02")
