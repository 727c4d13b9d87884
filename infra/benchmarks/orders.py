"""Orders through the API, by many organisations at once, each signed by its own key, all of them matched.

``python -m infra.benchmarks.orders [COUNT]`` starts a machine and measures them alone.
"""

from __future__ import annotations

import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import requests
from rich.console import Console

from infra.local.demo.client import User, development_token
from infra.local.engines.gateway import gateway
from infra.local.settings import LOOPBACK, MachineSettings, free_ports

ORDERS = 10_000
PAIRS = 8
"""Sellers and buyers: as many of both, each with an account and a key of its own."""
GATEWAYS = 2
"""Processes that serve the API: on AWS functions are started for as many requests as come at once; here one
process serves one request at a time."""

_TICK = 1_000_000
_PRICE = 10 * _TICK
_TIMEOUT_S = 60
_FEE_CAP_BPS = 1_000
_WITHIN_S = 60


class Traders:
    """Organisations with grams and dollars in the market, and a book to meet in."""

    def __init__(self, machine: MachineSettings, batch: str, orders: int) -> None:
        self._key = machine.market_settings("0x0").development_key
        self._url = machine.gateway_url
        self._operator = self.user("ORGOPERATOR", "operator")
        self.sellers = [self._admit(f"Seller {number}") for number in range(PAIRS)]
        self.buyers = [self._admit(f"Buyer {number}") for number in range(PAIRS)]
        self.book = self._open_book(batch)
        each = -(-orders // (2 * PAIRS))
        for seller in self.sellers:
            self._give(batch, seller, each)
        for buyer in self.buyers:
            self._pay(buyer, 2 * each * _PRICE // _TICK)

    def user(self, organisation: str, role: str) -> User:
        """Somebody of an organisation."""
        token = development_token(self._key, subject=f"{role}-1", organisation=organisation, roles=(role,))
        return User(self._url, token)

    def _admit(self, name: str) -> str:
        body = {"name": name, "kind": "buyer", "country": "US"}
        made = self._operator.post("/v1/organisations", body, key="admit-" + name.replace(" ", "-"))
        return str(made["id"])

    def _open_book(self, batch: str) -> str:
        from carbonmarket.chain import market_calls
        from carbonmarket_adapters.wiring import chain, registry, settings

        kept = registry.registry().batch(batch)
        if kept is None:
            raise LookupError(f"there is no batch {batch}")
        call = market_calls.open_book(kept.record.address, settings().quote_asset, _TICK, 1, 1, 0)
        access = chain.chain_access()
        fate = access.settle(f"bench/book/{batch}", settings().issuer_key, call)
        if not fate.success:
            raise RuntimeError(f"no book: {fate.reason}")
        number = access.view("market_book::number", [], [kept.record.address, settings().quote_asset])[0]
        return str(number)

    def _give(self, batch: str, seller: str, grams: int) -> None:
        """The batch's developer gives a seller grams, who brings them to the market."""
        from carbonmarket_adapters.wiring import registry

        kept = registry.registry().batch(batch)
        assert kept is not None
        holder = self.user(kept.record.organisation, "developer")
        body = {"batch": batch, "to": seller, "grams": str(grams)}
        holder.post("/v1/transfers", body, key=f"give-{seller}")
        self._deposit(seller, batch, grams)

    def _pay(self, buyer: str, units: int) -> None:
        from carbonmarket.chain import market_calls
        from carbonmarket_adapters.wiring import chain, registry
        from infra.bootstrap import TEST_USDC

        organisation = registry.accounts().organisation(buyer)
        assert organisation is not None
        call = market_calls.usdc_faucet(
            chain.signer().address(TEST_USDC), organisation.account_address, units
        )
        chain.chain_access().submit(f"bench/pay/{buyer}", TEST_USDC, call, sponsored=False)
        chain.chain_access().await_fate(f"bench/pay/{buyer}")
        self._deposit(buyer, "quote", units)

    def _deposit(self, organisation: str, asset: str, amount: int) -> None:
        body = {"asset": asset, "amount": str(amount)}
        deadline = time.monotonic() + _WITHIN_S
        while True:
            try:
                self.user(organisation, "buyer").post(
                    "/v1/portfolio/deposit", body, key=f"deposit-{organisation}"
                )
                return
            except Exception:
                # The batch may not have been seen by the watcher yet.
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)


def bench_orders(machine: MachineSettings, batch: str, orders: int = ORDERS) -> dict[str, Any]:
    """Seconds for ``orders`` orders of a gram, half of them asks and half bids, until all are matched."""
    traders = Traders(machine, batch, orders)
    _await_book(machine, traders.book)
    each = orders // (2 * PAIRS)
    with ExitStack() as stack:
        urls = [_serve(machine, number, stack) for number in range(GATEWAYS)]
        with ThreadPoolExecutor(2 * PAIRS) as pool:
            began = time.perf_counter()
            runs = [
                pool.submit(
                    _trade, traders.user(trader, "buyer"), urls[at % GATEWAYS], side, traders.book, each
                )
                for side, people in (("sell", traders.sellers), ("buy", traders.buyers))
                for at, trader in enumerate(people)
            ]
            filled = sum(run.result() for run in runs)
            seconds = time.perf_counter() - began
    _require_empty(traders.book)
    return {
        "orders_s": round(seconds, 1),
        "orders": 2 * PAIRS * each,
        "orders_per_s": round(2 * PAIRS * each / seconds, 1),
        "filled_at_once": filled,
    }


def newest_batch(machine: MachineSettings) -> str:
    """The batch that was issued last on the machine."""
    key = machine.market_settings("0x0").development_key
    token = development_token(key, subject="operator-1", organisation="ORGOPERATOR", roles=("operator",))
    *_, last = User(machine.gateway_url, token).nodes("/v1/batches")
    return str(last["id"])


def _serve(machine: MachineSettings, number: int, stack: ExitStack) -> str:
    """One process that serves the API, until the stack unwinds; its URL."""
    from carbonmarket_adapters.wiring import settings

    (port,) = free_ports(1)
    log = machine.state / "logs" / f"bench-gateway-{number}.log"
    engine = gateway(port, machine.stage, settings().to_env(), log)
    engine.start()
    stack.callback(engine.stop)
    return f"http://{LOOPBACK}:{port}"


def _trade(who: User, url: str, side: str, book: str, count: int) -> int:
    """Place ``count`` orders of a gram; how many of them were filled at once."""
    filled = 0
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {who.token}"
        for number in range(count):
            body: dict[str, Any] = {
                "book": book,
                "side": side,
                "kind": "gtc",
                "price": str(_PRICE),
                "grams": "1",
                "fee_cap_bps": _FEE_CAP_BPS,
                "source": "balance",
            }
            headers = {"Idempotency-Key": f"bench-{number}"}
            answer = session.post(f"{url}/v1/orders", json=body, headers=headers, timeout=_TIMEOUT_S)
            if answer.status_code != 201:
                raise RuntimeError(f"an order was answered {answer.status_code}: {answer.text[:300]}")
            filled += answer.json()["state"] == "filled"
    return filled


def _await_book(machine: MachineSettings, book: str) -> None:
    deadline = time.monotonic() + _WITHIN_S
    while time.monotonic() < deadline:
        if requests.get(f"{machine.gateway_url}/v1/books/{book}", timeout=_TIMEOUT_S).ok:
            return
        time.sleep(0.1)
    raise TimeoutError(f"book {book} is not seen after {_WITHIN_S} s")


def _require_empty(book: str) -> None:
    """Every order met another one."""
    from carbonmarket_adapters.wiring import chain

    left = chain.chain_access().view("market_book::best_prices", [], [book])
    if [int(price) for price in left] != [0, 0]:
        raise AssertionError(f"orders are left in the book at {left}")


def main(orders: int = ORDERS) -> None:
    """Measure on a machine of their own."""
    from infra.benchmarks.sagas import mint_one
    from infra.local.machine import Machine
    from infra.local.run import publish_market

    console = Console(stderr=True)
    with tempfile.TemporaryDirectory() as name:
        machine = MachineSettings(state=Path(name) / "machine").on_free_ports()
        with Machine(machine, publish_market, console):
            console.print(bench_orders(machine, mint_one(machine, Path(name)), orders))


if __name__ == "__main__":
    main(*(int(count) for count in sys.argv[1:]))
