"""Orders of custodial accounts: placed, matched, amended, cancelled, and seen again in the projection."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from carbonmarket.chain.market_calls import STEPS_MAX
from carbonmarket.errors import IdempotencyMismatch, InvalidInput, NotYetFinal
from carbonmarket.operations import acts
from carbonmarket.operations.acts import named_book
from carbonmarket.operations.move_balance import get_cash
from carbonmarket.operations.place_order import Placed, PlaceOrder, place_order
from carbonmarket.records.principal import BUYER, Principal
from carbonmarket.times import MICROSECONDS, format_s
from carbonmarket_adapters.aptos.outbox import Outbox
from carbonmarket_adapters.http.cursors import cursor_of
from carbonmarket_adapters.wiring import chain, market
from infra.bootstrap import MAKER_BPS, TAKER_BPS
from tests.market.exchange import DOLLARS, GRAMS, TICK, Exchange
from tests.sagas.world import Refused


def fee(quote: int, bps: int) -> int:
    """Rounded up, against who pays it."""
    return -(-quote * bps // 10_000)


@contextlib.contextmanager
def unanswered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The chain takes what it is sent and nobody waits until it answers."""

    def not_yet(*_: object, **__: object) -> None:
        raise NotYetFinal("later")

    with monkeypatch.context() as patched:
        patched.setattr(acts, "WAIT_S", 0)
        patched.setattr(Outbox, "await_fate", not_yet)
        yield


