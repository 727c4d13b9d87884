"""Search: batches and listings on offer, and what trading costs. Everybody may look."""

from __future__ import annotations

from itertools import islice

from carbonmarket.operations import find_market as finding
from carbonmarket_adapters.http import Call, connection, show_market
from carbonmarket_adapters.wiring import chain, market
from functions.api_market.api import api

_QUERY = ("type", "country", "vintage", "labels", "price_max", "reputation_min", "sort")


@api.get("/v1/market/batches", public=True, paged=True, query=_QUERY, cache_s=2)
def find_batches(call: Call) -> object:
    """Batches on offer with their best price, by what you ask of them."""
    rows = finding.find_batches(
        finding.parse_search(call.query), call.page.after, catalogue=market.catalogue(), now_us=call.now_us
    )
    return connection(islice(rows, call.page.first + 1), call.page.first, show_market.offer)


@api.get("/v1/market/listings", public=True, paged=True, query=_QUERY, cache_s=2)
def find_listings(call: Call) -> object:
    """Fixed-price listings, by what you ask of their batches."""
    rows = finding.find_listings(
        finding.parse_search(call.query), call.page.after, catalogue=market.catalogue(), now_us=call.now_us
    )
    return connection(islice(rows, call.page.first + 1), call.page.first, show_market.listing_offer)


@api.get("/v1/fees", public=True, cache_s=10)
def get_fees(call: Call) -> object:
    """What an order placed now pays as maker and as taker, in 1/10,000."""
    return show_market.fees(chain.market_projection().fees())
