"""Records of what the marketplace was seen to do on chain: books, orders, trades, listings, gifts, standings.

Prices are quote units per tonne, ``grams`` grams, ``quote`` amounts and fees whole units of the quote asset;
addresses are in the long form. A market's ``asset`` is its quote asset's address. ``version`` and
``transaction`` are of the transaction that made the record.
"""

from __future__ import annotations

from typing import Literal

import msgspec

OrderKind = Literal["gtc", "ioc", "fok", "post_only", "market"]
ORDER_KINDS: tuple[OrderKind, ...] = ("gtc", "ioc", "fok", "post_only", "market")
"""In the order of the contract's numbers, from 0."""

CancelReason = Literal["owner", "remainder", "self_trade", "expired", "frozen", "labels_lost", "too_small"]
CANCEL_REASONS: tuple[CancelReason, ...] = (
    "owner",
    "remainder",
    "self_trade",
    "expired",
    "frozen",
    "labels_lost",
    "too_small",
)
"""In the order of the contract's numbers, from 1. Too small is what a fill leaves of an order, or a taker of
its own, if it is worth less than the book's minimum."""

OrderState = Literal["open", "filled", "cancelled"]
Halt = Literal["frozen", "labels_lost"]
"""Why nothing can be traded in a book, or bought from a listing, until it is over."""
Interval = Literal["1m", "5m", "1h", "1d"]


class Book(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The book of a batch in a quote asset (``quote``, an address).

    ``pending`` is the order that waits for its next turn, ``last_price`` that of the newest trade.
    """

    number: int
    batch: str
    quote: str
    tick: int
    lot: int
    min_notional: int
    labels: int
    pending: str | None = None
    last_price: int | None = None
    opened_us: int
    version: int
    transaction: str


class BookName(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The number of the book of a batch in a quote asset."""

    batch: str
    quote: str
    number: int


class Order(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order, open or ended; ``id`` is its 128-bit id in decimal.

    ``grams`` = ``filled`` + ``open`` + ``cancelled``, amendments counted as cancelled. ``escrow`` is what it
    brought and ``held`` what it holds now, in grams for an ask and in quote units for a bid; ``refunded`` is
    in the same unit. ``quote`` are the quote units of its fills and ``fees`` what it paid for them, so that
    ``escrow`` = ``held`` + ``refunded`` + what was spent: ``filled`` of an ask, ``quote`` + ``fees`` of a
    bid. ``waits`` says that it is its book's pending order, which rests at no price.
    """

    book: int
    id: str
    account: str
    is_bid: bool
    kind: OrderKind
    price: int
    grams: int
    open: int
    filled: int = 0
    cancelled: int = 0
    escrow: int
    held: int
    refunded: int = 0
    quote: int = 0
    fees: int = 0
    maker_bps: int
    taker_bps: int
    labels: int
    expires_at: int
    state: OrderState = "open"
    cancel_reason: CancelReason | None = None
    waits: bool = False
    placed_us: int
    changed_us: int
    version: int
    transaction: str


class Trade(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Grams for money: a fill of a book's order, or a sale of a listing.

    ``index`` is ``version:event``, both padded, so that it sorts by time. A sale has ``listing`` and neither
    ``book`` nor orders; its maker is the seller, its taker the buyer.
    """

    index: str
    book: int = 0
    listing: int = 0
    batch: str
    asset: str
    maker_order: str = ""
    taker_order: str = ""
    maker: str
    taker: str
    taker_is_bid: bool
    price: int
    grams: int
    quote: int
    maker_fee: int
    taker_fee: int
    time_us: int
    version: int
    transaction: str


class TradePlace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a trade lies: its book or listing, and its index."""

    book: int = 0
    listing: int = 0
    index: str


class Taken(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the trades lie that an account took in one transaction, in order."""

    account: str
    version: int
    trades: tuple[TradePlace, ...]


class Level(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What rests at one price of one side; dead orders count until a trade clears them away."""

    book: int
    is_bid: bool
    price: int
    grams: int
    orders: int


class Candle(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A book's trades in the interval from ``start_us``; ``quote`` are the units paid, fees left out."""

    book: int
    interval: Interval
    start_us: int
    open: int
    high: int
    low: int
    close: int
    grams: int
    quote: int
    trades: int


class Ticker(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A book's figures of the last 24 hours, to the minute; None where nothing was traded or rests."""

    book: int
    last_price: int | None
    open_24h: int | None
    high_24h: int | None
    low_24h: int | None
    grams_24h: int
    quote_24h: int
    trades_24h: int
    best_bid: int | None
    best_ask: int | None
    halt: Halt | None = None


class Listing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fixed-price listing (``quote`` is the quote asset's address).

    ``grams`` = ``open`` + ``sold`` + ``cancelled``; ``labels`` are what the batch must still have.
    """

    number: int
    seller: str
    batch: str
    quote: str
    grams: int
    open: int
    sold: int = 0
    cancelled: int = 0
    price: int
    lot: int
    maker_bps: int
    taker_bps: int
    labels: int
    state: Literal["open", "sold", "cancelled"] = "open"
    listed_us: int
    changed_us: int
    version: int
    transaction: str


class ListingOf(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An open listing of a seller, by number."""

    seller: str
    number: int


class Gift(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Grams set aside for a recipient; ``message_hash`` commits to a text that is kept elsewhere."""

    number: int
    giver: str
    recipient: str
    batch: str
    grams: int
    message_hash: str
    state: Literal["open", "claimed", "taken_back"] = "open"
    made_us: int
    ended_us: int | None = None
    version: int
    transaction: str


class GiftOf(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A gift of a giver, by number."""

    giver: str
    number: int


class Claimable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an account may claim or trade with of an asset; no record stands for none.

    The treasury's account is the vault's own address.
    """

    account: str
    asset: str
    amount: int


class Fees(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The fees of orders placed from now on, and who shares the treasury, all in 1/10,000."""

    maker_bps: int = 0
    taker_bps: int = 0
    shares: dict[str, int] = {}


class PartyOf(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The verified party (a commitment, 0x-hex) that an account belongs to."""

    account: str
    party: str


class PartyStanding(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A party's history in one dimension, as ``reputation.Standing``; sums are decimal strings of u128."""

    party: str
    dimension: int
    points: str
    weight: str
    updated: int
    ratings: int
    counterparties: int


class Rating(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rating of a party in a dimension, at ``rated_at`` (unix seconds).

    ``counterparty`` is empty where readings rated; ``counted`` is what the pair's cap left of the weight, in
    units of 2^-64, as a decimal string.
    """

    party: str
    dimension: int
    reference: str
    counterparty: str
    mark: int
    weight: int
    counted: str
    evidence_hash: str
    rated_at: int
    version: int
    transaction: str
