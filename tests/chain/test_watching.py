"""The watcher goes back when the chain does, and a kill in the middle of a write leaves nothing half done."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from carbonmarket.chain import calls
from carbonmarket.chain.calls import EntryCall
from carbonmarket.errors import StaleWrite
from carbonmarket.projection.watch import differences, rebuilt
from carbonmarket.records.chain import Batch
from carbonmarket_adapters.dynamo.chain import CURSOR_KEYS
from carbonmarket_adapters.dynamo.chain_writer import JOURNAL_KEPT_S, ChainWriter
from carbonmarket_adapters.dynamo.table import Delete, DocumentTable, Write
from functions.watch_chain import handler as watch_chain
from functions.watch_chain.handler import handler
from infra.local.chain import compiler
from infra.local.chain.process import Running, start
from tests.chain.market import Market
from tests.chain.world import OCTAS

WALLET = Path(__file__).parent / "wallet"
MANY_STORES = 60  # each makes a store: more than two transactions of 100 items hold, with their journals


class Killed(Exception):
    """The process dies here."""


class DyingTable(DocumentTable):
    """Dies at a transaction, before or after it was written."""

    def __init__(self, market: Market, at: int, written: bool) -> None:
        super().__init__(market.settings, "chain")
        self._left, self._written = at, written

    def transact(self, operations: Sequence[Write | Delete], *, token: str | None = None) -> None:
        self._left -= 1
        if self._left > 0 or self._written:
            super().transact(operations, token=token)
        if self._left == 0:
            raise Killed


class OvertakenTable(DocumentTable):
    """Before one of its transactions another watcher does, once, all that there is to do."""

    def __init__(
        self, market: Market, overtake: Callable[[], None], when: Callable[[Sequence[Write | Delete]], bool]
    ) -> None:
        super().__init__(market.settings, "chain")
        self._overtake, self._when = overtake, when
        self._is_overtaken = False

    def transact(self, operations: Sequence[Write | Delete], *, token: str | None = None) -> None:
        if not self._is_overtaken and self._when(operations):
            self._is_overtaken = True
            self._overtake()
        super().transact(operations, token=token)


def dying_writer(
    market: Market, at: int, *, written: bool, clock: Callable[[], float] = time.time
) -> ChainWriter:
    writer = ChainWriter(market.settings, clock)
    writer._table = DyingTable(market, at, written)
    return writer


def publish_wallet(market: Market) -> str:
    """Publish a package that the market knows nothing of; the address it is at."""
    market.signer.create("stranger", "secp256k1")
    market.fund("stranger", OCTAS)
    address = market.address("stranger")
    built = compiler.build(WALLET, {"wallet": address})
    arguments = (("vector<u8>", built.metadata), ("vector<vector<u8>>", tuple(built.codes)))
    call = EntryCall(module="0x1::code", function="publish_package_txn", args=arguments)
    market.outbox.submit("wallet", "stranger", call, sponsored=False)
    assert market.outbox.await_fate("wallet").success
    return address


def put_aside(market: Market, batch: Batch, grams: int, count: int) -> None:
    """The developer's wallet puts grams into secondary stores."""
    wallet = publish_wallet(market)
    market.fund("developer", OCTAS)
    call = EntryCall(
        module=f"{wallet}::wallet",
        function="put_aside",
        args=(("address", batch.address), ("u64", grams), ("u64", count)),
    )
    market.outbox.submit("aside", "developer", call, sponsored=False)
    fate = market.outbox.await_fate("aside")
    assert fate.success, fate.vm_status


def is_rebuilt_equal(market: Market) -> bool:
    cursor = market.projection.cursor()
    assert cursor is not None
    anew = rebuilt(market.source, market.address_of_market, cursor.version)
    return differences(market.projection.everything(), anew) == []


def test_grams_in_secondary_stores_are_their_owners(market: Market) -> None:
    batch = market.issue()
    held = market.held("developer", batch)
    put_aside(market, batch, 100, 3)
    market.watch()
    assert market.held("developer", batch) == held
    stores = [each for each in market.projection.stores(market.address("developer")) if each.grams == 100]
    assert len(stores) == 3
    assert market.projection.holdings(market.address("developer"))[0].grams == held


def test_a_chain_replaced_by_an_older_state_is_followed_back_and_on_again(
    make_market: Callable[[Running], Market], tmp_path: Path
) -> None:
    state = tmp_path / "replaced.db"
    localnet = start(state)
    market = make_market(localnet)
    batch = market.issue()
    localnet.stop()
    shutil.copy(state, tmp_path / "older.db")
    localnet = start(state)
    try:
        market.connect(localnet)
        market.do("developer", calls.give(batch.address, market.address("buyer"), 1_000), key="first")
        market.watch()
        assert market.held("buyer", batch) == 1_000
        localnet.stop()
        shutil.copy(tmp_path / "older.db", state)
        localnet = start(state)
        market.connect(localnet)
        market.watch()
        assert market.held("buyer", batch) == 0
        # The developer's numbers on chain went back too: what used them first comes again before the second.
        market.do("developer", calls.give(batch.address, market.address("buyer"), 7), key="second")
        market.watch()
        assert market.held("buyer", batch) == 1_007
        assert is_rebuilt_equal(market)
    finally:
        localnet.kill()


