"""Fixed-price listings: an organisation lists, changes the price, takes back; others buy."""

from __future__ import annotations

import msgspec

from carbonmarket.chain import market_calls
from carbonmarket.chain.calls import EntryCall
from carbonmarket.errors import Conflict, InvalidInput, NotFound
from carbonmarket.halts import halt_of
from carbonmarket.operations.acts import (
    GRAMS_PER_TONNE,
    Desk,
    Done,
    Source,
    act,
    batch_of,
    cost,
    parse_lots,
    parse_number,
    parse_price,
    parse_units,
    traded_batch,
)
from carbonmarket.records.market import Halt, Listing
from carbonmarket.records.principal import Principal


class CreateListing(msgspec.Struct, frozen=True, kw_only=True):
    """``price`` in quote units per tonne; buyers take multiples of ``lot`` grams."""

    batch: str
    grams: str
    price: str
    lot: str
    fee_cap_bps: int
    source: Source = "wallet"


class SetListingPrice(msgspec.Struct, frozen=True, kw_only=True):
    """The new price."""

    price: str


class SetListingPriceOf(msgspec.Struct, frozen=True, kw_only=True):
    """The same with the listing named, for a wallet to sign."""

    listing: str
    price: str


class BuyListing(msgspec.Struct, frozen=True, kw_only=True):
    """``price_limit`` is the most that is paid per tonne: the seller may change the price meanwhile."""

    grams: str
    price_limit: str
    fee_cap_bps: int
    source: Source = "wallet"


class BuyListingOf(msgspec.Struct, frozen=True, kw_only=True):
    """The same with the listing named, for a wallet to sign."""

    listing: str
    grams: str
    price_limit: str
    fee_cap_bps: int
    source: Source = "wallet"


class NamedListing(msgspec.Struct, frozen=True, kw_only=True):
    """A listing, for a wallet to sign its end."""

    listing: str


def create_listing(request: CreateListing, *, caller: Principal, key: str, desk: Desk) -> Done:
    """List grams; the market holds them from now on."""
    return act("create_listing", call_of_creation(request, desk), caller=caller, key=key, desk=desk)


def set_listing_price(
    listing: str, request: SetListingPrice, *, caller: Principal, key: str, desk: Desk
) -> Done:
    """Change the price of what is not sold yet."""
    call = call_of_price(SetListingPriceOf(listing=listing, price=request.price), desk)
    return act("set_listing_price", call, caller=caller, key=key, desk=desk)


def cancel_listing(listing: str, *, caller: Principal, key: str, desk: Desk) -> Done:
    """End a listing; what is not sold becomes claimable."""
    call = call_of_cancellation(NamedListing(listing=listing), desk)
    return act("cancel_listing", call, caller=caller, key=key, desk=desk)


def buy_listing(listing: str, request: BuyListing, *, caller: Principal, key: str, desk: Desk) -> Done:
    """Buy from a listing; the grams become claimable."""
    fields = msgspec.structs.asdict(request)
    call = call_of_purchase(BuyListingOf(listing=listing, **fields), desk)
    return act("buy_listing", call, caller=caller, key=key, desk=desk)


def get_listing(listing: str, *, desk: Desk) -> Listing:
    """A listing, open or ended."""
    found = desk.market.listing(parse_number(listing, "listing"))
    if found is None:
        raise NotFound("there is no listing with this number", field="listing")
    return found


def halt_of_listing(listing: Listing, *, desk: Desk) -> Halt | None:
    """Why nothing can be bought from an open listing now; None if nothing stands against it."""
    if listing.state != "open":
        return None
    batch = batch_of(listing.batch, desk)
    return halt_of(batch, listing.labels, desk.credits.frozen(), listing.seller)


def call_of_creation(request: CreateListing, desk: Desk) -> EntryCall:
    """The call that lists."""
    batch = traded_batch(request.batch, desk)
    price, lot = parse_price(request.price), parse_units(request.lot, "lot")
    _require_exact(price, lot)
    grams = parse_lots(request.grams, lot, "listing")
    cost(price, grams)
    return market_calls.create_listing(
        batch=batch.address,
        quote=desk.quote,
        grams=grams,
        price=price,
        lot=lot,
        fee_cap_bps=request.fee_cap_bps,
        from_wallet=request.source == "wallet",
    )


def call_of_price(request: SetListingPriceOf, desk: Desk) -> EntryCall:
    """The call that changes a price."""
    listing = get_listing(request.listing, desk=desk)
    price = parse_price(request.price)
    _require_exact(price, listing.lot)
    cost(price, listing.open)
    return market_calls.set_listing_price(listing.number, price)


def call_of_cancellation(request: NamedListing, desk: Desk) -> EntryCall:
    """The call that ends a listing. It asks nothing of the projection, so that nothing keeps the seller."""
    return market_calls.cancel_listing(parse_number(request.listing, "listing"))


def call_of_purchase(request: BuyListingOf, desk: Desk) -> EntryCall:
    """The call that buys, in the asset that prices are in: the contract lets a seller ask for any other."""
    listing = get_listing(request.listing, desk=desk)
    if listing.quote != desk.quote:
        raise Conflict("the listing is not priced in the market's quote asset", field="listing")
    limit = parse_price(request.price_limit, "price_limit")
    grams = parse_lots(request.grams, listing.lot, "listing")
    cost(limit, grams)
    return market_calls.buy_listing(
        listing.number, grams, limit, request.fee_cap_bps, request.source == "wallet"
    )


def _require_exact(price: int, lot: int) -> None:
    if price * lot % GRAMS_PER_TONNE:
        raise InvalidInput(
            f"price times lot must be a multiple of {GRAMS_PER_TONNE}, so that every sale is whole units",
            field="price",
        )
