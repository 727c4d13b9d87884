"""What an organisation holds of credits, what it paid for them, what they are worth, where they come from.

The cost basis is first in, first out: whatever left the account, the oldest purchases left first, so that
what is held are the newest. A purchase costs what was paid with its fee; of a purchase that is held in part,
the part of its cost is rounded down. Grams beyond all purchases (issued, given, transferred to the account)
have no price and are told apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator

import msgspec

from carbonmarket.operations.acts import GRAMS_PER_TONNE, Desk
from carbonmarket.operations.find_credits import own_organisation
from carbonmarket.ports.registry import RegistryStore
from carbonmarket.records import registry as issued
from carbonmarket.records.chain import Batch, Holding
from carbonmarket.records.market import Book, Trade
from carbonmarket.records.principal import Principal

_PAGE = 100


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


def list_positions(
    after: str | None, first: int, *, caller: Principal, desk: Desk, registry: RegistryStore
) -> list[tuple[str, Position]]:
    """(batch address, position) of the caller's organisation, ``first`` of those above ``after``."""
    account = own_organisation(caller, desk.accounts).account_address
    held = _held(account, desk)
    wanted = sorted(address for address in held if after is None or address > after)[:first]
    batches = desk.credits.batches_at(wanted)
    books = desk.market.books_of(batches, desk.quote)
    issues = registry.batches_named(batch.id for batch in batches.values())
    trades = _purchases(account, batches.keys(), desk)
    return [
        (address, _position(batch, held[address], trades[address], books.get(address), issues.get(batch.id)))
        for address in wanted
        if (batch := batches.get(address)) is not None
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
    after = None
    while rows := desk.market.orders_of(account, open_only=True, after=after, first=_PAGE):
        for _, order in rows:
            if not order.is_bid:
                by_book[order.book] += order.held
        after = rows[-1][0]
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


def _purchases(account: str, batches: Collection[str], desk: Desk) -> dict[str, list[tuple[int, int]]]:
    """(grams, cost with fee) of what the account bought of each batch in the quote asset, newest first."""
    found: dict[str, list[tuple[int, int]]] = {batch: [] for batch in batches}
    after = None
    while batches and (rows := desk.market.trades_of(account, after=after, first=_PAGE)):
        for _, trade in rows:
            paid = _paid(trade, account)
            if trade.batch in batches and trade.asset == desk.quote and paid is not None:
                found[trade.batch].append((trade.grams, paid))
        after = rows[-1][0]
    return found


def _paid(trade: Trade, account: str) -> int | None:
    """What the account paid in a trade with its fee; None if it sold."""
    buyer, fee = (trade.taker, trade.taker_fee) if trade.taker_is_bid else (trade.maker, trade.maker_fee)
    return trade.quote + fee if buyer == account else None
