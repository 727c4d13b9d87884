"""Reputation of accounts' parties. Everybody may look."""

from __future__ import annotations

from carbonmarket.operations import find_reputation as finding
from carbonmarket_adapters.http import Call, connection, show_reputation
from carbonmarket_adapters.wiring import chain
from functions.api_market.api import api


@api.get("/v1/market/reputation/{account}", public=True, cache_s=10)
def get_reputation(call: Call) -> object:
    """How far the party of an account on chain can be relied on, by dimension, 0 to 10,000."""
    found = finding.find_reputation(
        call.path["account"], market=chain.market_projection(), now_us=call.now_us
    )
    return show_reputation.reputation(found)


@api.get("/v1/market/reputation/{account}/ratings", public=True, paged=True, cache_s=10)
def list_ratings(call: Call) -> object:
    """What each trade, review and period said of the party, with the hash of its evidence."""
    page = call.page
    rows = finding.list_ratings(
        call.path["account"], page.after, page.first + 1, market=chain.market_projection()
    )
    return connection(rows, page.first, show_reputation.rating)
