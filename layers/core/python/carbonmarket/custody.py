"""What the marketplace's vault owes, and to what: claimable balances, orders, listings and gifts."""

from __future__ import annotations

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


def owed(records: Iterable[msgspec.Struct]) -> dict[str, Owed]:
    """By the asset's address, for the batches and for what books are priced in.

    Whoever brings another asset to the vault has a claim on that asset alone, whatever becomes of it.
    """
    kept = list(records)
    books = {record.number: record for record in kept if isinstance(record, Book)}
    by_asset: dict[str, Owed] = {}

    traded = {record.address for record in kept if isinstance(record, Batch)}
    traded |= {book.quote for book in books.values()}

    def of(asset: str) -> Owed:
        return by_asset.setdefault(asset, Owed())

    for record in kept:
        if isinstance(record, Claimable):
            if record.asset in traded:
                of(record.asset).claimable += record.amount
        elif isinstance(record, Order):
            book = books[record.book]
            of(book.quote if record.is_bid else book.batch).orders += record.held
        elif isinstance(record, Listing):
            of(record.batch).listings += record.open
        elif isinstance(record, Gift):
            of(record.batch).gifts += record.grams if record.state == "open" else 0
    return by_asset
