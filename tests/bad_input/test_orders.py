"""Orders that must not be: each is refused with its reason, and books, balances and wallets stay as is."""

from __future__ import annotations

from typing import Any

import pytest

from carbonmarket.chain import calls, market_calls
from carbonmarket.times import format_s
from tests.market.exchange import GRAMS, TICK, Exchange

CHECKED_BEFORE = {
    "off tick": ({"price": str(10 * TICK + 1)}, "price", "tick"),
    "off lot": ({"grams": "15"}, "grams", "lot"),
    "zero grams": ({"grams": "0"}, "grams", "grams"),
    "zero price": ({"price": "0"}, "price", "price"),
    "overflow": ({"price": str((2**63 - 1) // TICK * TICK), "grams": str(10**19)}, "grams", "asset can hold"),
    "more than any quantity": ({"grams": str(2**64)}, "grams", "grams"),
    "below the minimum": ({"price": str(TICK), "grams": "90"}, "grams", "none below 100"),
    "expired": ({"expires": format_s(1_600_000_000)}, "expires", "past"),
    "labels that the batch lacks": ({"labels": ["ccp"]}, "labels", "lacks ccp"),
    "no label at all": ({"labels": ["green"]}, "labels", "no label"),
    "no such book": ({"book": "999999"}, "book", "no book"),
    "no such kind": ({"kind": "iceberg"}, "kind", "gtc"),
    "fee cap of no fee": ({"fee_cap_bps": 1001}, "fee_cap_bps", "1000"),
}


@pytest.mark.parametrize("what", CHECKED_BEFORE)
def test_what_can_be_known_is_refused_before_anything_is_sent(exchange: Exchange, what: str) -> None:
    changes, field, words = CHECKED_BEFORE[what]
    refused = exchange.refused_unsent(exchange.buyer, "/v1/orders", exchange.order("buy", 10) | changes)
    assert (refused.status, refused.problem["field"].strip("/")) == (422, field)
    assert words in refused.problem["detail"]
    assert "abort" not in refused.problem


def test_a_post_only_order_that_crosses_is_refused(exchange: Exchange) -> None:
    exchange.place(exchange.seller, "sell", 10)
    assert _refused(exchange, exchange.order("buy", 10, kind="post_only")) == (
        "market_book::E_WOULD_MATCH",
        "price",
    )


def test_a_fill_or_kill_order_that_cannot_fill_is_refused(exchange: Exchange) -> None:
    exchange.place(exchange.seller, "sell", 10)
    order = exchange.order("buy", 10, 2 * GRAMS, kind="fok")
    assert _refused(exchange, order) == ("market_book::E_NOT_FILLED_WHOLE", "grams")


def test_a_fee_above_the_cap_is_refused(exchange: Exchange) -> None:
    order = exchange.order("buy", 10, fee_cap_bps=1)
    assert _refused(exchange, order) == ("market_fees::E_ABOVE_CAP", "fee_cap_bps")


def test_too_little_escrow_is_refused(exchange: Exchange) -> None:
    poor = exchange._admit("Poor")
    assert _refused(exchange, exchange.order("buy", 10), poor) == ("market_vault::E_ABOVE_WALLET", "source")
    from_balance = exchange.order("sell", 10, source="balance")
    assert _refused(exchange, from_balance, poor) == ("market_vault::E_ABOVE_BALANCE", "source")


def test_more_than_there_is_is_neither_brought_nor_fetched(exchange: Exchange) -> None:
    for way, abort in (("deposit", "E_ABOVE_WALLET"), ("claim", "E_ABOVE_BALANCE")):
        body = {"asset": "quote", "amount": str(2**63)}
        refused = exchange.refused(exchange.rival, f"/v1/portfolio/{way}", body)
        assert (refused.problem["abort"], refused.problem["field"]) == (f"market_vault::{abort}", "amount")


def test_the_order_of_another_is_neither_cancelled_nor_amended(exchange: Exchange) -> None:
    order = exchange.place(exchange.seller, "sell", 10)
    path = f"/v1/orders/{order['book']}/{order['id']}"
    for act, body in (("cancellation", None), ("amendment", {"grams": "100"})):
        refused = exchange.refused(exchange.rival, f"{path}/{act}", body)
        assert refused.problem["abort"] == "market_book::E_NOT_YOURS"
    larger = exchange.refused(exchange.seller, f"{path}/amendment", {"grams": str(2 * GRAMS)})
    assert (larger.problem["abort"], larger.problem["field"]) == ("market_book::E_NOT_SMALLER", "grams")


def test_a_pause_stops_placing_and_nobody_from_cancelling(exchange: Exchange) -> None:
    order = exchange.place(exchange.buyer, "buy", 10)
    exchange.pauser("pause", calls.pause())
    try:
        assert (
            _refused(exchange, exchange.order("sell", 10), exchange.seller)[0] == "access_control::E_PAUSED"
        )
        exchange.post(exchange.buyer, f"/v1/orders/{order['book']}/{order['id']}/cancellation")
    finally:
        exchange.admin("unpause", calls.unpause())


def test_a_frozen_taker_is_refused_and_a_frozen_makers_order_is_cleared_away(exchange: Exchange) -> None:
    account = exchange.account(exchange.rival)
    exchange.place(exchange.rival, "buy", 10)
    exchange.pauser("freeze", calls.freeze_account(account, "a case"))
    try:
        assert _refused(exchange, exchange.order("buy", 10), exchange.rival)[0] == "transfer_policy::E_FROZEN"
        sold = exchange.place(exchange.seller, "sell", 10, kind="ioc")
        assert (sold["filled"], sold["cancel_reason"]) == ("0", "remainder")
        exchange.watch()
        [ended] = exchange.get(exchange.rival, "/v1/orders?first=1")["edges"]
        assert (ended["node"]["cancel_reason"], ended["node"]["held"]) == ("frozen", "0")
    finally:
        exchange.pauser("thaw", calls.unfreeze_account(account, "a case"))


def test_an_account_on_the_quote_assets_blocklist_cannot_pay(exchange: Exchange) -> None:
    account = exchange.account(exchange.rival)
    usdc = exchange.usdc_address
    exchange.usdc("block", market_calls.usdc_set_blocked(usdc, account, True))
    try:
        abort, _ = _refused(exchange, exchange.order("buy", 10), exchange.rival)
        assert abort == "usdc::E_BLOCKED"
    finally:
        exchange.usdc("unblock", market_calls.usdc_set_blocked(usdc, account, False))


def test_a_route_that_is_none_is_refused(exchange: Exchange) -> None:
    leg = {"book": str(exchange.books[0]), "grams": str(GRAMS)}
    body = {"criteria": {}, "price": str(10 * TICK), "legs": [leg, leg], "fee_cap_bps": 100}
    twice = exchange.refused_unsent(exchange.buyer, "/v1/orders/criteria", body)
    assert (twice.status, twice.problem["field"]) == (422, "legs")
    empty = exchange.refused(exchange.buyer, "/v1/orders/criteria", body | {"legs": [leg]})
    assert empty.problem["abort"] == "market_purchases::E_NOTHING_BOUGHT"


def _refused(exchange: Exchange, order: dict[str, Any], who: str = "") -> tuple[str, str | None]:
    """(abort, field) of an order that only the contract can refuse."""
    refused = exchange.refused(who or exchange.buyer, "/v1/orders", order)
    assert refused.status == 409
    assert refused.problem["detail"]
    return refused.problem["abort"], refused.problem.get("field")
