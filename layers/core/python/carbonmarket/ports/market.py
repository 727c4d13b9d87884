"""What the market reads of the marketplace's projection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from carbonmarket.records.market import (
    Book,
    Candle,
    Claimable,
    Fees,
    Gift,
    Interval,
    Level,
    Listing,
    Order,
    Rating,
    Ticker,
    Trade,
)
from carbonmarket.reputation import Standing


class MarketProjection(Protocol):
    """Books, orders, trades, listings, gifts and standings as the chain was seen to hold them.

    Addresses are in the long form. Pages are lists of (cursor, record); ``after`` is the cursor of the last
    one seen.
    """

    def books(self, *, after: str | None = None, first: int = 50) -> list[tuple[str, Book]]:
        """The books, by number."""
        ...

    def book(self, number: int) -> Book | None:
        """A book."""
        ...

    def books_at(self, numbers: Iterable[int]) -> dict[int, Book]:
        """The books that have the numbers, read together."""
        ...

    def book_of(self, batch: str, quote: str | None = None) -> Book | None:
        """The batch's book in the asset at ``quote``, or its first one by that address."""
        ...

    def books_of(self, batches: Iterable[str], quote: str) -> dict[str, Book]:
        """The books of batches in the asset at ``quote``, by batch, read together."""
        ...

    def levels(self, book: int, is_bid: bool, *, first: int = 50) -> list[Level]:
        """The prices of a side, the best first."""
        ...

    def best_asks(self, books: Iterable[int]) -> dict[int, int]:
        """The lowest price at which somebody sells, by book, read together; a book in which nobody sells has
        none."""
        ...

    def order(self, book: int, order: str) -> Order | None:
        """An order by its id in decimal, open or ended."""
        ...

    def orders_of(
        self, account: str, *, open_only: bool = False, after: str | None = None, first: int = 50
    ) -> list[tuple[str, Order]]:
        """An account's orders, those placed last first."""
        ...

    def trades(self, book: int, *, after: str | None = None, first: int = 50) -> list[tuple[str, Trade]]:
        """A book's trades, the newest first; the cursor is the trade's index."""
        ...

    def trade(self, book: int, index: str) -> Trade | None:
        """A book's trade."""
        ...

    def trades_of(
        self, account: str, *, after: str | None = None, first: int = 50
    ) -> list[tuple[str, Trade]]:
        """An account's trades as maker or taker, sales of listings among them, the newest first."""
        ...

    def candles(self, book: int, interval: Interval, from_us: int, to_us: int) -> list[Candle]:
        """The candles that start from ``from_us`` up to before ``to_us``; no candle where no trade was."""
        ...

    def tickers(self, books: Sequence[Book], now_us: int) -> list[Ticker]:
        """The books' figures of the 24 hours before ``now_us``, which must be no earlier than the last trade;
        read together."""
        ...

    def listings(self, *, after: str | None = None, first: int = 50) -> list[tuple[str, Listing]]:
        """The open listings, by number."""
        ...

    def listing(self, number: int) -> Listing | None:
        """A listing, open or ended."""
        ...

    def listings_of(
        self, seller: str, *, after: str | None = None, first: int = 50
    ) -> list[tuple[str, Listing]]:
        """A seller's open listings, by number."""
        ...

    def sales(self, listing: int, *, after: str | None = None, first: int = 50) -> list[tuple[str, Trade]]:
        """A listing's sales, the newest first."""
        ...

    def claimable(self, account: str, asset: str) -> int:
        """Units of an asset that the account may claim or trade with."""
        ...

    def claimables(self, account: str) -> list[Claimable]:
        """All that an account may claim, by asset."""
        ...

    def gift(self, number: int) -> Gift | None:
        """A gift, open or ended."""
        ...

    def gifts_of(self, account: str, *, after: str | None = None, first: int = 50) -> list[tuple[str, Gift]]:
        """The gifts that an account gave or was given, open and ended, by number."""
        ...

    def fees(self) -> Fees:
        """The fees of orders placed now, and the shares of the treasury."""
        ...

    def party_of(self, account: str) -> str | None:
        """The verified party that an account belongs to, 0x-hex."""
        ...

    def standings_of(self, accounts: Iterable[str]) -> dict[str, Mapping[int, Standing]]:
        """The standings of the accounts' parties, by account and dimension, read together; an account that
        belongs to no party has none."""
        ...

    def standing(self, party: str) -> Mapping[int, Standing]:
        """A party's standings by dimension, those in which it was rated."""
        ...

    def rating(self, party: str, dimension: int, reference: str) -> Rating | None:
        """What one trade, review or period said of a party."""
        ...

    def ratings(self, party: str, *, after: str | None = None, first: int = 50) -> list[tuple[str, Rating]]:
        """A party's ratings, by dimension and reference."""
        ...
