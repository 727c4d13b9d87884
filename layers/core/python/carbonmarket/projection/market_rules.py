"""What the events of the books do to the projected records: orders, trades, price levels and candles.

No event says that an order comes to rest: one that may rest (good till cancelled, post only) counts at its
price from its placing on, less what is filled at once, and leaves it while it is the book's pending order.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from carbonmarket import candles
from carbonmarket.chain import market_events as ev
from carbonmarket.chain.market_calls import is_bid, price_of
from carbonmarket.ports.projection import Key
from carbonmarket.projection.rule import Effect, Place, Read, Rules, nothing
from carbonmarket.records.market import (
    CANCEL_REASONS,
    ORDER_KINDS,
    Book,
    BookName,
    Candle,
    Level,
    Order,
    Taken,
    Trade,
    TradePlace,
)

_NO_ORDER = "0"
_RESTING_KINDS = frozenset({"gtc", "post_only"})


def book_key(number: int) -> Key:
    """The key of a book."""
    return ("book", str(number))


def order_key(book: int, order: str) -> Key:
    """The key of an order."""
    return ("order", str(book), order)


def taken_key(account: str, version: int) -> Key:
    """The key of what an account took in one transaction."""
    return ("taken", account, str(version))


def level_key(book: int, order: str) -> Key:
    """The key of the price level at which an order rests."""
    number = int(order)
    return ("level", str(book), "bid" if is_bid(number) else "ask", str(price_of(number)))


def trade_index(place: Place) -> str:
    """The index of a trade: sorts by version and by the event within it."""
    return f"{place.version:020}:{place.event:06}"


def taken(account: str, place: Place, trade: TradePlace, read: Read) -> Taken:
    """What the account took in this transaction, with one more trade."""
    before: Taken | None = read(taken_key(account, place.version))
    trades = before.trades if before else ()
    return Taken(account=account, version=place.version, trades=(*trades, trade))


# Orders and the levels they rest at


def _resting(order: Order | None) -> tuple[int, int]:
    """(grams, orders) that an order adds to its price level."""
    if order is None or order.state != "open" or order.waits or order.kind not in _RESTING_KINDS:
        return 0, 0
    return order.open, 1


def _changed(before: Order | None, after: Order, read: Read) -> Iterator[Effect]:
    """An order and its price level after a change."""
    yield order_key(after.book, after.id), after
    (grams_old, orders_old), (grams, orders) = _resting(before), _resting(after)
    if (grams_old, orders_old) == (grams, orders):
        return
    key = level_key(after.book, after.id)
    level: Level = read(key) or Level(
        book=after.book, is_bid=after.is_bid, price=after.price, grams=0, orders=0
    )
    left = replace(level, grams=level.grams + grams - grams_old, orders=level.orders + orders - orders_old)
    yield key, left if left.orders else None


def _order_needs(book: int, *orders: str) -> tuple[Key, ...]:
    wanted = [order for order in orders if order != _NO_ORDER]
    return (*(order_key(book, order) for order in wanted), *(level_key(book, order) for order in wanted))


def _of_order(
    event: ev.OrderCancelled | ev.OrderAmended | ev.ImprovementRefunded, _place: Place
) -> tuple[Key, ...]:
    return _order_needs(event.book, event.order)


def _placed(event: ev.OrderPlaced, place: Place, read: Read) -> Iterator[Effect]:
    order = Order(
        book=event.book,
        id=event.order,
        account=event.account,
        is_bid=event.is_bid,
        kind=ORDER_KINDS[event.kind],
        price=event.price,
        grams=event.grams,
        open=event.grams,
        escrow=event.escrow,
        held=event.escrow,
        maker_bps=event.maker_bps,
        taker_bps=event.taker_bps,
        labels=event.labels,
        expires_at=event.expires_at,
        placed_us=place.time_us,
        changed_us=place.time_us,
        version=place.version,
        transaction=place.transaction,
    )
    yield from _changed(None, order, read)


def _cancelled(event: ev.OrderCancelled, place: Place, read: Read) -> Iterator[Effect]:
    before: Order = read(order_key(event.book, event.order))
    after = replace(
        _reduced(before, event, place),
        state="cancelled",
        cancel_reason=CANCEL_REASONS[event.reason - 1],
        waits=False,
    )
    yield from _changed(before, after, read)


def _amended(event: ev.OrderAmended, place: Place, read: Read) -> Iterator[Effect]:
    before: Order = read(order_key(event.book, event.order))
    yield from _changed(before, _reduced(before, event, place), read)


def _reduced(before: Order, event: ev.OrderCancelled | ev.OrderAmended, place: Place) -> Order:
    """The order after grams of it were taken back, and their escrow refunded."""
    return replace(
        before,
        open=event.open_new,
        cancelled=before.cancelled + event.open_old - event.open_new,
        held=before.held - event.refund,
        refunded=before.refunded + event.refund,
        changed_us=place.time_us,
    )


def _improved(event: ev.ImprovementRefunded, _place: Place, read: Read) -> Iterator[Effect]:
    before: Order = read(order_key(event.book, event.order))
    after = replace(before, held=before.held - event.refund, refunded=before.refunded + event.refund)
    yield from _changed(before, after, read)


# Books


def _opened(event: ev.BookOpened, place: Place, _read: Read) -> Iterator[Effect]:
    yield (
        ("book_name", event.batch, event.quote),
        BookName(batch=event.batch, quote=event.quote, number=event.book),
    )
    yield (
        book_key(event.book),
        Book(
            number=event.book,
            batch=event.batch,
            quote=event.quote,
            tick=event.tick,
            lot=event.lot,
            min_notional=event.min_notional,
            labels=event.labels,
            opened_us=place.time_us,
            version=place.version,
            transaction=place.transaction,
        ),
    )


def _pending_changed(event: ev.PendingChanged, _place: Place, read: Read) -> Iterator[Effect]:
    pending = None if event.order_new == _NO_ORDER else event.order_new
    yield book_key(event.book), replace(read(book_key(event.book)), pending=pending)
    for order, waits in ((event.order_old, False), (event.order_new, True)):
        if order != _NO_ORDER:
            before: Order = read(order_key(event.book, order))
            yield from _changed(before, replace(before, waits=waits), read)


def _pending_needs(event: ev.PendingChanged, _place: Place) -> tuple[Key, ...]:
    return (book_key(event.book), *_order_needs(event.book, event.order_old, event.order_new))


# Fills


def _candle_keys(book: int, time_us: int) -> Iterator[Key]:
    for interval in candles.INTERVALS:
        yield ("candle", str(book), interval, str(candles.start_of(interval, time_us)))


def _filled_needs(event: ev.OrderFilled, place: Place) -> tuple[Key, ...]:
    return (
        book_key(event.book),
        taken_key(event.taker, place.version),
        *_order_needs(event.book, event.maker_order, event.taker_order),
        *_candle_keys(event.book, place.time_us),
    )


def _filled(event: ev.OrderFilled, place: Place, read: Read) -> Iterator[Effect]:
    book: Book = read(book_key(event.book))
    yield book_key(event.book), replace(book, last_price=event.price)
    for order, fee in ((event.maker_order, event.maker_fee), (event.taker_order, event.taker_fee)):
        before: Order = read(order_key(event.book, order))
        yield from _changed(before, _after_fill(before, event, fee, place), read)
    index = trade_index(place)
    yield ("trade", "book", str(event.book), index), _trade(event, book, index, place)
    at = TradePlace(book=event.book, index=index)
    yield taken_key(event.taker, place.version), taken(event.taker, place, at, read)
    yield from _candles_after(event, place, read)


def _after_fill(before: Order, event: ev.OrderFilled, fee: int, place: Place) -> Order:
    left = before.open - event.grams
    return replace(
        before,
        open=left,
        filled=before.filled + event.grams,
        held=before.held - (event.quote + fee if before.is_bid else event.grams),
        quote=before.quote + event.quote,
        fees=before.fees + fee,
        state="open" if left else "filled",
        changed_us=place.time_us,
    )


def _trade(event: ev.OrderFilled, book: Book, index: str, place: Place) -> Trade:
    return Trade(
        index=index,
        book=event.book,
        batch=book.batch,
        asset=book.quote,
        maker_order=event.maker_order,
        taker_order=event.taker_order,
        maker=event.maker,
        taker=event.taker,
        taker_is_bid=event.taker_is_bid,
        price=event.price,
        grams=event.grams,
        quote=event.quote,
        maker_fee=event.maker_fee,
        taker_fee=event.taker_fee,
        time_us=place.time_us,
        version=place.version,
        transaction=place.transaction,
    )


def _candles_after(event: ev.OrderFilled, place: Place, read: Read) -> Iterator[Effect]:
    amounts = (event.price, event.grams, event.quote)
    for interval, key in zip(candles.INTERVALS, _candle_keys(event.book, place.time_us), strict=True):
        candle: Candle | None = read(key)
        if candle is None:
            yield key, candles.of_trade(event.book, interval, place.time_us, *amounts)
        else:
            yield key, candles.with_trade(candle, *amounts)


RULES: Rules = {
    ev.BookOpened: (_opened, nothing),
    ev.OrderPlaced: (_placed, _of_order),
    ev.OrderFilled: (_filled, _filled_needs),
    ev.OrderCancelled: (_cancelled, _of_order),
    ev.OrderAmended: (_amended, _of_order),
    ev.ImprovementRefunded: (_improved, _of_order),
    ev.PendingChanged: (_pending_changed, _pending_needs),
}
