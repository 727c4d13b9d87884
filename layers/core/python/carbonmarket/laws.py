"""The laws between the parts, each computed from a snapshot of stores and chain.

A law is a pure function of a :class:`Snapshot`; :data:`LAWS` lists them. A law that has nothing to be judged
on (no order, no ledger entry yet) is not in the list.
"""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

import msgspec

from carbonmarket.custody import Vaulted, owed
from carbonmarket.ledger import laws as ledger_laws
from carbonmarket.ports.projection import Key
from carbonmarket.projection.watch import differences
from carbonmarket.records.chain import (
    Anchor,
    Batch,
    Cancellation,
    Retirement,
    Store,
    Submission,
)
from carbonmarket.records.market import Book, Level, Order, Trade
from carbonmarket.records.money import Books

_NAMED_MAX = 5


class Burn(msgspec.Struct, frozen=True, kw_only=True):
    """A retirement as the chain's own registry has it: grams and serial range."""

    id: str
    batch: str
    grams: int
    serial_first: int
    serial_last: int


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What the laws are judged on, all of one moment.

    ``projected`` and ``rebuilt`` are the projection in place and folded afresh from version 0;
    ``buffer_owner`` is the account of the buffers; ``supplies`` are the assets' supplies on chain by batch
    address; ``burns`` the retirements in the chain's registry; ``vault`` is what the chain says of the
    marketplace's vault by asset, and ``open_orders`` are the ids of the open orders on chain by book, the
    pending one among them; ``books`` is the ledger of money; ``retired_before`` the grams retired by batch
    address at an earlier look; ``submissions`` the stored bytes; ``committed`` the hashes that stand on
    chain, with how often each was found; ``chain_texts`` are all words that stand on chain and in logs;
    ``personal`` are the personal data that must not occur in them.
    """

    projected: Mapping[Key, msgspec.Struct]
    rebuilt: Mapping[Key, msgspec.Struct]
    buffer_owner: str
    supplies: Mapping[str, int]
    burns: tuple[Burn, ...]
    vault: Mapping[str, Vaulted]
    open_orders: Mapping[int, frozenset[str]]
    books: Books
    retired_before: Mapping[str, int]
    submissions: tuple[Submission, ...]
    committed: Mapping[str, int]
    chain_texts: tuple[str, ...]
    personal: tuple[str, ...]


class LawResult(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a law holds, and where it doesn't: sentences, or how much was judged."""

    name: str
    holds: bool
    detail: str


def _result(name: str, broken: Iterable[str], judged: str) -> LawResult:
    found = list(broken)
    more = f" and {len(found) - _NAMED_MAX} more" if len(found) > _NAMED_MAX else ""
    detail = "; ".join(found[:_NAMED_MAX]) + more if found else judged
    return LawResult(name=name, holds=not found, detail=detail)


def _batches(snapshot: Snapshot) -> list[Batch]:
    batches = (record for record in snapshot.projected.values() if isinstance(record, Batch))
    return sorted(batches, key=lambda batch: batch.serial_first)


def grams_are_conserved(snapshot: Snapshot) -> LawResult:
    """Per batch: issued = holdings + retired + cancelled + buffer, and holdings + buffer = supply on chain.

    Escrow is a store of the contract that keeps it, so it is among the holdings.
    """
    held: dict[str, int] = {}
    buffered: dict[str, int] = {}
    for record in snapshot.projected.values():
        if isinstance(record, Store):
            side = buffered if record.owner == snapshot.buffer_owner else held
            side[record.batch] = side.get(record.batch, 0) + record.grams
    broken = []
    for batch in _batches(snapshot):
        holdings, buffer = held.get(batch.address, 0), buffered.get(batch.address, 0)
        total = holdings + buffer + batch.retired + batch.cancelled
        if batch.issued != total:
            broken.append(
                f"batch {batch.id} issued {batch.issued} g and {total} g are accounted for (holdings "
                f"{holdings}, retired {batch.retired}, cancelled {batch.cancelled}, buffer {buffer})"
            )
        supply = snapshot.supplies.get(batch.address)
        if supply != holdings + buffer:
            broken.append(f"batch {batch.id} has a supply of {supply} g and {holdings + buffer} g are held")
    return _result("grams_are_conserved", broken, f"{len(_batches(snapshot))} batches")


def serials_are_disjoint(snapshot: Snapshot) -> LawResult:
    """No serial belongs to two batches, nor is it burnt twice; every burnt one is of its batch's block."""
    batches = _batches(snapshot)
    broken = list(_overlaps([(b.serial_first, b.serial_last, f"batch {b.id}") for b in batches]))
    blocks = {batch.address: batch for batch in batches}
    burnt = [
        record
        for record in snapshot.projected.values()
        if isinstance(record, Retirement | Cancellation) and record.serial_first
    ]
    broken += _overlaps([(r.serial_first, r.serial_last, f"{r.id}") for r in burnt])
    for record in burnt:
        block = blocks.get(record.batch)
        if block is None or not _contains(block, record):
            broken.append(f"{record.id} burnt serials outside of its batch's block")
    return _result("serials_are_disjoint", broken, f"{len(batches)} blocks, {len(burnt)} ranges")