def test_an_order_rests_and_is_taken(exchange: Exchange) -> None:
    resting = exchange.place(exchange.seller, "sell", 10)
    assert (resting["state"], resting["open"], resting["filled"]) == ("open", str(GRAMS), "0")
    taken = exchange.place(exchange.buyer, "buy", 12, GRAMS // 2, kind="ioc")
    assert (taken["state"], taken["filled"], taken["quote"]) == ("filled", str(GRAMS // 2), str(5 * GRAMS))
    assert int(taken["fees"]) == fee(5 * GRAMS, TAKER_BPS)
    exchange.watch()
    seen = exchange.get(exchange.seller, f"/v1/orders/{resting['book']}/{resting['id']}")
    assert (seen["state"], seen["open"], seen["filled"]) == ("open", str(GRAMS // 2), str(GRAMS // 2))
    assert (seen["transaction"], seen["fees"]) == (resting["transaction"], str(fee(5 * GRAMS, MAKER_BPS)))
    mine = exchange.get(exchange.seller, "/v1/orders?state=open")["edges"]
    assert [edge["node"]["id"] for edge in mine] == [resting["id"]]


def test_the_same_key_is_the_same_order_and_one_stored_transaction(exchange: Exchange) -> None:
    def submissions() -> int:
        return sum(each.call == "marketplace::place" for each in chain.signing_table().submissions())

    before = submissions()
    first = exchange.place(exchange.seller, "sell", 10, key="once")
    assert exchange.place(exchange.seller, "sell", 10, key="once") == first
    with pytest.raises(Refused) as other:
        exchange.place(exchange.seller, "sell", 11, key="once")
    assert other.value.problem["title"] == "idempotency mismatch"
    assert submissions() == before + 1


def test_an_order_gets_smaller_and_then_ends(exchange: Exchange) -> None:
    order = exchange.place(exchange.buyer, "buy", 10, expires=format_s(4_000_000_000))
    path = f"/v1/orders/{order['book']}/{order['id']}"
    exchange.post(exchange.buyer, f"{path}/amendment", {"grams": str(GRAMS // 4)})
    exchange.watch()
    seen = exchange.get(exchange.buyer, path)
    assert (seen["open"], seen["cancelled"]) == (str(GRAMS // 4), str(GRAMS * 3 // 4))
    assert seen["expires"] == format_s(4_000_000_000)
    ended = exchange.post(exchange.buyer, f"{path}/cancellation")
    exchange.watch()
    seen = exchange.get(exchange.buyer, path)
    assert (seen["state"], seen["cancel_reason"], seen["held"]) == ("cancelled", "owner", "0")
    assert ended["state"] == "committed"


def test_an_order_stays_the_same_when_its_expiry_has_passed(exchange: Exchange) -> None:
    caller = Principal(subject="buyer", organisation=exchange.buyer, roles=frozenset({BUYER}))
    body = exchange.order("buy", 10, expires=format_s(4_000_000_000))
    first = exchange.post(exchange.buyer, "/v1/orders", body, "in-time")

    def later(key: str, **changes: str) -> Placed:
        request = msgspec.convert(body | changes, PlaceOrder)
        desk = market.desk(4_000_000_001 * MICROSECONDS)
        return place_order(request, caller=caller, key=key, desk=desk)

    assert (later("in-time").order, later("in-time").state) == (first["id"], "open")
    with pytest.raises(IdempotencyMismatch):
        later("in-time", price=str(11 * TICK))
    with pytest.raises(InvalidInput, match="past"):
        later("too-late")


def test_the_same_request_tells_more_when_the_chain_has_answered(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deposit(amount: str) -> Any:
        body = {"asset": "quote", "amount": amount}
        return exchange.post(exchange.rival, "/v1/portfolio/deposit", body, "slow")

    before = exchange.claimable(exchange.rival, exchange.quote)
    with unanswered(monkeypatch):
        first = deposit("7")
    later = deposit("7")
    assert (first["state"], later["state"]) == ("submitted", "committed")
    assert (later["id"], deposit("7")) == (first["id"], later)
    with pytest.raises(Refused) as other:
        deposit("8")
    assert other.value.problem["title"] == "idempotency mismatch"
    assert exchange.claimable(exchange.rival, exchange.quote) == before + 7


def test_an_order_that_is_filled_by_the_one_that_waited_was_not_cancelled(exchange: Exchange) -> None:
    asks = [exchange.place(exchange.seller, "sell", 10, 10) for _ in range(STEPS_MAX + 2)]
    waits = exchange.place(exchange.buyer, "buy", 10, 10 * (STEPS_MAX + 1))
    assert (waits["state"], waits["open"]) == ("waits", "10")
    book, (met, beside) = waits["book"], (ask["id"] for ask in asks[STEPS_MAX:])
    for _ in range(2):
        with pytest.raises(Refused) as refused:
            exchange.post(exchange.seller, f"/v1/orders/{book}/{met}/cancellation", key="too-late")
        assert (refused.value.status, refused.value.problem["title"]) == (409, "conflict")
        assert "filled before" in refused.value.problem["detail"]
    exchange.watch()
    seen = {id: exchange.get(exchange.seller, f"/v1/orders/{book}/{id}")["state"] for id in (met, beside)}
    assert seen == {met: "filled", beside: "open"}
    exchange.post(exchange.seller, f"/v1/orders/{book}/{beside}/cancellation")


def test_what_is_left_of_an_order_and_worth_too_little_is_ended(exchange: Exchange) -> None:
    resting = exchange.place(exchange.seller, "sell", 5)
    exchange.place(exchange.buyer, "buy", 5, GRAMS - 10)
    exchange.watch()
    seen = exchange.get(exchange.seller, f"/v1/orders/{resting['book']}/{resting['id']}")
    assert (seen["state"], seen["cancel_reason"], seen["cancelled"]) == ("cancelled", "too_small", "10")
    exchange.place(exchange.seller, "sell", 5, GRAMS - 10)
    taken = exchange.place(exchange.buyer, "buy", 5)
    assert (taken["state"], taken["cancel_reason"]) == ("cancelled", "too_small")
    assert (taken["filled"], taken["cancelled"]) == (str(GRAMS - 10), "10")


def test_all_orders_end_page_by_page(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    for price in range(2, 20):
        exchange.place(exchange.buyer, "buy", price, 100)
    exchange.watch()

    def page(key: str) -> tuple[int, bool]:
        ended = exchange.post(
            exchange.buyer, "/v1/orders/cancellation", {"book": str(exchange.books[0])}, key
        )
        return len(ended["orders"]), ended["more"]

    with unanswered(monkeypatch):
        assert page("page-1") == (0, True)
    assert page("page-1") == (16, True)
    exchange.watch()
    assert page("page-1") == (16, True)
    assert page("page-2") == (2, False)
    exchange.watch()
    assert page("page-2") == (2, False)
    assert exchange.get(exchange.buyer, "/v1/orders?state=open")["edges"] == []


def test_an_order_pays_from_what_was_deposited(exchange: Exchange) -> None:
    before = exchange.claimable(exchange.rival, exchange.quote)
    exchange.post(exchange.rival, "/v1/portfolio/deposit", {"asset": "quote", "amount": "100000"})
    order = exchange.place(exchange.rival, "buy", 10, source="balance")
    exchange.watch()
    escrow = int(exchange.get(exchange.rival, f"/v1/orders/{order['book']}/{order['id']}")["held"])
    cash = exchange.get(exchange.rival, "/v1/portfolio/cash")
    assert (int(cash["claimable"]), int(cash["in_orders"])) == (before + 100_000 - escrow, escrow)
    # Of a book in another asset it would be no money of this one.
    desk = market.desk(0)
    book = msgspec.structs.replace(named_book(exchange.books[0], desk), quote="0xother")
    caller = Principal(subject="rival", organisation=exchange.rival, roles=frozenset({BUYER}))
    elsewhere = msgspec.structs.replace(desk, terms=lambda _number: book)
    assert get_cash(caller=caller, desk=elsewhere).in_orders == 0
    exchange.post(exchange.rival, f"/v1/orders/{order['book']}/{order['id']}/cancellation")
    left = exchange.claimable(exchange.rival, exchange.quote)
    exchange.post(exchange.rival, "/v1/portfolio/claim", {"asset": "quote", "amount": str(left)})
    exchange.watch()
    cash = exchange.get(exchange.rival, "/v1/portfolio/cash")
    assert (cash["wallet"], cash["claimable"]) == (str(DOLLARS), "0")


def test_an_order_by_criteria_goes_to_the_cheapest_books(exchange: Exchange) -> None:
    dear, cheap = exchange.books
    exchange.place(exchange.seller, "sell", 10)
    exchange.place(exchange.seller, "sell", 8, book=str(cheap))
    exchange.watch()
    criteria = {"countries": ["US"], "vintages": [2016]}
    wanted = {"criteria": criteria, "price": str(11 * TICK + 1), "grams": str(GRAMS + GRAMS // 2)}
    route = exchange.post(exchange.buyer, "/v1/orders/route", wanted)
    assert [(leg["book"], leg["grams"]) for leg in route["legs"]] == [
        (str(cheap), str(GRAMS)),
        (str(dear), str(GRAMS // 2)),
    ]
    assert route["quote"] == str(8 * GRAMS + 5 * GRAMS)
    # A trade with oneself ends an order: to who sells there itself nothing is proposed.
    assert exchange.refused_unsent(exchange.seller, "/v1/orders/route", wanted).status == 409
    legs = [{"book": leg["book"], "grams": leg["grams"]} for leg in route["legs"]]
    body = {"criteria": criteria, "price": wanted["price"], "legs": legs, "fee_cap_bps": 100}
    bought = exchange.post(exchange.buyer, "/v1/orders/criteria", body)
    assert (bought["filled"], bought["quote"]) == (wanted["grams"], route["quote"])
    with pytest.raises(Refused) as elsewhere:
        exchange.post(exchange.buyer, "/v1/orders/route", wanted | {"criteria": {"countries": ["BR"]}})
    assert elsewhere.value.status == 409
    lying = body | {"criteria": {"countries": ["BR"]}}
    refused = exchange.refused(exchange.buyer, "/v1/orders/criteria", lying)
    assert refused.problem["abort"] == "criteria::E_OTHER_COUNTRY"


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/orders/1/x", "order"),
        ("/v1/orders/x/1", "book"),
        ("/v1/books/0", "book"),
        ("/v1/books/-1/depth", "book"),
        ("/v1/orders?state=closed", "state"),
    ],
)
def test_what_names_nothing_is_refused_by_its_field(exchange: Exchange, path: str, field: str) -> None:
    answer = exchange.world.call("GET", path, who=(exchange.buyer, "buyer"))
    assert (answer.status_code, json.loads(answer.body)["field"]) == (422, field)


@pytest.mark.parametrize("place", ["\x01", "\U0010ffff\U0010ffff"], ids=["below all", "above all"])
def test_a_cursor_that_no_list_gave_is_the_beginning_or_the_end(exchange: Exchange, place: str) -> None:
    exchange.place(exchange.seller, "sell", 10)
    exchange.place(exchange.buyer, "buy", 10)
    exchange.watch()
    book = exchange.books[0]
    paths = ["/v1/books", "/v1/tickers", f"/v1/books/{book}/trades", "/v1/orders", "/v1/market/listings"]
    paths += ["/v1/market/batches", "/v1/gifts", "/v1/portfolio"]
    empty = {}
    for path in paths:
        page = exchange.get(exchange.seller, f"{path}?after={cursor_of(place)}")
        empty[path] = page["edges"] == []
    reverse = (f"/v1/books/{book}/trades", "/v1/orders")
    for path in ("/v1/books", "/v1/tickers", *reverse):
        assert empty[path] is ((place == "\x01") == (path in reverse)), path


def test_another_organisation_sees_no_order(exchange: Exchange) -> None:
    order = exchange.place(exchange.buyer, "buy", 10)
    exchange.watch()
    path = f"/v1/orders/{order['book']}/{order['id']}"
    answer = exchange.world.call("GET", path, who=(exchange.rival, "buyer"))
    assert (answer.status_code, json.loads(answer.body)["title"]) == (404, "not found")
    answer = exchange.world.call(
        "POST", "/v1/orders", who=(exchange.buyer, "reviewer"), body=exchange.order("buy", 10)
    )
    assert answer.status_code == 403
