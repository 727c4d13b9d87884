"""The sponsor pays for what the API built and for nothing else."""

from __future__ import annotations

import pytest

from carbonmarket.chain.calls import EntryCall
from carbonmarket.errors import NotAllowed
from carbonmarket_adapters.aptos import sponsorship
from tests.chain.world import OCTAS, World


def test_a_call_that_is_not_on_the_list_is_refused_and_nothing_is_stored(world: World) -> None:
    strange = EntryCall(module="0x1::aptos_account", function="create_account", args=(("address", "0x5"),))
    with pytest.raises(NotAllowed, match="allow-list"):
        world.outbox.submit("strange", "alice", strange)
    assert world.table.submission("strange") is None
    assert world.table.held(world.address("alice"), world.sequence("alice")) == {}


def test_the_same_function_of_another_package_is_refused(world: World) -> None:
    strange = EntryCall(module="0xbad::aptos_account", function="transfer", args=())
    with pytest.raises(NotAllowed, match="allow-list"):
        world.outbox.submit("strange", "alice", strange)


def test_a_day_has_a_budget(world: World) -> None:
    world.fund("alice", OCTAS)
    outbox = world.make_outbox(gas_units_a_day=2 * sponsorship.GAS_UNITS_MAX)
    for number in range(2):
        outbox.submit(f"gift/{number}", "alice", world.transfer("bob", 1))
    with pytest.raises(NotAllowed, match="budget"):
        outbox.submit("gift/2", "alice", world.transfer("bob", 1))


def test_a_repeated_submission_is_counted_once(world: World) -> None:
    world.fund("alice", OCTAS)
    outbox = world.make_outbox(gas_units_a_day=sponsorship.GAS_UNITS_MAX)
    for _ in range(3):
        outbox.submit("gift", "alice", world.transfer("bob", 1))
    assert outbox.await_fate("gift").success


@pytest.mark.parametrize(
    ("limit", "value", "words"),
    [
        ("GAS_UNITS_MAX", 10, "gas units"),
        ("GAS_PRICE_OCTAS_MAX", 1, "octas a gas unit"),
        ("EXPIRY_S", 1, "expires within"),
    ],
)
def test_bytes_beyond_a_cap_are_refused(
    world: World, monkeypatch: pytest.MonkeyPatch, limit: str, value: int, words: str
) -> None:
    # The outbox builds within the caps it was given; the sponsor's rule is checked with a lower one.
    monkeypatch.setattr(sponsorship, limit, value)
    with pytest.raises(NotAllowed, match=words):
        world.outbox.submit("gift", "alice", world.transfer("bob", 1))
