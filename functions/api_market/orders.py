"""Orders of custodial accounts: placed, amended and cancelled with the organisation's own key."""

from __future__ import annotations

import os

from carbonmarket.commitments import SALT_BYTES
from carbonmarket.operations import amend_order as amending
from carbonmarket.operations import buy_and_retire as buying
from carbonmarket.operations import cancel_order as cancelling
from carbonmarket.operations import place_order as placing
from carbonmarket.operations import read_books as reading
from carbonmarket.operations import route_order as routing
from carbonmarket_adapters.http import Answer, Call, connection, show, show_market
from carbonmarket_adapters.wiring import market, registry, settings
from functions.api_market.api import api


@api.post("/v1/orders", body=placing.PlaceOrder, replays=False)
def place_order(call: Call) -> object:
    """Place an order; 202 while the chain has not answered yet."""
    placed = placing.place_order(
        call.body, caller=call.caller, key=call.idempotency_key, desk=market.desk(call.now_us)
    )
    return _answer(show_market.placed(placed))


@api.get("/v1/orders", paged=True, query=("state",))
def list_orders(call: Call) -> object:
    """Your organisation's orders, those placed last first; with state=open those alone."""
    page = call.page
    rows = reading.list_orders(
        page.after,
        page.first + 1,
        state=call.query.get("state"),
        caller=call.caller,
        desk=market.desk(call.now_us),
    )
    return connection(rows, page.first, show_market.order)


@api.get("/v1/orders/{book}/{order}")
def get_order(call: Call) -> object:
    """One order as it was last seen."""
    found = reading.get_order(
        call.path["book"], call.path["order"], caller=call.caller, desk=market.desk(call.now_us)
    )
    return show_market.order(found)


@api.post("/v1/orders/{book}/{order}/amendment", body=amending.AmendOrder, status=200)
def amend_order(call: Call) -> object:
    """Make an order smaller; it keeps its place."""
    amended = amending.amend_order(
        call.path["book"],
        call.path["order"],
        call.body,
        caller=call.caller,
        key=call.idempotency_key,
        desk=market.desk(call.now_us),
    )
    return _answer(show_market.done(amended), status=200)


@api.post("/v1/orders/{book}/{order}/cancellation", status=200, replays=False)
def cancel_order(call: Call) -> object:
    """End an order; 409 if it was filled before it could be cancelled."""
    cancelled = cancelling.cancel_order(
        call.path["book"],
        call.path["order"],
        caller=call.caller,
        key=call.idempotency_key,
        desk=market.desk(call.now_us),
    )
    return _answer(show_market.done(cancelled), status=200)


@api.post("/v1/orders/cancellation", body=cancelling.CancelAll, status=200)
def cancel_all(call: Call) -> object:
    """End the next 16 of your orders in a book; ask again, with a new key, while there are more."""
    page = cancelling.cancel_all(
        call.body, caller=call.caller, key=call.idempotency_key, desk=market.desk(call.now_us)
    )
    return _answer(show_market.cancelled_page(page), status=200)


@api.post("/v1/orders/route", body=routing.RouteOrder, status=200)
def route_order(call: Call) -> object:
    """Find the cheapest books for an order by criteria, your own offers left out."""
    desk = market.desk(call.now_us)
    own = desk.accounts.organisation(call.caller.organisation)
    account = None if own is None else own.account_address
    return show_market.route(routing.route_order(call.body, desk=desk, account=account))


@api.post("/v1/orders/criteria", body=routing.PlaceCriteriaOrder)
def place_criteria_order(call: Call) -> object:
    """Buy along a route; the contract checks each batch against the criteria."""
    placed = routing.place_criteria_order(
        call.body, caller=call.caller, key=call.idempotency_key, desk=market.desk(call.now_us)
    )
    return _answer(show_market.placed_by_criteria(placed))


@api.post("/v1/orders/retirement", body=buying.BuyAndRetire, status=202)
def buy_and_retire(call: Call) -> object:
    """Buy grams and retire them in one transaction; the answer names the certificate's URL."""
    ordered = buying.buy_and_retire(
        call.body,
        caller=call.caller,
        key=call.idempotency_key,
        desk=market.desk(call.now_us),
        registry=registry.registry(),
        subjects=registry.subjects(),
        sagas=registry.sagas(),
        public_url=settings().public_url,
        salt=os.urandom(SALT_BYTES),
    )
    return show.retirement(ordered, settings().public_url)


def _answer(shown: show_market.Json, status: int = 201) -> Answer:
    return Answer(body=shown, status=202 if shown["state"] == "submitted" else status)
