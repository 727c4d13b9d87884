"""The largest transactions of the marketplace fit one transaction of the projection's store.

Each touches 16 orders, or as many as it may, of different makers at different prices, after an order that
waited got its turn. What a transaction writes to stores of batches is seen in its changes, which the virtual
machine doesn't tell: at most :data:`STORES`, the caller's and the vault's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from carbonmarket.chain.market_calls import PAGE_MAX, ROUTE_BOOKS_MAX, STEPS_MAX
from carbonmarket.records.market import Order
from carbonmarket_adapters.dynamo.best_prices import books_of
from carbonmarket_adapters.dynamo.chain_writer import EFFECTS_MAX
from tests.move.approvals import DAY, DAY_ZERO
from tests.move.exchange import BUYER, DEVELOPER, TICK, USDC
from tests.move.market import ADMIN, ISSUER
from tests.move.watched import Watched

pytestmark = pytest.mark.chain

STORES = 2
GRAMS = 20
CHEAPEST = 10
DEAREST = 100
MAKERS = [f"0x{0x4000 + number:064x}" for number in range(STEPS_MAX)]
WAITING = [f"0x{0x5000 + number:064x}" for number in range(ROUTE_BOOKS_MAX)]
FEES = ("10", "30")


@pytest.fixture
def chain() -> Iterator[Watched]:
    chain = Watched()
    chain.open_book()
    chain.do(ADMIN, "market_fees::set_fees", *FEES)
    for account in (*WAITING, BUYER):
        chain.do(account, f"{USDC}::faucet", account, "1000000")
    yield chain
    chain.vm.close()


def place(chain: Watched, owner: str, book: int, is_bid: bool, price: int, grams: int) -> None:
    sums = [str(price * TICK), str(grams), "1000", "0", "0"]
    chain.do(owner, "marketplace::place", str(book), is_bid, 0, *sums, True)


def offer(chain: Watched, book: int, batch: str, makers: Sequence[str]) -> None:
    """An ask of each maker, each at a price of its own, above 16 of the developer's."""
    for number, maker in enumerate(makers):
        chain.do(DEVELOPER, "carbon_credit::give", batch, maker, str(GRAMS))
        place(chain, maker, book, False, CHEAPEST + number, GRAMS)
    for _ in range(STEPS_MAX):
        place(chain, DEVELOPER, book, False, CHEAPEST - 1, 1)


def wait(chain: Watched, owner: str, book: int, limit: int, grams: int) -> None:
    """A bid that takes the developer's asks, is then stopped, and waits with ``grams``."""
    place(chain, owner, book, True, limit, STEPS_MAX + grams)
    assert chain.state["book", str(book)].pending


def newest(chain: Watched) -> dict[str, int]:
    """How many records of each kind the newest transaction replaced; asserts that they fit."""
    effects = chain.folded[-1].effects
    assert len(effects) + len(books_of(effects)) + STORES <= EFFECTS_MAX, sorted(effects)
    kinds = [key[0] for key in effects]
    return {kind: kinds.count(kind) for kind in kinds}


def test_an_order_that_fills_16_and_rests(chain: Watched) -> None:
    offer(chain, 1, chain.batch, MAKERS)
    wait(chain, WAITING[0], 1, CHEAPEST, GRAMS + 5)
    place(chain, BUYER, 1, True, DEAREST, GRAMS * STEPS_MAX)
    counted = newest(chain)
    assert (counted["trade"], counted["order"], counted["level"]) == (STEPS_MAX, STEPS_MAX + 2, STEPS_MAX + 2)


def test_buying_from_16_and_retiring(chain: Watched) -> None:
    offer(chain, 1, chain.batch, MAKERS)
    wait(chain, WAITING[0], 1, CHEAPEST, GRAMS + 5)
    chain.do(
        BUYER, "market_purchases::buy_and_retire", "1", str(DEAREST * TICK), str(GRAMS * (STEPS_MAX - 1)),
        "1000", True, "RET1", "0x" + "be" * 32, "net zero", "DE", str(DAY_ZERO), str(DAY_ZERO + DAY),
    )  # fmt: skip
    counted = newest(chain)
    assert (counted["trade"], counted["retirement"]) == (STEPS_MAX, 1)


def test_cancelling_a_page_after_an_order_that_waited(chain: Watched) -> None:
    half = PAGE_MAX // 2
    for number in range(half):
        place(chain, BUYER, 1, True, 1 + number, GRAMS)
        place(chain, BUYER, 1, False, DEAREST + number, GRAMS)
    mine = [key[2] for key, record in chain.state.items() if isinstance(record, Order)]
    offer(chain, 1, chain.batch, MAKERS[:half])
    wait(chain, WAITING[0], 1, DEAREST - 1, GRAMS * half)
    chain.do(BUYER, "marketplace::cancel_page", "1", mine)
    counted = newest(chain)
    assert (counted["trade"], counted["order"]) == (half, PAGE_MAX + half + 1)


def test_buying_by_criteria_from_four_books_with_an_order_waiting_in_each(chain: Watched) -> None:
    batches = [chain.batch, *(chain.issue(number)[0] for number in range(2, ROUTE_BOOKS_MAX + 1))]
    for batch in batches[1:]:
        terms = (str(TICK), "1", "5", "0")
        chain.do(ISSUER, "marketplace::open_book", batch, chain.quote, *terms)
    steps = STEPS_MAX - 2 * (ROUTE_BOOKS_MAX - 1)
    makers = iter(MAKERS)
    shares = [3, 3, 2, 2]
    for number, (batch, share) in enumerate(zip(batches, shares, strict=True)):
        offer(chain, number + 1, batch, [next(makers) for _ in range(share)])
        wait(chain, WAITING[number], number + 1, CHEAPEST, GRAMS + 5)
    grams = [str(GRAMS * (share - 1)) for share in shares]
    chain.do(
        BUYER, "market_purchases::buy_by_criteria", chain.quote, ["1", "2", "3", "4"], grams,
        str(DEAREST * TICK), [], [], [], "0", "1000", True,
    )  # fmt: skip
    counted = newest(chain)
    assert (counted["trade"], counted["book"], counted["candle"]) == (steps, ROUTE_BOOKS_MAX, 16)
