"""Orders by criteria: the route is the cheapest that one transaction can take."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from carbonmarket.operations.route_order import Criteria, Offer, decide_route, meets, vintage
from carbonmarket.records.chain import Batch
from carbonmarket.records.market import Book

TICK = 1_000_000


def batch(**changes: object) -> Batch:
    """A batch of 2016 from the United States."""
    fields: dict[str, object] = {
        "address": "0x" + "b" * 64,
        "id": "BAT000000000001",
        "project": "PRJ000000000001",
        "period_number": 1,
        "period_start_s": 1_451_606_400,
        "period_end_s": 1_483_228_800,
        "developer": "0x1",
        "country": "US",
        "methodology": "SOLAR",
        "methodology_version": 1,
        "report_hash": "0x",
        "serial_first": 1,
        "serial_last": 100,
        "issued": 100,
        "buffered": 0,
        "labels": 0b101,
        "uri": "",
        "version": 1,
        "transaction": "0x",
        "time_us": 0,
    }
    return Batch(**fields | changes)  # type: ignore[arg-type]


def place(number: int, lot: int = 1, min_notional: int = 0) -> tuple[Book, Batch]:
    """A book and its batch."""
    book = Book(
        number=number,
        batch="0x" + "b" * 64,
        quote="0x5",
        tick=TICK,
        lot=lot,
        min_notional=min_notional,
        labels=0,
        opened_us=0,
        version=1,
        transaction="0x",
    )
    return book, batch()


offers = st.lists(
    st.builds(
        Offer,
        price=st.integers(1, 20).map(lambda price: price * TICK),
        book=st.integers(1, 6),
        grams=st.integers(1, 50),
        orders=st.just(1),
    ),
    min_size=1,
    max_size=8,
)


@settings(deadline=None)
@given(offers, st.integers(1, 120))
def test_no_other_four_books_fill_more_for_what_the_route_costs(found: list[Offer], wanted: int) -> None:
    ordered = sorted(found, key=lambda offer: (offer.price, offer.book))
    books = {number: place(number) for number in range(1, 7)}
    route = decide_route(ordered, books, wanted)
    assert len(route.legs) <= 4
    assert route.grams == sum(leg.grams for leg in route.legs) <= wanted
    # Of the books that the route takes, no gram was to be had more cheaply.
    assert route.quote == cheapest(ordered, {leg.book for leg in route.legs}, route.grams)
    if len({offer.book for offer in found}) <= 4:
        assert route.grams == min(wanted, sum(offer.grams for offer in found))


def cheapest(found: list[Offer], books: set[int], grams: int) -> int:
    """What the grams cost in these books, one by one."""
    prices = sorted(offer.price for offer in found if offer.book in books for _ in range(offer.grams))
    return sum(prices[:grams]) // TICK


def test_a_route_takes_whole_lots_and_no_leg_below_a_books_minimum() -> None:
    books = {1: place(1, lot=10), 2: place(2, min_notional=1_000)}
    found = [Offer(2 * TICK, 1, 100, 1), Offer(3 * TICK, 2, 100, 1)]
    route = decide_route(found, books, 105)
    assert [(leg.book, leg.grams, leg.quote) for leg in route.legs] == [(1, 100, 200)]


def test_what_is_below_one_books_minimum_is_taken_from_another() -> None:
    books = {1: place(1, min_notional=100), 2: place(2, min_notional=100)}
    # A cheap book that holds too little for its own minimum, before one that has all of it.
    found = [Offer(4 * TICK, 1, 20, 1), Offer(5 * TICK, 2, 10**6, 1)]
    route = decide_route(found, books, 1_000)
    assert [(leg.book, leg.grams) for leg in route.legs] == [(2, 1_000)]
    # A rest that is too little in the next book, and enough in the one after it.
    books = {1: place(1), 2: place(2, min_notional=100), 3: place(3)}
    found = [Offer(4 * TICK, 1, 990, 1), Offer(5 * TICK, 2, 10**6, 1), Offer(6 * TICK, 3, 10, 1)]
    route = decide_route(found, books, 1_000)
    assert [(leg.book, leg.grams) for leg in route.legs] == [(1, 990), (3, 10)]


def test_one_transaction_touches_sixteen_orders_and_each_further_book_costs_two() -> None:
    found = [Offer((10 + at) * TICK, 1 + at % 2, 1, 1) for at in range(20)]
    route = decide_route(found, {1: place(1), 2: place(2)}, 100)
    assert route.grams == 14


def test_a_batch_meets_what_the_contract_would_take() -> None:
    found = batch()
    assert vintage(found) == 2016
    fitting = (
        Criteria(),
        Criteria(countries=("BR", "US")),
        Criteria(vintages=(2016,)),
        Criteria(methodologies=("SOLAR",), countries=("US",), vintages=(2015, 2016)),
    )
    assert all(meets(found, criteria, 0b100) for criteria in fitting)
    for one, other in combinations(
        (Criteria(countries=("BR",)), Criteria(vintages=(2017,)), Criteria(methodologies=("WIND",))), 2
    ):
        assert not meets(found, one, 0) and not meets(found, other, 0)
    assert not meets(found, Criteria(), 0b10)
