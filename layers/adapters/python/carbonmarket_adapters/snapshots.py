"""Gathers what the laws are judged on from the stores and the chain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import orjson

from carbonmarket.chain.addresses import canonical
from carbonmarket.custody import owed
from carbonmarket.errors import NotYetFinal
from carbonmarket.laws import Burn, Snapshot
from carbonmarket.operations.reconcile import vaulted
from carbonmarket.ports.chain import ChainAccess
from carbonmarket.ports.projection import ChainProjection, ChainSource, Key
from carbonmarket.projection.watch import PAGE_VERSIONS, rebuilt
from carbonmarket.records.chain import Batch
from carbonmarket.records.market import Book
from carbonmarket.records.money import Books
from carbonmarket_adapters.dynamo.signing import SigningTable

_TRIES = 5
_NO_BOOKS = Books()
_RETIRED = "::carbon_credit::CreditsRetired"
_ORDERS_A_VIEW = 1_000


def gather(
    *,
    chain: ChainAccess,
    source: ChainSource,
    projection: ChainProjection,
    signing: SigningTable,
    market: str,
    retired_before: Mapping[str, int],
    first_version: int = 0,
    books: Books = _NO_BOOKS,
    logs: Iterable[str] = (),
    personal: Iterable[str] = (),
) -> Snapshot:
    """A snapshot of the last projected version; NotYetFinal while the projection doesn't stand still.

    What was sent is looked for on the whole chain, which may be ahead of the projection. ``market`` is the
    package's address, ``first_version`` where the projection began; ``retired_before`` the retired grams by
    batch address at an earlier look; ``books`` is the ledger where money moves; ``logs`` are
    log lines and ``personal`` the data that must be neither in them nor on chain.
    """
    for _ in range(_TRIES):
        before = projection.cursor()
        projected = projection.everything()
        if before is not None and before == projection.cursor():
            break
    else:
        raise NotYetFinal("the projection is still moving; stop what writes, and gather again")
    # Before the transactions: what is kept as committed by now, they hold.
    submissions = tuple(signing.submissions())
    transactions = list(_transactions(source))
    folded = [transaction for transaction in transactions if int(transaction["version"]) <= before.version]
    batches = [record for record in projected.values() if isinstance(record, Batch)]
    return Snapshot(
        projected=projected,
        rebuilt=rebuilt(source, canonical(market), before.version, first_version),
        buffer_owner=canonical(chain.view("credit_batch::registry_address", [], [])[0]),
        supplies={b.address: int(chain.view("credit_batch::supply", [], [b.address])[0]) for b in batches},
        burns=tuple(_burn(chain, name) for name in _retirement_ids(folded, canonical(market))),
        vault={asset: vaulted(chain, asset) for asset in owed(projected.values())},
        open_orders={
            b.number: _open_orders(chain, b.number) for b in projected.values() if isinstance(b, Book)
        },
        books=books,
        retired_before=dict(retired_before),
        submissions=submissions,
        committed=Counter(str(transaction["hash"]) for transaction in transactions),
        chain_texts=(*(orjson.dumps(each).decode() for each in transactions), *logs),
        personal=tuple(personal),
    )


def retired_by_batch(projected: Mapping[Key, msgspec.Struct]) -> dict[str, int]:
    """Retired grams by batch address: what a later snapshot is compared with."""
    return {r.address: r.retired for r in projected.values() if isinstance(r, Batch)}


def _transactions(source: ChainSource) -> Iterable[dict[str, Any]]:
    """Every transaction of the chain, up to the version it has when its end is reached."""
    version = 0
    while page := source.page(version, PAGE_VERSIONS).transactions:
        yield from page
        version += len(page)


def _retirement_ids(transactions: Iterable[dict[str, Any]], market: str) -> Iterable[str]:
    for transaction in transactions:
        for event in transaction.get("events", ()):
            address, _, _ = event["type"].partition("::")
            if event["type"].endswith(_RETIRED) and canonical(address) == market:
                yield event["data"]["retirement_id"]


def _burn(chain: ChainAccess, retirement_id: str) -> Burn:
    """The retirement as the contract's registry has it now."""
    record = chain.view("certificate_registry::record", [], [retirement_id])[0]
    return Burn(
        id=retirement_id,
        batch=canonical(record["batch"]),
        grams=int(record["grams"]),
        serial_first=int(record["serial_first"]),
        serial_last=int(record["serial_last"]),
    )


def _open_orders(chain: ChainAccess, book: int) -> frozenset[str]:
    """The ids of a book's open orders, the pending one among them."""
    [view] = chain.view("market_book::book", [], [str(book)])
    found = {view["pending"]} - {"0"}
    for is_bid in (True, False):
        after = "0"
        while ids := chain.view("market_book::orders", [], [str(book), is_bid, after, str(_ORDERS_A_VIEW)])[
            0
        ]:
            found.update(ids)
            after = ids[-1]
    return frozenset(found)
