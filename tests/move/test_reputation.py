"""The core computes reputation as the contract does, to the unit, and both stay near the real numbers."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from decimal import ROUND_FLOOR, Decimal, localcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbonmarket import reputation as rep
from carbonmarket.chain.aborts import known_aborts
from carbonmarket.chain.addresses import canonical
from carbonmarket.chain.events import PartyRated, decode
from infra.local.chain.types import parse_type
from infra.local.chain.vm import Outcome
from tests.move.market import ADMIN, MOVE, ORACLE, Market

pytestmark = pytest.mark.chain

PARTIES = 3
PRECISION = 60
EVIDENCE = "0x" + "e1" * 32
YEAR = 365 * 86_400
[SAME_PARTY] = [
    code for code, abort in known_aborts()["reputation_system"].items() if abort.name == "E_SAME_PARTY"
]

waits = st.one_of(
    st.sampled_from([0, 1, rep.HALF_LIFE_SECONDS - 1, rep.HALF_LIFE_SECONDS, rep.HALF_LIFE_SECONDS + 1]),
    st.integers(0, 22).map(lambda power: 1 << power),
    st.integers(0, 2 * YEAR),
)
acts = st.tuples(
    waits,
    st.integers(0, PARTIES - 1),
    st.integers(0, PARTIES - 1),
    st.sampled_from(sorted(rep.SHARES)),
    st.integers(0, rep.BEST),
    st.integers(1, 100),
)


@pytest.fixture(scope="module")
def market() -> Iterator[Market]:
    """A chain with an oracle, where many histories are played one after the other, each by other parties."""
    started = Market()
    started.do(ADMIN, "access_control::grant_role", 2, ORACLE)
    yield started
    started.vm.close()


class History:
    """Parties that rate each other on the chain, and the same kept by the core's functions."""

    _numbers = itertools.count(1)

    def __init__(self, market: Market) -> None:
        self.market = market
        number = next(self._numbers)
        self.accounts = [f"0x{number:032x}{party:032x}" for party in range(PARTIES)]
        self.parties = [f"0x{number:062x}{party:02x}" for party in range(PARTIES)]
        for account, party in zip(self.accounts, self.parties, strict=True):
            self.market.do(ORACLE, "reputation_system::verify_account", account, party, EVIDENCE)
        self.standings: dict[tuple[int, int], rep.Standing] = {}
        self.pairs: dict[tuple[int, int, int], rep.Pair] = {}
        self.ratings = 0

    def rate(self, subject: int, other: int, dimension: int, mark: int, weight: int) -> Outcome:
        """A rating on the chain; of data quality nobody is the counterparty."""
        self.ratings += 1
        by = [] if dimension == rep.DATA_QUALITY else [self.accounts[other], dimension]
        name = "rate_data" if dimension == rep.DATA_QUALITY else "rate"
        return self.market.attempt(
            ORACLE, f"reputation_system::{name}", self.accounts[subject], *by, f"T{self.ratings}",
            str(mark), str(weight), EVIDENCE,
        )  # fmt: skip

    def expect(self, subject: int, other: int, dimension: int, mark: int, weight: int) -> int:
        """The same rating in the core; what of its weight counted."""
        now = self.market.now
        met, counted = False, weight * rep.ONE
        if dimension != rep.DATA_QUALITY:
            key = subject, other, dimension
            met = key not in self.pairs
            counted, self.pairs[key] = rep.capped(self.pairs.get(key), weight, now)
        before = self.standings.get((subject, dimension), rep.Standing())
        self.standings[subject, dimension] = rep.rated(before, mark=mark, counted=counted, met=met, now=now)
        return counted

    def of(self, party: int) -> dict[int, rep.Standing]:
        """A party's standings by dimension."""
        return {at: standing for (owner, at), standing in self.standings.items() if owner == party}

    def check(self, party: int, dimension: int) -> None:
        """The chain's views give what the core reads now."""
        now, name = self.market.now, self.parties[party]
        standing = self.standings.get((party, dimension), rep.Standing())
        aged = rep.at(standing, now)
        told = self.market.view("reputation_system::standing", name, dimension)
        assert list(map(int, told)) == [
            aged.points, aged.weight, aged.ratings, aged.counterparties, aged.updated
        ]  # fmt: skip
        [score] = self.market.view("reputation_system::score", name, dimension)
        assert int(score) == rep.score(standing, now)
        [overall] = self.market.view("reputation_system::overall", name)
        assert int(overall) == rep.overall(self.of(party), now)


def rated_event(market: Market, outcome: Outcome) -> PartyRated:
    """The event of a rating, through the values of the node and the core's decoder."""
    [(kind, data)] = outcome.events
    found = decode(kind, dict(market.values.from_vm(parse_type(kind), json.loads(data))), canonical(ADMIN))
    assert isinstance(found, PartyRated)
    return found


