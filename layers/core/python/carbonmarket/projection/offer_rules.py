"""What the events of claimable balances, fees, listings and gifts do to the projected records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from carbonmarket.chain import market_events as ev
from carbonmarket.ports.projection import Key
from carbonmarket.projection.market_rules import taken, taken_key, trade_index
from carbonmarket.projection.rule import Effect, Place, Read, Rules, nothing
from carbonmarket.records.market import Claimable, Fees, Gift, GiftOf, Listing, ListingOf, Trade, TradePlace

FEES: Key = ("fees",)


def listing_key(number: int) -> Key:
    """The key of a listing."""
    return ("listing", str(number))


def listing_of_key(seller: str, number: int) -> Key:
    """The key of a seller's open listing."""
    return ("listing_of", seller, str(number))


def gift_key(number: int) -> Key:
    """The key of a gift."""
    return ("gift", str(number))


# Balances and fees


def _claimable_key(event: ev.BalanceChanged) -> Key:
    return ("claimable", event.account, event.asset)


def _balance_changed(event: ev.BalanceChanged, _place: Place, _read: Read) -> Iterator[Effect]:
    record = Claimable(account=event.account, asset=event.asset, amount=event.balance_new)
    yield _claimable_key(event), record if event.balance_new else None


def _fees_changed(event: ev.FeesChanged, _place: Place, read: Read) -> Iterator[Effect]:
    fees: Fees = read(FEES) or Fees()
    yield FEES, replace(fees, maker_bps=event.maker_bps_new, taker_bps=event.taker_bps_new)


def _share_changed(event: ev.ShareChanged, _place: Place, read: Read) -> Iterator[Effect]:
    fees: Fees = read(FEES) or Fees()
    shares = {**fees.shares, event.holder: event.share_new}
    yield FEES, replace(fees, shares={holder: shares[holder] for holder in sorted(shares) if shares[holder]})


# Listings


def _listed(event: ev.Listed, place: Place, _read: Read) -> Iterator[Effect]:
    yield (
        listing_of_key(event.seller, event.listing),
        ListingOf(seller=event.seller, number=event.listing),
    )
    yield (
        listing_key(event.listing),
        Listing(
            number=event.listing,
            seller=event.seller,
            batch=event.batch,
            quote=event.quote,
            grams=event.grams,
            open=event.grams,
            price=event.price,
            lot=event.lot,
            maker_bps=event.maker_bps,
            taker_bps=event.taker_bps,
            labels=event.labels,
            listed_us=place.time_us,
            changed_us=place.time_us,
            version=place.version,
            transaction=place.transaction,
        ),
    )


def _sold(event: ev.ListingSold, place: Place, read: Read) -> Iterator[Effect]:
    listing: Listing = read(listing_key(event.listing))
    yield (
        listing_key(event.listing),
        replace(
            listing,
            open=event.grams_new,
            sold=listing.sold + event.grams,
            state="open" if event.grams_new else "sold",
            changed_us=place.time_us,
        ),
    )
    if not event.grams_new:
        yield listing_of_key(event.seller, event.listing), None
    index = trade_index(place)
    yield ("trade", "listing", str(event.listing), index), _sale(event, listing, index, place)
    at = TradePlace(listing=event.listing, index=index)
    yield taken_key(event.buyer, place.version), taken(event.buyer, place, at, read)


def _sale(event: ev.ListingSold, listing: Listing, index: str, place: Place) -> Trade:
    return Trade(
        index=index,
        listing=event.listing,
        batch=listing.batch,
        asset=listing.quote,
        maker=event.seller,
        taker=event.buyer,
        taker_is_bid=True,
        price=listing.price,
        grams=event.grams,
        quote=event.quote,
        maker_fee=event.maker_fee,
        taker_fee=event.taker_fee,
        time_us=place.time_us,
        version=place.version,
        transaction=place.transaction,
    )


def _sold_needs(event: ev.ListingSold, place: Place) -> tuple[Key, ...]:
    return (*_ended_needs(event, place), taken_key(event.buyer, place.version))


def _price_changed(event: ev.ListingPriceChanged, place: Place, read: Read) -> Iterator[Effect]:
    key = listing_key(event.listing)
    yield key, replace(read(key), price=event.price_new, changed_us=place.time_us)


def _listing_cancelled(event: ev.ListingCancelled, place: Place, read: Read) -> Iterator[Effect]:
    key = listing_key(event.listing)
    listing: Listing = read(key)
    yield (
        key,
        replace(
            listing,
            open=event.grams_new,
            cancelled=event.grams_old - event.grams_new,
            state="cancelled",
            changed_us=place.time_us,
        ),
    )
    yield listing_of_key(event.seller, event.listing), None


def _ended_needs(event: ev.ListingSold | ev.ListingCancelled, _place: Place) -> tuple[Key, ...]:
    return (listing_key(event.listing), listing_of_key(event.seller, event.listing))


def _listing(event: Any, _place: Place) -> tuple[Key, ...]:
    return (listing_key(event.listing),)


# Gifts


def _gift_made(event: ev.GiftMade, place: Place, _read: Read) -> Iterator[Effect]:
    yield ("gift_of", event.giver, str(event.gift)), GiftOf(giver=event.giver, number=event.gift)
    yield (
        gift_key(event.gift),
        Gift(
            number=event.gift,
            giver=event.giver,
            recipient=event.recipient,
            batch=event.batch,
            grams=event.grams,
            message_hash=event.message_hash,
            made_us=place.time_us,
            version=place.version,
            transaction=place.transaction,
        ),
    )


def _gift_ended(event: ev.GiftEnded, place: Place, read: Read) -> Iterator[Effect]:
    key = gift_key(event.gift)
    state = "claimed" if event.claimed else "taken_back"
    yield key, replace(read(key), state=state, ended_us=place.time_us)


RULES: Rules = {
    ev.BalanceChanged: (_balance_changed, lambda event, _place: (_claimable_key(event),)),
    ev.FeesChanged: (_fees_changed, lambda _event, _place: (FEES,)),
    ev.ShareChanged: (_share_changed, lambda _event, _place: (FEES,)),
    ev.Listed: (_listed, nothing),
    ev.ListingSold: (_sold, _sold_needs),
    ev.ListingPriceChanged: (_price_changed, _listing),
    ev.ListingCancelled: (_listing_cancelled, _ended_needs),
    ev.GiftMade: (_gift_made, nothing),
    ev.GiftEnded: (_gift_ended, lambda event, _place: (gift_key(event.gift),)),
}
"""What is brought, claimed and distributed is seen in the balances, so those events have no rule."""
