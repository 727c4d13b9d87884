"""The marketplace's contracts and the test USDC: their own tests, and stories on a chain that calls hooks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.chain import compiler
from infra.local.chain.vm import Outcome
from tests.move.exchange import (
    BOOK,
    MIN_NOTIONAL,
    TRADERS,
    USDC,
    USDC_ADDRESS,
    Exchange,
    books,
    usdc,
)
from tests.move.market import ADMIN, BUYER, DEVELOPER, ISSUER, MOVE, PAUSER

pytestmark = pytest.mark.chain

PACKAGES = {"market": MOVE / "market", "test_usdc": MOVE / "test_usdc"}
COVERED_PER_MILLE = 950
INLINED = {"order_ids"}
"""Nothing of its own is left to run; it counts where it is used."""
EVENT_FIELDS = {"u64", "u128", "bool", "address", "0x1::string::String", "vector<u8>"}
TRANSACTION_BYTES = 60_000
"""A publishing transaction holds 64 KB, its metadata and signature among them."""

_ERROR = re.compile(r"((?:    ///.*\n)*)    const (E_\w+): u64 = (\d+);")


def errors(package: Path) -> Iterator[tuple[str, str, int, str]]:
    """(module, name, code, what the sources say above it)"""
    for path in sorted((package / "sources").glob("*.move")):
        for said, name, code in _ERROR.findall(path.read_text()):
            yield path.stem, name, int(code), said.strip()


@pytest.fixture(scope="module", params=PACKAGES.values(), ids=PACKAGES)
def package(request: pytest.FixtureRequest) -> Path:
    folder: Path = request.param
    return folder


@pytest.fixture(scope="module")
def unit_tests(package: Path) -> compiler.TestRun:
    return compiler.test(package, coverage=True)


def test_the_contracts_own_tests_pass(unit_tests: compiler.TestRun) -> None:
    assert unit_tests.outcomes
    assert [test for test, passed in unit_tests.outcomes.items() if not passed] == []


def test_the_contracts_own_tests_run_every_module(package: Path, unit_tests: compiler.TestRun) -> None:
    modules = {path.stem for path in (package / "sources").glob("*.move")}
    assert unit_tests.coverage.keys() == modules - INLINED
    thin = {name: part for name, part in unit_tests.coverage.items() if part.per_mille < COVERED_PER_MILLE}
    assert thin == {}


def test_every_refusal_has_a_test(package: Path) -> None:
    told = "".join(path.read_text() for path in (package / "tests").glob("*.move"))
    expected = set(re.findall(r"abort_code = (\w+::E_\w+), location = (\w+)", told))
    missing = {
        f"{module}::{name}"
        for module, name, _, _ in errors(package)
        if (f"{module}::{name}", module) not in expected
    }
    assert missing == set()


def test_every_refusal_says_what_the_caller_did(package: Path) -> None:
    assert [name for _, name, _, said in errors(package) if not said.endswith(".")] == []


def test_no_two_refusals_of_a_module_share_a_code(package: Path) -> None:
    codes = [(module, code) for module, _, code, _ in errors(package)]
    assert len(codes) == len(set(codes))


def test_events_hold_only_what_every_reader_can_decode() -> None:
    others = {
        f"{module.name}::{struct['name']}.{field['name']}: {field['type']}"
        for module in (*books().modules, *usdc().modules)
        for struct in module.abi["structs"]
        if struct["is_event"]
        for field in struct["fields"]
        if field["type"] not in EVENT_FIELDS
    }
    assert others == set()


def test_a_transaction_can_publish_the_marketplace() -> None:
    assert sum(map(len, books().codes)) < TRANSACTION_BYTES


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    started = Exchange()
    started.open_book()
    yield started
    started.vm.close()


def aborted(module: str, name: str) -> str:
    """How the virtual machine reports a refusal of the contracts."""
    found = [
        code
        for folder in (MOVE, *PACKAGES.values())
        for owner, error, code, _ in errors(folder)
        if (owner, error) == (module, name)
    ]
    return f"{module}, code={found[0]}"


def refused(outcome: Outcome) -> str:
    """The module and the code in the virtual machine's text."""
    match = re.search(r"location=\S*?::(\w+), code=(\d+)", outcome.failure or "")
    assert match, outcome.failure
    return f"{match[1]}, code={match[2]}"


def holding(exchange: Exchange, owner: str) -> int:
    [grams] = exchange.view("credit_batch::holding", owner, exchange.batch)
    return int(grams)


def test_credits_and_dollars_change_hands_in_one_transaction(exchange: Exchange) -> None:
    exchange.place(DEVELOPER, False, 10, 100)
    told = dict(exchange.events(exchange.place(BUYER, True, 12, 60)))
    assert told["OrderFilled"]["grams"] == "60"
    assert told["OrderFilled"]["quote"] == "600"
    assert told["ImprovementRefunded"]["refund"] == "120"
    assert exchange.claimable(BUYER, exchange.batch) == 60
    assert exchange.claimable(DEVELOPER, exchange.quote) == 600
    exchange.do(BUYER, "market_vault::claim", exchange.batch, "60")
    assert holding(exchange, BUYER) == 2060


