"""What an organisation holds, and what it moves between its wallet and the market."""

from __future__ import annotations

from carbonmarket.operations import find_portfolio as finding
from carbonmarket.operations import move_balance as moving
from carbonmarket.operations.find_portfolio import Position
from carbonmarket_adapters.http import Answer, Call, connection, show_market
from carbonmarket_adapters.wiring import market, purchases, registry, settings
from functions.api_market.api import api


@api.get("/v1/portfolio", paged=True)
def list_positions(call: Call) -> object:
    """Your organisation's credits: what they cost, what they are worth, and where they come from."""
    page = call.page
    rows = finding.list_positions(
        page.after,
        page.first + 1,
        caller=call.caller,
        desk=market.desk(call.now_us),
        registry=registry.registry(),
        purchases=purchases.purchases(),
    )
    return connection(rows, page.first, _position)


@api.get("/v1/portfolio/cash")
def get_cash(call: Call) -> object:
    """Your organisation's money: in the wallet, claimable, and held by open bids."""
    return show_market.cash(moving.get_cash(caller=call.caller, desk=market.desk(call.now_us)))


@api.post("/v1/portfolio/deposit", body=moving.MoveBalance)
def deposit(call: Call) -> object:
    """Bring something from the wallet to trade with."""
    done = moving.deposit(
        call.body, caller=call.caller, key=call.idempotency_key, desk=market.desk(call.now_us)
    )
    return _answer(show_market.done(done))


@api.post("/v1/portfolio/claim", body=moving.MoveBalance)
def claim(call: Call) -> object:
    """Fetch to the wallet what trades and ended orders have left."""
    done = moving.claim(
        call.body, caller=call.caller, key=call.idempotency_key, desk=market.desk(call.now_us)
    )
    return _answer(show_market.done(done))


def _position(found: Position) -> object:
    return show_market.position(found, settings().public_url)


def _answer(shown: show_market.Json) -> Answer:
    return Answer(body=shown, status=202 if shown["state"] == "submitted" else 201)
