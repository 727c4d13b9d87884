"""Books: terms, depth, trades, candles, tickers. Everybody may look."""

from __future__ import annotations

from carbonmarket.operations import read_books as reading
from carbonmarket_adapters.http import Call, connection, show_market
from carbonmarket_adapters.wiring import market
from functions.api_market.api import api


@api.get("/v1/books", public=True, paged=True, cache_s=5)
def list_books(call: Call) -> object:
    """All books."""
    page = call.page
    rows = reading.list_books(page.after, page.first + 1, desk=market.desk(call.now_us))
    return connection(rows, page.first, show_market.book)


@api.get("/v1/books/{book}", public=True, cache_s=1)
def get_book(call: Call) -> object:
    """One book's terms."""
    return show_market.book(reading.get_book(call.path["book"], desk=market.desk(call.now_us)))


@api.get("/v1/books/{book}/depth", public=True, query=("levels",), cache_s=1)
def get_depth(call: Call) -> object:
    """The best prices of both sides."""
    found = reading.get_depth(call.path["book"], call.query.get("levels"), desk=market.desk(call.now_us))
    return show_market.depth(found)


@api.get("/v1/books/{book}/trades", public=True, paged=True, cache_s=1)
def list_trades(call: Call) -> object:
    """A book's trades, the newest first."""
    page = call.page
    rows = reading.list_trades(call.path["book"], page.after, page.first + 1, desk=market.desk(call.now_us))
    return connection(rows, page.first, show_market.trade)


@api.get("/v1/books/{book}/candles", public=True, query=("interval", "from", "to"), cache_s=1)
def list_candles(call: Call) -> object:
    """Candles of 1m, 5m, 1h or 1d; at most 500 intervals, none where nothing was traded."""
    candles = reading.list_candles(call.path["book"], call.query, desk=market.desk(call.now_us))
    return {"book": call.path["book"], "candles": [show_market.candle(each) for each in candles]}


@api.get("/v1/books/{book}/ticker", public=True, cache_s=1)
def get_ticker(call: Call) -> object:
    """A book's figures of the last 24 hours."""
    return show_market.ticker(reading.get_ticker(call.path["book"], desk=market.desk(call.now_us)))


@api.get("/v1/tickers", public=True, paged=True, cache_s=1)
def list_tickers(call: Call) -> object:
    """All books' figures of the last 24 hours."""
    page = call.page
    rows = reading.list_tickers(page.after, page.first + 1, desk=market.desk(call.now_us))
    return connection(rows, page.first, show_market.ticker)
