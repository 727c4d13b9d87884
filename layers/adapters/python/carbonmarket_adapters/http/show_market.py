"""What callers see of the marketplace: prices are quote units per tonne, all amounts strings."""

from __future__ import annotations

from typing import Any

import msgspec

from carbonmarket.labels import label_names
from carbonmarket.operations.acts import Done
from carbonmarket.operations.cancel_order import CancelledPage
from carbonmarket.operations.find_market import ListingOffer, Offer
from carbonmarket.operations.find_portfolio import Position
from carbonmarket.operations.move_balance import Cash
from carbonmarket.operations.place_order import Placed
from carbonmarket.operations.read_books import Depth, SeenBook
from carbonmarket.operations.route_order import PlacedByCriteria, Route, vintage
from carbonmarket.operations.submit_transaction import Submitted
from carbonmarket.records.chain import Batch
from carbonmarket.records.market import Candle, Fees, Gift, Halt, Level, Listing, Order, Ticker, Trade
from carbonmarket.records.transactions import BuiltTransaction
from carbonmarket.times import format_s, format_us

Json = dict[str, Any]


def batch(record: Batch) -> Json:
    """What buyers ask of a batch."""
    return {
        "id": record.id,
        "address": record.address,
        "project": record.project,
        "type": record.methodology,
        "methodology_version": record.methodology_version,
        "country": record.country,
        "vintage": str(vintage(record)),
        "period_start": format_s(record.period_start_s),
        "period_end": format_s(record.period_end_s),
        "labels": label_names(record.labels),
        "issued": str(record.issued),
        "retired": str(record.retired),
        "origin": None if record.origin is None else msgspec.to_builtins(record.origin),
    }


def offer(found: Offer) -> Json:
    """A batch with its best price."""
    return {
        "batch": batch(found.batch),
        "best_price": _text(found.price),
        "book": None if found.book is None else str(found.book.number),
        "best_ask": _text(found.ask),
        "last_price": None if found.book is None else _text(found.book.last_price),
        "listing": None if found.listing is None else str(found.listing.number),
        "listing_price": None if found.listing is None else str(found.listing.price),
        "reputation": str(found.reputation),
    }


def listing_offer(found: ListingOffer) -> Json:
    """A listing with what buyers ask of its batch."""
    return {
        **listing(found.listing),
        "batch": batch(found.batch),
        "reputation": str(found.reputation),
    }


def listing(record: Listing, halt: Halt | None = None) -> Json:
    """A listing, and why nothing can be bought from it now."""
    return {
        "number": str(record.number),
        "seller": record.seller,
        "batch_address": record.batch,
        "quote_asset": record.quote,
        "price": str(record.price),
        "lot": str(record.lot),
        "grams": str(record.grams),
        "open": str(record.open),
        "sold": str(record.sold),
        "buyer_fee_bps": record.taker_bps,
        "seller_fee_bps": record.maker_bps,
        "labels": label_names(record.labels),
        "state": record.state,
        "halt": halt,
        "listed": format_us(record.listed_us),
        "transaction": record.transaction,
    }


def book(found: SeenBook) -> Json:
    """A book's terms, and whether anything can be traded in it now."""
    record, of = found.book, found.batch
    return {
        "number": str(record.number),
        "batch": None if of is None else of.id,
        "batch_address": record.batch,
        "quote_asset": record.quote,
        "tick": str(record.tick),
        "lot": str(record.lot),
        "min_notional": str(record.min_notional),
        "labels": label_names(record.labels),
        "halt": found.halt,
        "pending_order": record.pending,
        "last_price": _text(record.last_price),
        "opened": format_us(record.opened_us),
    }


def depth(found: Depth) -> Json:
    """Both sides of a book."""
    return {
        "book": str(found.book),
        "halt": found.halt,
        "bids": [_level(level) for level in found.bids],
        "asks": [_level(level) for level in found.asks],
    }