def _contains(block: Batch, burnt: Retirement | Cancellation) -> bool:
    return block.serial_first <= burnt.serial_first <= burnt.serial_last <= block.serial_last


def _overlaps(ranges: list[tuple[int, int, str]]) -> Iterable[str]:
    ordered = sorted(ranges)
    for (_, last, one), (first, _, other) in itertools.pairwise(ordered):
        if first <= last:
            yield f"{one} and {other} share serials from {first}"


def serials_cover_retired(snapshot: Snapshot) -> LawResult:
    """The retirements' serial ranges are exactly the retired grams, by batch and in the chain's registry."""
    broken = []
    ranges: dict[str, int] = {}
    registry = {burn.id: burn for burn in snapshot.burns}
    for record in snapshot.projected.values():
        if not isinstance(record, Retirement):
            continue
        length = record.serial_last - record.serial_first + 1
        ranges[record.batch] = ranges.get(record.batch, 0) + length
        if length != record.grams:
            broken.append(f"{record.id} retired {record.grams} g and has {length} serials")
        burn = registry.pop(record.id, None)
        seen = burn and (burn.grams, burn.serial_first, burn.serial_last)
        if seen != (record.grams, record.serial_first, record.serial_last):
            broken.append(f"{record.id} isn't in the chain's registry as it was projected")
    broken += [f"{name} is in the chain's registry and wasn't projected" for name in registry]
    for batch in _batches(snapshot):
        if ranges.get(batch.address, 0) != batch.retired:
            covered = ranges.get(batch.address, 0)
            broken.append(f"batch {batch.id} retired {batch.retired} g and {covered} serials cover them")
    return _result("serials_cover_retired", broken, f"{len(snapshot.burns)} retirements")


def retired_never_shrinks(snapshot: Snapshot) -> LawResult:
    """No batch has less retired than at the earlier look."""
    now = {batch.address: batch.retired for batch in _batches(snapshot)}
    broken = [
        f"batch {address} had {before} g retired and has {now.get(address, 0)}"
        for address, before in snapshot.retired_before.items()
        if now.get(address, 0) < before
    ]
    return _result("retired_never_shrinks", broken, f"{sum(now.values())} g retired")


def the_vault_holds_what_it_owes(snapshot: Snapshot) -> LawResult:
    """Per asset: claimable balances and what open orders, listings and gifts hold = what was brought to the
    vault and not claimed, and the vault's store holds no less."""
    broken = []
    for asset, amounts in owed(snapshot.projected.values()).items():
        vault = snapshot.vault.get(asset, Vaulted(owes=0, holds=0))
        if vault.owes != amounts.total or vault.holds < vault.owes:
            broken.append(
                f"the vault holds {vault.holds} of {asset}, {vault.owes} were brought and not claimed, and "
                f"{amounts.total} are owed (claimable {amounts.claimable}, orders {amounts.orders}, listings "
                f"{amounts.listings}, gifts {amounts.gifts})"
            )
    return _result("the_vault_holds_what_it_owes", broken, f"{len(snapshot.vault)} assets")


