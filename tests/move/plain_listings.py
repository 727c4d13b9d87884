"""What fixed-price listings should do beside the books, told as plainly as can be."""

from __future__ import annotations

from tests.move.plain_book import TONNE, USDC, VAULT, Listing, PlainBooks, up


class PlainMarket(PlainBooks):
    """The books, and listings of the books' batches."""

    def list_grams(
        self, owner: str, number: int, grams: int, price: int, lot: int, cap: int, from_wallet: bool
    ) -> None:
        """Of the batch that book ``number`` is of."""
        state, book = self.state, self.state.books[number]
        self._refuse_if(state.paused, "access_control::E_PAUSED")
        self._assert_may_trade(owner)
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
        maker_fee, taker_fee = (up(quote * bps, 10_000) for bps in (listing.maker_bps, listing.taker_bps))
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
        listing = self._owned(owner, number)
        inexact = price * listing.lot == 0 or price * listing.lot % TONNE != 0
        self._refuse_if(inexact, "listings::E_INEXACT_PRICE")
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
