"""How long after its order was submitted a trade is projected, on a whole machine with its watcher.

``python -m infra.benchmarks.trading`` starts a machine and measures that alone.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from infra.benchmarks.figures import RUNS
from infra.benchmarks.orders import PAIRS, Traders
from infra.local.settings import MachineSettings

if TYPE_CHECKING:
    from carbonmarket.chain.calls import EntryCall

TRADES = 4 * RUNS
ORDERS = 2 * PAIRS * (TRADES + 1)
"""What :class:`Traders` must be made for, so that the first seller has a gram a trade, and one to warm up."""

_PRICE = 10_000_000
_FEE_CAP_BPS = 1_000
_POLL_S = 0.01
_WITHIN_S = 30


def bench_projected_trade(traders: Traders) -> list[float]:
    """Seconds from submitting an order that is filled to reading its trade, one after the other."""
    from carbonmarket.chain import market_calls

    book = int(traders.book)
    sell = market_calls.place_order(
        book, False, market_calls.GTC, _PRICE, TRADES + 1, _FEE_CAP_BPS, 0, 0, False
    )
    _submit("bench/projected/sell", traders.sellers[0], sell)
    buy = market_calls.place_order(book, True, market_calls.IOC, _PRICE, 1, _FEE_CAP_BPS, 0, 0, False)
    seconds = []
    for number in range(TRADES + 1):
        began = time.perf_counter()
        transaction = _submit(f"bench/projected/buy/{number}", traders.buyers[0], buy)
        _await_trade(book, transaction)
        seconds.append(round(time.perf_counter() - began, 3))
    return seconds[1:]


def _submit(key: str, organisation: str, call: EntryCall) -> str:
    from carbonmarket_adapters.wiring import chain

    return chain.chain_access().submit(key, organisation, call)


def _await_trade(book: int, transaction: str) -> None:
    from carbonmarket_adapters.wiring import chain

    deadline = time.monotonic() + _WITHIN_S
    while time.monotonic() < deadline:
        newest = chain.market_projection().trades(book, first=1)
        if newest and newest[0][1].transaction == transaction:
            return
        time.sleep(_POLL_S)
    raise TimeoutError(f"the trade of {transaction} isn't projected after {_WITHIN_S} s")


def main() -> None:
    """Measure on a machine of its own."""
    from infra.benchmarks.sagas import mint_one
    from infra.local.machine import Machine
    from infra.local.run import publish_market

    console = Console(stderr=True)
    with tempfile.TemporaryDirectory() as name:
        machine = MachineSettings(state=Path(name) / "machine").on_free_ports()
        with Machine(machine, publish_market, console):
            traders = Traders(machine, mint_one(machine, Path(name)), ORDERS)
            console.print(bench_projected_trade(traders))


if __name__ == "__main__":
    main()
