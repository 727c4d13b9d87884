"""An organisation places an order in a batch's book."""

from __future__ import annotations

import msgspec

from carbonmarket.chain import market_calls
from carbonmarket.chain.calls import EntryCall
from carbonmarket.errors import Conflict, InvalidInput, MarketError
from carbonmarket.labels import label_bits, label_names
from carbonmarket.operations.acts import (
    Desk,
    Done,
    Source,
    act,
    batch_of,
    cost,
    named_book,
    parse_lots,
    parse_number,
    parse_price,
    was_made,
)
from carbonmarket.records.market import CANCEL_REASONS, ORDER_KINDS, Book, OrderKind
from carbonmarket.records.principal import Principal
from carbonmarket.times import MICROSECONDS, parse_us


class PlaceOrder(msgspec.Struct, frozen=True, kw_only=True):
    """``price`` is in quote units per tonne, a market order's the worst that it takes; ``expires`` is empty
    for never, ``labels`` are those that the batch must keep."""

    book: str
    side: str
    kind: OrderKind
    price: str
    grams: str
    fee_cap_bps: int
    labels: tuple[str, ...] = ()
    expires: str = ""
    source: Source = "wallet"


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """A placed order as its own transaction left it.

    ``quote`` and ``fees`` are quote units of its fills; ``state`` is "submitted" while the chain has not
    answered, then "open", "waits" (it takes on with the next call on the book), "filled" or "cancelled".
    """

    done: Done
    state: str
    book: int | None = None
    order: str | None = None
    grams: int = 0
    open: int = 0
    filled: int = 0
    cancelled: int = 0
    quote: int = 0
    fees: int = 0
    cancel_reason: str | None = None


def place_order(request: PlaceOrder, *, caller: Principal, key: str, desk: Desk) -> Placed:
    """Place it and say what its transaction did; what can be known before is refused before anything is sent.

    The same key again answers the same order.
    """
    book = named_book(parse_number(request.book, "book"), desk)
    call = decide_call(request, book)
    try:
        _require_possible(request, book, desk)
    except MarketError:
        # The expiry may have passed, and the batch have lost a label, since it was placed under this key.
        if not was_made(caller=caller, key=key, desk=desk):
            raise
    done = act("place_order", call, caller=caller, key=key, desk=desk)
    placed = decide_placed(done)
    return placed[0] if placed else Placed(done=done, state="submitted")


def call_of(request: PlaceOrder, desk: Desk) -> EntryCall:
    """The call, after what the projection can tell was checked."""
    book = named_book(parse_number(request.book, "book"), desk)
    call = decide_call(request, book)
    _require_possible(request, book, desk)
    return call


def _require_possible(request: PlaceOrder, book: Book, desk: Desk) -> None:
    needs_labels = request.labels or book.labels
    has = batch_of(book.batch, desk).labels if needs_labels else 0
    require_possible(request, book, batch_labels=has, now_us=desk.now_us)


def decide_call(request: PlaceOrder, book: Book) -> EntryCall:
    """The call of a well-formed order; InvalidInput names the field that the book has another rule for.

    What a book's rules say of an order never changes.
    """
    kind = ORDER_KINDS.index(request.kind)
    price = parse_price(request.price)
    if kind != market_calls.MARKET and price % book.tick:
        raise InvalidInput(f"price must be a multiple of {book.tick}, the tick of the book", field="price")
    grams = parse_lots(request.grams, book.lot, "book")
    notional = cost(price, grams)
    if notional < book.min_notional:
        raise InvalidInput(
            f"the order is worth {notional} quote units, and the book takes none below {book.min_notional}",
            field="grams",
        )
    return market_calls.place_order(
        book=book.number,
        is_bid=request.side == "buy",
        kind=kind,
        price=price,
        grams=grams,
        fee_cap_bps=request.fee_cap_bps,
        labels=label_bits(request.labels),
        expires_at=_expiry_us(request) // MICROSECONDS,
        from_wallet=request.source == "wallet",
    )


def require_possible(request: PlaceOrder, book: Book, *, batch_labels: int, now_us: int) -> None:
    """Refuse an order that the labels of the batch, or the time, forbid now; both can change."""
    if missing := book.labels & ~batch_labels:
        lost = ", ".join(label_names(missing))
        raise Conflict(f"the batch has lost {lost}, which its book requires; nothing can be placed")
    if missing := label_bits(request.labels) & ~batch_labels:
        raise InvalidInput(f"the batch lacks {', '.join(label_names(missing))}", field="labels")
    if request.expires and _expiry_us(request) <= now_us:
        raise _dead()


def _expiry_us(request: PlaceOrder) -> int:
    """When the order ends, 0 for never."""
    if not request.expires:
        return 0
    at_us = parse_us(request.expires, "expires")
    if at_us % MICROSECONDS:
        raise InvalidInput("expires must be a whole second", field="expires")
    # The chain counts from 1970, and takes 0 for never.
    if at_us <= 0:
        raise _dead()
    return at_us


def _dead() -> InvalidInput:
    return InvalidInput(
        "expires lies in the past: the order would be dead before it was placed",
        field="expires",
    )


def decide_placed(done: Done) -> list[Placed]:
    """The orders that a transaction placed, as it left them, in the order of placing."""
    return [_placed(done, event) for event in done.all_events("market_book::OrderPlaced")]


def _placed(done: Done, event: dict[str, str]) -> Placed:
    book, order, grams = int(event["book"]), event["order"], int(event["grams"])
    fills = [
        fill
        for fill in done.all_events("market_book::OrderFilled")
        if (int(fill["book"]), fill["taker_order"]) == (book, order)
    ]
    ends = [
        end
        for end in done.all_events("market_book::OrderCancelled")
        if (int(end["book"]), end["order"]) == (book, order)
    ]
    waits = any(
        (int(change["book"]), change["order_new"]) == (book, order)
        for change in done.all_events("market_book::PendingChanged")
    )
    filled = sum(int(fill["grams"]) for fill in fills)
    cancelled = sum(int(end["open_old"]) for end in ends)
    open_grams = grams - filled - cancelled
    ended = "cancelled" if cancelled else "filled"
    return Placed(
        done=done,
        state=("waits" if waits else "open") if open_grams else ended,
        book=book,
        order=order,
        grams=grams,
        open=open_grams,
        filled=filled,
        cancelled=cancelled,
        quote=sum(int(fill["quote"]) for fill in fills),
        fees=sum(int(fill["taker_fee"]) for fill in fills),
        cancel_reason=CANCEL_REASONS[int(ends[0]["reason"]) - 1] if ends else None,
    )
