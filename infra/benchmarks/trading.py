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
from infra.local.settings import MachineSettings

if TYPE_CHECKING:
    from carbonmarket.chain.calls import EntryCall

TRADES = 4 * RUNS
"""The watcher looks every quarter of a second, so a few trades say little."""

_TICK = 1_000_000
_PRICE = 10 * _TICK
_FEE_CAP_BPS = 1_000
_POLL_S = 0.01
_WITHIN_S = 30


def bench_projected_trade(batch: str) -> list[float]:
    """Seconds from submitting an order that is filled to reading its trade, one after the other.

    The batch's developer sells and the issuer buys, both from their wallets.
    """
    from carbonmarket.chain import market_calls
    from carbonmarket_adapters.wiring import registry, settings

    kept = registry.registry().batch(batch)
    if kept is None:
        raise LookupError(f"there is no batch {batch}")
    book = _open_book(batch, kept.record.address)
    _pay_issuer(2 * (TRADES + 1) * _PRICE // _TICK)
    terms = (_FEE_CAP_BPS, 0, 0, True)
    sell = market_calls.place_order(book, False, market_calls.GTC, _PRICE, TRADES + 1, *terms)
    _submit("bench/projected/sell", kept.record.organisation, sell)
    buy = market_calls.place_order(book, True, market_calls.IOC, _PRICE, 1, *terms)
    seconds = []
    for number in range(TRADES + 1):
        began = time.perf_counter()
        transaction = _submit(f"bench/projected/buy/{number}", settings().issuer_key, buy)
        _await_trade(book, transaction)
        seconds.append(round(time.perf_counter() - began, 3))
    return seconds[1:]


def _open_book(batch: str, address: str) -> int:
    """The batch's book; under the key by which every benchmark opens it."""
    from carbonmarket.chain import market_calls
    from carbonmarket_adapters.wiring import chain, settings

    quote = settings().quote_asset
    call = market_calls.open_book(address, quote, _TICK, 1, 1, 0)
    chain.chain_access().settle(f"bench/book/{batch}", settings().issuer_key, call)
    return int(chain.chain_access().view("market_book::number", [], [address, quote])[0])


def _pay_issuer(units: int) -> None:
    from carbonmarket.chain import market_calls
    from carbonmarket_adapters.wiring import chain, settings
    from infra.bootstrap import TEST_USDC

    publisher, issuer = (chain.signer().address(key) for key in (TEST_USDC, settings().issuer_key))
    call = market_calls.usdc_faucet(publisher, issuer, units)
    chain.chain_access().submit("bench/projected/pay", TEST_USDC, call, sponsored=False)
    chain.chain_access().await_fate("bench/projected/pay")


def _submit(key: str, sender: str, call: EntryCall) -> str:
    from carbonmarket_adapters.wiring import chain

    return chain.chain_access().submit(key, sender, call)


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
            console.print(bench_projected_trade(mint_one(machine, Path(name))))


if __name__ == "__main__":
    main()
