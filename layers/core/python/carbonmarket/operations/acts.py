"""What all acts in the market have in common: who acts, with which key, and what came of it.

An act is one call of the contract. It is made under a key that comes from the request's Idempotency-Key, so
that a repeated request finds its transaction and gives the same answer, also where the first one died.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Literal

import msgspec

from carbonmarket import ids
from carbonmarket.authorise import require_role
from carbonmarket.chain.calls import EntryCall
from carbonmarket.errors import ChainRefused, IdempotencyMismatch, InvalidInput, NotFound, NotYetFinal
from carbonmarket.operations.fates import TransactionExpired
from carbonmarket.operations.find_credits import own_organisation
from carbonmarket.ports.accounts import AccountsStore
from carbonmarket.ports.chain import ChainAccess, Fate
from carbonmarket.ports.market import MarketProjection
from carbonmarket.ports.projection import ChainProjection
from carbonmarket.ports.transactions import TransactionsStore
from carbonmarket.quantities import U64_MAX, parse_grams
from carbonmarket.records.audit import told
from carbonmarket.records.chain import Batch
from carbonmarket.records.market import Book, Order
from carbonmarket.records.principal import BUYER, DEVELOPER, Principal

Source = Literal["wallet", "balance"]
"""Where an act takes from: the account's wallet, or what it may claim from the market."""

GRAMS_PER_TONNE = 1_000_000
PRICE_MAX = 2**63 - 1
WAIT_S = 10
_PAGE = 1_000
_DIGITS = re.compile(r"[0-9]{1,20}")

# The field of the request that an abort is about, where it is about one.
_FIELDS = {
    "market_book::E_UNKNOWN_BOOK": "book",
    "market_book::E_OFF_TICK": "price",
    "market_book::E_OFF_LOT": "grams",
    "market_book::E_BELOW_MINIMUM": "grams",
    "market_book::E_TOO_LARGE": "grams",
    "market_book::E_EXPIRED": "expires",
    "market_book::E_ORDER_LABELS": "labels",
    "market_book::E_WOULD_MATCH": "price",
    "market_book::E_NOT_FILLED_WHOLE": "grams",
    "market_book::E_NOT_SMALLER": "grams",
    "market_book::E_UNKNOWN_ORDER": "order",
    "market_book::E_NOT_YOURS": "order",
    "market_fees::E_ABOVE_CAP": "fee_cap_bps",
    "market_vault::E_ABOVE_BALANCE": "source",
    "market_vault::E_ABOVE_WALLET": "source",
    "listings::E_BAD_GRAMS": "grams",
    "listings::E_INEXACT_PRICE": "price",
    "listings::E_PRICE_ABOVE_LIMIT": "price_limit",
    "listings::E_TOO_LARGE": "grams",
    "gifts::E_TO_ONESELF": "to",
}


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """Where acts are made: what was seen of the market, the chain, and what is kept.

    ``terms`` knows books as they were first seen: what was agreed at their opening never changes, prices do.
    ``quote`` is the address of the asset that prices are in.
    """

    market: MarketProjection
    terms: Callable[[int], Book | None]
    credits: ChainProjection
    chain: ChainAccess
    accounts: AccountsStore
    kept: TransactionsStore
    quote: str
    now_us: int


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an act. ``submitted``: the chain has not answered yet; ask again later."""

    id: str
    transaction: str
    state: Literal["submitted", "committed"]
    version: int | None = None
    at_us: int | None = None
    events: tuple[dict[str, Any], ...] = ()

    def event(self, name: str) -> dict[str, Any] | None:
        """The data of the first event ``module::Name``; numbers are strings there."""
        return next(iter(self.all_events(name)), None)

    def all_events(self, name: str) -> list[dict[str, Any]]:
        """The data of all events ``module::Name``, in order."""
        return [event["data"] for event in self.events if event["type"].endswith(f"::{name}")]


def act(verb: str, call: EntryCall, *, caller: Principal, key: str, desk: Desk) -> Done:
    """Make a call with the key of the caller's organisation, and wait for the chain a moment.

    Refuses who may not trade; ChainRefused, with the field where the abort is about one, if the contract
    refused. Bytes and the audit's entry are one write, and the only one.
    """
    require_role(caller, BUYER, DEVELOPER)
    owner = own_organisation(caller, desk.accounts)
    id = act_id(caller, key)
    entry = told(caller, verb, id, "sent", desk.now_us)
    return done(id, lambda: desk.chain.settle(chain_key(id), owner.key_id, call, entry, WAIT_S), desk.chain)


def earlier_act(call: str, *, caller: Principal, key: str, desk: Desk) -> Done | None:
    """What the caller's act under the key came to, where it was made before; ``call`` is its function.

    For acts that would be others if they were decided anew; one that expired needs another key.
    """
    id = act_id(caller, key)
    fate = desk.chain.fate(chain_key(id))
    if fate.hash is None:
        return None
    if fate.call != call:
        raise IdempotencyMismatch("this Idempotency-Key was used for another act; take a new key")
    if fate.state == "dead":
        raise TransactionExpired(
            "the transaction expired before the chain took it; take a new Idempotency-Key"
        )
    return done(id, lambda: desk.chain.await_fate(chain_key(id), WAIT_S), desk.chain)


def was_made(*, caller: Principal, key: str, desk: Desk) -> bool:
    """Whether the caller's act under the key was sent before and has not expired unseen.

    For acts that were possible when they were made and would be refused now.
    """
    fate = desk.chain.fate(chain_key(act_id(caller, key)))
    return fate.hash is not None and fate.state != "dead"


def act_id(caller: Principal, key: str) -> str:
    """The id of the act under a request's key."""
    return ids.derive("ACT", caller.organisation, key)


