"""What listings, gifts and reversals should do beside the books, told as plainly as can be."""

from __future__ import annotations

from tests.move.plain_book import USDC, VAULT, PlainBooks
from tests.move.plain_records import TONNE, Gift, Listing, up


class PlainMarket(PlainBooks):
    """The books; listings, gifts and reversals of the books' batches, which are one project's."""

    def list_grams(
        self, owner: str, number: int, grams: int, price: int, lot: int, cap: int, from_wallet: bool
    ) -> None:
        """Of the batch that book ``number`` is of."""
        state, book = self.state, self.state.books[number]
        self._refuse_if(state.paused, "access_control::E_PAUSED")
        self._assert_may_trade(owner)
        self._assert_may_trade(book.asset)
        self._refuse_if(price * lot == 0 or price * lot % TONNE != 0, "listings::E_INEXACT_PRICE")
        self._refuse_if(grams == 0 or grams % lot != 0, "listings::E_BAD_GRAMS")
        self._refuse_if(price * grams // TONNE > (2**64 - 1) // 2, "listings::E_TOO_LARGE")
        self._refuse_if(max(state.maker_bps, state.taker_bps) > cap, "market_fees::E_ABOVE_CAP")
        if from_wallet:
            self._bring(owner, book.asset, grams)
        else:
            self._debit(owner, book.asset, grams)
        state.listed += 1
        fees = (state.maker_bps, state.taker_bps)
        state.listings[state.listed] = Listing(owner, number, price, lot, grams, *fees, book.labels)
        self._tell(
            "Listed", listing=state.listed, seller=owner, batch=book.asset, quote=USDC, grams=grams,
            price=price, lot=lot, maker_bps=fees[0], taker_bps=fees[1], labels=book.labels,
        )  # fmt: skip

    def buy(self, owner: str, number: int, grams: int, limit: int, cap: int, from_wallet: bool) -> None:
        state = self.state
        self._refuse_if(state.paused, "access_control::E_PAUSED")
        listing = self._listing(number)
        book = state.books[listing.book]
        for account in (owner, listing.seller, book.asset):
            self._assert_may_trade(account)
        self._refuse_if(owner == listing.seller, "listings::E_OWN_LISTING")
        self._refuse_if(listing.labels & ~book.labels != 0, "listings::E_LABELS_LOST")
        bad = grams == 0 or grams % listing.lot != 0 or grams > listing.grams
        self._refuse_if(bad, "listings::E_BAD_GRAMS")
        self._refuse_if(listing.price > limit, "listings::E_PRICE_ABOVE_LIMIT")
        self._refuse_if(listing.taker_bps > cap, "market_fees::E_ABOVE_CAP")
        quote = listing.price * grams // TONNE
        # The seller's fees round up once over the whole listing, the buyer's once a purchase.
        before = up(listing.sold_for * listing.maker_bps, 10_000)
        listing.sold_for += quote
        maker_fee = up(listing.sold_for * listing.maker_bps, 10_000) - before
        taker_fee = up(quote * listing.taker_bps, 10_000)
        if from_wallet:
            self._bring(owner, USDC, quote + taker_fee)
        else:
            self._debit(owner, USDC, quote + taker_fee)
        self._credit(owner, book.asset, grams)
        self._credit(listing.seller, USDC, quote - maker_fee)
        self._credit(VAULT, USDC, maker_fee + taker_fee)
        grams_old = listing.grams
        self._keep(number, grams_old - grams)
        self._tell(
            "ListingSold", listing=number, seller=listing.seller, buyer=owner, grams=grams, quote=quote,
            maker_fee=maker_fee, taker_fee=taker_fee, grams_old=grams_old, grams_new=grams_old - grams,
        )  # fmt: skip

    def set_price(self, owner: str, number: int, price: int) -> None:
        self._refuse_if(self.state.paused, "access_control::E_PAUSED")
        listing = self._owned(owner, number)
        self._assert_may_trade(owner)
        self._assert_may_trade(self.state.books[listing.book].asset)
        inexact = price * listing.lot == 0 or price * listing.lot % TONNE != 0
        self._refuse_if(inexact, "listings::E_INEXACT_PRICE")
        self._refuse_if(price * listing.grams // TONNE > (2**64 - 1) // 2, "listings::E_TOO_LARGE")
        price_old, listing.price = listing.price, price
        self._tell("ListingPriceChanged", listing=number, price_old=price_old, price_new=price)

    def take_back(self, owner: str, number: int) -> None:
        listing = self._owned(owner, number)
        grams = listing.grams
        self._keep(number, 0)
        self._credit(owner, self.state.books[listing.book].asset, grams)
        self._tell("ListingCancelled", listing=number, seller=owner, grams_old=grams, grams_new=0)

    def _listing(self, number: int) -> Listing:
        self._refuse_if(number not in self.state.listings, "listings::E_UNKNOWN_LISTING")
        return self.state.listings[number]

    def _owned(self, owner: str, number: int) -> Listing:
        listing = self._listing(number)
        self._refuse_if(listing.seller != owner, "listings::E_NOT_YOURS")
        return listing

    def _keep(self, number: int, grams: int) -> None:
        self.state.listings[number].grams = grams
        if grams == 0:
            del self.state.listings[number]

    # Gifts.

    def make_gift(
        self, owner: str, recipient: str, asset: str, grams: int, message_hash: str, from_wallet: bool
    ) -> None:
        state = self.state
        self._refuse_if(state.paused, "access_control::E_PAUSED")
        self._assert_may_trade(owner)
        self._refuse_if(len(message_hash) != len("0x") + 64, "inputs::E_NOT_32_BYTES")
        self._refuse_if(owner == recipient, "gifts::E_TO_ONESELF")
        self._refuse_if(asset == USDC, "gifts::E_NOT_CREDITS")
        self._assert_may_trade(asset)
        if from_wallet:
            self._bring(owner, asset, grams)
        else:
            self._debit(owner, asset, grams)
        state.given += 1
        state.gifts[state.given] = Gift(owner, recipient, asset, grams)
        self._tell(
            "GiftMade", gift=state.given, giver=owner, recipient=recipient, batch=asset, grams=grams,
            message_hash=message_hash,
        )  # fmt: skip

    def claim_gift(self, owner: str, number: int) -> None:
        gift = self._gift(number)
        self._refuse_if(gift.recipient != owner, "gifts::E_NOT_FOR_YOU")
        self._send(owner, gift.asset, gift.grams)
        self._end_gift(number, claimed=True)

    def take_gift_back(self, owner: str, number: int) -> None:
        gift = self._gift(number)
        self._refuse_if(gift.giver != owner, "gifts::E_NOT_YOURS")
        self._credit(owner, gift.asset, gift.grams)
        self._end_gift(number, claimed=False)

    def _gift(self, number: int) -> Gift:
        self._refuse_if(number not in self.state.gifts, "gifts::E_UNKNOWN_GIFT")
        return self.state.gifts[number]

    def _end_gift(self, number: int, *, claimed: bool) -> None:
        gift = self.state.gifts.pop(number)
        self._tell(
            "GiftEnded", gift=number, giver=gift.giver, recipient=gift.recipient, batch=gift.asset,
            grams_old=gift.grams, grams_new=0, claimed=claimed,
        )  # fmt: skip

    # Reversals.

    def reverse(self, asset: str, developer: str, grams: int, **named: str) -> None:
        """Buffer first, then the developer's wallet, frozen or not; the rest is debt. No order is touched."""
        state, supply = self.state, self.state.supplies[asset]
        self._refuse_if(grams == 0, "credit_batch::E_ZERO_GRAMS")
        self._refuse_if(supply.reversed + grams > supply.issued, "credit_batch::E_ABOVE_ISSUED")
        supply.reversed += grams
        from_buffer = min(grams, supply.buffer)
        from_developer = min(grams - from_buffer, state.wallets[developer, asset])
        buffer_old, cancelled_old, debt_old = supply.buffer, supply.cancelled, state.debt
        supply.buffer -= from_buffer
        state.wallets[developer, asset] -= from_developer
        burnt = from_buffer + from_developer
        first = supply.serial_next
        serial_first, serial_last = (first, first + burnt - 1) if burnt else (0, 0)
        supply.serial_next += burnt
        supply.cancelled += burnt
        state.debt += grams - burnt
        self._tell(
            "CreditsReversed", **named, batch=asset, developer=developer, grams=grams,
            from_buffer=from_buffer, from_developer=from_developer,
            serial_first=serial_first, serial_last=serial_last,
            buffer_old=buffer_old, buffer_new=supply.buffer, cancelled_old=cancelled_old,
            cancelled_new=supply.cancelled, debt_old=debt_old, debt_new=state.debt,
        )  # fmt: skip
