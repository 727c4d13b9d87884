"""What the marketplace's vault owes, and to what: claimable balances, orders, listings and gifts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

import msgspec

from carbonmarket.records.chain import Batch
from carbonmarket.records.market import Book, Claimable, Gift, Listing, Order


class Vaulted(msgspec.Struct, frozen=True, kw_only=True):
    """Units of one asset in the vault as the chain has them: what was brought and not claimed, and what lies
    there. Anybody can send more to the vault's address; that is nobody's."""

    owes: int
    holds: int


class Owed(msgspec.Struct, kw_only=True):
    """Units of one asset (grams, or quote units) that the vault holds for others."""

    claimable: int = 0
    orders: int = 0
    listings: int = 0
    gifts: int = 0

    @property
    def total(self) -> int:
        """All of it."""
        return self.claimable + self.orders + self.listings + self.gifts


CUSTODY_KINDS = ("batch", "book", "claimable", "order", "listing", "gift")
"""The kinds of records that say what is owed."""


def owed(records: Iterable[msgspec.Struct]) -> dict[str, Owed]:
    """By the asset's address, for the batches and for what books are priced in.

    Whoever brings another asset to the vault has a claim on that asset alone, whatever becomes of it. The
    records are seen once and not kept: there may be any number of them.
    """
    books: dict[int, Book] = {}
    traded: set[str] = set()
    by_asset: defaultdict[str, Owed] = defaultdict(Owed)
    in_orders: Counter[tuple[int, bool]] = Counter()
    for record in records:
        if isinstance(record, Batch):
            traded.add(record.address)
        elif isinstance(record, Book):
            books[record.number] = record
            traded.add(record.quote)
        elif isinstance(record, Claimable):
            by_asset[record.asset].claimable += record.amount
        elif isinstance(record, Order):
            in_orders[record.book, record.is_bid] += record.held
        elif isinstance(record, Listing):
            by_asset[record.batch].listings += record.open
        elif isinstance(record, Gift):
            by_asset[record.batch].gifts += record.grams if record.state == "open" else 0
    for (number, is_bid), held in in_orders.items():
        # A book that was opened meanwhile may not be among what was read.
        if (book := books.get(number)) is not None:
            by_asset[book.quote if is_bid else book.batch].orders += held
    return {asset: found for asset, found in by_asset.items() if asset in traded}