def chain_key(act: str) -> str:
    """The key on chain of an act."""
    return f"act/{act}"


def done(id: str, settle: Callable[[], Fate], chain: ChainAccess) -> Done:
    """What came of the act that ``settle`` waits for."""
    try:
        fate = settle()
    except NotYetFinal:
        return Done(id=id, transaction=chain.fate(chain_key(id)).hash or "", state="submitted")
    if fate.state != "committed":
        raise TransactionExpired("the transaction expired before the chain took it; send the request again")
    if not fate.success:
        raise refusal(fate)
    return Done(
        id=id,
        transaction=fate.hash or "",
        state="committed",
        version=fate.version,
        at_us=fate.timestamp_us,
        events=fate.events,
    )


def refusal(fate: Fate) -> ChainRefused:
    """The error of a call that the contract refused, with the field of the request that it is about."""
    reason = fate.reason or "the chain refused the transaction"
    return ChainRefused(reason, abort=fate.abort, field=_FIELDS.get(fate.abort or ""))


# Values of requests


def parse_units(text: str, field: str) -> int:
    """Whole units of an asset, 1 to 2^64 - 1, from a string of digits."""
    if not (_DIGITS.fullmatch(text) and 1 <= int(text) <= U64_MAX):
        raise InvalidInput(f"{field} must be from 1 to {U64_MAX}", field=field)
    return int(text)


def parse_number(text: str, field: str) -> int:
    """The number of a book, listing or gift in a request."""
    if not (_DIGITS.fullmatch(text) and 1 <= int(text) <= U64_MAX):
        raise InvalidInput(f"{field} must be the number of one", field=field)
    return int(text)


def parse_price(text: str, field: str = "price") -> int:
    """Quote units per tonne, 1 to 2^63 - 1, from a string of digits."""
    price = parse_units(text, field)
    if price > PRICE_MAX:
        raise InvalidInput(f"{field} must be at most {PRICE_MAX}", field=field)
    return price


def cost(price: int, grams: int) -> int:
    """What grams cost at a price, rounded up to whole quote units, as the contract computes it.

    InvalidInput (field ``grams``) if no asset could hold so much.
    """
    units = -(-price * grams // GRAMS_PER_TONNE)
    if units > U64_MAX:
        raise InvalidInput("price times grams is more than an asset can hold", field="grams")
    return units


def parse_lots(text: str, lot: int, what: str) -> int:
    """Grams in whole lots."""
    grams = parse_grams(text, "grams")
    if grams % lot:
        raise InvalidInput(f"grams must be a multiple of {lot}, the lot of the {what}", field="grams")
    return grams


def named_book(number: int, desk: Desk) -> Book:
    """The terms of the book that a request's body names."""
    book = desk.terms(number)
    if book is None:
        raise InvalidInput("there is no book with this number", field="book")
    return book


def traded_batch(batch: str, desk: Desk) -> Batch:
    """The batch that a request's body names."""
    found = desk.credits.batch(batch)
    if found is None:
        raise InvalidInput("there is no batch with this id", field="batch")
    return found


def batch_of(address: str, desk: Desk) -> Batch:
    """The batch at an address that the market itself named."""
    found = desk.credits.batch_at(address)
    if found is None:
        raise NotFound(f"the batch at {address} has not been seen yet; ask again later")
    return found


def open_orders(account: str, desk: Desk) -> Iterator[Order]:
    """The account's open orders in all books, those placed last first."""
    after = None
    while True:
        rows = desk.market.orders_of(account, open_only=True, after=after, first=_PAGE)
        yield from (order for _, order in rows)
        if len(rows) < _PAGE:
            return
        after = rows[-1][0]


def asset_address(asset: str, desk: Desk) -> str:
    """The address of the asset that a request names: a batch's id, or "quote" for the asset prices are in."""
    if asset == "quote":
        return desk.quote
    found = desk.credits.batch(asset)
    if found is None:
        raise InvalidInput('asset must be "quote" or the id of a batch', field="asset")
    return found.address
