"""Fixed-price listings, and gifts."""

from __future__ import annotations

import os

from carbonmarket.commitments import SALT_BYTES
from carbonmarket.operations import give_gift as giving
from carbonmarket.operations import trade_listing as listing
from carbonmarket_adapters.http import Answer, Call, connection, show_market
from carbonmarket_adapters.wiring import market, registry
from functions.api_market.api import api


@api.get("/v1/market/listings/{listing}", public=True)
def get_listing(call: Call) -> object:
    """One listing, open or ended."""
    desk = market.desk(call.now_us)
    found = listing.get_listing(call.path["listing"], desk=desk)
    return show_market.listing(found, listing.halt_of_listing(found, desk=desk))


@api.post("/v1/market/listings", body=listing.CreateListing)
def create_listing(call: Call) -> object:
    """List grams at a fixed price."""
    done = listing.create_listing(
        call.body, caller=call.caller, key=call.idempotency_key, desk=market.desk(call.now_us)
    )
    return _answer(show_market.listed(done))


@api.post("/v1/market/listings/{listing}/price", body=listing.SetListingPrice, status=200)
def set_listing_price(call: Call) -> object:
    """Change your listing's price."""
    done = listing.set_listing_price(
        call.path["listing"],
        call.body,
        caller=call.caller,
        key=call.idempotency_key,
        desk=market.desk(call.now_us),
    )
    return _answer(show_market.done(done), status=200)


@api.post("/v1/market/listings/{listing}/cancellation", status=200)
def cancel_listing(call: Call) -> object:
    """End your listing; what is not sold becomes claimable."""
    done = listing.cancel_listing(
        call.path["listing"], caller=call.caller, key=call.idempotency_key, desk=market.desk(call.now_us)
    )
    return _answer(show_market.done(done), status=200)


@api.post("/v1/market/listings/{listing}/purchase", body=listing.BuyListing)
def buy_listing(call: Call) -> object:
    """Buy from a listing; the grams become claimable."""
    done = listing.buy_listing(
        call.path["listing"],
        call.body,
        caller=call.caller,
        key=call.idempotency_key,
        desk=market.desk(call.now_us),
    )
    return _answer(show_market.bought(done))


@api.post("/v1/gifts", body=giving.MakeGift)
def make_gift(call: Call) -> object:
    """Set grams aside for somebody; the message stays off chain."""
    done = giving.make_gift(
        call.body,
        caller=call.caller,
        key=call.idempotency_key,
        desk=market.desk(call.now_us),
        subjects=registry.subjects(),
        salt=os.urandom(SALT_BYTES),
    )
    return _answer(show_market.gift_made(done))


@api.get("/v1/gifts", paged=True)
def list_gifts(call: Call) -> object:
    """The gifts that your organisation gave or was given."""
    page = call.page
    rows = giving.list_gifts(page.after, page.first + 1, caller=call.caller, desk=market.desk(call.now_us))
    return connection(rows, page.first, show_market.gift)


@api.get("/v1/gifts/{gift}")
def get_gift(call: Call) -> object:
    """One gift with its message."""
    found, message = giving.get_gift(
        call.path["gift"],
        caller=call.caller,
        desk=market.desk(call.now_us),
        subjects=registry.subjects(),
    )
    return show_market.gift(found, message)


@api.post("/v1/gifts/{gift}/erasure", status=200)
def erase_gift_message(call: Call) -> object:
    """Forget the message of a gift that you gave; the gift stays."""
    found = giving.erase_gift_message(
        call.path["gift"],
        caller=call.caller,
        desk=market.desk(call.now_us),
        subjects=registry.subjects(),
    )
    return show_market.gift(found)


@api.post("/v1/gifts/{gift}/claim", status=200)
def claim_gift(call: Call) -> object:
    """Take a gift to your wallet."""
    done = giving.claim_gift(
        call.path["gift"], caller=call.caller, key=call.idempotency_key, desk=market.desk(call.now_us)
    )
    return _answer(show_market.done(done), status=200)


@api.post("/v1/gifts/{gift}/return", status=200)
def take_back_gift(call: Call) -> object:
    """Take a gift back that nobody has claimed."""
    done = giving.take_back_gift(
        call.path["gift"], caller=call.caller, key=call.idempotency_key, desk=market.desk(call.now_us)
    )
    return _answer(show_market.done(done), status=200)


def _answer(shown: show_market.Json, status: int = 201) -> Answer:
    return Answer(body=shown, status=202 if shown["state"] == "submitted" else status)