def test_a_blocked_maker_does_not_stop_the_book(exchange: Exchange) -> None:
    exchange.place(DEVELOPER, False, 10, 100)
    exchange.do(USDC_ADDRESS, f"{USDC}::set_blocked", DEVELOPER, True)
    assert exchange.place(BUYER, True, 10, 100).failure is None
    outcome = exchange.attempt(DEVELOPER, "market_vault::claim", exchange.quote, "1000")
    assert refused(outcome) == aborted("usdc", "E_BLOCKED")
    assert exchange.claimable(DEVELOPER, exchange.quote) == 1000


def test_a_blocked_wallet_brings_no_dollars(exchange: Exchange) -> None:
    exchange.do(USDC_ADDRESS, f"{USDC}::set_blocked", BUYER, True)
    assert refused(exchange.place(BUYER, True, 10, 100)) == aborted("usdc", "E_BLOCKED")


def test_a_paused_quote_asset_leaves_claimable_dollars_to_trade_with(exchange: Exchange) -> None:
    exchange.do(BUYER, "market_vault::deposit", exchange.quote, "1000")
    exchange.do(USDC_ADDRESS, f"{USDC}::set_paused", True)
    assert refused(exchange.place(BUYER, True, 10, 100)) == aborted("usdc", "E_PAUSED")
    assert exchange.place(BUYER, True, 10, 100, from_wallet=False).failure is None


def test_a_frozen_maker_is_passed_over_and_claims_what_it_can_not_move(exchange: Exchange) -> None:
    exchange.place(DEVELOPER, False, 10, 100)
    exchange.do(PAUSER, "access_control::freeze_account", DEVELOPER, "case 17")
    told = dict(exchange.events(exchange.place(BUYER, True, 10, 100)))
    assert told["OrderCancelled"]["account"] == DEVELOPER
    assert "OrderFilled" not in told
    retirement = ("RET1", "0x" + "be" * 32, "voluntary", "DE", "0", "1")
    outcome = exchange.attempt(DEVELOPER, "market_purchases::retire", exchange.batch, "60", *retirement)
    assert refused(outcome) == aborted("transfer_policy", "E_FROZEN")
    exchange.do(DEVELOPER, "market_vault::claim", exchange.batch, "100")
    given = (DEVELOPER, "carbon_credit::give", exchange.batch, BUYER, "100")
    assert refused(exchange.attempt(*given)) == aborted("transfer_policy", "E_FROZEN")
    exchange.do(PAUSER, "access_control::unfreeze_account", DEVELOPER, "case 17 closed")
    exchange.do(*given)


def test_the_vault_is_nobodys(exchange: Exchange) -> None:
    [vault] = exchange.view("market_vault::vault_address")
    core = "0x1::object::ObjectCore"
    outcome = exchange.attempt(ADMIN, "0x1::object::transfer", vault, ADMIN, types=(core,))
    assert refused(outcome).startswith("object,")


def test_bought_credits_are_retired_in_the_same_transaction(exchange: Exchange) -> None:
    exchange.place(DEVELOPER, False, 10, 100)
    told = exchange.do(
        BUYER, "market_purchases::buy_and_retire", BOOK, "10000000", "25", "1000", True, "RET1",
        "0x" + "be" * 32, "voluntary", "DE", "0", "1",
    )  # fmt: skip
    assert (told["CreditsRetired"]["holder"], told["CreditsRetired"]["grams"]) == (BUYER, "25")
    assert exchange.claimable(BUYER, exchange.batch) == 0
    assert holding(exchange, BUYER) == 2000


def test_a_listing_and_a_gift_pass_the_hooks(exchange: Exchange) -> None:
    terms = (exchange.batch, exchange.quote, "100", "10000000", "1", "0")
    exchange.do(DEVELOPER, "listings::create", *terms, True)
    sold = exchange.do(BUYER, "listings::buy", "1", "40", "10000000", "0", True)["ListingSold"]
    assert (sold["quote"], sold["grams_old"], sold["grams_new"]) == ("400", "100", "60")
    exchange.do(BUYER, "gifts::make", TRADERS[2], exchange.batch, "40", "0x" + "11" * 32, False)
    ended = exchange.do(TRADERS[2], "gifts::claim", "1")["GiftEnded"]
    assert (ended["grams_old"], ended["claimed"]) == ("40", True)
    assert holding(exchange, TRADERS[2]) == 2040


def test_thousands_of_tiny_orders_cost_others_no_more_than_a_page(exchange: Exchange) -> None:
    for _ in range(300):
        assert exchange.place(DEVELOPER, False, MIN_NOTIONAL, 1).failure is None
    outcome = exchange.place(BUYER, True, MIN_NOTIONAL, 300)
    fills = [name for name, _ in exchange.events(outcome)].count("OrderFilled")
    assert fills == 16
    assert dict(exchange.events(outcome))["PendingChanged"]["order_old"] == "0"


def test_the_operator_alone_opens_books(exchange: Exchange) -> None:
    terms = (exchange.batch, exchange.quote, "1000000", "1", "5", "0")
    outcome = exchange.attempt(ADMIN, "marketplace::open_book", *terms)
    assert refused(outcome) == aborted("access_control", "E_NOT_ISSUER")
    outcome = exchange.attempt(ISSUER, "marketplace::open_book", *terms)
    assert refused(outcome) == aborted("market_book", "E_BOOK_EXISTS")
