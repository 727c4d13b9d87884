"""Whatever traders do in whatever order, the contracts do what the plain book does, to the gram and the unit.

5,000 acts in two books and beside them; MARKET_ACTS sets another number, MARKET_SEED another beginning.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.move.exchange import Exchange
from tests.move.play import Play, new_play

pytestmark = pytest.mark.chain

ACTS = int(os.environ.get("MARKET_ACTS", "5000"))
SEED = int(os.environ.get("MARKET_SEED", "2"))
SHOWS_ALL = ACTS >= 50_000 or (ACTS, SEED) == (5_000, 2)
"""Whether what is rare comes up too."""


@pytest.fixture
def play() -> Iterator[Play]:
    play = new_play(Exchange(), SEED, books=2)
    yield play
    play.chain.vm.close()


def test_random_acts_end_as_in_the_plain_book(play: Play) -> None:
    seen: Counter[str] = Counter()
    told: Counter[str] = Counter()
    ends: Counter[int] = Counter()
    for _ in range(ACTS):
        seen[play.act()] += 1
        told.update(name for name, _ in play.plain.told)
        ends.update(said["reason"] for name, said in play.plain.told if name == "OrderCancelled")
        if play.number % 20 == 0:
            play.compare_balances()
        if play.number % 250 == 0:
            play.compare_places()
        if play.number % 2_500 == 0:
            play.compare_offers()
    play.compare_balances()
    play.compare_places()
    play.compare_offers()
    assert told["OrderFilled"] > ACTS // 10
    assert told["ListingSold"] > ACTS // 200
    assert told["GiftEnded"] > ACTS // 200
    assert seen["reverse: done"] > ACTS // 5_000
    if SHOWS_ALL:
        assert told["PendingChanged"] and play.strays
        assert set(ends) == set(range(1, 8))
    assert seen["place: done"] > ACTS // 20
