"""Where each kind of record of the marketplace lies in table ``chain``.

An item has one index entry. What must be found from two accounts has a pointer beside it: a maker finds its
trades by the index, a taker by what it took; a gift's recipient by the index, its giver by number.
"""

from __future__ import annotations

from carbonmarket.chain.market_calls import PRICE_MAX
from carbonmarket.records import market as records
from carbonmarket_adapters.dynamo.chain_places import Place, no_index
from carbonmarket_adapters.dynamo.table import Kind

BOOKS, LISTINGS = "BOOKS", "LISTINGS"
TRADE: Kind[records.Trade] = Kind("trade", records.Trade)


def number_sort(number: int | str) -> str:
    """A number as a sort key, in its order."""
    return f"{int(number):020}"


def side_of(is_bid: bool) -> str:
    """The name of a book's side."""
    return "bid" if is_bid else "ask"


def trades_partition(market: str, number: int | str) -> str:
    """The partition of the trades of a "book" or "listing"."""
    return f"TRADES#{market}#{number}"


def orders_partition(account: str, *, is_open: bool) -> str:
    """The index partition of an account's open or ended orders."""
    return f"ORDERS#{account}#{'OPEN' if is_open else 'ENDED'}"


def levels_partition(book: int | str, side: str) -> str:
    """The partition of a side's price levels."""
    return f"LEVELS#{book}#{side}"


def _level_keys(book: str, side: str, price: str) -> tuple[str, str]:
    """The best price of a side sorts first."""
    return levels_partition(book, side), number_sort(PRICE_MAX - int(price) if side == "bid" else price)


def _order_index(order: records.Order) -> tuple[str, str]:
    partition = orders_partition(order.account, is_open=order.state == "open")
    return partition, f"{number_sort(order.version)}#{number_sort(order.book)}#{int(order.id):039}"


def _trade_identity(trade: records.Trade) -> tuple[str, ...]:
    if trade.book:
        return "book", str(trade.book), trade.index
    return "listing", str(trade.listing), trade.index


PLACES: dict[str, Place] = {
    "book": Place(
        Kind("book", records.Book),
        lambda number: (f"BOOK#{number}", "BOOK"),
        lambda r: (str(r.number),),
        lambda r: (BOOKS, number_sort(r.number)),
    ),
    "book_name": Place(
        Kind("book_name", records.BookName),
        lambda batch, quote: (f"BOOKS_OF#{batch}", quote),
        lambda r: (r.batch, r.quote),
        no_index,
    ),
    "order": Place(
        Kind("order", records.Order),
        lambda book, order: (f"ORDER#{book}#{order}", "ORDER"),
        lambda r: (str(r.book), r.id),
        _order_index,
    ),
    "trade": Place(
        TRADE,
        lambda market, number, index: (trades_partition(market, number), index),
        _trade_identity,
        lambda r: (f"TRADES_OF#{r.maker}", r.index),
    ),
    "taken": Place(
        Kind("taken", records.Taken),
        lambda account, version: (f"TAKEN#{account}", number_sort(version)),
        lambda r: (r.account, str(r.version)),
        no_index,
    ),
    "level": Place(
        Kind("level", records.Level),
        _level_keys,
        lambda r: (str(r.book), side_of(r.is_bid), str(r.price)),
        no_index,
    ),
    "candle": Place(
        Kind("candle", records.Candle),
        lambda book, interval, start: (f"CANDLES#{book}#{interval}", number_sort(start)),
        lambda r: (str(r.book), r.interval, str(r.start_us)),
        no_index,
    ),
    "listing": Place(
        Kind("listing", records.Listing),
        lambda number: (f"LISTING#{number}", "LISTING"),
        lambda r: (str(r.number),),
        lambda r: (LISTINGS, number_sort(r.number)) if r.state == "open" else None,
    ),
    "listing_of": Place(
        Kind("listing_of", records.ListingOf),
        lambda seller, number: (f"LISTINGS_OF#{seller}", number_sort(number)),
        lambda r: (r.seller, str(r.number)),
        no_index,
    ),
    "gift": Place(
        Kind("gift", records.Gift),
        lambda number: (f"GIFT#{number}", "GIFT"),
        lambda r: (str(r.number),),
        lambda r: (f"GIFTS_FOR#{r.recipient}", number_sort(r.number)),
    ),
    "gift_of": Place(
        Kind("gift_of", records.GiftOf),
        lambda giver, number: (f"GIFTS_OF#{giver}", number_sort(number)),
        lambda r: (r.giver, str(r.number)),
        no_index,
    ),
    "claimable": Place(
        Kind("claimable", records.Claimable),
        lambda account, asset: (f"CLAIMABLE#{account}", asset),
        lambda r: (r.account, r.asset),
        no_index,
    ),
    "fees": Place(Kind("fees", records.Fees), lambda: ("FEES", "FEES"), lambda _r: (), no_index),
    "party_of": Place(
        Kind("party_of", records.PartyOf),
        lambda account: (f"ACCOUNT#{account}", "PARTY"),
        lambda r: (r.account,),
        no_index,
    ),
    "standing": Place(
        Kind("standing", records.PartyStanding),
        lambda party, dimension: (f"PARTY#{party}", f"STANDING#{dimension}"),
        lambda r: (r.party, str(r.dimension)),
        no_index,
    ),
    "rating": Place(
        Kind("rating", records.Rating),
        lambda party, dimension, reference: (f"PARTY#{party}", f"RATING#{dimension}#{reference}"),
        lambda r: (r.party, str(r.dimension), r.reference),
        no_index,
    ),
}
