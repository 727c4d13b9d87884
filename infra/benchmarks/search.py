"""The search of what is on offer: all books and listings read anew, as a function does every two seconds."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from dataclasses import replace

import msgspec

from carbonmarket.operations.find_market import Catalogue
from carbonmarket.records.chain import Batch
from carbonmarket.records.market import Book, Level, Listing, PartyOf, PartyStanding
from carbonmarket.reputation import SHARES
from carbonmarket.settings import Settings
from carbonmarket_adapters.dynamo.best_prices import BEST_PRICES, BestPrices, best_prices_keys
from carbonmarket_adapters.dynamo.chain import ChainTable
from carbonmarket_adapters.dynamo.chain_keys import key_of, write_of
from carbonmarket_adapters.dynamo.market import MarketTable
from carbonmarket_adapters.dynamo.table import TRANSACTION_ITEMS_MAX, DocumentTable, Write, table_model

BOOKS = 1_000
LISTINGS = 5_000
_LEVELS = 10
_DEVELOPERS = 100
_PRICE = 10_000_000
_DAY_S = 86_400
_BEGIN_S = 1_467_331_200
_ONE = str(1 << 64)


def _address(name: str) -> str:
    return "0x" + hashlib.sha3_256(name.encode()).hexdigest()


QUOTE = _address("quote")


def bench_search(settings: Settings, runs: int) -> tuple[list[float], int]:
    """Seconds of each refresh with every book and listing, and the requests that one sends to DynamoDB.

    ``settings`` name the engine; the table is made anew and removed.
    """
    own = replace(settings, stage=f"bench{time.time_ns()}")
    model = table_model(own, "chain")
    model.create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    try:
        _fill(own)
        sent: list[str] = []
        events = model._get_connection().connection.client.meta.events
        events.register("before-send.dynamodb", lambda event_name, **_: sent.append(event_name))
        catalogue = Catalogue(MarketTable(own), ChainTable(own), QUOTE)
        # The first refresh opens the connections.
        catalogue.offers(0)
        sent.clear()
        seconds = [_refresh(catalogue, run * _DAY_S * 1_000_000) for run in range(1, runs + 1)]
        return seconds, len(sent) // runs
    finally:
        model.delete_table()


def _refresh(catalogue: Catalogue, now_us: int) -> float:
    began = time.perf_counter()
    offers = catalogue.offers(now_us)
    took_s = time.perf_counter() - began
    priced = sum(offer.ask is not None for offer in offers)
    if (len(offers), priced, len(catalogue.listings(now_us))) != (BOOKS, BOOKS, LISTINGS):
        raise RuntimeError("the search did not find every book and listing")
    return round(took_s, 3)


def _fill(settings: Settings) -> None:
    table = DocumentTable(settings, "chain")
    writes = [write_of(key_of(kind, record), record) for kind, record in _records()]
    writes += [
        Write(BEST_PRICES, *best_prices_keys(number), BestPrices(book=number, bid=None, ask=_PRICE))
        for number in range(1, BOOKS + 1)
    ]
    for start in range(0, len(writes), TRANSACTION_ITEMS_MAX):
        table.transact(writes[start : start + TRANSACTION_ITEMS_MAX])


def _records() -> Iterator[tuple[str, msgspec.Struct]]:
    for number in range(_DEVELOPERS):
        developer, party = _address(f"developer {number}"), _address(f"party {number}")
        yield "party_of", PartyOf(account=developer, party=party)
        for dimension in SHARES:
            yield (
                "standing",
                PartyStanding(
                    party=party,
                    dimension=dimension,
                    points="0",
                    weight=_ONE,
                    updated=_BEGIN_S,
                    ratings=1,
                    counterparties=1,
                ),
            )
    for number in range(1, BOOKS + 1):
        yield "batch", _batch(number)
        yield "book", _book(number)
        for step in range(_LEVELS):
            price = _PRICE + step * 1_000_000
            yield "level", Level(book=number, is_bid=False, price=price, grams=10**6, orders=1)
    for number in range(1, LISTINGS + 1):
        yield "listing", _listing(number)


def _batch(number: int) -> Batch:
    return Batch(
        address=_address(f"batch {number}"),
        id=f"BAT{number}",
        project=f"PRJ{number}",
        period_number=1,
        period_start_s=_BEGIN_S,
        period_end_s=_BEGIN_S + _DAY_S,
        developer=_address(f"developer {number % _DEVELOPERS}"),
        country="US",
        methodology="GRID-RENEWABLES-US-RMPA",
        methodology_version=1,
        report_hash=_address(f"report {number}"),
        serial_first=1,
        serial_last=10**9,
        issued=10**9,
        buffered=0,
        labels=0,
        uri="",
        version=number,
        transaction=_address(f"issue {number}"),
        time_us=_BEGIN_S * 1_000_000,
    )


def _book(number: int) -> Book:
    return Book(
        number=number,
        batch=_address(f"batch {number}"),
        quote=QUOTE,
        tick=1_000_000,
        lot=1,
        min_notional=1,
        labels=0,
        opened_us=_BEGIN_S * 1_000_000,
        version=number,
        transaction=_address(f"opening {number}"),
    )


def _listing(number: int) -> Listing:
    return Listing(
        number=number,
        seller=_address(f"seller {number % _DEVELOPERS}"),
        batch=_address(f"batch {number % BOOKS + 1}"),
        quote=QUOTE,
        grams=10**6,
        open=10**6,
        price=_PRICE,
        lot=1,
        maker_bps=10,
        taker_bps=30,
        labels=0,
        listed_us=_BEGIN_S * 1_000_000,
        changed_us=_BEGIN_S * 1_000_000,
        version=number,
        transaction=_address(f"listing {number}"),
    )
