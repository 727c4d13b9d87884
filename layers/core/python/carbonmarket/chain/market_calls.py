"""The marketplace's entry functions as pure builders: one function here for each there.

Prices are quote units per tonne, amounts grams or units of the asset, assets and batches addresses. A book,
listing or gift is its number; an order is its 128-bit id.
"""

from __future__ import annotations

from collections.abc import Sequence

from carbonmarket.chain.calls import EntryCall

GTC, IOC, FOK, POST_ONLY, MARKET = range(5)
"""Kinds of orders, as the contract numbers them."""

STEPS_MAX = 16
"""How many orders of others one transaction touches at most."""
PAGE_MAX = 16
"""How many orders one cancellation names at most."""
ROUTE_BOOKS_MAX = 4
"""How many books one purchase by criteria names at most."""

PRICE_MAX = 2**63 - 1
"""The highest price, in quote units per tonne."""

_PRICE_SHIFT = 64
_BID_BIT = 1 << 127


def is_bid(order: int) -> bool:
    """Whether the order of an id buys."""
    return order >= _BID_BIT


def price_of(order: int) -> int:
    """The price in an order's id, in quote units per tonne."""
    part = order >> _PRICE_SHIFT & PRICE_MAX
    return part if is_bid(order) else PRICE_MAX - part


# marketplace


def open_book(batch: str, quote: str, tick: int, lot: int, min_notional: int, labels: int) -> EntryCall:
    """The issuer opens a batch's book in a quote asset: ``tick`` in quote units per tonne, ``lot`` in grams,
    ``min_notional`` in quote units, ``labels`` the bits that the batch must have."""
    return EntryCall.of(
        "marketplace::open_book",
        ("address", batch),
        ("address", quote),
        ("u64", tick),
        ("u64", lot),
        ("u64", min_notional),
        ("u64", labels),
    )


def place_order(
    book: int,
    is_bid: bool,
    kind: int,
    price: int,
    grams: int,
    fee_cap_bps: int,
    labels: int,
    expires_at: int,
    from_wallet: bool,
) -> EntryCall:
    """The owner places an order of a ``kind``; ``price`` is a market order's worst one. ``expires_at`` is in
    unix seconds, 0 for never; escrow comes from the wallet or else from the claimable balance."""
    return EntryCall.of(
        "marketplace::place",
        ("u64", book),
        ("bool", is_bid),
        ("u8", kind),
        ("u64", price),
        ("u64", grams),
        ("u64", fee_cap_bps),
        ("u64", labels),
        ("u64", expires_at),
        ("bool", from_wallet),
    )


def amend_order(book: int, order: int, grams: int) -> EntryCall:
    """The owner makes an order smaller: ``grams`` stay open, and it keeps its place."""
    return EntryCall.of("marketplace::amend", ("u64", book), ("u128", order), ("u64", grams))


def cancel_order(book: int, order: int) -> EntryCall:
    """The owner ends an order; what it held becomes claimable."""
    return EntryCall.of("marketplace::cancel", ("u64", book), ("u128", order))


def cancel_orders(book: int, orders: Sequence[int]) -> EntryCall:
    """The owner ends up to :data:`PAGE_MAX` orders of a book; those no longer open are passed over."""
    return EntryCall.of("marketplace::cancel_page", ("u64", book), ("vector<u128>", tuple(orders)))


def work_book(book: int) -> EntryCall:
    """Anybody gives a book's pending order its turn and has dead orders cleared away that are met first."""
    return EntryCall.of("marketplace::work", ("u64", book))


def buy_by_criteria(
    quote: str,
    books: Sequence[int],
    grams: Sequence[int],
    price: int,
    methodologies: Sequence[str],
    countries: Sequence[str],
    vintages: Sequence[int],
    labels: int,
    fee_cap_bps: int,
    from_wallet: bool,
) -> EntryCall:
    """The buyer takes from up to :data:`ROUTE_BOOKS_MAX` books, each up to its grams and all up to ``price``,
    batches that meet the criteria; empty lists and no label bits ask for nothing."""
    return EntryCall.of(
        "market_purchases::buy_by_criteria",
        ("address", quote),
        ("vector<u64>", tuple(books)),
        ("vector<u64>", tuple(grams)),
        ("u64", price),
        ("vector<String>", tuple(methodologies)),
        ("vector<String>", tuple(countries)),
        ("vector<u64>", tuple(vintages)),
        ("u64", labels),
        ("u64", fee_cap_bps),
        ("bool", from_wallet),
    )


def buy_and_retire(
    book: int,
    price: int,
    grams: int,
    fee_cap_bps: int,
    from_wallet: bool,
    retirement_id: str,
    beneficiary_commitment: bytes,
    reason: str,
    country: str,
    period_start: int,
    period_end: int,
) -> EntryCall:
    """The buyer takes exactly these grams at ``price`` or better and retires them, or nothing happens."""
    return EntryCall.of(
        "market_purchases::buy_and_retire",
        ("u64", book),
        ("u64", price),
        ("u64", grams),
        ("u64", fee_cap_bps),
        ("bool", from_wallet),
        ("String", retirement_id),
        ("vector<u8>", beneficiary_commitment),
        ("String", reason),
        ("String", country),
        ("u64", period_start),
        ("u64", period_end),
    )


