"""Whatever people do in whatever order, no gram appears or is lost, and every burnt gram has its serial."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

import pytest

from tests.move.market import BUYER, DEVELOPER, ISSUER, PAUSER, Market

pytestmark = pytest.mark.chain

ACTS = 120
HOLDERS = (DEVELOPER, BUYER)


@pytest.fixture
def market() -> Iterator[Market]:
    started = Market()
    yield started
    started.vm.close()


def act(market: Market, chance: random.Random, batch: str, name: str) -> bool:
    """Try one thing with an amount that may be too much; whether the contracts let it pass."""
    holder, other = chance.sample(HOLDERS, 2)
    grams = chance.choice((0, 1, chance.randrange(1, 400), chance.randrange(1, 9_000)))
    kind = chance.choice(("give", "give", "retire", "retire", "cancel", "reverse", "freeze", "unfreeze"))
    if kind == "give":
        outcome = market.attempt(holder, "carbon_credit::give", batch, other, str(grams))
    elif kind == "retire":
        outcome = market.retire(holder, batch, grams, name)
    elif kind == "cancel":
        outcome = market.attempt(holder, "carbon_credit::cancel", batch, str(grams), name, "")
    elif kind == "reverse":
        evidence = "0x" + "fe" * 32
        outcome = market.attempt(ISSUER, "carbon_credit::reverse", batch, str(grams // 8), name, evidence)
    else:
        outcome = market.attempt(PAUSER, f"access_control::{kind}_account", holder, "case 17")
    return outcome.failure is None


def burnt_ranges(market: Market, names: list[str]) -> list[tuple[int, int]]:
    """First and last serial of each record that burnt something."""
    records = [
        market.view("certificate_registry::record", name)[0]
        for name in names
        if market.view("certificate_registry::record_exists", name) == [True]
    ]
    return [(int(each["serial_first"]), int(each["serial_last"])) for each in records if each["grams"] != "0"]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_order_of_acts_breaks_a_batch(market: Market, seed: int) -> None:
    chance = random.Random(seed)
    batch, _ = market.issue()
    [buffer_owner] = market.view("credit_batch::registry_address")
    names = [f"ACT{number}" for number in range(ACTS)]
    passed = 0
    for name in names:
        passed += act(market, chance, batch, name)
        [state] = market.view("credit_batch::batch", batch)
        held = [market.view("credit_batch::holding", owner, batch)[0] for owner in (*HOLDERS, buffer_owner)]
        burnt = int(state["retired"]) + int(state["cancelled"])
        assert int(state["issued"]) == sum(map(int, held)) + burnt
        assert int(state["serial_next"]) == int(state["serial_first"]) + burnt
    assert 0 < passed < ACTS
    ranges = sorted(burnt_ranges(market, names))
    assert ranges[0][0] == int(state["serial_first"])
    assert all(first == last + 1 for (_, last), (first, _) in itertools.pairwise(ranges))
    assert ranges[-1][1] == int(state["serial_next"]) - 1
