"""Agents who trade for a day: makers quote both sides, takers take, and some place orders at random.

All chance comes from one generator with a seed, and all amounts are integers: the same seed on the same books
gives the same orders. What an agent decides rests on the tape up to the wave before.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from carbonmarket.chain import market_calls
from carbonmarket.chain.calls import EntryCall
from infra.local.seed.imports import LOT, MIN_NOTIONAL, TICK
from infra.local.seed.tape import Tape

MAKERS, TAKERS, STRAYS = 4, 6, 4
GRAMS_PER_TONNE = 1_000_000

_FEE_CAP_BPS = 100
_LEVELS = 3
_SPREAD_BPS = 150
# A vintage's worth lies this far from what was published for its type at most, and the day moves it less.
_WORTH_BPS = 1_500
_STEP_BPS = 60
_TAKER_REACH_BPS = 500
_STRAY_REACH_BPS = 400
_SALES_PERCENT = 35
_WHOLE_BPS = 10_000
_TONNES_MAX = 500
# An order is for a small part of what there is.
_PART = 2_000


def makers() -> list[str]:
    """Their keys."""
    return [f"seed-maker-{number}" for number in range(1, MAKERS + 1)]


def takers() -> list[str]:
    """Their keys."""
    return [f"seed-taker-{number}" for number in range(1, TAKERS + 1)]


def strays() -> list[str]:
    """The keys of those who order at random."""
    return [f"seed-stray-{number}" for number in range(1, STRAYS + 1)]


@dataclass(frozen=True)
class Venue:
    """A book that is traded in: what of, around which published price (units a tonne), who makes it."""

    book: int
    batch: str
    project_type: str
    published: int
    grams: int
    maker: str


@dataclass(frozen=True)
class Act:
    """A call that an agent signs with its key."""

    key: str
    call: EntryCall


@dataclass(frozen=True)
class _Order:
    kind: int
    is_bid: bool
    price: int
    grams: int


class Agents:
    """The agents of some venues. ``addresses`` are their accounts by key, ``quote`` the asset of prices."""

    def __init__(
        self, venues: Sequence[Venue], addresses: dict[str, str], quote: str, chance: random.Random
    ) -> None:
        self._venues = list(venues)
        self._addresses = addresses
        self._quote = quote
        self._chance = chance
        self._weights = [math.isqrt(venue.grams) for venue in venues]
        self._worth = {
            venue.book: _moved(venue.published, chance.randint(-_WORTH_BPS, _WORTH_BPS)) for venue in venues
        }

    def wave(self, orders: int, tape: Tape) -> Iterator[Act]:
        """So many orders, one by criteria counted once, and cancellations before a maker's new quotes."""
        placed = 0
        while placed < orders:
            [venue] = self._chance.choices(self._venues, self._weights)
            for act in self._visit(venue, tape):
                if placed == orders:
                    return
                placed += act.call.function != "cancel_page"
                yield act

    def _visit(self, venue: Venue, tape: Tape) -> Iterator[Act]:
        self._drift(venue)
        yield from self._quotes(venue, tape)
        for _ in range(self._chance.randint(1, 3)):
            yield self._take(venue, self._chance.choice(takers()), tape)
        if self._chance.random() < 0.5:
            yield self._stray(venue, self._chance.choice(strays()), tape)
        if self._chance.random() < 0.1:
            yield from self._by_criteria(venue)

    def _drift(self, venue: Venue) -> None:
        """A step at random, drawn back to what was published the more the farther away it is."""
        worth = self._worth[venue.book]
        pull = (venue.published - worth) // 20
        self._worth[venue.book] = _moved(worth + pull, self._chance.randint(-_STEP_BPS, _STEP_BPS))

    def _quotes(self, venue: Venue, tape: Tape) -> Iterator[Act]:
        mine = tape.open_orders[self._addresses[venue.maker], venue.book][: market_calls.PAGE_MAX]
        if mine:
            yield Act(venue.maker, market_calls.cancel_orders(venue.book, mine))
            # What stood is taken off the tape now: the next visit of this wave must not cancel it again.
            del tape.open_orders[self._addresses[venue.maker], venue.book][: len(mine)]
        for level in range(1, _LEVELS + 1):
            for is_bid in (False, True):
                away = _SPREAD_BPS * level // 2
                price = _moved(self._worth[venue.book], -away if is_bid else away)
                yield self._order(
                    venue, venue.maker, _Order(market_calls.GTC, is_bid, price, self._size(venue))
                )

    def _take(self, venue: Venue, taker: str, tape: Tape) -> Act:
        is_bid = not self._sells(venue, taker, tape)
        kind = self._chance.choice((market_calls.IOC, market_calls.IOC, market_calls.MARKET))
        price = _moved(self._worth[venue.book], _TAKER_REACH_BPS if is_bid else -_TAKER_REACH_BPS)
        return self._order(
            venue, taker, _Order(kind, is_bid, price, self._affordable(venue, taker, is_bid, tape))
        )

    def _stray(self, venue: Venue, stray: str, tape: Tape) -> Act:
        is_bid = not self._sells(venue, stray, tape)
        reach = self._chance.randint(-_STRAY_REACH_BPS, _STRAY_REACH_BPS)
        price = _moved(self._worth[venue.book], reach)
        kind = self._chance.choice((market_calls.GTC, market_calls.GTC, market_calls.POST_ONLY))
        return self._order(
            venue, stray, _Order(kind, is_bid, price, self._affordable(venue, stray, is_bid, tape))
        )

    def _by_criteria(self, venue: Venue) -> Iterator[Act]:
        """A taker who asks for a type of project, whichever of two books serves it."""
        alike = [each for each in self._venues if each.project_type == venue.project_type]
        chosen = self._chance.sample(alike, min(2, len(alike)))
        reach = max(self._worth[each.book] for each in chosen)
        call = market_calls.buy_by_criteria(
            quote=self._quote,
            books=[each.book for each in chosen],
            grams=[self._size(each) for each in chosen],
            price=_moved(reach, _TAKER_REACH_BPS),
            methodologies=[venue.project_type],
            countries=[],
            vintages=[],
            labels=0,
            fee_cap_bps=_FEE_CAP_BPS,
            from_wallet=False,
        )
        yield Act(self._chance.choice(takers()), call)

    def _sells(self, venue: Venue, key: str, tape: Tape) -> bool:
        wants = self._chance.randrange(100) < _SALES_PERCENT
        return wants and tape.balances[self._addresses[key], venue.batch] >= self._least(venue)

    def _affordable(self, venue: Venue, key: str, is_bid: bool, tape: Tape) -> int:
        size = self._size(venue)
        if is_bid:
            return size
        held = tape.balances[self._addresses[key], venue.batch]
        return min(size, held - held % LOT)

    def _size(self, venue: Venue) -> int:
        """Whole lots, worth what a book takes at least."""
        part = venue.grams // _PART * self._chance.randint(1, 10)
        size = min(part, _TONNES_MAX * GRAMS_PER_TONNE)
        return max(size - size % LOT, self._least(venue))

    def _least(self, venue: Venue) -> int:
        """The lots of the smallest order, at half of what the batch is worth."""
        grams = -(-2 * MIN_NOTIONAL * GRAMS_PER_TONNE // self._worth[venue.book])
        return -(-grams // LOT) * LOT

    def _order(self, venue: Venue, key: str, order: _Order) -> Act:
        call = market_calls.place_order(
            book=venue.book,
            is_bid=order.is_bid,
            kind=order.kind,
            price=order.price,
            grams=order.grams,
            fee_cap_bps=_FEE_CAP_BPS,
            labels=0,
            expires_at=0,
            from_wallet=False,
        )
        return Act(key, call)


def _moved(price: int, bps: int) -> int:
    """A price moved by so many 1/10,000, in whole ticks, at least one."""
    ticks = price * (_WHOLE_BPS + bps) // _WHOLE_BPS // TICK
    return max(ticks, 1) * TICK