def _level(record: Level) -> Json:
    return {"price": str(record.price), "grams": str(record.grams), "orders": record.orders}


def trade(record: Trade) -> Json:
    """A trade."""
    return {
        "id": record.index,
        "book": str(record.book) if record.book else None,
        "listing": str(record.listing) if record.listing else None,
        "price": str(record.price),
        "grams": str(record.grams),
        "quote": str(record.quote),
        "taker_side": "buy" if record.taker_is_bid else "sell",
        "maker_fee": str(record.maker_fee),
        "taker_fee": str(record.taker_fee),
        "at": format_us(record.time_us),
        "transaction": record.transaction,
    }


def candle(record: Candle) -> Json:
    """A candle."""
    return {
        "start": format_us(record.start_us),
        "open": str(record.open),
        "high": str(record.high),
        "low": str(record.low),
        "close": str(record.close),
        "grams": str(record.grams),
        "quote": str(record.quote),
        "trades": record.trades,
    }


def ticker(record: Ticker) -> Json:
    """A book's last 24 hours."""
    return {
        "book": str(record.book),
        "halt": record.halt,
        "last_price": _text(record.last_price),
        "best_bid": _text(record.best_bid),
        "best_ask": _text(record.best_ask),
        "open_24h": _text(record.open_24h),
        "high_24h": _text(record.high_24h),
        "low_24h": _text(record.low_24h),
        "grams_24h": str(record.grams_24h),
        "quote_24h": str(record.quote_24h),
        "trades_24h": record.trades_24h,
    }


def order(record: Order) -> Json:
    """An order as it was last seen."""
    return {
        "book": str(record.book),
        "id": record.id,
        "side": "buy" if record.is_bid else "sell",
        "kind": record.kind,
        "price": str(record.price),
        "grams": str(record.grams),
        "open": str(record.open),
        "filled": str(record.filled),
        "cancelled": str(record.cancelled),
        "escrow": str(record.escrow),
        "held": str(record.held),
        "refunded": str(record.refunded),
        "quote": str(record.quote),
        "fees": str(record.fees),
        "maker_fee_bps": record.maker_bps,
        "taker_fee_bps": record.taker_bps,
        "labels": label_names(record.labels),
        "expires": format_s(record.expires_at) if record.expires_at else None,
        "state": "waits" if record.waits else record.state,
        "cancel_reason": record.cancel_reason,
        "placed": format_us(record.placed_us),
        "changed": format_us(record.changed_us),
        "transaction": record.transaction,
    }


def placed(found: Placed) -> Json:
    """An order as its own transaction left it."""
    return {
        "book": _text(found.book),
        "id": found.order,
        "state": found.state,
        "grams": str(found.grams),
        "open": str(found.open),
        "filled": str(found.filled),
        "cancelled": str(found.cancelled),
        "quote": str(found.quote),
        "fees": str(found.fees),
        "cancel_reason": found.cancel_reason,
        "transaction": found.done.transaction,
    }


def placed_by_criteria(found: PlacedByCriteria) -> Json:
    """The orders of a route."""
    return {
        "state": found.state,
        "transaction": found.transaction,
        "filled": str(sum(each.filled for each in found.placed)),
        "quote": str(sum(each.quote for each in found.placed)),
        "fees": str(sum(each.fees for each in found.placed)),
        "orders": [placed(each) for each in found.placed],
    }


def cancelled_page(found: CancelledPage) -> Json:
    """The orders that a page ended."""
    return {**done(found.done), "orders": list(found.orders), "more": found.more}


def route(found: Route) -> Json:
    """A proposed route."""
    return {
        "grams": str(found.grams),
        "quote": str(found.quote),
        "legs": [
            {
                "book": str(leg.book),
                "batch": leg.batch,
                "grams": str(leg.grams),
                "quote": str(leg.quote),
                "worst_price": str(leg.worst_price),
            }
            for leg in found.legs
        ],
    }


