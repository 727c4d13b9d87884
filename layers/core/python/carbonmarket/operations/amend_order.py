"""An organisation makes an order smaller; it keeps its place in the queue."""

from __future__ import annotations

import msgspec

from carbonmarket.chain import market_calls
from carbonmarket.chain.calls import EntryCall
from carbonmarket.errors import InvalidInput
from carbonmarket.operations.acts import Desk, Done, act, cost, named_book, parse_lots, parse_number
from carbonmarket.operations.cancel_order import parse_order
from carbonmarket.records.principal import Principal


class AmendOrder(msgspec.Struct, frozen=True, kw_only=True):
    """``grams`` is what stays open."""

    grams: str


class AmendOrderOf(msgspec.Struct, frozen=True, kw_only=True):
    """The same with the order named, for a wallet to sign."""

    book: str
    order: str
    grams: str


def amend_order(
    book: str, order: str, request: AmendOrder, *, caller: Principal, key: str, desk: Desk
) -> Done:
    """Let ``grams`` stay open; what the rest held becomes claimable."""
    named = AmendOrderOf(book=book, order=order, grams=request.grams)
    return act("amend_order", call_of(named, desk), caller=caller, key=key, desk=desk)


def call_of(request: AmendOrderOf, desk: Desk) -> EntryCall:
    """The call, after what the projection can tell was checked."""
    book = named_book(parse_number(request.book, "book"), desk)
    order = parse_order(request.order)
    grams = parse_lots(request.grams, book.lot, "book")
    if cost(market_calls.price_of(order), grams) < book.min_notional:
        raise InvalidInput(
            f"what stays open must be worth at least {book.min_notional} quote units", field="grams"
        )
    return market_calls.amend_order(book.number, order, grams)
