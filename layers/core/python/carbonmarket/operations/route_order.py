"""Orders by criteria: which books serve a buyer cheapest who names no batch, and buying there."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import nsmallest

import msgspec

from carbonmarket.chain import market_calls
from carbonmarket.chain.calls import EntryCall
from carbonmarket.errors import Conflict, InvalidInput
from carbonmarket.halts import halt_of
from carbonmarket.labels import label_bits
from carbonmarket.operations.acts import (
    Desk,
    Source,
    act,
    cost,
    open_orders,
    parse_number,
    parse_price,
)
from carbonmarket.operations.place_order import Placed, decide_placed
from carbonmarket.quantities import parse_grams
from carbonmarket.records.chain import Batch
from carbonmarket.records.market import Book
from carbonmarket.records.principal import Principal
from carbonmarket.times import format_s

_PAGE = 100
_CANDIDATES = 4 * market_calls.ROUTE_BOOKS_MAX
"""Books that are looked into: more than a route has, since one whose lot is above the rest is passed over."""
_STEPS_PER_BOOK = 2


class Criteria(msgspec.Struct, frozen=True, kw_only=True):
    """What the batches must be: one of these types, countries and vintage years, with all of these labels.

    An empty list asks for nothing. A vintage is the year in which the batch's period begins.
    """

    methodologies: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    vintages: tuple[int, ...] = ()
    labels: tuple[str, ...] = ()


class RouteOrder(msgspec.Struct, frozen=True, kw_only=True):
    """``grams`` to buy, all at ``price`` or better."""

    criteria: Criteria
    price: str
    grams: str


class RouteLeg(msgspec.Struct, frozen=True, kw_only=True):
    """Grams to take from one book."""

    book: str
    grams: str


class PlaceCriteriaOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A proposed route, taken: the contract checks every fill against the criteria again."""

    criteria: Criteria
    price: str
    legs: tuple[RouteLeg, ...]
    fee_cap_bps: int
    source: Source = "wallet"


class Leg(msgspec.Struct, frozen=True, kw_only=True):
    """A book of a route: grams to take, what they cost without fees, and the worst price among them."""

    book: int
    batch: str
    grams: int
    quote: int
    worst_price: int


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """The cheapest books for an order; ``grams`` is less than was asked where the books hold no more."""

    legs: tuple[Leg, ...]
    grams: int
    quote: int


class Offer(msgspec.Struct, frozen=True):
    """What rests at one price of one book: ``orders`` of ``grams`` together."""

    price: int
    book: int
    grams: int
    orders: int


class PlacedByCriteria(msgspec.Struct, frozen=True, kw_only=True):
    """The orders that were placed in the route's books."""

    placed: tuple[Placed, ...]
    transaction: str
    state: str


def route_order(request: RouteOrder, *, desk: Desk, account: str | None = None) -> Route:
    """Propose the cheapest route of at most four books that one transaction can take, in each book no further
    than to an offer of ``account``, with which a trade would end there.

    Looked into are the books with the best prices, with which a route begins anyway, not all that sell below
    the limit. Conflict if no book that meets the criteria sells at the price.
    """
    limit, wanted = parse_price(request.price), parse_grams(request.grams, "grams")
    cost(limit, wanted)
    books = {book.number: (book, batch) for book, batch in _matching(request.criteria, desk)}
    served = [number for number, (book, _) in books.items() if book.lot <= wanted]
    own = {} if account is None else _own_asks(account, desk)
    # In each book the highest price that is taken: below what the account asks itself.
    most = {number: min(limit, own.get(number, limit + 1) - 1) for number in served}
    sold = ((best, number) for number, best in desk.market.best_asks(served).items() if best <= most[number])
    offers = [
        offer for _, number in nsmallest(_CANDIDATES, sold) for offer in _offers(number, most[number], desk)
    ]
    route = decide_route(sorted(offers, key=lambda o: (o.price, o.book)), books, wanted)
    if not route.legs:
        raise Conflict("no book that meets the criteria sells at this price")
    return route


def decide_route(offers: list[Offer], books: dict[int, tuple[Book, Batch]], wanted: int) -> Route:
    """Take the offers in the order of their price, as far as four books and one transaction go.

    A book that would get less than its minimum is left out, and the route decided again without it.
    """
    legs = _cheapest(offers, books, wanted)
    while small := [
        leg for leg in legs if cost(leg.worst_price, leg.grams) < books[leg.book][0].min_notional
    ]:
        # One at a time: without it another may get enough.
        left_out = min(small, key=lambda leg: (leg.quote, leg.book)).book
        offers = [offer for offer in offers if offer.book != left_out]
        legs = _cheapest(offers, books, wanted)
    grams, quote = sum(leg.grams for leg in legs), sum(leg.quote for leg in legs)
    return Route(legs=tuple(legs), grams=grams, quote=quote)


