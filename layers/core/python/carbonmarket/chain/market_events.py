"""The marketplace's events as records, in the manner of :mod:`carbonmarket.chain.events`.

Order ids are u128, decimal strings here; 0 stands for no order.
"""

from __future__ import annotations

from carbonmarket.chain.event import Address, Event


class BalanceChanged(Event, frozen=True, kw_only=True):
    account: Address
    asset: Address
    balance_old: int
    balance_new: int


class Brought(Event, frozen=True, kw_only=True):
    account: Address
    asset: Address
    amount: int


class Claimed(Event, frozen=True, kw_only=True):
    account: Address
    asset: Address
    amount: int


class FeesChanged(Event, frozen=True, kw_only=True):
    maker_bps_old: int
    taker_bps_old: int
    maker_bps_new: int
    taker_bps_new: int


class ShareChanged(Event, frozen=True, kw_only=True):
    holder: Address
    share_old: int
    share_new: int


class TreasuryDistributed(Event, frozen=True, kw_only=True):
    asset: Address
    treasury_old: int
    treasury_new: int


class BookOpened(Event, frozen=True, kw_only=True):
    book: int
    batch: Address
    quote: Address
    tick: int
    lot: int
    min_notional: int
    labels: int


class OrderPlaced(Event, frozen=True, kw_only=True):
    book: int
    order: str
    account: Address
    is_bid: bool
    kind: int
    price: int
    grams: int
    escrow: int
    maker_bps: int
    taker_bps: int
    labels: int
    expires_at: int


class OrderFilled(Event, frozen=True, kw_only=True):
    book: int
    maker_order: str
    taker_order: str
    maker: Address
    taker: Address
    taker_is_bid: bool
    price: int
    grams: int
    quote: int
    maker_fee: int
    taker_fee: int
    maker_open_old: int
    maker_open_new: int
    taker_open_old: int
    taker_open_new: int


class OrderCancelled(Event, frozen=True, kw_only=True):
    book: int
    order: str
    account: Address
    reason: int
    open_old: int
    open_new: int
    refund: int


class OrderAmended(Event, frozen=True, kw_only=True):
    book: int
    order: str
    account: Address
    open_old: int
    open_new: int
    refund: int


class ImprovementRefunded(Event, frozen=True, kw_only=True):
    book: int
    order: str
    account: Address
    refund: int


class PendingChanged(Event, frozen=True, kw_only=True):
    book: int
    order_old: str
    order_new: str


class Listed(Event, frozen=True, kw_only=True):
    listing: int
    seller: Address
    batch: Address
    quote: Address
    grams: int
    price: int
    lot: int
    maker_bps: int
    taker_bps: int
    labels: int


class ListingSold(Event, frozen=True, kw_only=True):
    listing: int
    seller: Address
    buyer: Address
    grams: int
    quote: int
    maker_fee: int
    taker_fee: int
    grams_old: int
    grams_new: int


class ListingPriceChanged(Event, frozen=True, kw_only=True):
    listing: int
    price_old: int
    price_new: int


class ListingCancelled(Event, frozen=True, kw_only=True):
    listing: int
    seller: Address
    grams_old: int
    grams_new: int


class GiftMade(Event, frozen=True, kw_only=True):
    gift: int
    giver: Address
    recipient: Address
    batch: Address
    grams: int
    message_hash: str


class GiftEnded(Event, frozen=True, kw_only=True):
    gift: int
    giver: Address
    recipient: Address
    batch: Address
    grams_old: int
    grams_new: int
    claimed: bool


MODULES: dict[str, tuple[type[Event], ...]] = {
    "market_vault": (
        BalanceChanged,
        Brought,
        Claimed,
    ),
    "market_fees": (
        FeesChanged,
        ShareChanged,
        TreasuryDistributed,
    ),
    "market_book": (
        BookOpened,
        OrderPlaced,
        OrderFilled,
        OrderCancelled,
        OrderAmended,
        ImprovementRefunded,
        PendingChanged,
    ),
    "listings": (
        Listed,
        ListingSold,
        ListingPriceChanged,
        ListingCancelled,
    ),
    "gifts": (
        GiftMade,
        GiftEnded,
    ),
}
"""The events of each module."""
