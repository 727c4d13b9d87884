"""What is on offer: batches with their best price, and fixed-price listings, by what buyers ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Literal, TypeVar

import msgspec

from carbonmarket.errors import InvalidInput
from carbonmarket.halts import halt_of
from carbonmarket.labels import label_bits
from carbonmarket.operations.route_order import Criteria, meets
from carbonmarket.ports.market import MarketProjection
from carbonmarket.ports.projection import ChainProjection
from carbonmarket.records.chain import Batch
from carbonmarket.records.market import Book, Listing
from carbonmarket.reputation import BEST, overall
from carbonmarket.times import MICROSECONDS

Sort = Literal["price", "vintage", "reputation", "newest"]
_SORTS: tuple[Sort, ...] = ("price", "vintage", "reputation", "newest")
_NO_PRICE = 2**63
_RANK_DIGITS = 20
_RANK_MAX = 10**_RANK_DIGITS - 1
_PAGE = 1_000
_FRESH_US = 2 * MICROSECONDS
_READING_SHARE = 4
_LIST_MAX = 16
N = TypeVar("N")


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for. ``price_max`` is quote units per tonne, ``reputation_min`` 0 to 10,000."""

    criteria: Criteria = Criteria()
    price_max: int | None = None
    reputation_min: int = 0
    sort: Sort = "price"


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A batch on offer: its book with the best ask, its cheapest listing, and who developed it.

    ``ask`` is None where nobody sells in the book, or where nothing can be taken there: the batch is frozen,
    or lacks a label that the book requires. ``price`` is the better of both, None where nobody sells now.
    ``reputation`` is the developer's overall score, 5,000 for whoever was never rated.
    """

    batch: Batch
    book: Book | None
    ask: int | None
    listing: Listing | None
    reputation: int

    @property
    def price(self) -> int | None:
        """Quote units per tonne."""
        prices = [self.ask, self.listing.price if self.listing else None]
        return min((price for price in prices if price is not None), default=None)


class ListingOffer(msgspec.Struct, frozen=True, kw_only=True):
    """A listing that can be bought from, its batch, and its developer's overall score."""

    listing: Listing
    batch: Batch
    reputation: int


