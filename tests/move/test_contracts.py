"""The contracts: their own tests, what those leave out, and stories on a chain that calls the hooks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from infra.local.chain import compiler
from infra.local.chain.bytecode import read_module
from infra.local.chain.types import parse_type
from tests.move import approvals
from tests.move.approvals import DAY, DAY_ZERO, PROJECT
from tests.move.market import (
    BUYER,
    DEVELOPER,
    ISSUER,
    MOVE,
    PAUSER,
    REPO,
    WALLET,
    WALLET_ADDRESS,
    Market,
    contracts,
)

pytestmark = pytest.mark.chain

RECORD = REPO / "tests" / "move" / "record" / "framework_1.27_interface.json"
COVERED_PER_MILLE = 950
EVENT_FIELDS = {"u64", "u128", "bool", "address", "0x1::string::String", "vector<u8>"}
# What these tell of begins or ends with them, or, when credits are given, moves and stays what it is.
BEGINNINGS = {
    "access_control::VerifierRegistered",
    "access_control::VerifierRemoved",
    "carbon_credit::BatchIssued",
    "carbon_credit::CreditsGiven",
    "data_anchor::PeriodClosed",
    "data_anchor::PeriodIssued",
    "data_anchor::PeriodReopened",
    "data_anchor::ReadingsAnchored",
    "imports::CreditsImported",
    "methodology::MethodologyRegistered",
    "project_registry::ProjectRegistered",
}
METADATA = "0x1::fungible_asset::Metadata"
STORE = "0x1::fungible_asset::FungibleStore"

_ERROR = re.compile(r"((?:    ///.*\n)*)    const (E_\w+): u64 = (\d+);")


def sources() -> dict[str, str]:
    return {path.stem: path.read_text() for path in sorted((MOVE / "sources").glob("*.move"))}


def errors() -> Iterator[tuple[str, str, int, str]]:
    """(module, name, code, what the sources say above it)"""
    for module, source in sources().items():
        for said, name, code in _ERROR.findall(source):
            yield module, name, int(code), said.strip()


@pytest.fixture(scope="module")
def unit_tests() -> compiler.TestRun:
    return compiler.test(MOVE, coverage=True)


def test_the_contracts_own_tests_pass(unit_tests: compiler.TestRun) -> None:
    assert unit_tests.outcomes
    assert [test for test, passed in unit_tests.outcomes.items() if not passed] == []


def test_the_contracts_own_tests_run_every_module(unit_tests: compiler.TestRun) -> None:
    assert unit_tests.coverage.keys() == sources().keys()
    thin = {name: part for name, part in unit_tests.coverage.items() if part.per_mille < COVERED_PER_MILLE}
    assert thin == {}


def test_every_refusal_has_a_test() -> None:
    told = "".join(path.read_text() for path in (MOVE / "tests").glob("*.move"))
    expected = set(re.findall(r"abort_code = (\w+::E_\w+), location = (\w+)", told))
    missing = {
        f"{module}::{name}"
        for module, name, _, _ in errors()
        if (f"{module}::{name}", module) not in expected
    }
    assert missing == set()


def test_every_refusal_says_what_the_caller_did() -> None:
    silent = [f"{module}::{name}" for module, name, _, said in errors() if not said.endswith(".")]
    assert silent == []


def test_no_two_refusals_of_a_module_share_a_code() -> None:
    codes = [(module, code) for module, _, code, _ in errors()]
    assert len(codes) == len(set(codes)) > 50


def test_the_signatures_of_the_unit_tests_are_current() -> None:
    assert approvals.TARGET.read_text() == approvals.render()


def test_events_hold_only_what_every_reader_can_decode() -> None:
    others = {
        f"{module.name}::{struct['name']}.{field['name']}: {field['type']}"
        for module in contracts().modules
        for struct in module.abi["structs"]
        if struct["is_event"]
        for field in struct["fields"]
        if field["type"] not in EVENT_FIELDS
    }
    assert others == set()


def test_an_event_of_a_change_tells_the_old_and_the_new() -> None:
    pairs = {
        f"{module.name}::{struct['name']}": {
            end: {f["name"].removesuffix(end) for f in struct["fields"] if f["name"].endswith(end)}
            for end in ("_old", "_new")
        }
        for module in contracts().modules
        for struct in module.abi["structs"]
        if struct["is_event"]
    }
    assert {name for name, told in pairs.items() if told["_old"] != told["_new"]} == set()
    assert {name for name, told in pairs.items() if not told["_old"]} == BEGINNINGS


def test_the_contracts_use_only_modules_that_aptos_has() -> None:
    known = json.loads(RECORD.read_text())["modules"]
    ours = {module.name for module in contracts().modules}
    used = {need for module in contracts().modules for need in read_module(module.code).needs}
    foreign = {f"0x{int.from_bytes(owner):x}::{name}" for owner, name in used if name not in ours}
    assert len(foreign) > 10
    assert foreign - known.keys() == set()


@pytest.fixture
def market() -> Iterator[Market]:
    started = Market()
    yield started
    started.vm.close()


def aborted(module: str, name: str) -> str:
    """How the virtual machine reports a refusal of the contracts."""
    [code] = [code for owner, error, code, _ in errors() if (owner, error) == (module, name)]
    return f"{module}, code={code}"


def refused(failure: str | None) -> str:
    """The module and the code in the virtual machine's text."""
    match = re.search(r"location=\S*?::(\w+), code=(\d+)", failure or "")
    assert match, failure
    return f"{match[1]}, code={match[2]}"


