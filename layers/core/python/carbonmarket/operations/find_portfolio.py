"""What an organisation holds of credits, what it paid for them, what they are worth, where they come from.

The cost basis is first in, first out: whatever left the account, the oldest purchases left first, so that
what is held are the newest. A purchase, in the market or by card, costs what was paid to the sellers with the
fee; of a purchase that is held in part, the part of its cost is rounded down. Grams beyond all purchases
(issued, given, transferred to the account) have no price and are told apart. Purchases are looked for until
what is held is covered, among the newest 5,000 trades and purchases by card, so that a request has an end.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from operator import attrgetter

import msgspec

from carbonmarket.operations.acts import GRAMS_PER_TONNE, Desk, open_orders
from carbonmarket.operations.find_credits import own_organisation
from carbonmarket.ports.purchases import PurchasesStore
from carbonmarket.ports.registry import RegistryStore
from carbonmarket.records import registry as issued
from carbonmarket.records.chain import Batch, Holding
from carbonmarket.records.market import Book, Trade
from carbonmarket.records.principal import Principal

DEALS_READ_MAX = 5_000
_PAGE = 100
_DELIVERED = ("delivered", "completed")


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """Grams of a batch: in the wallet, claimable, held by open asks, and held by open listings."""

    wallet: int = 0
    claimable: int = 0
    in_orders: int = 0
    listed: int = 0

    @property
    def grams(self) -> int:
        """All of them."""
        return self.wallet + self.claimable + self.in_orders + self.listed


class Basis(msgspec.Struct, frozen=True, kw_only=True):
    """What the held grams cost: ``bought`` of them for ``cost`` quote units; ``unpriced`` were not bought."""

    bought: int
    cost: int
    unpriced: int


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """One batch of a portfolio. ``value`` is at the last price of the batch's book, rounded down.

    ``issue`` is the batch's entry in the registry, which names the period, None for imported batches.
    """

    batch: Batch
    held: Held
    basis: Basis
    last_price: int | None
    value: int | None
    issue: issued.Batch | None


class _Deal(msgspec.Struct, frozen=True):
    """Grams that changed hands; ``paid`` is None where the account sold them, or paid in another asset."""

    time_us: int
    batch: str
    grams: int
    paid: int | None


def list_positions(
    after: str | None,
    first: int,
    *,
    caller: Principal,
    desk: Desk,
    registry: RegistryStore,
    purchases: PurchasesStore,
) -> list[tuple[str, Position]]:
    """(batch address, position) of the caller's organisation, ``first`` of those above ``after``."""
    account = own_organisation(caller, desk.accounts).account_address
    held = _held(account, desk)
    # What is claimable may be another asset, which has no place in a page.
    known = desk.credits.batches_at(address for address in held if after is None or address > after)
    batches = {address: known[address] for address in sorted(known)[:first]}
    books = desk.market.books_of(batches, desk.quote)
    issues = registry.batches_named(batch.id for batch in batches.values())
    deals = heapq.merge(
        _traded(account, desk),
        _bought_by_card(caller.organisation, purchases),
        key=attrgetter("time_us"),
        reverse=True,
    )
    bought = _purchases({address: held[address].grams for address in batches}, deals)
    return [
        (address, _position(batch, held[address], bought[address], books.get(address), issues.get(batch.id)))
        for address, batch in batches.items()
    ]


def decide_basis(purchases: Iterable[tuple[int, int]], grams: int) -> Basis:
    """The basis of ``grams``; ``purchases`` are (grams, cost with fee), the newest first."""
    left, cost = grams, 0
    for bought, paid in purchases:
        part = min(bought, left)
        cost += paid * part // bought
        left -= part
    return Basis(bought=grams - left, cost=cost, unpriced=left)


def _position(
    batch: Batch,
    held: Held,
    purchases: list[tuple[int, int]],
    book: Book | None,
    issue: issued.Batch | None,
) -> Position:
    last = book.last_price if book is not None else None
    return Position(
        batch=batch,
        held=held,
        basis=decide_basis(purchases, held.grams),
        last_price=last,
        value=None if last is None else last * held.grams // GRAMS_PER_TONNE,
        issue=issue,
    )


def _held(account: str, desk: Desk) -> dict[str, Held]:
    wallet = {h.batch: h.grams for h in _holdings(account, desk)}
    claimable = {c.asset: c.amount for c in desk.market.claimables(account) if c.asset != desk.quote}
    in_orders, listed = _in_asks(account, desk), _listed(account, desk)
    return {
        address: Held(
            wallet=wallet.get(address, 0),
            claimable=claimable.get(address, 0),
            in_orders=in_orders[address],
            listed=listed[address],
        )
        for address in {*wallet, *claimable, *in_orders, *listed}
    }


def _holdings(account: str, desk: Desk) -> Iterator[Holding]:
    after = None
    while rows := desk.credits.holdings(account, after=after, first=_PAGE):
        yield from rows
        after = rows[-1].batch


def _in_asks(account: str, desk: Desk) -> Counter[str]:
    by_book: Counter[int] = Counter()
    for order in open_orders(account, desk):
        if not order.is_bid:
            by_book[order.book] += order.held
    books = desk.market.books_at(by_book)
    found: Counter[str] = Counter()
    for number, held in by_book.items():
        found[books[number].batch] += held
    return found


def _listed(account: str, desk: Desk) -> Counter[str]:
    found: Counter[str] = Counter()
    after = None
    while rows := desk.market.listings_of(account, after=after, first=_PAGE):
        for _, listing in rows:
            found[listing.batch] += listing.open
        after = rows[-1][0]
    return +found


def _purchases(held: Mapping[str, int], deals: Iterable[_Deal]) -> dict[str, list[tuple[int, int]]]:
    """(grams, cost with fee) of what was bought of each batch, the newest first, as much as is held of it.

    ``deals``, the newest first, are read no further than that.
    """
    found: dict[str, list[tuple[int, int]]] = {batch: [] for batch in held}
    missing = {batch: grams for batch, grams in held.items() if grams}
    if not missing:
        return found
    for deal in islice(deals, DEALS_READ_MAX):
        if deal.paid is None or deal.batch not in missing:
            continue
        found[deal.batch].append((deal.grams, deal.paid))
        missing[deal.batch] -= deal.grams
        if missing[deal.batch] <= 0:
            del missing[deal.batch]
        if not missing:
            break
    return found


def _traded(account: str, desk: Desk) -> Iterator[_Deal]:
    after = None
    while rows := desk.market.trades_of(account, after=after, first=_PAGE):
        for _, trade in rows:
            paid = _paid(trade, account) if trade.asset == desk.quote else None
            yield _Deal(trade.time_us, trade.batch, trade.grams, paid)
        after = rows[-1][0]


def _bought_by_card(organisation: str, purchases: PurchasesStore) -> Iterator[_Deal]:
    """What the treasury bought for the organisation and gave it."""
    for purchase in purchases.newest_purchases(organisation):
        for fill in purchase.due_fills if purchase.state in _DELIVERED else ():
            yield _Deal(purchase.created_us, fill.address, fill.grams, fill.units + fill.fee_units)


def _paid(trade: Trade, account: str) -> int | None:
    """What the account paid in a trade with its fee; None if it sold."""
    buyer, fee = (trade.taker, trade.taker_fee) if trade.taker_is_bid else (trade.maker, trade.maker_fee)
    return trade.quote + fee if buyer == account else None
