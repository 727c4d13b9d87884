"""The marketplace's adapters: what acts are made with, what wallets sign, what searches look through."""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING

from carbonmarket_adapters.wiring import settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from carbonmarket.operations.acts import Desk
    from carbonmarket.operations.find_market import Catalogue
    from carbonmarket.ports.accounts import AccountsStore
    from carbonmarket.ports.transactions import TransactionsStore, Wallets
    from carbonmarket.records.market import Book


@functools.cache
def transactions() -> TransactionsStore:
    """Transactions that wallets sign, and texts of gifts."""
    from carbonmarket_adapters.dynamo.orders import DynamoTransactions

    return DynamoTransactions(settings())


@functools.cache
def wallets() -> Wallets:
    """Builds what wallets sign."""
    from carbonmarket_adapters.aptos.wallets import AptosWallets
    from carbonmarket_adapters.wiring import chain

    return AptosWallets(
        node=chain.node(),
        outbox=chain.chain_access(),
        sponsorship=chain.sponsorship(),
        market=settings().market_address,
        chain_id=settings().chain_id,
    )


@functools.cache
def catalogue() -> Catalogue:
    """All that is on offer, kept in memory for a moment."""
    from carbonmarket.operations.find_market import Catalogue
    from carbonmarket_adapters.wiring import chain

    quote = settings().quote_asset
    return Catalogue(
        chain.market_projection(), chain.projection(), quote, lambda: time.monotonic_ns() // 1_000
    )


@functools.cache
def accounts() -> AccountsStore:
    """Organisations, kept in memory once they were found."""
    from carbonmarket_adapters.remembered import RememberedAccounts
    from carbonmarket_adapters.wiring import registry

    return RememberedAccounts(registry.accounts())


@functools.cache
def terms() -> Callable[[int], Book | None]:
    """What books were opened with, kept in memory once they were seen."""
    from carbonmarket_adapters.remembered import remembered
    from carbonmarket_adapters.wiring import chain

    return remembered(chain.market_projection().book)


def desk(now_us: int) -> Desk:
    """What an act is made with at a time."""
    from carbonmarket.operations.acts import Desk
    from carbonmarket_adapters.wiring import chain

    return Desk(
        market=chain.market_projection(),
        terms=terms(),
        credits=chain.projection(),
        chain=chain.chain_access(),
        accounts=accounts(),
        kept=transactions(),
        quote=settings().quote_asset,
        now_us=now_us,
    )
