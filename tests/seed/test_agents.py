"""What agents decide: the same for one seed, within the rules of the books, around what was published."""

from __future__ import annotations

import random
from typing import Any

import pytest

from carbonmarket.chain import market_calls
from carbonmarket_adapters.aptos.client import NodeClient
from infra.local.seed.agents import Act, Agents, Venue, makers, strays, takers
from infra.local.seed.imports import LOT, MIN_NOTIONAL, TICK
from infra.local.seed.tape import Tape

TONNE = 1_000_000
VENUES = [
    Venue(1, "0xa", "Forest Carbon", 4_730_000, 12_000 * TONNE, "seed-maker-1"),
    Venue(2, "0xb", "Forest Carbon", 4_730_000, 14_000_000 * TONNE, "seed-maker-2"),
    Venue(3, "0xc", "Coal Mine Methane", 3_370_000, 2 * TONNE, "seed-maker-3"),
]
ADDRESSES = {key: f"0x{key}" for key in (*makers(), *takers(), *strays())}


def tape() -> Tape:
    """A tape of nothing yet; these tests ask no node."""
    return Tape(NodeClient("http://127.0.0.1:1/v1"), 0)


def acts(seed: int, seen: Tape | None = None, orders: int = 300) -> list[Act]:
    """A wave of orders."""
    return list(Agents(VENUES, ADDRESSES, "0xusdc", random.Random(seed)).wave(orders, seen or tape()))


def arguments(act: Act) -> list[Any]:
    """The values of a call."""
    return [value for _, value in act.call.args]


def test_the_same_seed_gives_the_same_orders() -> None:
    assert acts(1) == acts(1)
    assert acts(1) != acts(2)
    assert len(acts(1)) == 300


def test_every_order_keeps_to_the_rules_of_its_book() -> None:
    published = {venue.book: venue.published for venue in VENUES}
    placed = [arguments(act) for act in acts(3) if act.call.function == "place"]
    assert len(placed) > 200
    for book, _, _, price, grams, *_ in placed:
        assert price % TICK == 0
        assert grams % LOT == 0
        assert price * grams // TONNE >= MIN_NOTIONAL
        assert published[book] * 3 // 4 < price < published[book] * 5 // 4


def test_who_holds_nothing_sells_nothing() -> None:
    sellers = {act.key for act in acts(4) if act.call.function == "place" and not arguments(act)[1]}
    assert sellers
    assert sellers <= set(makers())


def test_whoever_bought_may_sell_and_never_more_than_is_held() -> None:
    seen = tape()
    held = {"0xa": 7 * TONNE, "0xb": 90 * TONNE, "0xc": TONNE}
    for key in (*takers(), *strays()):
        for batch, grams in held.items():
            seen.balances[ADDRESSES[key], batch] = grams
    by_book = {venue.book: held[venue.batch] for venue in VENUES}
    sales = [
        arguments(act)
        for act in acts(5, seen)
        if act.call.function == "place" and act.key not in makers() and not arguments(act)[1]
    ]
    assert sales
    assert all(grams <= by_book[book] for book, _, _, _, grams, *_ in sales)


def test_a_maker_takes_its_old_quotes_away_once_before_it_quotes_anew() -> None:
    seen = tape()
    seen.open_orders["0xseed-maker-2", 2] = list(range(20))
    cancelled = [arguments(act) for act in acts(6, seen) if act.call.function == "cancel_page"]
    assert cancelled == [[2, tuple(range(market_calls.PAGE_MAX))], [2, (16, 17, 18, 19)]]


@pytest.mark.parametrize("orders", [0, 1, 7])
def test_a_wave_has_as_many_orders_as_were_asked_for(orders: int) -> None:
    assert len(acts(7, orders=orders)) == orders
