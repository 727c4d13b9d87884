"""What is on offer is read anew every two seconds, or less often where reading it takes long."""

from __future__ import annotations

from typing import Any

from carbonmarket.operations.find_market import Catalogue
from carbonmarket.times import MICROSECONDS


class Market:
    """A market in which nothing is on offer, and counts how often it was looked through."""

    def __init__(self, takes_s: int) -> None:
        self.looks = 0
        self.clock_us = 0
        self._takes_us = takes_s * MICROSECONDS

    def books(self, **_: Any) -> list[Any]:
        self.looks += 1
        self.clock_us += self._takes_us
        return []

    def listings(self, **_: Any) -> list[Any]:
        return []

    def batches_at(self, _addresses: Any) -> dict[str, Any]:
        return {}

    def frozen(self) -> frozenset[str]:
        return frozenset()

    def best_asks(self, _books: Any) -> dict[int, int]:
        return {}

    def standings_of(self, _accounts: Any) -> dict[str, Any]:
        return {}


def looks(takes_s: int) -> list[int]:
    """How often it was looked through after each of 20 seconds with a search in each."""
    market: Any = Market(takes_s)
    catalogue = Catalogue(market, market, "0xd", lambda: market.clock_us)
    found = []
    for second in range(20):
        catalogue.offers(second * MICROSECONDS)
        found.append(market.looks)
    return found


def test_a_quick_look_is_repeated_every_two_seconds() -> None:
    assert looks(0) == [1 + second // 2 for second in range(20)]


def test_a_slow_look_takes_a_quarter_of_the_time() -> None:
    assert looks(3) == [1 + second // 12 for second in range(20)]
