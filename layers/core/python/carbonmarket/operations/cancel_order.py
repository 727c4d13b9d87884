"""An organisation ends an order, or page by page all that it has in a book."""

from __future__ import annotations

from itertools import islice

import msgspec

from carbonmarket.chain import market_calls
from carbonmarket.chain.calls import EntryCall
from carbonmarket.errors import Conflict, InvalidInput
from carbonmarket.operations.acts import Desk, Done, act, earlier_act, open_orders, parse_number
from carbonmarket.operations.find_credits import own_organisation
from carbonmarket.records.principal import Principal

_ID_DIGITS = 39
_ID_MAX = 2**128 - 1


class CancelOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order by its book and id."""

    book: str
    order: str


class CancelOrders(msgspec.Struct, frozen=True, kw_only=True):
    """``orders`` are those of one book to end, at most 16."""

    book: str
    orders: tuple[str, ...]


class CancelAll(msgspec.Struct, frozen=True, kw_only=True):
    """The book whose orders of the caller are ended, 16 at a time."""

    book: str


class CancelledPage(msgspec.Struct, frozen=True, kw_only=True):
    """The orders that one page ended; ``more`` says that there are others left to end."""

    done: Done
    orders: tuple[str, ...]
    more: bool


def cancel_order(book: str, order: str, *, caller: Principal, key: str, desk: Desk) -> Done:
    """End it; what it held becomes claimable. No pause and no freeze stops that.

    Conflict if the book's pending order, which has its turn first, has filled it.
    """
    named = CancelOrder(book=book, order=order)
    done = act("cancel_order", call_of(named, desk), caller=caller, key=key, desk=desk)
    if done.state == "committed" and not _has_ended(named, done):
        raise Conflict("the order was filled before it could be cancelled", field="order")
    return done


def _has_ended(named: CancelOrder, done: Done) -> bool:
    """Whether the order is among those that the act ended: the pending one's turn may have ended others."""
    place = (parse_number(named.book, "book"), parse_order(named.order))
    ended = done.all_events("market_book::OrderCancelled")
    return place in [(int(each["book"]), int(each["order"])) for each in ended]


def cancel_all(request: CancelAll, *, caller: Principal, key: str, desk: Desk) -> CancelledPage:
    """End the next page of the caller's open orders in a book, the newest first.

    Conflict if none is open. The next page is a request with a key of its own.
    """
    number = parse_number(request.book, "book")
    account = own_organisation(caller, desk.accounts).account_address
    found = _open_orders(account, number, desk)
    before = earlier_act("marketplace::cancel_page", caller=caller, key=key, desk=desk)
    if before is not None:
        return _page(before, more=_are_left(found, before))
    if not found:
        raise Conflict("no order of yours is open in this book")
    page = CancelOrders(book=request.book, orders=tuple(found[: market_calls.PAGE_MAX]))
    done = act("cancel_all", call_of_page(page, desk), caller=caller, key=key, desk=desk)
    return _page(done, more=len(found) > market_calls.PAGE_MAX)


def _are_left(found: list[str], before: Done) -> bool:
    """Whether orders are open besides those of an earlier page, which may not have been seen to end yet."""
    if before.state == "submitted":
        return len(found) > market_calls.PAGE_MAX
    ended = {each["order"] for each in before.all_events("market_book::OrderCancelled")}
    return any(order not in ended for order in found)


def _page(done: Done, more: bool) -> CancelledPage:
    ended = done.all_events("market_book::OrderCancelled")
    return CancelledPage(done=done, orders=tuple(e["order"] for e in ended if e["reason"] == "1"), more=more)


def _open_orders(account: str, book: int, desk: Desk) -> list[str]:
    """Ids of the account's open orders in the book, one more than a page has."""
    found = (order.id for order in open_orders(account, desk) if order.book == book)
    return list(islice(found, market_calls.PAGE_MAX + 1))


def call_of(request: CancelOrder, desk: Desk) -> EntryCall:
    """The call. It asks nothing of the projection, so that nothing keeps an owner from cancelling."""
    return market_calls.cancel_order(parse_number(request.book, "book"), parse_order(request.order))


def call_of_page(request: CancelOrders, desk: Desk) -> EntryCall:
    """The call that ends several orders."""
    orders = [parse_order(order) for order in request.orders]
    return market_calls.cancel_orders(parse_number(request.book, "book"), orders)


def parse_order(text: str) -> int:
    """An order's id."""
    if not (text.isascii() and text.isdecimal() and len(text) <= _ID_DIGITS and int(text) <= _ID_MAX):
        raise InvalidInput("order must be an order's id", field="order")
    return int(text)
