"""The sponsor pays for what the API built and for nothing else."""

from __future__ import annotations

import pytest

from carbonmarket.chain.calls import EntryCall, sponsored_names
from carbonmarket.chain.ways_out import ways_out
from carbonmarket.errors import BudgetSpent, NotAllowed
from carbonmarket_adapters.aptos import sponsorship
from tests.chain.world import OCTAS, TRANSFER, World

CAP = sponsorship.GAS_UNITS_MAX


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


def test_one_organisation_leaves_to_the_others_what_the_day_has(world: World) -> None:
    outbox = world.make_outbox(gas_units_a_day=100 * CAP, gas_units_an_account=5 * CAP)
    for name in ("ORG1", "ORG2"):
        world.signer.create(name)
        world.fund(name, OCTAS)
    for number in range(4):
        outbox.submit(f"order/{number}", "ORG1", world.transfer("bob", 1))
    with pytest.raises(BudgetSpent, match=r"your organisation's part .* renewed at midnight UTC") as refused:
        outbox.submit("order/4", "ORG1", world.transfer("bob", 1))
    assert refused.value.status == 429
    assert outbox.submit("another's", "ORG2", world.transfer("bob", 1))


def test_who_may_place_nothing_more_may_still_leave(world: World) -> None:
    leaving = world.make_outbox(gas_units_an_account=5 * CAP, ways_out=[TRANSFER])
    placing = world.make_outbox(gas_units_an_account=5 * CAP)
    world.signer.create("ORG1")
    world.fund("ORG1", OCTAS)
    for number in range(4):
        placing.submit(f"order/{number}", "ORG1", world.transfer("bob", 1))
    with pytest.raises(BudgetSpent):
        placing.submit("order/4", "ORG1", world.transfer("bob", 1))
    leaving.submit("cancel/0", "ORG1", world.transfer("bob", 1))
    # It has an end too: a way out that is refused on chain costs the same.
    with pytest.raises(BudgetSpent):
        leaving.submit("cancel/1", "ORG1", world.transfer("bob", 1))


def test_every_way_out_is_one_of_the_sponsored_calls() -> None:
    assert ways_out("0xcafe") < sponsored_names("0xcafe")


def test_all_organisations_together_leave_the_platform_its_part(world: World) -> None:
    rules = {"gas_units_a_day": 10 * CAP, "gas_units_an_account": 100 * CAP}
    outbox = world.make_outbox(**rules)
    leaving = world.make_outbox(**rules, ways_out=[TRANSFER])
    world.signer.create("ORG1")
    for name in ("ORG1", "alice"):
        world.fund(name, OCTAS)
    for number in range(8):
        outbox.submit(f"order/{number}", "ORG1", world.transfer("bob", 1))
    with pytest.raises(BudgetSpent, match=r"the sponsor's budget is used up .* 8 tenths"):
        outbox.submit("order/8", "ORG1", world.transfer("bob", 1))
    leaving.submit("cancel/0", "ORG1", world.transfer("bob", 1))
    with pytest.raises(BudgetSpent):
        leaving.submit("cancel/1", "ORG1", world.transfer("bob", 1))
    outbox.submit("mint", "alice", world.transfer("bob", 1))
    with pytest.raises(BudgetSpent):
        outbox.submit("mint/1", "alice", world.transfer("bob", 1))


def test_what_calls_did_not_use_comes_back_once_their_fate_is_known(world: World) -> None:
    outbox = world.make_outbox(gas_units_a_day=100 * CAP, gas_units_an_account=20 * CAP)
    world.signer.create("ORG1")
    world.fund("ORG1", OCTAS)
    for number in range(16):
        outbox.submit(f"order/{number}", "ORG1", world.transfer("bob", 1))
    with pytest.raises(BudgetSpent):
        outbox.submit("order/16", "ORG1", world.transfer("bob", 1))
    day = world.table.submission("order/0").record.gas_day
    account = world.address("ORG1")
    assert world.table.budget("sponsor", day, account).record.gas_units == 16 * CAP
    # The sweep runs in another process, which has no key.
    while world.make_outbox(signer=None).sweep():
        pass
    used = world.table.budget("sponsor", day, account).record.gas_units
    assert 0 < used < 2 * CAP
    assert outbox.submit("order/16", "ORG1", world.transfer("bob", 1))


def test_what_the_sponsor_did_not_pay_for_is_not_booked_back(world: World) -> None:
    world.fund("alice", OCTAS)
    for number in range(sponsorship._BOOKED_BACK_CALLS + 1):
        world.outbox.submit(f"own/{number}", "alice", world.transfer("bob", 1), sponsored=False)
    world.outbox.submit("gift", "alice", world.transfer("bob", 1))
    day = world.table.submission("gift").record.gas_day
    while world.outbox.sweep():
        pass
    assert world.table.budget("sponsor", day).record.gas_units == CAP


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