def test_another_chain_is_folded_from_its_beginning(
    make_market: Callable[[Running], Market], own_localnet: Running, chain_localnet: Running
) -> None:
    market = make_market(own_localnet)
    batch = market.issue()
    market.connect(chain_localnet)
    market.fund("bob", 1)
    market.watch()
    assert market.projection.batch_at(batch.address) is None
    assert is_rebuilt_equal(market)
    # And back, now that the journal of what was folded is past its time, through kills.
    market.connect(own_localnet)
    past = time.time() + JOURNAL_KEPT_S + 1
    for at, written in ((1, True), (2, True), (2, False)):
        market.writer = dying_writer(market, at, written=written, clock=lambda: past)
        with pytest.raises(Killed):
            market.watch()
    market.writer = ChainWriter(market.settings)
    market.watch()
    assert market.projection.batch_at(batch.address) is not None
    assert is_rebuilt_equal(market)


@pytest.mark.parametrize("written", [False, True])
def test_a_kill_at_any_transaction_of_a_large_version_leaves_nothing_half_done(
    market: Market, written: bool
) -> None:
    batch = market.issue()
    held = market.held("developer", batch)
    put_aside(market, batch, 10, 2 * MANY_STORES)
    market.writer = dying_writer(market, 1, written=written)
    for at in (1, 2, 3):
        market.writer = dying_writer(market, at, written=written)
        try:
            market.watch()
        except Killed:
            market.writer = ChainWriter(market.settings)
            market.writer.begin()
            assert is_rebuilt_equal(market)
    market.watch()
    assert market.held("developer", batch) == held
    assert is_rebuilt_equal(market)


def test_of_two_watchers_one_stops(market: Market) -> None:
    market.watch()
    second = ChainWriter(market.settings)
    second.begin()
    market.register("PRJSECOND")
    market.watch()
    first, market.writer = market.writer, second
    market.register("PRJTHIRD")
    with pytest.raises(StaleWrite):
        market.watch()
    market.writer = first
    market.watch()
    assert is_rebuilt_equal(market)


def removes_many(operations: Sequence[Write | Delete]) -> bool:
    return len(operations) > 1


def removes_the_cursor(operations: Sequence[Write | Delete]) -> bool:
    return isinstance(operations[0], Delete) and (operations[0].pk, operations[0].sk) == CURSOR_KEYS


@pytest.mark.parametrize("when", [removes_many, removes_the_cursor])
def test_of_two_watchers_that_clear_the_slower_one_removes_nothing_of_what_was_folded_anew(
    market: Market, when: Callable[[Sequence[Write | Delete]], bool]
) -> None:
    market.issue()
    slower, market.writer = market.writer, ChainWriter(market.settings)

    def overtake() -> None:
        market.writer.begin()
        market.writer.clear()
        market.watch()

    slower._table = OvertakenTable(market, overtake, when)
    with pytest.raises(StaleWrite):
        slower.clear()
    assert is_rebuilt_equal(market)
    # It goes on from where the other one is.
    market.writer = slower
    market.register("PRJAFTER")
    market.watch()
    assert market.projection.project("PRJAFTER") is not None
    assert is_rebuilt_equal(market)


def test_the_lease_is_one_watchers_until_it_ends(market: Market) -> None:
    assert market.writer.lease("one", 0, 10)
    assert not market.writer.lease("two", 9_999_999, 10)
    assert market.writer.lease("one", 9_999_999, 10)
    market.writer.release("one")
    assert market.writer.lease("two", 10_000_000, 10)


def test_the_function_waits_for_the_watcher_before_and_watches_until_its_time_is_up(
    market: Market, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    market.wire(monkeypatch)
    assert market.writer.lease("the one before", time.time_ns() // 1_000, 1)
    left_ms = iter([60_000] * 4 + [4_000] * 100)
    context: Any = SimpleNamespace(
        aws_request_id="one",
        function_name="watch_chain",
        memory_limit_in_mb=512,
        invoked_function_arn="arn:aws:lambda:us-east-1:000000000000:function:watch-chain",
        get_remaining_time_in_millis=lambda: next(left_ms),
    )
    answer = handler({}, context)
    cursor = market.projection.cursor()
    assert cursor is not None
    assert answer["versions"] == cursor.version + 1
    waiting = market.node.ledger().version - cursor.version
    assert f'"VersionsBehind":[{float(waiting)}]' in capsys.readouterr().out
    assert market.writer.lease("one that goes on", time.time_ns() // 1_000, 60)
    monkeypatch.setattr(watch_chain, "_LEASE_S", 0)
    market.register("PRJUNSEEN")
    assert handler({}, context) == {"versions": 0, "undone": 0}


def test_many_waiting_versions_are_folded_as_few(market: Market) -> None:
    for start_at in range(0, 120, 40):
        for number in range(start_at, start_at + 40):
            market.outbox.submit(f"many/{number}", "issuer", calls.gap_filler(market.address("issuer")))
        for number in range(start_at, start_at + 40):
            market.outbox.await_fate(f"many/{number}")
    ledger = market.node.ledger().version
    assert ledger > 100
    assert market.watch() >= ledger
    assert is_rebuilt_equal(market)