def holding(market: Market, owner: str, batch: str) -> int:
    [grams] = market.view("credit_batch::holding", owner, batch)
    return int(grams)


def test_a_batch_is_issued_given_retired_and_cancelled(market: Market) -> None:
    batch, issued = market.issue()
    event = issued["BatchIssued"]
    assert (event["batch"], event["batch_id"], event["project"]) == (batch, "BAT1", PROJECT)
    assert (event["serial_first"], event["serial_last"]) == ("1", "9000")
    assert (event["issued"], event["buffered"], event["developer"]) == ("9000", "450", DEVELOPER)
    assert issued["PeriodIssued"] == {"project": PROJECT, "number": "1", "batch": batch}

    given = market.do(DEVELOPER, "carbon_credit::give", batch, BUYER, "3000")["CreditsGiven"]
    assert given == {"batch": batch, "from": DEVELOPER, "to": BUYER, "grams": "3000"}

    assert market.retire(BUYER, batch, 1234, "RET1").failure is None
    cancelled = market.do(DEVELOPER, "carbon_credit::cancel", batch, "10", "CAN1", "double counting")
    event = cancelled["CreditsCancelled"]
    assert (event["serial_first"], event["serial_last"]) == ("1235", "1244")
    assert (event["cancelled_old"], event["cancelled_new"]) == ("0", "10")

    [record] = market.view("certificate_registry::record", "RET1")
    assert (record["kind"], record["holder"], record["grams"]) == (1, BUYER, "1234")
    assert (record["serial_first"], record["serial_last"]) == ("1", "1234")
    [state] = market.view("credit_batch::batch", batch)
    [supply] = market.view("credit_batch::supply", batch)
    assert int(state["issued"]) == int(supply) + int(state["retired"]) + int(state["cancelled"])


def test_a_retirement_says_everything_that_a_certificate_needs(market: Market) -> None:
    batch, _ = market.issue()
    outcome = market.retire(DEVELOPER, batch, 50, "RET1")
    [data] = [data for kind, data in outcome.events if kind.endswith("::CreditsRetired")]
    event = market.values.from_vm(parse_type("0xcafe::carbon_credit::CreditsRetired"), json.loads(data))
    [certificate] = market.view("certificate_registry::certificate_address", "RET1")
    assert event == {
        "retirement_id": "RET1", "batch": batch, "batch_id": "BAT1", "project": PROJECT, "holder": DEVELOPER,
        "grams": "50", "serial_first": "1", "serial_last": "50", "beneficiary_commitment": "0x" + "be" * 32,
        "reason": "voluntary", "country": "DE", "period_start": str(DAY_ZERO),
        "period_end": str(DAY_ZERO + DAY), "certificate": certificate,
        "retired_old": "0", "retired_new": "50",
    }  # fmt: skip


