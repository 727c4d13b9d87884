"""What the books should do, told as plainly as can be: sorted lists and integers, and nothing of the project.

Written from the rules of the market, for the test that holds the contracts against it.
"""

from __future__ import annotations

import pickle
from typing import Any

from tests.move.plain_records import TONNE, Book, Order, State, up

Event = tuple[str, dict[str, Any]]
STEPS, STEPS_BEFORE_PAGE = 16, 8
GTC, IOC, FOK, POST_ONLY, AT_MARKET = range(5)
BY_OWNER, REMAINDER, SELF_TRADE, EXPIRED, FROZEN, LABELS_LOST, TOO_SMALL = range(1, 8)
VAULT, USDC = "vault", "usdc"


class Refused(Exception):
    """The market says no: the module and the name of its refusal."""


class PlainBooks:
    """The books and the balances of those who trade in them."""

    def __init__(self, wallets: dict[tuple[str, str], int], books: list[Book]) -> None:
        self.state = State(wallets, {book.number: book for book in books})
        self.now = 0
        self.told: list[Event] = []

    def act(self, name: str, *arguments: Any, **named: str) -> tuple[list[Event], str | None]:
        """What an act tells, and the refusal if there is one: then nothing changed."""
        saved, self.told = pickle.dumps(self.state), []
        try:
            getattr(self, name)(*arguments, **named)
        except Refused as refusal:
            self.state = pickle.loads(saved)
            return [], str(refusal)
        return self.told, None

    # Telling and refusing.

    def _tell(self, name: str, **fields: Any) -> None:
        self.told.append((name, fields))

    def _refuse_if(self, wrong: bool, refusal: str) -> None:
        if wrong:
            raise Refused(refusal)

    # Balances.

    def _credit(self, account: str, asset: str, amount: int) -> None:
        if amount:
            old = self.state.claimable.get((account, asset), 0)
            self.state.claimable[account, asset] = old + amount
            self._tell(
                "BalanceChanged", account=account, asset=asset, balance_old=old, balance_new=old + amount
            )

    def _debit(self, account: str, asset: str, amount: int) -> None:
        old = self.state.claimable.get((account, asset), 0)
        self._refuse_if(amount == 0, "market_vault::E_ZERO")
        self._refuse_if(old < amount, "market_vault::E_ABOVE_BALANCE")
        self.state.claimable[account, asset] = old - amount
        self._tell("BalanceChanged", account=account, asset=asset, balance_old=old, balance_new=old - amount)

    def _move_usdc(self, account: str) -> None:
        self._refuse_if(self.state.usdc_paused, "usdc::E_PAUSED")
        self._refuse_if(account in self.state.blocked, "usdc::E_BLOCKED")

    def _bring(self, account: str, asset: str, amount: int) -> None:
        self._refuse_if(amount == 0, "market_vault::E_ZERO")
        self._refuse_if(self.state.wallets[account, asset] < amount, "market_vault::E_ABOVE_WALLET")
        if asset == USDC:
            self._move_usdc(account)
        self.state.wallets[account, asset] -= amount
        self._tell("Brought", account=account, asset=asset, amount=amount)

    def _send(self, account: str, asset: str, amount: int) -> None:
        if asset == USDC:
            self._move_usdc(account)
        self.state.wallets[account, asset] += amount
        self._tell("Claimed", account=account, asset=asset, amount=amount)

    def _assert_may_trade(self, account: str) -> None:
        self._refuse_if(account in self.state.frozen, "transfer_policy::E_FROZEN")

    def deposit(self, account: str, asset: str, amount: int) -> None:
        self._refuse_if(self.state.paused, "access_control::E_PAUSED")
        self._assert_may_trade(account)
        self._bring(account, asset, amount)
        self._credit(account, asset, amount)

    def claim(self, account: str, asset: str, amount: int) -> None:
        self._debit(account, asset, amount)
        self._send(account, asset, amount)

    # Placing.

    def place(
        self,
        number: int,
        owner: str,
        is_bid: bool,
        kind: int,
        price: int,
        grams: int,
        cap: int,
        labels: int,
        expires_at: int,
        from_wallet: bool,
        steps: int = STEPS,
    ) -> tuple[int, int]:
        """(steps left, grams filled)"""
        state, book = self.state, self.state.books[number]
        self._refuse_if(state.paused, "access_control::E_PAUSED")
        self._assert_may_trade(owner)
        self._refuse_if(kind > AT_MARKET, "market_book::E_UNKNOWN_KIND")
        self._refuse_if(0 < expires_at <= self.now, "market_book::E_EXPIRED")
        steps = self._go_on(book, steps)
        self._assert_may_trade(book.asset)
        self._refuse_if(book.required & ~book.labels != 0, "market_book::E_BATCH_LABELS")
        self._refuse_if(labels & ~book.labels != 0, "market_book::E_ORDER_LABELS")
        off_tick = kind != AT_MARKET and price % book.tick != 0
        self._refuse_if(not 0 < price < 2**63 or off_tick, "market_book::E_OFF_TICK")
        self._refuse_if(grams == 0 or grams % book.lot != 0, "market_book::E_OFF_LOT")
        self._refuse_if(up(price * grams, TONNE) >= 2**64, "market_book::E_TOO_LARGE")
        self._refuse_if(up(price * grams, TONNE) < book.minimum, "market_book::E_BELOW_MINIMUM")
        self._refuse_if(max(state.maker_bps, state.taker_bps) > cap, "market_fees::E_ABOVE_CAP")
        later = 2**64 - 1 - book.sequence
        place = 2**127 + price * 2**64 if is_bid else (2**63 - 1 - price) * 2**64
        fees = (state.maker_bps, state.taker_bps)
        order = Order(place + later, owner, is_bid, price, grams, *fees, labels, expires_at)
        book.sequence += 1
        order.purse = order.need(order.worst_bps)
        asset = USDC if is_bid else book.asset
        if from_wallet:
            self._bring(owner, asset, order.purse)
        else:
            self._debit(owner, asset, order.purse)
        self._tell(
            "OrderPlaced", book=number, order=order.id, account=owner, is_bid=is_bid, kind=kind, price=price,
            grams=grams, escrow=order.purse, maker_bps=fees[0], taker_bps=fees[1], labels=labels,
            expires_at=expires_at,
        )  # fmt: skip
        return self._take(book, order, kind, steps), grams - order.open

    def _take(self, book: Book, order: Order, kind: int, steps: int) -> int:
        before = steps
        steps, met_itself, crosses, payout = self._match(book, order, steps, fills=kind != POST_ONLY)
        self._refuse_if(kind == POST_ONLY and crosses, "market_book::E_WOULD_MATCH")
        self._refuse_if(crosses and before == 0, "market_book::E_BUSY")
        self._refuse_if(kind == FOK and order.open > 0, "market_book::E_NOT_FILLED_WHOLE")
        cause = SELF_TRADE if met_itself else REMAINDER if kind in (IOC, AT_MARKET) else 0
        if self._settle(book, order, cause, crosses, payout):
            self._tell("PendingChanged", book=book.number, order_old=0, order_new=order.id)
        return steps

    def _go_on(self, book: Book, steps: int) -> int:
        """The pending order's turn."""
        order = book.pending
        if order is None or self._is_closed(book):
            return steps
        book.pending = None
        cause, crosses, payout = self._why_dead(book, order), False, (0, 0)
        if not cause:
            steps, met_itself, crosses, payout = self._match(book, order, steps, fills=True)
            cause = SELF_TRADE if met_itself else 0
        if not self._settle(book, order, cause, crosses, payout):
            self._tell("PendingChanged", book=book.number, order_old=order.id, order_new=0)
        return steps

    def _is_closed(self, book: Book) -> bool:
        state = self.state
        return state.paused or book.asset in state.frozen or book.required & ~book.labels != 0

    def _why_dead(self, book: Book, order: Order) -> int:
        if 0 < order.expires_at <= self.now:
            return EXPIRED
        if order.labels & ~book.labels:
            return LABELS_LOST
        return FROZEN if order.owner in self.state.frozen else 0

    def _match(
        self, book: Book, taker: Order, steps: int, *, fills: bool
    ) -> tuple[int, bool, bool, tuple[int, int]]:
        """(steps left, whether it met its own order, whether it still crosses, (received, fees))"""
        others = book.asks if taker.is_bid else book.bids
        received = fees = 0
        while taker.open and others:
            maker = others[0]
            if maker.price > taker.price if taker.is_bid else maker.price < taker.price:
                break
            if steps == 0:
                return 0, False, True, (received, fees)
            cause = self._why_dead(book, maker)
            if cause:
                others.pop(0)
                self._end(book, maker, cause)
            elif not fills:
                return steps, False, True, (0, 0)
            elif maker.owner == taker.owner:
                return steps, True, True, (received, fees)
            else:
                gain, fee = self._fill(book, taker, maker, others)
                received, fees = received + gain, fees + fee
            steps -= 1
        return steps, False, False, (received, fees)

    def _fill(self, book: Book, taker: Order, maker: Order, others: list[Order]) -> tuple[int, int]:
        """(what the taker receives, both fees)"""
        grams = min(taker.open, maker.open)
        quote = maker.price * grams // TONNE
        maker_fee, taker_fee = maker.charge(quote, maker.maker_bps), taker.charge(quote, taker.taker_bps)
        bid, ask = (taker, maker) if taker.is_bid else (maker, taker)
        bid.purse -= quote + (taker_fee if taker.is_bid else maker_fee)
        ask.purse -= grams
        maker.open -= grams
        taker.open -= grams
        if maker.open == 0:
            assert maker.purse == 0, "a filled maker left dust"
            others.pop(0)
        if taker.is_bid:
            self._credit(maker.owner, USDC, quote - maker_fee)
        else:
            self._credit(maker.owner, book.asset, grams)
        self._tell(
            "OrderFilled", book=book.number, maker_order=maker.id, taker_order=taker.id, maker=maker.owner,
            taker=taker.owner, taker_is_bid=taker.is_bid, price=maker.price, grams=grams, quote=quote,
            maker_fee=maker_fee, taker_fee=taker_fee, maker_open_old=maker.open + grams,
            maker_open_new=maker.open, taker_open_old=taker.open + grams, taker_open_new=taker.open,
        )  # fmt: skip
        if self._is_small(book, maker):
            others.pop(0)
            self._end(book, maker, TOO_SMALL)
        return (grams if taker.is_bid else quote - taker_fee), maker_fee + taker_fee

    def _is_small(self, book: Book, order: Order) -> bool:
        """Whether what is left of an order is less than an order may be."""
        return order.open > 0 and up(order.price * order.open, TONNE) < book.minimum

    def _settle(self, book: Book, taker: Order, cause: int, crosses: bool, payout: tuple[int, int]) -> bool:
        if not cause and not crosses and self._is_small(book, taker):
            cause = TOO_SMALL
        waits = crosses and not cause
        self._credit(taker.owner, book.asset if taker.is_bid else USDC, payout[0])
        self._credit(VAULT, USDC, payout[1])
        if taker.is_bid:
            rests = not cause and not crosses
            refund = taker.purse - taker.need(taker.maker_bps if rests else taker.worst_bps)
            assert refund >= 0, "a bid held too little"
            taker.purse -= refund
            self._credit(taker.owner, USDC, refund)
            if refund:
                self._tell(
                    "ImprovementRefunded",
                    book=book.number,
                    order=taker.id,
                    account=taker.owner,
                    refund=refund,
                )
        if taker.open == 0:
            return False
        if cause:
            self._end(book, taker, cause)
        elif waits:
            book.pending = taker
        else:
            self._rest(book, taker)
        return waits

    def _rest(self, book: Book, order: Order) -> None:
        side = book.bids if order.is_bid else book.asks
        side.append(order)
        side.sort(key=lambda each: -each.id)

    # Ending and amending.

    def _end(self, book: Book, order: Order, reason: int) -> None:
        self._credit(order.owner, USDC if order.is_bid else book.asset, order.purse)
        self._tell(
            "OrderCancelled", book=book.number, order=order.id, account=order.owner, reason=reason,
            open_old=order.open, open_new=0, refund=order.purse,
        )  # fmt: skip

    def cancel(self, number: int, owner: str, order: int) -> None:
        book = self.state.books[number]
        found = book.find(order)
        self._refuse_if(found is None, "market_book::E_UNKNOWN_ORDER")
        self._refuse_if(found is not None and found.owner != owner, "market_book::E_NOT_YOURS")
        self._go_on(book, STEPS)
        if book.find(order):
            self._cancel(book, owner, order)

    def cancel_page(self, number: int, owner: str, orders: tuple[int, ...]) -> None:
        book = self.state.books[number]
        self._refuse_if(not 0 < len(orders) <= 16, "market_book::E_BAD_PAGE")
        self._go_on(book, STEPS_BEFORE_PAGE)
        for each in orders:
            if book.find(each):
                self._cancel(book, owner, each)

    def _cancel(self, book: Book, owner: str, number: int) -> None:
        order = book.find(number)
        assert order
        self._refuse_if(order.owner != owner, "market_book::E_NOT_YOURS")
        if order is book.pending:
            book.pending = None
            self._tell("PendingChanged", book=book.number, order_old=order.id, order_new=0)
        else:
            (book.bids if order.is_bid else book.asks).remove(order)
        self._end(book, order, BY_OWNER)

    def amend(self, number: int, owner: str, id: int, grams: int) -> None:
        book = self.state.books[number]
        self._go_on(book, STEPS)
        order = book.find(id)
        self._refuse_if(order is None, "market_book::E_UNKNOWN_ORDER")
        assert order
        self._refuse_if(order.owner != owner, "market_book::E_NOT_YOURS")
        self._refuse_if(grams >= order.open, "market_book::E_NOT_SMALLER")
        self._refuse_if(grams == 0 or grams % book.lot != 0, "market_book::E_OFF_LOT")
        self._refuse_if(up(order.price * grams, TONNE) < book.minimum, "market_book::E_BELOW_MINIMUM")
        open_old, order.open = order.open, grams
        refund = order.purse - order.need(order.worst_bps if order is book.pending else order.maker_bps)
        order.purse -= refund
        self._credit(owner, USDC if order.is_bid else book.asset, refund)
        self._tell(
            "OrderAmended", book=number, order=order.id, account=owner, open_old=open_old, open_new=grams,
            refund=refund,
        )  # fmt: skip

    def work(self, number: int) -> None:
        """The pending order's turn, and then dead orders at the top of both sides are cleared away."""
        book = self.state.books[number]
        steps = self._go_on(book, STEPS)
        if self._is_closed(book):
            return
        for side in (book.bids, book.asks):
            while steps and side and self._why_dead(book, side[0]):
                order = side.pop(0)
                self._end(book, order, self._why_dead(book, order))
                steps -= 1

    def buy_by_criteria(
        self, owner: str, legs: tuple[tuple[int, int], ...], price: int, labels: int, from_wallet: bool
    ) -> None:
        """``legs`` are (book, grams). What a leg touches, later legs cannot."""
        self._refuse_if(not 0 < len(legs) <= 4, "market_purchases::E_BAD_ROUTE")
        steps, bought = STEPS - 2 * (len(legs) - 1), 0
        for number, grams in legs:
            book = self.state.books[number]
            self._refuse_if(labels & ~book.labels != 0, "criteria::E_LABELS_MISSING")
            if steps > 0:
                steps = self._go_on(book, steps)
            if steps > 0:
                sums = (price, grams, 1000, labels, 0, from_wallet)
                steps, filled = self.place(number, owner, True, AT_MARKET, *sums, steps)
                bought += filled
        self._refuse_if(bought == 0, "market_purchases::E_NOTHING_BOUGHT")

    # Retiring.

    def buy_and_retire(self, number: int, owner: str, price: int, grams: int, from_wallet: bool) -> None:
        self.place(number, owner, True, FOK, price, grams, 1000, 0, 0, from_wallet)
        asset = self.state.books[number].asset
        self._debit(owner, asset, grams)
        self._send(owner, asset, grams)
        self._burn(asset, owner, grams)

    def retire(self, asset: str, owner: str, grams: int) -> None:
        self.claim(owner, asset, grams)
        self._assert_may_trade(owner)
        self._burn(asset, owner, grams)

    def _burn(self, asset: str, owner: str, grams: int) -> None:
        self.state.wallets[owner, asset] -= grams
        self.state.supplies[asset].serial_next += grams

    # What the operator does.

    def set_fees(self, maker_bps: int, taker_bps: int) -> None:
        state = self.state
        self._tell(
            "FeesChanged", maker_bps_old=state.maker_bps, taker_bps_old=state.taker_bps,
            maker_bps_new=maker_bps, taker_bps_new=taker_bps,
        )  # fmt: skip
        state.maker_bps, state.taker_bps = maker_bps, taker_bps

    def distribute(self) -> None:
        old = self.state.claimable.get((VAULT, USDC), 0)
        parts = [old * share // 10_000 for _, share in self.state.shares]
        self._refuse_if(not self.state.shares, "market_fees::E_NO_SHARES")
        self._refuse_if(sum(parts) == 0, "market_fees::E_NOTHING_TO_DISTRIBUTE")
        self._debit(VAULT, USDC, sum(parts))
        for (holder, _), part in zip(self.state.shares, parts, strict=True):
            self._credit(holder, USDC, part)
        self._tell("TreasuryDistributed", asset=USDC, treasury_old=old, treasury_new=old - sum(parts))

    # The law.

    def held(self, asset: str) -> int:
        """All that the vault should hold of an asset: nothing appears and nothing is lost."""
        state = self.state
        purses = sum(
            order.purse
            for book in state.books.values()
            for order in book.orders()
            if asset == (USDC if order.is_bid else book.asset)
        )
        purses += sum(each.grams for each in state.listings.values() if state.books[each.book].asset == asset)
        purses += sum(each.grams for each in state.gifts.values() if each.asset == asset)
        return purses + sum(units for (_, kind), units in state.claimable.items() if kind == asset)
