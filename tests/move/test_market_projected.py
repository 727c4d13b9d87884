"""Whatever traders do, the projection of it is what the contracts' views say.

400 random acts on the contracts in the virtual machine, folded as the watcher does; no node and no store.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

import pytest

from carbonmarket.chain.addresses import canonical
from carbonmarket.chain.market_calls import price_of
from carbonmarket.records.market import Candle, Claimable, Fees, Level, Order, Taken, Trade
from tests.move.exchange import BOOK
from tests.move.play import SHARES, Play, new_play
from tests.move.watched import Watched

pytestmark = pytest.mark.chain

ACTS = 400
SEED = 21
"""Of a play in which orders come to wait for their next turn."""


@pytest.fixture
def play() -> Iterator[Play]:
    play = new_play(Watched(), SEED)
    yield play
    play.chain.vm.close()


def watched(play: Play) -> Watched:
    assert isinstance(play.chain, Watched)
    return play.chain


def compare_orders(play: Play) -> None:
    """Open orders are those of the book, with what they hold; ended ones hold nothing."""
    chain, state = watched(play), play.plain.state.books[1]
    orders: list[Order] = chain.records(Order)
    pending = [state.pending] if state.pending else []
    on_chain = {each.id: each for each in (*state.bids, *state.asks, *pending)}
    assert {int(order.id) for order in orders if order.state == "open"} == on_chain.keys()
    for order in orders:
        assert order.grams == order.open + order.filled + order.cancelled
        spent = order.quote + order.fees if order.is_bid else order.filled
        assert order.escrow == order.held + order.refunded + spent
        assert price_of(int(order.id)) == order.price
        found = on_chain.get(int(order.id))
        held, opened = (found.purse, found.open) if found else (0, 0)
        assert (order.id, order.held, order.open) == (order.id, held, opened)
        assert order.waits == (found is not None and found is state.pending)
    book = chain.state["book", BOOK]
    assert book.pending == (str(state.pending.id) if state.pending else None)


def compare_levels(play: Play) -> None:
    """The price levels are the resting orders, added up."""
    state, expected = play.plain.state.books[1], defaultdict[tuple[bool, int], list[int]](list)
    for order in (*state.bids, *state.asks):
        expected[order.is_bid, order.price].append(order.open)
    levels: list[Level] = watched(play).records(Level)
    found = {(each.is_bid, each.price): (each.grams, each.orders) for each in levels}
    assert found == {key: (sum(grams), len(grams)) for key, grams in expected.items()}


def compare_balances(play: Play) -> None:
    claimables: list[Claimable] = watched(play).records(Claimable)
    found = {(play.names.get(c.account, c.account), play.names[c.asset]): c.amount for c in claimables}
    assert found == {key: amount for key, amount in play.plain.state.claimable.items() if amount}


def compare_trades(play: Play) -> None:
    """Each order's fills, each candle and what takers find are the trades, added up."""
    chain = watched(play)
    trades: list[Trade] = chain.records(Trade)
    sums = defaultdict[str, list[int]](lambda: [0, 0, 0])
    taken = Counter[str]()
    for trade in trades:
        taken[trade.taker] += 1
        sides = ((trade.maker_order, trade.maker_fee), (trade.taker_order, trade.taker_fee))
        for order, fee in sides:
            sums[order] = [a + b for a, b in zip(sums[order], (trade.grams, trade.quote, fee), strict=True)]
    for order in chain.records(Order):
        assert sums[order.id] == [order.filled, order.quote, order.fees]
    for interval in ("1m", "5m", "1h", "1d"):
        candles = [c for c in chain.records(Candle) if c.interval == interval]
        assert sum(c.trades for c in candles) == len(trades)
        assert sum(c.grams for c in candles) == sum(trade.grams for trade in trades)
    by_index = {trade.index: trade for trade in trades}
    for record in chain.records(Taken):
        for at in record.trades:
            assert by_index[at.index].taker == record.account
            taken[record.account] -= 1
    assert not any(taken.values())
    assert chain.state["book", BOOK].last_price == max(trades, key=lambda trade: trade.index).price


def test_random_acts_are_projected_as_the_contracts_have_them(play: Play) -> None:
    chain, states, waited = watched(play), [], 0
    for _ in range(ACTS):
        states.append((len(chain.folded), dict(chain.state)))
        play.act()
        waits = play.plain.state.books[1].pending is not None
        waited += waits
        if waits or play.number % 10 == 0:
            compare_orders(play)
            compare_levels(play)
            compare_balances(play)
    assert waited
    compare_trades(play)
    state = play.plain.state
    [fees] = chain.records(Fees)
    assert (fees.maker_bps, fees.taker_bps) == (state.maker_bps, state.taker_bps)
    assert fees.shares == {canonical(holder): share for holder, share in SHARES}

    for length, before in reversed(states):
        while len(chain.folded) > length:
            undo(chain)
        assert chain.state == before


def undo(chain: Watched) -> None:
    """Put back what the newest transaction replaced."""
    for key, record in chain.folded.pop().before.items():
        if record is None:
            del chain.state[key]
        else:
            chain.state[key] = record