def orders_add_up(snapshot: Snapshot) -> LawResult:
    """Per order: grams = filled + open + cancelled, and escrow = held + refunded + spent; an ended one holds
    nothing; its fills are its trades."""
    traded: dict[tuple[int, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    orders = []
    for record in snapshot.projected.values():
        if isinstance(record, Order):
            orders.append(record)
        elif isinstance(record, Trade) and record.book:
            sides = ((record.maker_order, record.maker_fee), (record.taker_order, record.taker_fee))
            for order, fee in sides:
                sums = traded[record.book, order]
                for place, amount in enumerate((record.grams, record.quote, fee)):
                    sums[place] += amount
    broken = [
        f"order {order.id} of book {order.book} {why}"
        for order in orders
        for why in _not_adding_up(order, traded[order.book, order.id])
    ]
    return _result("orders_add_up", broken, f"{len(orders)} orders")


def _not_adding_up(order: Order, traded: list[int]) -> Iterable[str]:
    if order.grams != order.filled + order.open + order.cancelled:
        yield f"has {order.grams} g: {order.filled} filled, {order.open} open, {order.cancelled} cancelled"
    spent = order.quote + order.fees if order.is_bid else order.filled
    if order.escrow != order.held + order.refunded + spent:
        yield (f"brought {order.escrow}: {order.held} held, {order.refunded} refunded and {spent} spent")
    if (order.state == "open") != (order.open > 0) or (order.held and not order.open):
        yield f"is {order.state} with {order.open} g open and holds {order.held}"
    if traded != [order.filled, order.quote, order.fees]:
        yield f"filled {order.filled} g for {order.quote} and {order.fees} of fees; its trades say {traded}"


def books_are_as_on_chain(snapshot: Snapshot) -> LawResult:
    """Per book: the open orders are the chain's, and its price levels are the resting ones, added up."""
    projected: dict[int, set[str]] = defaultdict(set)
    resting: dict[tuple[int, bool, int], list[int]] = defaultdict(lambda: [0, 0])
    levels = {}
    for record in snapshot.projected.values():
        if isinstance(record, Level):
            levels[record.book, record.is_bid, record.price] = [record.grams, record.orders]
        elif isinstance(record, Order) and record.state == "open":
            projected[record.book].add(record.id)
            if not record.waits:
                at = resting[record.book, record.is_bid, record.price]
                at[0] += record.open
                at[1] += 1
    books = [record.number for record in snapshot.projected.values() if isinstance(record, Book)]
    broken = [
        f"book {book}: {len(projected[book])} orders are open, and on chain {len(chain)} that differ"
        for book, chain in ((book, snapshot.open_orders.get(book, frozenset())) for book in books)
        if projected[book] != chain
    ]
    broken += [
        f"book {key[0]} has {levels.get(key, [0, 0])} (grams, orders) at {key[2]}, and {resting[key]} rest"
        for key in sorted(levels.keys() | resting.keys())
        if levels.get(key) != resting.get(key)
    ]
    return _result("books_are_as_on_chain", broken, f"{len(books)} books")


def rebuilt_projection_is_equal(snapshot: Snapshot) -> LawResult:
    """The projection folded afresh from version 0 equals the one in place."""
    broken = differences(snapshot.projected, snapshot.rebuilt)
    return _result("rebuilt_projection_is_equal", broken, f"{len(snapshot.projected)} records")


def money_is_booked_twice(snapshot: Snapshot) -> LawResult:
    """Debits equal credits in every currency, no limit is passed, and balances are what the journal says."""
    books = snapshot.books
    judged = f"{len(books.entries)} entries, {len(books.holds)} holds"
    return _result("money_is_booked_twice", ledger_laws.broken(books), judged)


def each_effect_happens_once(snapshot: Snapshot) -> LawResult:
    """Of the bytes ever stored under a key one stands on chain at most; no readings are anchored twice."""
    broken = []
    for submission in snapshot.submissions:
        tries = (*submission.earlier, submission.hash)
        standing = sum(snapshot.committed.get(each, 0) for each in tries)
        allowed = {"open": {0, 1}, "committed": {1}, "dead": {0}}[submission.state]
        if standing not in allowed:
            broken.append(f"{submission.key} stands {standing} times on chain and is {submission.state}")
    roots: dict[tuple[str, str], Anchor] = {}
    for anchor in snapshot.projected.values():
        if isinstance(anchor, Anchor):
            first = roots.setdefault((anchor.project, anchor.root), anchor)
            if first is not anchor:
                broken.append(f"the readings of {anchor.project} at {anchor.hour_s} are anchored twice")
    return _result("each_effect_happens_once", broken, f"{len(snapshot.submissions)} submissions")


def no_personal_data_on_chain(snapshot: Snapshot) -> LawResult:
    """None of the personal data occurs on chain or in a log, in plain or as hex."""
    broken = []
    for number, needle in enumerate(snapshot.personal):
        in_json = msgspec.json.encode(needle.casefold()).decode()[1:-1]
        forms = {needle.casefold(), in_json, needle.encode().hex()}
        pattern = re.compile("|".join(re.escape(form) for form in sorted(forms)))
        if any(pattern.search(text.casefold()) for text in snapshot.chain_texts):
            # The datum itself must not get into the report of its leak.
            broken.append(f"personal datum number {number + 1} stands where everybody reads it")
    return _result("no_personal_data_on_chain", broken, f"{len(snapshot.personal)} needles")


LAWS: tuple[Callable[[Snapshot], LawResult], ...] = (
    grams_are_conserved,
    serials_are_disjoint,
    serials_cover_retired,
    retired_never_shrinks,
    the_vault_holds_what_it_owes,
    orders_add_up,
    books_are_as_on_chain,
    money_is_booked_twice,
    rebuilt_projection_is_equal,
    each_effect_happens_once,
    no_personal_data_on_chain,
)


def judge(snapshot: Snapshot) -> tuple[LawResult, ...]:
    """Every law's result, in the order of :data:`LAWS`."""
    return tuple(law(snapshot) for law in LAWS)
