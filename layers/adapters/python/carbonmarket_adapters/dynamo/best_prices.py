"""Table ``chain``: the best prices of each book, beside its record, so that those of many are read together.

They are no projected record but an index over the price levels, kept by the writer in the transaction that
changes the levels, forwards and back: when a price empties, the next one takes a query, and a rule of the
fold reads by keys alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

import msgspec

from carbonmarket.ports.projection import Key
from carbonmarket.records.market import Level
from carbonmarket_adapters.dynamo.chain_keys import kind_of
from carbonmarket_adapters.dynamo.market_keys import levels_partition, side_of
from carbonmarket_adapters.dynamo.table import READERS, Delete, DocumentTable, Kind, Write

_BID, _ASK = side_of(True), side_of(False)


class BestPrices(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The best price at which somebody buys in a book and sells there; None where nobody does."""

    book: int
    bid: int | None
    ask: int | None


BEST_PRICES = Kind("best_prices", BestPrices)


def best_prices_keys(book: int) -> tuple[str, str]:
    """(pk, sk) of a book's best prices."""
    return f"BOOK#{book}", "BEST_PRICES"


def books_of(keys: Iterable[Key]) -> set[int]:
    """The books whose best prices may be others when the records at the keys are."""
    return {int(key[1]) for key in keys if key[0] in ("book", "level")}


def best_prices_of(table: DocumentTable, books: Iterable[int]) -> dict[int, BestPrices]:
    """The best prices of books, a read for a hundred; a book in which nothing ever rested has some too."""
    wanted = list(books)
    found = _kept(table, wanted, consistent=False)
    # A book that the writer has not touched since it keeps best prices has none beside it.
    missing = [book for book in wanted if book not in found]
    if missing:
        with ThreadPoolExecutor(READERS) as readers:
            found.update(zip(missing, readers.map(lambda book: _queried(table, book), missing), strict=True))
    return found


def best_prices_after(table: DocumentTable, records: Mapping[Key, bool]) -> list[Write | Delete]:
    """The writes that bring best prices up to a transaction: ``records`` are the keys that it writes, and
    whether there is a record at them after it. The table still is as before it."""
    kept = _kept(table, books_of(records), consistent=True)
    writes: list[Write | Delete] = []
    for book in sorted(books_of(records)):
        if records.get(("book", str(book))) is False:
            writes.append(Delete(*best_prices_keys(book)))
            continue
        before = kept.get(book)
        after = BestPrices(
            book=book,
            bid=_best(table, book, _BID, before, _of_side(records, book, _BID)),
            ask=_best(table, book, _ASK, before, _of_side(records, book, _ASK)),
        )
        if after != before:
            writes.append(Write(BEST_PRICES, *best_prices_keys(book), after))
    return writes


def _kept(table: DocumentTable, books: Iterable[int], *, consistent: bool) -> dict[int, BestPrices]:
    keys = [best_prices_keys(book) for book in books]
    found = table.get_many(BEST_PRICES, keys, consistent=consistent)
    return {stored.record.book: stored.record for stored in found.values()}


def _queried(table: DocumentTable, book: int) -> BestPrices:
    bid, ask = (next(iter(_prices(table, book, side, 1)), None) for side in (_BID, _ASK))
    return BestPrices(book=book, bid=bid, ask=ask)


def _of_side(records: Mapping[Key, bool], book: int, side: str) -> dict[int, bool]:
    """The prices of a side that a transaction writes, and whether something rests there after it."""
    return {int(key[3]): rests for key, rests in records.items() if key[:3] == ("level", str(book), side)}


def _best(
    table: DocumentTable, book: int, side: str, before: BestPrices | None, changed: dict[int, bool]
) -> int | None:
    """The best price of a side after a transaction."""
    prices = [price for price, rests in changed.items() if rests]
    known = None if before is None else before.bid if side == _BID else before.ask
    if before is None or (known is not None and changed.get(known) is False):
        emptied = len(changed) - len(prices)
        # One more than what is emptied: the best of those that stay is among them.
        found = _prices(table, book, side, emptied + 1)
        prices += [price for price in found if changed.get(price, True)]
    elif known is not None:
        prices.append(known)
    return (max if side == _BID else min)(prices, default=None)


def _prices(table: DocumentTable, book: int, side: str, first: int) -> list[int]:
    """The prices of a side as they stand in the table, the best first."""
    kind: Kind[Level] = kind_of("level")
    found = table.query(kind, levels_partition(book, side), limit=first, consistent=True)
    return [stored.record.price for _, stored in found]