@settings(max_examples=40, deadline=None)
@given(story=st.lists(acts, min_size=1, max_size=12), after=waits)
def test_the_core_agrees_with_the_chain_on_every_history(
    market: Market, story: list[tuple[int, int, int, int, int, int]], after: int
) -> None:
    history = History(market)
    for wait, subject, other, dimension, mark, weight in story:
        market.now += wait
        outcome = history.rate(subject, other, dimension, mark, weight)
        if subject == other and dimension != rep.DATA_QUALITY:
            assert f"reputation_system, code={SAME_PARTY}" in (outcome.failure or "")
            continue
        assert outcome.failure is None, outcome.failure
        before = history.standings.get((subject, dimension), rep.Standing())
        counted = history.expect(subject, other, dimension, mark, weight)
        event = rated_event(market, outcome)
        assert int(event.counted) == counted
        assert rep.standing_after(event) == history.standings[subject, dimension]
        assert event.score_new == rep.score(history.standings[subject, dimension], market.now)
        aged = rep.at(before, market.now)
        old = (int(event.points_old), int(event.weight_old), event.ratings_old, event.counterparties_old)
        assert old == (aged.points, aged.weight, aged.ratings, aged.counterparties)
        assert event.score_old == rep.score(before, market.now)
    market.now += after
    for party, dimension in itertools.product(range(PARTIES), rep.SHARES):
        history.check(party, dimension)


def test_an_event_tells_everything_about_a_rating(market: Market) -> None:
    history = History(market)
    history.rate(0, 1, rep.DELIVERY, 10_000, 100)
    market.now += rep.HALF_LIFE_SECONDS
    event = rated_event(market, history.rate(0, 1, rep.DELIVERY, 0, 100))
    assert event == PartyRated(
        party=history.parties[0], counterparty=history.parties[1], dimension=rep.DELIVERY, reference="T2",
        mark=0, weight=100, counted=str(50 * rep.ONE), evidence_hash=EVIDENCE, rated_at=market.now,
        points_old=str(500_000 * rep.ONE), points_new=str(500_000 * rep.ONE),
        weight_old=str(50 * rep.ONE), weight_new=str(100 * rep.ONE), score_old=6_666, score_new=5_000,
        ratings_old=1, ratings_new=2, counterparties_old=1, counterparties_new=1,
    )  # fmt: skip


# Against the real numbers.


def left(elapsed: int) -> Decimal:
    """2^-(elapsed / half-life)."""
    return Decimal(2) ** (Decimal(-elapsed) / rep.HALF_LIFE_SECONDS)


def test_the_contracts_table_is_the_powers_of_two_rounded_down() -> None:
    source = (MOVE / "sources" / "reputation_system.move").read_text()
    [table] = re.findall(r"LEFT_AFTER: vector<u64> = vector\[([^\]]*)\]", source)
    with localcontext(prec=PRECISION):
        exact = [(rep.ONE * left(1 << k)).to_integral_value(ROUND_FLOOR) for k in range(24)]
    assert [int(number) for number in table.split(",")] == exact


@given(amount=st.integers(0, 2**128 - 1), elapsed=st.integers(0, 130 * rep.HALF_LIFE_SECONDS))
def test_a_decay_falls_short_by_less_than_is_said(amount: int, elapsed: int) -> None:
    with localcontext(prec=PRECISION):
        exact = amount * left(elapsed)
        assert 0 <= exact - rep.decayed(amount, elapsed) <= exact / 2**57 + 1


def test_time_does_not_run_backwards_for_a_reader_with_a_slow_clock() -> None:
    assert rep.decayed(1_000, -5) == 1_000


@given(
    story=st.lists(
        st.tuples(st.integers(0, YEAR), st.integers(0, 10_000), st.integers(1, 100)), min_size=1, max_size=60
    ),
    after=st.integers(0, YEAR),
)
def test_a_score_is_the_real_one_rounded_down(story: list[tuple[int, int, int]], after: int) -> None:
    """One counterparty rates again and again, so that the cap's own decays count too."""
    standing, pair, now = rep.Standing(), rep.Pair(), 0
    with localcontext(prec=PRECISION):
        points, weights, cap = Decimal(0), Decimal(0), Decimal(100)
        for wait, mark, weight in story:
            now += wait
            counted, pair = rep.capped(pair, weight, now)
            standing = rep.rated(standing, mark=mark, counted=counted, met=False, now=now)
            points, weights = points * left(wait), weights * left(wait)
            room = min(Decimal(weight), cap - weights)
            points, weights = points + mark * room, weights + room
        points, weights = points * left(after), weights * left(after)
        real = (points + 100 * rep.NEUTRAL) / (weights + 100)
        aged = rep.at(standing, now + after)
        units = (aged.points + rep.PRIOR_WEIGHT * rep.NEUTRAL) / Decimal(aged.weight + rep.PRIOR_WEIGHT)
        assert abs(units - real) <= Decimal(len(story) + 1) / 2**42
        assert rep.score(standing, now + after) == units.to_integral_value(ROUND_FLOOR)