def done(found: Done) -> Json:
    """What came of an act."""
    return {
        "id": found.id,
        "state": found.state,
        "transaction": found.transaction,
        "at": None if found.at_us is None else format_us(found.at_us),
    }


def listed(found: Done) -> Json:
    """A new listing."""
    return {**done(found), "listing": _number(found, "listings::Listed", "listing")}


def bought(found: Done) -> Json:
    """A purchase from a listing."""
    event = found.event("listings::ListingSold") or {}
    return {
        **done(found),
        "listing": event.get("listing"),
        "grams": event.get("grams"),
        "quote": event.get("quote"),
        "fee": event.get("taker_fee"),
    }


def gift_made(found: Done) -> Json:
    """A new gift."""
    return {**done(found), "gift": _number(found, "gifts::GiftMade", "gift")}


def gift(record: Gift, message: str | None = None) -> Json:
    """A gift, with its text where it is known."""
    return {
        "number": str(record.number),
        "giver": record.giver,
        "recipient": record.recipient,
        "batch_address": record.batch,
        "grams": str(record.grams),
        "message_hash": record.message_hash,
        "message": message,
        "state": record.state,
        "made": format_us(record.made_us),
        "ended": None if record.ended_us is None else format_us(record.ended_us),
        "transaction": record.transaction,
    }


def fees(record: Fees) -> Json:
    """What trading costs, and whose the treasury is, in 1/10,000."""
    return {
        "maker_bps": record.maker_bps,
        "taker_bps": record.taker_bps,
        "shares_bps": dict(record.shares),
    }


def cash(found: Cash) -> Json:
    """An account's money."""
    return {
        "asset": found.asset,
        "wallet": str(found.wallet),
        "claimable": str(found.claimable),
        "in_orders": str(found.in_orders),
    }


def position(found: Position, public_url: str) -> Json:
    """One batch of a portfolio, down to the evidence it comes from."""
    held, basis = found.held, found.basis
    return {
        "batch": batch(found.batch),
        "grams": str(held.grams),
        "wallet": str(held.wallet),
        "claimable": str(held.claimable),
        "in_orders": str(held.in_orders),
        "listed": str(held.listed),
        "bought": str(basis.bought),
        "cost": str(basis.cost),
        "unpriced": str(basis.unpriced),
        "last_price": _text(found.last_price),
        "value": _text(found.value),
        "lineage": _lineage(found, public_url),
    }


def _lineage(found: Position, public_url: str) -> Json:
    issue = found.issue
    project = f"{public_url}/v1/projects/{found.batch.project}"
    start, end = format_s(found.batch.period_start_s), format_s(found.batch.period_end_s)
    return {
        "issuance_transaction": found.batch.transaction,
        "report_hash": found.batch.report_hash,
        "batch_url": None if issue is None else f"{public_url}/v1/batches/{issue.id}",
        "period_url": None if issue is None else f"{project}/periods/{issue.period}",
        "report_url": None if issue is None else f"{project}/periods/{issue.period}/report",
        "anchors_url": None if issue is None else f"{project}/anchors?from={start}&to={end}",
    }


def built(record: BuiltTransaction) -> Json:
    """A transaction to sign: ``message`` is what each signer signs."""
    return {
        "id": record.id,
        "account": record.account,
        "action": record.action,
        "state": record.state,
        "transaction_bytes": record.raw,
        "message": record.message,
        "sequence_number": str(record.sequence),
        "expires": format_s(record.expiration_s),
        "threshold": record.keys.threshold,
        "signed_by": sorted(int(at) for at in record.signatures),
    }


def submitted(found: Submitted) -> Json:
    """A built transaction and what came of it."""
    transaction = found.done.transaction if found.done is not None else None
    return {**built(found.built), "state": found.state, "transaction": transaction}


def _number(found: Done, event: str, field: str) -> str | None:
    data = found.event(event)
    return None if data is None else str(data[field])


def _text(value: int | None) -> str | None:
    return None if value is None else str(value)
