"""What everybody may see: offers, books, depth, trades, candles, tickers; and that it can be cached."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from carbonmarket.chain import calls
from carbonmarket.labels import label_bits
from carbonmarket.records.market import Book
from carbonmarket_adapters.wiring import chain, market
from tests.market.exchange import GRAMS, TICK, Exchange


def look(exchange: Exchange, path: str, **headers: str) -> Any:
    """A stranger's read."""
    from chalice.test import Client

    with Client(exchange.world._app(path)) as client:
        return client.http.request("GET", path, headers={"Accept": "application/json", **headers})


def nodes(answer: Any) -> list[Any]:
    """The nodes of a page."""
    return [edge["node"] for edge in json.loads(answer.body)["edges"]]


def test_a_trade_shows_in_depth_trades_candles_and_ticker(exchange: Exchange) -> None:
    book = exchange.books[0]
    exchange.place(exchange.seller, "sell", 10)
    exchange.place(exchange.seller, "sell", 11)
    exchange.place(exchange.buyer, "buy", 9)
    taken = exchange.place(exchange.buyer, "buy", 10, GRAMS // 4)
    exchange.watch()
    depth = json.loads(look(exchange, f"/v1/books/{book}/depth?levels=1").body)
    assert depth["asks"] == [{"price": str(10 * TICK), "grams": str(GRAMS * 3 // 4), "orders": 1}]
    assert depth["bids"] == [{"price": str(9 * TICK), "grams": str(GRAMS), "orders": 1}]
    [trade] = nodes(look(exchange, f"/v1/books/{book}/trades?first=1"))
    assert (trade["price"], trade["grams"]) == (str(10 * TICK), str(GRAMS // 4))
    assert (trade["taker_side"], trade["transaction"]) == ("buy", taken["transaction"])
    for interval in ("1m", "5m", "1h", "1d"):
        candles = json.loads(look(exchange, f"/v1/books/{book}/candles?interval={interval}").body)["candles"]
        assert candles[-1]["close"] == str(10 * TICK)
    ticker = json.loads(look(exchange, f"/v1/books/{book}/ticker").body)
    assert (ticker["best_bid"], ticker["best_ask"]) == (str(9 * TICK), str(10 * TICK))
    assert (ticker["last_price"], int(ticker["trades_24h"]) >= 1) == (str(10 * TICK), True)
    assert book in [int(each["book"]) for each in nodes(look(exchange, "/v1/tickers?first=100"))]


def test_a_ticker_that_did_not_change_is_not_sent_again(exchange: Exchange) -> None:
    path = f"/v1/books/{exchange.books[1]}/ticker"
    first = look(exchange, path)
    tag = first.headers["ETag"]
    assert first.headers["Cache-Control"] == "public, max-age=1"
    again = look(exchange, path, **{"If-None-Match": f'W/{tag}, "other"'})
    assert (again.status_code, again.body, again.headers["ETag"]) == (304, b"", tag)
    exchange.place(exchange.buyer, "buy", 3, book=str(exchange.books[1]))
    exchange.watch()
    changed = look(exchange, path, **{"If-None-Match": tag})
    assert (changed.status_code, changed.headers["ETag"] != tag) == (200, True)


def test_batches_are_found_by_what_buyers_ask_for(exchange: Exchange) -> None:
    dear, cheap = exchange.batches
    exchange.place(exchange.seller, "sell", 10)
    exchange.place(exchange.seller, "sell", 8, book=str(exchange.books[1]))
    exchange.watch()
    asked = "type=GRID-RENEWABLES-US-RMPA,OTHER&country=US&vintage=2016&reputation_min=5000"
    found = fresh(exchange, f"/v1/market/batches?{asked}&first=100")
    ours = [offer for offer in found if offer["batch"]["id"] in exchange.batches]
    assert [(offer["batch"]["id"], offer["best_price"]) for offer in ours] == [
        (cheap, str(8 * TICK)),
        (dear, str(10 * TICK)),
    ]
    assert ours[0]["reputation"] == "5000"
    for nothing in ("country=BR", "vintage=2017", "labels=ccp", "reputation_min=5001", "type=OTHER"):
        assert nodes(look(exchange, f"/v1/market/batches?{nothing}")) == []
    capped = nodes(look(exchange, f"/v1/market/batches?price_max={9 * TICK}"))
    assert [offer["batch"]["id"] for offer in capped] == [cheap]


class Strict:
    """What was seen of the market, where each book requires a label that no batch has now."""

    def __init__(self) -> None:
        self._seen = chain.market_projection()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._seen, name)

    def books(self, **page: Any) -> list[tuple[str, Book]]:
        """Books as they would be after their batches lost the label."""
        return [(cursor, self._strict(book)) for cursor, book in self._seen.books(**page)]

    def book_of(self, *named: str) -> Book | None:
        """One of them."""
        book = self._seen.book_of(*named)
        return None if book is None else self._strict(book)

    @staticmethod
    def _strict(book: Book) -> Book:
        return msgspec.structs.replace(book, labels=label_bits(["ccp"]))


def test_no_price_is_shown_or_quoted_where_the_batch_has_lost_a_label_of_its_book(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange.place(exchange.seller, "sell", 20_000, 50)
    exchange.watch()
    batch = exchange.batches[0]
    asked = {"batch": batch, "grams": "50", "deliver": "hold"}

    def prices() -> list[Any]:
        found = fresh(exchange, "/v1/market/batches?first=100")
        return [offer["best_price"] for offer in found if offer["batch"]["id"] == batch]

    assert prices() == [str(20_000 * TICK)]
    assert exchange.post(exchange.buyer, "/v1/quotes", asked)["grams"] == "50"
    strict = Strict()
    monkeypatch.setattr(chain, "market_projection", lambda: strict)
    assert prices() == [None]
    refused = exchange.refused_unsent(exchange.buyer, "/v1/quotes", asked)
    assert (refused.status, "has lost ccp" in str(refused)) == (409, True)
    market.catalogue.cache_clear()


def test_what_is_frozen_is_shown_as_halted_and_neither_offered_nor_quoted_nor_on_a_route(
    exchange: Exchange,
) -> None:
    dear, cheap = exchange.books
    batch = exchange.batches[1]
    exchange.place(exchange.seller, "sell", 10)
    exchange.place(exchange.seller, "sell", 8, book=str(cheap))
    listed = {"batch": batch, "grams": "100", "price": str(7 * TICK), "lot": "10", "fee_cap_bps": 100}
    number = exchange.post(exchange.seller, "/v1/market/listings", listed)["listing"]
    listing = f"/v1/market/listings/{number}"

    def halts() -> set[str | None]:
        paths = [f"/v1/books/{cheap}{part}" for part in ("", "/depth", "/ticker")]
        lists = [nodes(look(exchange, f"{path}?first=100")) for path in ("/v1/books", "/v1/tickers")]
        ours = [each for each in lists[0] if each["number"] == str(cheap)]
        ours += [each for each in lists[1] if each["book"] == str(cheap)]
        answers = [json.loads(look(exchange, path).body) for path in (*paths, listing)]
        return {each["halt"] for each in (*ours, *answers)}

    def offered() -> tuple[str | None, bool]:
        [offer] = [
            each for each in fresh(exchange, "/v1/market/batches?first=100") if each["batch"]["id"] == batch
        ]
        listings = nodes(look(exchange, "/v1/market/listings?first=100"))
        return offer["best_ask"], number in [each["number"] for each in listings]

    wanted = {"criteria": {"countries": ["US"]}, "price": str(11 * TICK), "grams": "100"}

    def route() -> list[str]:
        return [leg["book"] for leg in exchange.post(exchange.buyer, "/v1/orders/route", wanted)["legs"]]

    exchange.watch()
    assert (halts(), offered(), route()) == ({None}, (str(8 * TICK), True), [str(cheap)])
    address = exchange.batch(batch).address
    for frozen in (address, exchange.account(exchange.seller)):
        exchange.pauser("freeze", calls.freeze_account(frozen, "a case"))
        try:
            exchange.watch()
            if frozen == address:
                assert (halts(), offered(), route()) == ({"frozen"}, (None, False), [str(dear)])
                asked = {"batch": batch, "grams": "50", "deliver": "hold"}
                refused = exchange.refused_unsent(exchange.buyer, "/v1/quotes", asked)
                assert (refused.status, refused.problem["field"]) == (409, "batch")
            else:
                assert json.loads(look(exchange, listing).body)["halt"] == "frozen"
                assert not offered()[1]
        finally:
            exchange.pauser("thaw", calls.unfreeze_account(frozen, "a case"))
    exchange.post(exchange.seller, f"{listing}/cancellation")
    exchange.watch()
    assert (halts(), offered()) == ({None}, (str(8 * TICK), False))


def test_pages_of_batches_follow_the_chosen_order(exchange: Exchange) -> None:
    fresh(exchange, "/v1/market/batches")
    for sort in ("price", "vintage", "reputation", "newest"):
        whole = nodes(look(exchange, f"/v1/market/batches?sort={sort}&first=100"))
        pages, after = [], ""
        while True:
            page = json.loads(look(exchange, f"/v1/market/batches?sort={sort}&first=1{after}").body)
            pages += [edge["node"] for edge in page["edges"]]
            if not page["pageInfo"]["hasNextPage"]:
                break
            after = f"&after={page['pageInfo']['endCursor']}"
        assert pages == whole
    assert [offer["batch"]["id"] for offer in whole if offer["batch"]["id"] in exchange.batches] == list(
        reversed(exchange.batches)
    )


def test_a_search_that_makes_no_sense_is_refused_by_its_parameter(exchange: Exchange) -> None:
    for query, field in (
        ("sort=luck", "sort"),
        ("vintage=soon", "vintage"),
        ("labels=green", "labels"),
        ("price_max=-1", "price_max"),
        ("reputation_min=10001", "reputation_min"),
    ):
        answer = look(exchange, f"/v1/market/batches?{query}")
        assert (answer.status_code, json.loads(answer.body)["field"]) == (422, field)
    for query, field in (("levels=0", "levels"), ("levels=101", "levels")):
        answer = look(exchange, f"/v1/books/{exchange.books[0]}/depth?{query}")
        assert (answer.status_code, json.loads(answer.body)["field"]) == (422, field)
    assert look(exchange, "/v1/books/999999/ticker").status_code == 404


def fresh(exchange: Exchange, path: str) -> Any:
    """A search after everything that was read before is forgotten."""
    market.catalogue.cache_clear()
    return nodes(look(exchange, path))
