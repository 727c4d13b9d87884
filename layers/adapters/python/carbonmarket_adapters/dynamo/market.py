"""Table ``chain``: reading the marketplace's projection."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import msgspec

from carbonmarket import candles
from carbonmarket.candles import Places
from carbonmarket.ports.projection import Key
from carbonmarket.records.market import (
    Book,
    BookName,
    Candle,
    Claimable,
    Fees,
    Gift,
    GiftOf,
    Interval,
    Level,
    Listing,
    ListingOf,
    Order,
    PartyOf,
    PartyStanding,
    Rating,
    Taken,
    Ticker,
    Trade,
    TradePlace,
)
from carbonmarket.reputation import SHARES, Standing
from carbonmarket.settings import Settings
from carbonmarket_adapters.dynamo.best_prices import best_prices_of
from carbonmarket_adapters.dynamo.chain_keys import keys_of, kind_of
from carbonmarket_adapters.dynamo.market_keys import (
    BOOKS,
    LISTINGS,
    TRADE,
    levels_partition,
    number_sort,
    orders_partition,
    side_of,
    trades_partition,
)
from carbonmarket_adapters.dynamo.table import DocumentTable, Kind, Stored

R = TypeVar("R", bound=msgspec.Struct)
_VERSION_DIGITS = 20


class MarketTable:
    """Reads of the marketplace; a :class:`~carbonmarket.ports.market.MarketProjection`."""

    def __init__(self, settings: Settings) -> None:
        self._table = DocumentTable(settings, "chain")

    def books(self, *, after: str | None = None, first: int = 50) -> list[tuple[str, Book]]:
        return _records(self._table.query_gsi1(kind_of("book"), BOOKS, after=after, limit=first))

    def book(self, number: int) -> Book | None:
        return self._record(Book, "book", str(number))

    def books_at(self, numbers: Iterable[int]) -> dict[int, Book]:
        found = self._at(Book, [("book", str(number)) for number in numbers])
        return {book.number: book for book in found.values()}

    def book_of(self, batch: str, quote: str | None = None) -> Book | None:
        if quote is not None:
            name = self._record(BookName, "book_name", batch, quote)
            return self.book(name.number) if name else None
        found = self._table.query(kind_of("book_name"), f"BOOKS_OF#{batch}", limit=1)
        return next((self.book(stored.record.number) for _, stored in found), None)

    def books_of(self, batches: Iterable[str], quote: str) -> dict[str, Book]:
        names = self._at(BookName, [("book_name", batch, quote) for batch in batches])
        found = self.books_at(name.number for name in names.values())
        return {book.batch: book for book in found.values()}

    def levels(self, book: int, is_bid: bool, *, first: int = 50) -> list[Level]:
        found = self._table.query(kind_of("level"), levels_partition(book, side_of(is_bid)), limit=first)
        return [stored.record for _, stored in found]

    def best_asks(self, books: Iterable[int]) -> dict[int, int]:
        found = best_prices_of(self._table, books)
        return {book: prices.ask for book, prices in found.items() if prices.ask is not None}

    def order(self, book: int, order: str) -> Order | None:
        return self._record(Order, "order", str(book), order)

    def orders_of(
        self, account: str, *, open_only: bool = False, after: str | None = None, first: int = 50
    ) -> list[tuple[str, Order]]:
        pages = [
            _records(
                self._table.query_gsi1(
                    kind_of("order"),
                    orders_partition(account, is_open=is_open),
                    after=after,
                    limit=first,
                    reverse=True,
                )
            )
            for is_open in ((True,) if open_only else (True, False))
        ]
        return _newest(first, *pages)

    def trades(self, book: int, *, after: str | None = None, first: int = 50) -> list[tuple[str, Trade]]:
        return self._trades(trades_partition("book", book), after, first)

    def trade(self, book: int, index: str) -> Trade | None:
        return self._record(Trade, "trade", "book", str(book), index)

    def trades_of(
        self, account: str, *, after: str | None = None, first: int = 50
    ) -> list[tuple[str, Trade]]:
        made = self._table.query_gsi1(TRADE, f"TRADES_OF#{account}", after=after, limit=first, reverse=True)
        return _newest(first, _records(made), self._taken(account, after, first))

    def candles(self, book: int, interval: Interval, from_us: int, to_us: int) -> list[Candle]:
        after = number_sort(max(from_us - 1, 0))
        kind: Kind[Candle] = kind_of("candle")
        most = -(-(to_us - from_us) // candles.INTERVALS[interval])
        found = self._table.query(kind, f"CANDLES#{book}#{interval}", after=after, limit=most)
        inside = itertools.takewhile(lambda item: item[1].record.start_us < to_us, found)
        return [stored.record for _, stored in inside]

    def tickers(self, books: Sequence[Book], now_us: int) -> list[Ticker]:
        numbers = [book.number for book in books]
        days = candles.of_last_24h(numbers, now_us, self._candles_at)
        prices = best_prices_of(self._table, numbers)
        return [
            candles.ticker(
                book.number,
                book.last_price,
                days[book.number],
                prices[book.number].bid,
                prices[book.number].ask,
            )
            for book in books
        ]

    def listings(self, *, after: str | None = None, first: int = 50) -> list[tuple[str, Listing]]:
        return _records(self._table.query_gsi1(kind_of("listing"), LISTINGS, after=after, limit=first))

    def listing(self, number: int) -> Listing | None:
        return self._record(Listing, "listing", str(number))

    def listings_of(
        self, seller: str, *, after: str | None = None, first: int = 50
    ) -> list[tuple[str, Listing]]:
        kind: Kind[ListingOf] = kind_of("listing_of")
        found = self._table.query(kind, f"LISTINGS_OF#{seller}", after=after, limit=first)
        return self._named("listing", ((sort, stored.record.number) for sort, stored in found))

    def sales(self, listing: int, *, after: str | None = None, first: int = 50) -> list[tuple[str, Trade]]:
        return self._trades(trades_partition("listing", listing), after, first)

    def claimable(self, account: str, asset: str) -> int:
        found = self._record(Claimable, "claimable", account, asset)
        return found.amount if found else 0

    def claimables(self, account: str) -> list[Claimable]:
        found = self._table.query(kind_of("claimable"), f"CLAIMABLE#{account}")
        return [stored.record for _, stored in found]

    def gift(self, number: int) -> Gift | None:
        return self._record(Gift, "gift", str(number))

    def gifts_of(self, account: str, *, after: str | None = None, first: int = 50) -> list[tuple[str, Gift]]:
        given: Kind[GiftOf] = kind_of("gift_of")
        names = self._table.query(given, f"GIFTS_OF#{account}", after=after, limit=first)
        made: list[tuple[str, Gift]] = self._named(
            "gift", ((sort, stored.record.number) for sort, stored in names)
        )
        got = self._table.query_gsi1(kind_of("gift"), f"GIFTS_FOR#{account}", after=after, limit=first)
        return list(itertools.islice(heapq.merge(made, _records(got), key=_cursor), first))

    def fees(self) -> Fees:
        return self._record(Fees, "fees") or Fees()

    def party_of(self, account: str) -> str | None:
        found = self._record(PartyOf, "party_of", account)
        return found.party if found else None

    def standings_of(self, accounts: Iterable[str]) -> dict[str, Mapping[int, Standing]]:
        of_accounts = {account: keys_of(("party_of", account)) for account in accounts}
        parties: dict[tuple[str, str], Stored[PartyOf]] = self._table.get_many(
            kind_of("party_of"), of_accounts.values()
        )
        names = {stored.record.party for stored in parties.values()}
        places = [keys_of(("standing", party, str(dimension))) for party in names for dimension in SHARES]
        rated: dict[str, dict[int, Standing]] = {party: {} for party in names}
        for stored in self._table.get_many(kind_of("standing"), places).values():
            rated[stored.record.party][stored.record.dimension] = _standing(stored.record)
        return {
            account: rated[parties[place].record.party] if place in parties else {}
            for account, place in of_accounts.items()
        }

    def standing(self, party: str) -> dict[int, Standing]:
        kind: Kind[PartyStanding] = kind_of("standing")
        found = self._table.query(kind, f"PARTY#{party}", prefix="STANDING#")
        return {stored.record.dimension: _standing(stored.record) for _, stored in found}

    def rating(self, party: str, dimension: int, reference: str) -> Rating | None:
        return self._record(Rating, "rating", party, str(dimension), reference)

    def ratings(self, party: str, *, after: str | None = None, first: int = 50) -> list[tuple[str, Rating]]:
        return _records(
            self._table.query(kind_of("rating"), f"PARTY#{party}", prefix="RATING#", after=after, limit=first)
        )

    def _candles_at(self, interval: Interval, places: Places) -> list[Candle]:
        keys = [("candle", str(book), interval, str(start)) for book, start in places]
        return list(self._at(Candle, keys, consistent=False).values())

    def _trades(self, partition: str, after: str | None, first: int) -> list[tuple[str, Trade]]:
        return _records(self._table.query(TRADE, partition, after=after, limit=first, reverse=True))

    def _taken(self, account: str, after: str | None, first: int) -> list[tuple[str, Trade]]:
        """What an account took, the newest first, below the index ``after``."""
        # The version of the cursor itself may have more trades; "~" sorts after every digit.
        version = None if after is None else after[:_VERSION_DIGITS] + "~"
        kind: Kind[Taken] = kind_of("taken")
        found = self._table.query(kind, f"TAKEN#{account}", after=version, limit=first + 1, reverse=True)
        places = (place for _, stored in found for place in reversed(stored.record.trades))
        below = (place for place in places if after is None or place.index < after)
        keys = [_trade_keys(place) for place in itertools.islice(below, first)]
        trades = self._table.get_many(TRADE, keys) if keys else {}
        return sorted(
            ((index, stored.record) for (_, index), stored in trades.items()), reverse=True, key=_cursor
        )

    def _named(self, kind: str, named: Iterable[tuple[str, int]]) -> list[tuple[str, R]]:
        """(cursor, record) of the numbers at the cursors."""
        places = {keys_of((kind, str(number))): sort for sort, number in named}
        of_kind: Kind[R] = kind_of(kind)
        found = self._table.get_many(of_kind, places) if places else {}
        return sorted(((places[place], stored.record) for place, stored in found.items()), key=_cursor)

    def _at(self, record: type[R], keys: Sequence[Key], *, consistent: bool = True) -> dict[Key, R]:
        """The records that exist at keys of one kind, all of them different."""
        if not keys:
            return {}
        kind: Kind[R] = kind_of(keys[0][0])
        places = {keys_of(key): key for key in keys}
        found = self._table.get_many(kind, places, consistent=consistent)
        return {places[place]: stored.record for place, stored in found.items()}

    def _record(self, record: type[R], *key: str) -> R | None:
        kind: Kind[R] = kind_of(key[0])
        full: Key = key
        found = self._table.get(kind, *keys_of(full))
        return found.record if found else None


def _trade_keys(place: TradePlace) -> tuple[str, str]:
    market, number = ("book", place.book) if place.book else ("listing", place.listing)
    return trades_partition(market, number), place.index


def _cursor(item: tuple[str, msgspec.Struct]) -> str:
    return item[0]


def _records(found: Iterable[tuple[str, Stored[R]]]) -> list[tuple[str, R]]:
    return [(sort, stored.record) for sort, stored in found]


def _newest(first: int, *pages: Iterable[tuple[str, R]]) -> list[tuple[str, R]]:
    """The first of several pages together, each the highest cursor first."""
    return list(itertools.islice(heapq.merge(*pages, key=_cursor, reverse=True), first))


def _standing(record: PartyStanding) -> Standing:
    return Standing(
        points=int(record.points),
        weight=int(record.weight),
        updated=record.updated,
        ratings=record.ratings,
        counterparties=record.counterparties,
    )