def _cheapest(offers: list[Offer], books: dict[int, tuple[Book, Batch]], wanted: int) -> list[Leg]:
    """The legs of a route, whatever the books' minimums."""
    taken: dict[int, list[tuple[int, int]]] = {}
    left, steps = wanted, market_calls.STEPS_MAX
    for offer in offers:
        book, _ = books[offer.book]
        is_new = offer.book not in taken
        needed = offer.orders + (_STEPS_PER_BOOK if is_new and taken else 0)
        grams = min(offer.grams, left - left % book.lot)
        if grams <= 0 or (is_new and len(taken) == market_calls.ROUTE_BOOKS_MAX):
            continue
        if steps < _STEPS_PER_BOOK * (is_new and bool(taken)) + 1:
            break
        taken.setdefault(offer.book, []).append((offer.price, grams))
        left -= grams
        steps -= needed
    return [_leg(books[number], parts) for number, parts in taken.items()]


def _leg(place: tuple[Book, Batch], parts: list[tuple[int, int]]) -> Leg:
    book, batch = place
    return Leg(
        book=book.number,
        batch=batch.id,
        grams=sum(grams for _, grams in parts),
        quote=sum(cost(price, grams) for price, grams in parts),
        worst_price=max(price for price, _ in parts),
    )


def _matching(criteria: Criteria, desk: Desk) -> Iterator[tuple[Book, Batch]]:
    """The books in the market's quote asset whose batch meets the criteria, and in which something can be
    bought: one leg that the contract refuses refuses them all."""
    labels, frozen = label_bits(criteria.labels), desk.credits.frozen()
    after = None
    while rows := desk.market.books(after=after, first=_PAGE):
        books = [book for _, book in rows if book.quote == desk.quote]
        batches = desk.credits.batches_at(book.batch for book in books)
        for book in books:
            batch = batches.get(book.batch)
            if batch is None or halt_of(batch, book.labels, frozen) is not None:
                continue
            if meets(batch, criteria, labels):
                yield book, batch
        after = rows[-1][0]


def meets(batch: Batch, criteria: Criteria, labels: int) -> bool:
    """Whether a batch is what the criteria and label bits ask for, as the contract judges it."""
    return (
        (not criteria.methodologies or batch.methodology in criteria.methodologies)
        and (not criteria.countries or batch.country in criteria.countries)
        and (not criteria.vintages or vintage(batch) in criteria.vintages)
        and batch.labels & labels == labels
    )


def vintage(batch: Batch) -> int:
    """The UTC year in which the batch's period begins."""
    return int(format_s(batch.period_start_s)[:4])


def _offers(book: int, limit: int, desk: Desk) -> Iterator[Offer]:
    for level in desk.market.levels(book, False, first=market_calls.STEPS_MAX):
        if level.price <= limit:
            yield Offer(level.price, book, level.grams, level.orders)


def _own_asks(account: str, desk: Desk) -> dict[int, int]:
    """By book, the lowest price at which the account sells itself."""
    lowest: dict[int, int] = {}
    for order in open_orders(account, desk):
        if not order.is_bid:
            lowest[order.book] = min(order.price, lowest.get(order.book, order.price))
    return lowest


def place_criteria_order(
    request: PlaceCriteriaOrder, *, caller: Principal, key: str, desk: Desk
) -> PlacedByCriteria:
    """Buy along a route. What a leg can't fill is given up; ChainRefused if nothing could be bought."""
    done = act("place_criteria_order", call_of(request, desk), caller=caller, key=key, desk=desk)
    return PlacedByCriteria(placed=tuple(decide_placed(done)), transaction=done.transaction, state=done.state)


def call_of(request: PlaceCriteriaOrder, desk: Desk) -> EntryCall:
    """The call of a route."""
    price = parse_price(request.price)
    books = [parse_number(leg.book, "legs") for leg in request.legs]
    grams = [parse_grams(leg.grams, "legs") for leg in request.legs]
    if len(set(books)) != len(books):
        raise InvalidInput("each book stands in a route once", field="legs")
    for leg_grams in grams:
        cost(price, leg_grams)
    return market_calls.buy_by_criteria(
        quote=desk.quote,
        books=books,
        grams=grams,
        price=price,
        methodologies=request.criteria.methodologies,
        countries=request.criteria.countries,
        vintages=request.criteria.vintages,
        labels=label_bits(request.criteria.labels),
        fee_cap_bps=request.fee_cap_bps,
        from_wallet=request.source == "wallet",
    )