def retire_claimable(
    batch: str,
    grams: int,
    retirement_id: str,
    beneficiary_commitment: bytes,
    reason: str,
    country: str,
    period_start: int,
    period_end: int,
) -> EntryCall:
    """The holder retires claimable credits."""
    return EntryCall.of(
        "market_purchases::retire",
        ("address", batch),
        ("u64", grams),
        ("String", retirement_id),
        ("vector<u8>", beneficiary_commitment),
        ("String", reason),
        ("String", country),
        ("u64", period_start),
        ("u64", period_end),
    )


# market_vault


def deposit(asset: str, amount: int) -> EntryCall:
    """The owner brings something from its wallet to its claimable balance."""
    return EntryCall.of("market_vault::deposit", ("address", asset), ("u64", amount))


def claim(asset: str, amount: int) -> EntryCall:
    """The owner fetches something from its claimable balance to its wallet."""
    return EntryCall.of("market_vault::claim", ("address", asset), ("u64", amount))


# market_fees


def set_fees(maker_bps: int, taker_bps: int) -> EntryCall:
    """The admin sets the fees of orders placed from now on, in 1/10,000."""
    return EntryCall.of("market_fees::set_fees", ("u64", maker_bps), ("u64", taker_bps))


def set_shares(holders: Sequence[str], shares: Sequence[int]) -> EntryCall:
    """The admin says who shares the treasury; ``shares`` in 1/10,000, together whole."""
    return EntryCall.of(
        "market_fees::set_shares", ("vector<address>", tuple(holders)), ("vector<u64>", tuple(shares))
    )


def distribute(asset: str) -> EntryCall:
    """Anybody has the treasury's holdings of an asset given to its sharers' claimable balances."""
    return EntryCall.of("market_fees::distribute", ("address", asset))


# listings


def create_listing(
    batch: str, quote: str, grams: int, price: int, lot: int, fee_cap_bps: int, from_wallet: bool
) -> EntryCall:
    """The seller lists grams at a fixed price, sold in multiples of ``lot``."""
    return EntryCall.of(
        "listings::create",
        ("address", batch),
        ("address", quote),
        ("u64", grams),
        ("u64", price),
        ("u64", lot),
        ("u64", fee_cap_bps),
        ("bool", from_wallet),
    )


def buy_listing(number: int, grams: int, price_limit: int, fee_cap_bps: int, from_wallet: bool) -> EntryCall:
    """The buyer takes grams of a listing if it asks for at most ``price_limit``; they become claimable."""
    return EntryCall.of(
        "listings::buy",
        ("u64", number),
        ("u64", grams),
        ("u64", price_limit),
        ("u64", fee_cap_bps),
        ("bool", from_wallet),
    )


def set_listing_price(number: int, price: int) -> EntryCall:
    """The seller changes a listing's price."""
    return EntryCall.of("listings::set_price", ("u64", number), ("u64", price))


def cancel_listing(number: int) -> EntryCall:
    """The seller ends a listing; what isn't sold becomes claimable."""
    return EntryCall.of("listings::cancel", ("u64", number))


# gifts


def make_gift(recipient: str, batch: str, grams: int, message_hash: bytes, from_wallet: bool) -> EntryCall:
    """The giver sets grams aside for a recipient; ``message_hash`` is 32 bytes."""
    return EntryCall.of(
        "gifts::make",
        ("address", recipient),
        ("address", batch),
        ("u64", grams),
        ("vector<u8>", message_hash),
        ("bool", from_wallet),
    )


def claim_gift(number: int) -> EntryCall:
    """The recipient takes a gift to its wallet."""
    return EntryCall.of("gifts::claim", ("u64", number))


def take_back_gift(number: int) -> EntryCall:
    """The giver takes an unclaimed gift back to its claimable balance."""
    return EntryCall.of("gifts::take_back", ("u64", number))


# The test USDC, which lies at an address of its own


def usdc_faucet(publisher: str, account: str, amount: int) -> EntryCall:
    """Anybody gives an account play money; ``publisher`` is where the test USDC lies."""
    return _usdc(publisher, "faucet", ("address", account), ("u64", amount))


def usdc_set_paused(publisher: str, paused: bool) -> EntryCall:
    """The publisher stops all of the test USDC, or lets it move again."""
    return _usdc(publisher, "set_paused", ("bool", paused))


def usdc_set_blocked(publisher: str, account: str, blocked: bool) -> EntryCall:
    """The publisher puts an account on the test USDC's blocklist, or takes it off."""
    return _usdc(publisher, "set_blocked", ("address", account), ("bool", blocked))


def _usdc(publisher: str, function: str, *args: tuple[str, object]) -> EntryCall:
    return EntryCall(module=f"{publisher}::usdc", function=function, args=args)