class Catalogue:
    """All that is on offer in the market's quote asset, read anew when it is older than two seconds, or than
    four times what reading it took: anybody may list a gram, and nobody shall wait for all of them each time.

    Books and listings are few beside batches; who searches through them ten times a second reads them once.
    """

    def __init__(
        self,
        market: MarketProjection,
        credits: ChainProjection,
        quote: str,
        clock_us: Callable[[], int] = lambda: 0,
    ) -> None:
        """``clock_us`` tells how long reading takes."""
        self._market = market
        self._credits = credits
        self._quote = quote
        self._clock_us = clock_us
        self._fresh_us = _FRESH_US
        self._read_us = -_FRESH_US
        self._offers: list[Offer] = []
        self._listings: list[ListingOffer] = []

    def offers(self, now_us: int) -> list[Offer]:
        """Every batch that has a book or an open listing."""
        self._refresh(now_us)
        return self._offers

    def listings(self, now_us: int) -> list[ListingOffer]:
        """Every open listing of which nothing stands against a purchase."""
        self._refresh(now_us)
        return self._listings

    def _refresh(self, now_us: int) -> None:
        if now_us - self._read_us < self._fresh_us:
            return
        began_us = self._clock_us()
        books = {book.batch: book for book in self._books() if book.quote == self._quote}
        listings = [listing for listing in self._open_listings() if listing.quote == self._quote]
        seen = self._credits.batches_at(self._addresses(books, listings))
        frozen = self._credits.frozen()
        asks = self._market.best_asks(
            book.number
            for address, book in books.items()
            if address in seen and halt_of(seen[address], book.labels, frozen) is None
        )
        reputations = self._reputations({batch.developer for batch in seen.values()}, now_us)
        self._listings = [
            ListingOffer(listing=each, batch=batch, reputation=reputations[batch.developer])
            for each in listings
            if (batch := seen.get(each.batch)) is not None
            and halt_of(batch, each.labels, frozen, each.seller) is None
        ]
        cheapest = {o.batch.address: o.listing for o in sorted(self._listings, key=_dearest_first)}
        self._offers = [
            Offer(
                batch=batch,
                book=books.get(address),
                ask=asks.get(books[address].number) if address in books else None,
                listing=cheapest.get(address),
                reputation=reputations[batch.developer],
            )
            for address, batch in seen.items()
        ]
        self._read_us = now_us
        self._fresh_us = max(_FRESH_US, _READING_SHARE * (self._clock_us() - began_us))

    @staticmethod
    def _addresses(books: dict[str, Book], listings: list[Listing]) -> list[str]:
        return sorted({*books, *(listing.batch for listing in listings)})

    def _books(self) -> Iterator[Book]:
        after = None
        while rows := self._market.books(after=after, first=_PAGE):
            yield from (book for _, book in rows)
            after = rows[-1][0]

    def _open_listings(self) -> Iterator[Listing]:
        after = None
        while rows := self._market.listings(after=after, first=_PAGE):
            yield from (listing for _, listing in rows)
            after = rows[-1][0]

    def _reputations(self, developers: set[str], now_us: int) -> dict[str, int]:
        standings = self._market.standings_of(developers)
        return {who: overall(found, now_us // MICROSECONDS) for who, found in standings.items()}


def _dearest_first(offer: ListingOffer) -> int:
    return -offer.listing.price


def find_batches(
    search: Search, after: str | None, *, catalogue: Catalogue, now_us: int
) -> list[tuple[str, Offer]]:
    """(cursor, offer) of the batches that fit, in the order asked for, those after a cursor."""
    found = (
        (_key(search.sort, o.batch, o.price, o.reputation, o.batch.version, o.batch.id), o)
        for o in catalogue.offers(now_us)
        if _fits(search, o.batch, o.price, o.reputation)
    )
    return _after(found, after)


def find_listings(
    search: Search, after: str | None, *, catalogue: Catalogue, now_us: int
) -> list[tuple[str, ListingOffer]]:
    """(cursor, listing) of the listings that fit, in the order asked for, those after a cursor."""
    found = (
        (_key(search.sort, o.batch, o.listing.price, o.reputation, o.listing.version, _number(o)), o)
        for o in catalogue.listings(now_us)
        if _fits(search, o.batch, o.listing.price, o.reputation)
    )
    return _after(found, after)


def _number(offer: ListingOffer) -> str:
    return f"{offer.listing.number:020}"


def _after(rows: Iterable[tuple[str, N]], after: str | None) -> list[tuple[str, N]]:
    kept = [row for row in rows if after is None or row[0] > after]
    return sorted(kept, key=lambda row: row[0])


def _fits(search: Search, batch: Batch, price: int | None, reputation: int) -> bool:
    if search.price_max is not None and (price is None or price > search.price_max):
        return False
    return reputation >= search.reputation_min and meets(
        batch, search.criteria, label_bits(search.criteria.labels)
    )


def _key(sort: Sort, batch: Batch, price: int | None, reputation: int, version: int, identity: str) -> str:
    """What rows are sorted by: all sorts go upwards, so that what is wanted high is counted down. ``version``
    is when the row came."""
    rank = {
        "price": _NO_PRICE if price is None else price,
        "vintage": _RANK_MAX - batch.period_start_s,
        "reputation": _RANK_MAX - reputation,
        "newest": _RANK_MAX - version,
    }[sort]
    return f"{rank:0{_RANK_DIGITS}}#{identity}"


def parse_search(query: dict[str, str]) -> Search:
    """What the parameters of a request ask for; InvalidInput names the one that can't be read.

    ``type``, ``country``, ``vintage`` and ``labels`` are lists with commas between.
    """
    labels = _list(query, "labels")
    label_bits(labels)
    sort = query.get("sort", "price")
    if sort not in _SORTS:
        raise InvalidInput(f"sort must be one of {', '.join(_SORTS)}", field="sort")
    return Search(
        criteria=Criteria(
            methodologies=_list(query, "type"),
            countries=_list(query, "country"),
            vintages=tuple(_whole(year, "vintage", 9999) for year in _list(query, "vintage")),
            labels=labels,
        ),
        price_max=_whole(query["price_max"], "price_max", _NO_PRICE) if "price_max" in query else None,
        reputation_min=_whole(query.get("reputation_min", "0"), "reputation_min", BEST),
        sort=sort,
    )


def _list(query: dict[str, str], name: str) -> tuple[str, ...]:
    found = tuple(part for part in query.get(name, "").split(",") if part)
    if len(found) > _LIST_MAX:
        raise InvalidInput(f"{name} takes at most {_LIST_MAX} values", field=name)
    return found


def _whole(text: str, field: str, most: int) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= _RANK_DIGITS and int(text) <= most):
        raise InvalidInput(f"{field} must be a whole number from 0 to {most}", field=field)
    return int(text)
