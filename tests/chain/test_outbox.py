"""Each call is sent once: bytes are kept, numbers leased, fates asked, whatever dies in between."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from carbonmarket.errors import EngineUnavailable, IdempotencyMismatch, NotFound, NotYetFinal
from carbonmarket_adapters.aptos.client import Answer, NodeClient
from carbonmarket_adapters.aptos.sponsorship import EXPIRY_S
from carbonmarket_adapters.aptos.transactions import raw_transaction_of, transaction_hash
from infra.local.chain.process import Running
from tests.chain.world import OCTAS, World


class Killed(Exception):
    """The process dies here."""


class DiesAfterSending(NodeClient):
    """The chain accepts the bytes and the process dies before it hears so."""

    def submit(self, signed: bytes) -> None:
        super().submit(signed)
        raise Killed


class DiesBeforeSending(NodeClient):
    """The bytes are stored and the process dies before they are sent."""

    def submit(self, signed: bytes) -> None:
        raise Killed


class ForgetsTransactions(NodeClient):
    """A node that has pruned what lies far back."""

    def transaction(self, transaction_hash: str) -> Answer:
        return msgspec.structs.replace(super().transaction(transaction_hash), body=None, timestamp_us=2**60)


def test_a_call_is_committed_and_its_fee_is_the_sponsors(world: World) -> None:
    world.fund("alice", OCTAS)
    world.outbox.submit("gift", "alice", world.transfer("bob", 400))
    fate = world.outbox.await_fate("gift")
    assert (fate.state, fate.success) == ("committed", True)
    assert world.octas("alice") == OCTAS - 400
    assert world.octas("sponsor") < 100 * OCTAS


def test_an_unsponsored_sender_pays_its_own_fee(world: World) -> None:
    world.fund("alice", OCTAS)
    world.outbox.submit("gift", "alice", world.transfer("bob", 400), sponsored=False)
    assert world.outbox.await_fate("gift").success
    assert world.octas("alice") < OCTAS - 400
    assert world.octas("sponsor") == 100 * OCTAS


def test_repeating_a_submission_changes_nothing(world: World) -> None:
    world.fund("alice", OCTAS)
    hashes = {world.outbox.submit("gift", "alice", world.transfer("bob", 400)) for _ in range(3)}
    world.outbox.await_fate("gift")
    hashes.add(world.outbox.submit("gift", "alice", world.transfer("bob", 400)))
    assert len(hashes) == 1
    assert world.octas("bob") == 400


def test_a_key_stands_for_one_call(world: World) -> None:
    world.outbox.submit("gift", "alice", world.transfer("bob", 1))
    with pytest.raises(IdempotencyMismatch):
        world.outbox.submit("gift", "alice", world.transfer("bob", 2))


def test_a_call_that_the_node_has_forgotten_is_not_sent_anew(world: World) -> None:
    world.fund("alice", OCTAS)
    first = world.outbox.submit("gift", "alice", world.transfer("bob", 400))
    world.outbox.await_fate("gift")
    later = world.make_outbox(node=ForgetsTransactions(world.localnet.node))
    assert later.submit("gift", "alice", world.transfer("bob", 400)) == first
    with pytest.raises(EngineUnavailable, match="no longer holds"):
        later.fate("gift")
    assert world.octas("bob") == 400


def test_a_call_that_aborts_is_committed_as_failed_with_the_reason(world: World) -> None:
    world.outbox.submit("gift", "alice", world.transfer("bob", 7))
    fate = world.outbox.await_fate("gift")
    assert (fate.state, fate.success) == ("committed", False)
    assert fate.reason


def test_death_after_the_chain_accepted_leaves_one_effect(world: World) -> None:
    world.fund("alice", OCTAS)
    dying = world.make_outbox(node=DiesAfterSending(world.localnet.node))
    with pytest.raises(Killed):
        dying.submit("gift", "alice", world.transfer("bob", 400))
    resumed = world.make_outbox()
    resumed.submit("gift", "alice", world.transfer("bob", 400))
    assert resumed.await_fate("gift").success
    assert world.octas("bob") == 400
    assert world.sequence("alice") == 1


def test_death_before_sending_keeps_the_bytes_for_the_next_process(world: World) -> None:
    world.fund("alice", OCTAS)
    dying = world.make_outbox(node=DiesBeforeSending(world.localnet.node))
    with pytest.raises(Killed):
        dying.submit("gift", "alice", world.transfer("bob", 400))
    resumed = world.make_outbox()
    assert resumed.fate("gift").state == "unknown"
    with pytest.raises(NotYetFinal):
        resumed.await_fate("gift", timeout_s=0.2)
    stored = world.table.submission("gift")
    assert stored is not None
    assert resumed.resubmit("gift") == stored.record.hash
    assert resumed.await_fate("gift").success


def test_nothing_to_resubmit_is_said(world: World) -> None:
    with pytest.raises(NotFound):
        world.outbox.resubmit("never")
    assert world.outbox.fate("never").state == "unknown"


def test_bytes_that_expired_unseen_are_dead_and_only_then_tried_anew(
    make_world: Callable[[Running], World], own_localnet: Running
) -> None:
    world = make_world(own_localnet)
    world.fund("alice", OCTAS)
    dying = world.make_outbox(node=DiesBeforeSending(own_localnet.node))
    with pytest.raises(Killed):
        dying.submit("gift", "alice", world.transfer("bob", 400))
    first = world.table.submission("gift")
    assert first is not None
    world.set_clock((first.record.expiration_s + 1) * 1_000_000)
    assert world.outbox.fate("gift").state == "dead"
    assert world.table.held(world.address("alice"), world.sequence("alice")) == {}
    second = world.outbox.submit("gift", "alice", world.transfer("bob", 400))
    assert second != first.record.hash
    assert world.outbox.await_fate("gift").success
    assert world.octas("bob") == 400


def test_a_gap_left_by_dead_bytes_is_repaired(
    make_world: Callable[[Running], World], own_localnet: Running
) -> None:
    world = make_world(own_localnet)
    world.fund("alice", OCTAS)
    dying = world.make_outbox(node=DiesBeforeSending(own_localnet.node))
    with pytest.raises(Killed):
        dying.submit("lost", "alice", world.transfer("bob", 1))
    lost = world.table.submission("lost")
    assert lost is not None
    world.set_clock((lost.record.expiration_s - EXPIRY_S // 2) * 1_000_000)
    waits = world.outbox.submit("waits", "alice", world.transfer("bob", 2))
    # Asked of the node: who asks the outbox has the lost bytes sent.
    assert world.node.transaction(waits).body["type"] == "pending_transaction"
    world.set_clock((lost.record.expiration_s + 1) * 1_000_000)
    filled = world.outbox.repair("alice")
    assert len(filled) == 1
    assert world.outbox.await_fate("waits").success
    assert world.octas("bob") == 2


def test_a_sweep_sends_again_what_nobody_asks_after(world: World) -> None:
    world.fund("alice", OCTAS)
    dying = world.make_outbox(node=DiesBeforeSending(world.localnet.node))
    with pytest.raises(Killed):
        dying.submit("gift", "alice", world.transfer("bob", 400))
    assert world.outbox.sweep() == 1
    world.outbox.await_fate("gift")
    assert world.outbox.sweep() == 0
    assert world.octas("bob") == 400


def test_many_at_once_each_get_their_own_number(world: World) -> None:
    world.fund("alice", OCTAS)

    def give(index: int) -> bool:
        world.outbox.submit(f"gift/{index}", "alice", world.transfer("bob", 1))
        return world.outbox.await_fate(f"gift/{index}").success

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(give, range(24)))
    assert world.octas("bob") == 24
    assert world.sequence("alice") == 24
    assert world.table.held(world.address("alice"), world.sequence("alice")) == {}


def test_a_node_of_another_chain_is_refused(world: World) -> None:
    with pytest.raises(EngineUnavailable, match="chain 4"):
        world.make_outbox(chain_id=2).submit("gift", "alice", world.transfer("bob", 1))


def test_a_node_that_is_not_there_is_named(world: World) -> None:
    with pytest.raises(EngineUnavailable, match="carbonmarket up"):
        world.make_outbox(node=NodeClient("http://127.0.0.1:9/v1")).submit(
            "gift", "alice", world.transfer("bob", 1)
        )


def test_two_processes_interleave_on_one_account_without_gaps(world: World) -> None:
    """Each holds a block of the same free numbers; what one takes, the other finds taken."""
    world.fund("alice", OCTAS)
    processes = (world.outbox, world.make_outbox())
    for index in range(8):
        # Two in a row from each, so that both go on with a block that the other has used since.
        outbox = processes[index // 2 % 2]
        outbox.submit(f"gift/{index}", "alice", world.transfer("bob", 1))
    for index in range(8):
        assert world.outbox.await_fate(f"gift/{index}").success
    assert (world.octas("bob"), world.sequence("alice")) == (8, 8)


def test_what_was_settled_in_passing_is_kept_as_final_by_the_sweep(world: World) -> None:
    world.fund("alice", OCTAS)
    for index in range(3):
        assert world.outbox.settle(f"gift/{index}", "alice", world.transfer("bob", 1)).success
    assert {each.state for each in world.table.submissions()} == {"open"}
    assert world.outbox.sweep() == 0
    assert {each.state for each in world.table.submissions()} == {"committed"}
    assert world.outbox.settle("gift/0", "alice", world.transfer("bob", 1)).success
    assert world.octas("bob") == 3


def test_what_waits_behind_bytes_that_were_never_sent_sends_them(world: World) -> None:
    world.fund("alice", OCTAS)
    dying = world.make_outbox(node=DiesBeforeSending(world.localnet.node))
    with pytest.raises(Killed):
        dying.submit("first", "alice", world.transfer("bob", 1))
    world.outbox.submit("second", "alice", world.transfer("bob", 2))
    assert world.outbox.await_fate("second").success
    assert world.octas("bob") == 3


def test_bytes_whose_number_others_used_do_not_stop_the_sweep(world: World) -> None:
    keep_bytes_that_can_not_stand(world)
    foreign = world.make_outbox(node=DiesBeforeSending(world.localnet.node))
    with pytest.raises(Killed):
        foreign.submit("late", "alice", world.transfer("bob", 2))
    assert world.outbox.sweep() == 2
    assert world.outbox.await_fate("late").success


def test_a_sweep_looks_at_a_few_and_the_next_goes_on_behind_them(world: World) -> None:
    keep_bytes_that_can_not_stand(world)
    for index in range(3):
        world.outbox.settle(f"settled/{index}", "alice", world.transfer("bob", 1))
    assert [world.outbox.sweep(at_most=2) for _ in range(4)] == [1, 0, 0, 1]
    assert {each.key for each in world.table.submissions() if each.state == "open"} == {"wallet"}


def keep_bytes_that_can_not_stand(world: World) -> None:
    """Under "wallet" lies another transfer of alice's than the one that used its number."""
    world.fund("alice", OCTAS)
    world.outbox.submit("gift", "alice", world.transfer("bob", 1))
    world.outbox.await_fate("gift")
    used = world.table.submission("gift")
    assert used is not None
    raw = raw_transaction_of(bytes.fromhex(used.record.signed))
    raw.expiration_timestamps_secs -= 1
    signed = world.outbox._signed(raw, "alice", True)
    world.table.save_foreign(
        msgspec.structs.replace(
            used.record,
            key="wallet",
            sender="",
            signed=signed.hex(),
            hash=transaction_hash(signed),
            state="open",
        )
    )