def test_a_reversal_says_who_paid(market: Market) -> None:
    batch, _ = market.issue()
    market.do(DEVELOPER, "carbon_credit::give", batch, BUYER, "8500")
    reverse = ("carbon_credit::reverse", batch, "1000", "REV1", "0x" + "fe" * 32)
    event = market.do(ISSUER, *reverse)["CreditsReversed"]
    assert (event["from_buffer"], event["from_developer"]) == ("450", "50")
    assert (event["buffer_old"], event["buffer_new"]) == ("450", "0")
    assert (event["cancelled_old"], event["cancelled_new"]) == ("0", "500")
    assert (event["debt_old"], event["debt_new"]) == ("0", "500")
    assert holding(market, BUYER, batch) == 8500


# Freezes, where hooks are called.


@pytest.fixture
def credits(market: Market) -> tuple[Market, str]:
    """A market in which the developer holds 8,550 grams, and the batch's address."""
    market.publish(WALLET_ADDRESS, compiler.build(WALLET))
    batch, _ = market.issue()
    return market, batch


def freeze(market: Market, account: str) -> None:
    market.do(PAUSER, "access_control::freeze_account", account, "case 17")


FROZEN_ACTS: dict[str, tuple[str, ...]] = {
    "gives": ("carbon_credit::give", "{batch}", BUYER, "1"),
    "retires": (
        "carbon_credit::retire", "{batch}", "1", "RET1", "0x" + "be" * 32, "", "DE", "0", "1",
    ),
    "cancels": ("carbon_credit::cancel", "{batch}", "1", "CAN1", ""),
}  # fmt: skip


@pytest.mark.parametrize("act", FROZEN_ACTS)
def test_a_frozen_account_neither_gives_nor_retires_nor_cancels(
    credits: tuple[Market, str], act: str
) -> None:
    market, batch = credits
    freeze(market, DEVELOPER)
    function, *arguments = FROZEN_ACTS[act]
    outcome = market.attempt(DEVELOPER, function, *(each.format(batch=batch) for each in arguments))
    assert refused(outcome.failure) == aborted("transfer_policy", "E_FROZEN")
    assert holding(market, DEVELOPER, batch) == 8550


def test_a_frozen_account_cannot_use_a_bare_wallet(credits: tuple[Market, str]) -> None:
    market, batch = credits
    transfer = ("0x1::primary_fungible_store::transfer", batch, BUYER, "1")
    market.do(DEVELOPER, *transfer, types=(METADATA,))
    freeze(market, DEVELOPER)
    outcome = market.attempt(DEVELOPER, *transfer, types=(METADATA,))
    assert refused(outcome.failure) == aborted("transfer_policy", "E_FROZEN")


@pytest.mark.parametrize("stow", ["stow", "stow_in_object"])
def test_a_frozen_account_cannot_reach_its_other_stores(credits: tuple[Market, str], stow: str) -> None:
    market, batch = credits
    opened = market.do(DEVELOPER, f"{WALLET_ADDRESS}::wallet::{stow}", batch, "1000")["StoreOpened"]
    [primary] = market.view(
        "0x1::primary_fungible_store::primary_store_address", DEVELOPER, batch, types=(METADATA,)
    )
    transfer = ("0x1::dispatchable_fungible_asset::transfer", opened["store"], primary, "1")
    market.do(DEVELOPER, *transfer, types=(STORE,))
    freeze(market, DEVELOPER)
    outcome = market.attempt(DEVELOPER, *transfer, types=(STORE,))
    assert refused(outcome.failure) == aborted("transfer_policy", "E_FROZEN")


def test_a_frozen_account_receives_and_is_freed(credits: tuple[Market, str]) -> None:
    market, batch = credits
    freeze(market, BUYER)
    market.do(DEVELOPER, "carbon_credit::give", batch, BUYER, "10")
    market.do(PAUSER, "access_control::unfreeze_account", BUYER, "case 17 closed")
    market.do(BUYER, "carbon_credit::give", batch, DEVELOPER, "10")


def test_a_store_cannot_be_handed_to_another(credits: tuple[Market, str]) -> None:
    market, batch = credits
    opened = market.do(DEVELOPER, f"{WALLET_ADDRESS}::wallet::stow", batch, "1000")["StoreOpened"]
    outcome = market.attempt(
        DEVELOPER, "0x1::object::transfer", opened["store"], BUYER, types=("0x1::object::ObjectCore",)
    )
    assert refused(outcome.failure).startswith("object,")
