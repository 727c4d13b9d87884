"""Many books are read together, and the best prices kept beside them are those of their levels."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from carbonmarket import candles
from carbonmarket.candles import DAY_US, INTERVALS
from carbonmarket.operations.acts import Desk
from carbonmarket.operations.route_order import Criteria, RouteOrder, route_order
from carbonmarket.ports.projection import Folded, Key
from carbonmarket.records.market import Book, BookName, Level, Order
from carbonmarket.settings import Settings
from carbonmarket_adapters.dynamo.best_prices import BEST_PRICES, best_prices_keys
from carbonmarket_adapters.dynamo.chain import ChainTable
from carbonmarket_adapters.dynamo.chain_keys import key_of, write_of
from carbonmarket_adapters.dynamo.chain_writer import EFFECTS_MAX, ChainWriter
from carbonmarket_adapters.dynamo.market import MarketTable
from carbonmarket_adapters.dynamo.table import DocumentTable, Write, table_model
from infra.local.settings import MachineSettings
from tests.fixtures.requests import requests_of
from tests.unit.market.test_routes import batch

_stages = itertools.count()
unasked: Any = None
NOW = 1_467_374_400_000_000  # 2016-07-01T12:00Z


@pytest.fixture
def settings(dynamodb_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Settings with a table ``chain`` of its own."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    machine = MachineSettings(state=tmp_path, stage=f"books{next(_stages)}")
    found = replace(machine.market_settings("0x" + "c" * 64), aws_endpoint_url=dynamodb_url)
    model = table_model(found, "chain")
    model.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    yield found
    model.delete_table()


def book(number: int, last_price: int | None = None) -> Book:
    return Book(
        number=number,
        batch=f"0xb{number}",
        quote="0xd",
        tick=1,
        lot=1,
        min_notional=1,
        labels=0,
        last_price=last_price,
        opened_us=0,
        version=number,
        transaction="0x1",
    )


class Chain:
    """Versions of a made-up chain: levels come and go, and the writer stores them."""

    def __init__(self, settings: Settings, seed: int) -> None:
        self.table = DocumentTable(settings, "chain")
        self.market = MarketTable(settings)
        self.writer = ChainWriter(settings)
        self.writer.begin()
        self.state: dict[Key, msgspec.Struct] = {}
        self.version = 0
        self._chance = random.Random(seed)

    def fold(self, effects: dict[Key, msgspec.Struct | None]) -> Folded:
        before = {key: self.state.get(key) for key in effects}
        self.state = {key: r for key, r in (self.state | effects).items() if r is not None}
        self.version += 1
        return Folded(self.version, f"0x{self.version}", self.version, effects, before)

    def commit(self, *versions: Folded) -> None:
        self.writer.commit(4, versions)

    def trading(self, books: int, touched: int, prices: int) -> Folded:
        """A version in which levels of books come or go."""
        effects: dict[Key, msgspec.Struct | None] = {}
        for _ in range(touched):
            number, is_bid = self._chance.randint(1, books), self._chance.random() < 0.5
            level = Level(
                book=number, is_bid=is_bid, price=self._chance.randint(1, prices), grams=5, orders=1
            )
            key = key_of("level", level)
            gone = key in self.state and self._chance.random() < 0.7
            effects[key] = None if gone else level
        return self.fold({key: record for key, record in effects.items() if record != self.state.get(key)})

    def best(self, books: int) -> list[tuple[int | None, int | None]]:
        """(bid, ask) of the books as they are kept; asserts that these are the first levels of each side."""
        found = self.market.tickers([book(number) for number in range(1, books + 1)], NOW)
        kept = [(each.best_bid, each.best_ask) for each in found]
        for number, pair in enumerate(kept, start=1):
            levels = [self.market.levels(number, is_bid, first=1) for is_bid in (True, False)]
            assert pair == tuple(level[0].price if level else None for level in levels), number
        asks = {number: ask for number, (_, ask) in enumerate(kept, start=1) if ask is not None}
        assert self.market.best_asks(range(1, books + 1)) == asks
        return kept


@pytest.mark.parametrize("seed", range(3))
def test_best_prices_are_those_of_the_levels_forwards_and_back(settings: Settings, seed: int) -> None:
    chain = Chain(settings, seed)
    chain.commit(chain.fold({("book", str(number)): book(number) for number in (1, 2, 3)}))
    seen = [chain.best(3)]
    for _ in range(12):
        chain.commit(*(chain.trading(3, touched=6, prices=6) for _ in range(3)))
        seen.append(chain.best(3))
    assert len(set(map(str, seen))) > 6
    while seen:
        assert chain.best(3) == seen.pop()
        chain.writer.undo_newest()
    assert [item.kind for item in table_model(settings, "chain").scan()] == []


def test_a_version_that_does_not_fit_with_the_best_prices_is_parted_and_undone(settings: Settings) -> None:
    chain = Chain(settings, 1)
    count = EFFECTS_MAX // 2
    levels = [Level(book=each, is_bid=False, price=7, grams=1, orders=1) for each in range(1, count + 1)]
    books = {("book", str(number)): book(number) for number in range(1, count + 1)}
    chain.commit(chain.fold(books | {key_of("level", level): level for level in levels}))
    assert chain.market.best_asks(range(1, count + 1)) == dict.fromkeys(range(1, count + 1), 7)
    while list(chain.writer.marks()):
        chain.writer.undo_newest()
    assert [item.kind for item in table_model(settings, "chain").scan()] == []


def test_a_book_whose_best_prices_were_never_kept_is_asked_for_its_levels(settings: Settings) -> None:
    chain = Chain(settings, 1)
    chain.commit(*(chain.trading(2, touched=20, prices=9) for _ in range(2)))
    kept = chain.best(2)
    for number in (1, 2):
        chain.table.delete(*best_prices_keys(number))
    assert chain.best(2) == kept
    # The next change of a level keeps them again, of both sides.
    asks = Level(book=1, is_bid=False, price=1, grams=1, orders=1)
    chain.commit(chain.fold({key_of("level", asks): asks}))
    assert chain.table.get(BEST_PRICES, *best_prices_keys(1)) is not None
    assert chain.best(2)[0] == (kept[0][0], 1)


def test_clearing_the_projection_clears_the_best_prices(settings: Settings) -> None:
    chain = Chain(settings, 1)
    chain.commit(chain.trading(2, touched=20, prices=9))
    chain.writer.clear()
    assert [item.kind for item in table_model(settings, "chain").scan()] == []


def fill(settings: Settings, books: int, traded_us: int) -> list[Book]:
    """Books with an ask each and a trade, as the projection stores them."""
    table = DocumentTable(settings, "chain")
    made = [book(number, last_price=8) for number in range(1, books + 1)]
    writes: list[Write] = []
    for each in made:
        level = Level(book=each.number, is_bid=False, price=9, grams=1, orders=1)
        trades = (candles.of_trade(each.number, interval, traded_us, 8, 3, 24) for interval in INTERVALS)
        writes += [write_of(key_of("level", level), level), write_of(key_of("book", each), each)]
        writes += [write_of(key_of("candle", candle), candle) for candle in trades]
    for start in range(0, len(writes), EFFECTS_MAX):
        table.transact(writes[start : start + EFFECTS_MAX])
    writer = ChainWriter(settings)
    writer.begin()
    for each in made:
        key = key_of("book", each)
        writer.commit(4, [Folded(each.number, "0x1", each.number, {key: each}, {key: None})])
    return made


def test_requests_for_best_prices_and_tickers_do_not_grow_with_the_books(settings: Settings) -> None:
    market, books = MarketTable(settings), fill(settings, 30, NOW - 3 * DAY_US)

    def requests(count: int) -> tuple[int, int]:
        chosen = books[:count]
        asks = requests_of(settings, lambda: market.best_asks(each.number for each in chosen), "chain")
        return asks, requests_of(settings, lambda: market.tickers(chosen, NOW), "chain")

    assert requests(1) == requests(30) == (1, 2)
    assert market.best_asks([1, 30]) == {1: 9, 30: 9}


def test_requests_for_tickers_of_traded_books_are_fewer_than_the_books(settings: Settings) -> None:
    market, books = MarketTable(settings), fill(settings, 30, NOW - DAY_US + 2 * INTERVALS["1m"])
    found = market.tickers(books, NOW)
    assert [(each.trades_24h, each.grams_24h, each.last_price) for each in found] == [(1, 3, 8)] * 30
    # Best prices 1, days 1, hours 4, five minutes 4, minutes 2.
    assert requests_of(settings, lambda: market.tickers(books, NOW), "chain") <= 12


def test_requests_for_books_of_batches_do_not_grow_with_the_batches(settings: Settings) -> None:
    chain = Chain(settings, 1)
    opened = [book(number) for number in range(1, 41)]
    for each in opened:
        name = BookName(batch=each.batch, quote=each.quote, number=each.number)
        chain.commit(chain.fold({key_of("book", each): each, key_of("book_name", name): name}))
    batches = {each.batch: each for each in opened}
    assert chain.market.books_of(batches, "0xd") == batches
    assert chain.market.books_of(batches, "0xe") == {}
    assert requests_of(settings, lambda: chain.market.books_of(batches, "0xd"), "chain") == 2


def routed(settings: Settings) -> Desk:
    """A desk with forty books, each with a batch and an ask of a gram at 9."""
    books = fill(settings, 40, NOW - 3 * DAY_US)
    made = [batch(address=each.batch, id=f"BAT{each.number}") for each in books]
    DocumentTable(settings, "chain").transact([write_of(key_of("batch", each), each) for each in made])
    return Desk(
        market=MarketTable(settings), credits=ChainTable(settings), quote="0xd", now_us=NOW,
        terms=unasked, chain=unasked, accounts=unasked, kept=unasked,
    )  # fmt: skip


def test_own_offers_in_the_cheapest_books_hide_nobody_elses(settings: Settings) -> None:
    desk = routed(settings)
    own = [
        Order(
            book=number, id=str(number), account="0xa", is_bid=False, kind="gtc", price=9, grams=1, open=1,
            escrow=1, held=1, maker_bps=0, taker_bps=0, labels=0, expires_at=0, placed_us=NOW, changed_us=NOW,
            version=1, transaction="0x1",
        )
        for number in range(1, 21)
    ]  # fmt: skip
    DocumentTable(settings, "chain").transact([write_of(key_of("order", each), each) for each in own])
    asked = RouteOrder(criteria=Criteria(), price="9", grams="4")
    assert [leg.book for leg in route_order(asked, desk=desk, account="0xa").legs] == [21, 22, 23, 24]


def test_requests_for_a_route_do_not_grow_with_the_books(settings: Settings) -> None:
    desk = routed(settings)
    asked = RouteOrder(criteria=Criteria(countries=("US",)), price="9", grams="4")
    assert [leg.book for leg in route_order(asked, desk=desk).legs] == [1, 2, 3, 4]
    # What is frozen, books and that there are no more, their batches, best prices, and the levels of sixteen.
    assert requests_of(settings, lambda: route_order(asked, desk=desk), "chain") == 5 + 16
