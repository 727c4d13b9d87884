"""The real marketplace on a real chain: an issued batch, its book in test USDC, and traders with dollars."""

from __future__ import annotations

from pathlib import Path

from carbonmarket.chain import calls, market_calls
from carbonmarket.chain.addresses import canonical
from carbonmarket.chain.calls import EntryCall
from carbonmarket.records.chain import Batch
from carbonmarket.records.market import Order
from carbonmarket_adapters.dynamo.market import MarketTable
from infra.local.chain import compiler
from infra.local.chain.process import Running
from tests.chain.market import MOVE, Market
from tests.chain.world import OCTAS

TICK = 1_000_000
"""A dollar a tonne: a quote unit a gram."""
DOLLARS = 1_000_000
FEE_CAP_BPS = 1_000
MAKER_BPS, TAKER_BPS = 10, 30
TRADERS = ("developer", "buyer", "alice")


class Exchange(Market):
    """Sellers are "developer", buyers "buyer" and "alice"; everybody trades from its wallet."""

    batch: Batch
    quote: str
    vault: str
    _acts = 0

    def connect(self, localnet: Running) -> None:
        super().connect(localnet)
        self.trading = MarketTable(self.settings)

    def open_exchange(self) -> None:
        """Publish the marketplace and the test USDC, issue the batch, open book 1, hand out dollars."""
        self._publish_package("admin", "market", "carbon_market")
        self.signer.create("usdc", "secp256k1")
        self.fund("usdc", OCTAS)
        self._publish_package("usdc", "test_usdc", "test_usdc")
        self.batch = self.issue()
        [quote] = self.outbox.view(f"{self.address('usdc')}::usdc::asset_address", [], [])
        [vault] = self.outbox.view("market_vault::vault_address", [], [])
        self.quote, self.vault = canonical(quote), canonical(vault)
        self.do("admin", market_calls.set_fees(MAKER_BPS, TAKER_BPS))
        self.do("issuer", market_calls.open_book(self.batch.address, self.quote, TICK, 1, 5, 0))
        for name in TRADERS:
            self.do("admin", market_calls.usdc_faucet(self.address("usdc"), self.address(name), DOLLARS))
        self.watch()

    def _publish_package(self, owner: str, folder: str, name: str) -> None:
        built = compiler.build(
            MOVE / folder, {name: self.address(owner), "carbon_market": self.address("admin")}
        )
        arguments = (("vector<u8>", built.metadata), ("vector<vector<u8>>", tuple(built.codes)))
        call = EntryCall(module="0x1::code", function="publish_package_txn", args=arguments)
        self.outbox.submit(f"publish {folder}", owner, call, sponsored=False)
        assert self.outbox.await_fate(f"publish {folder}").success

    def place(self, owner: str, is_bid: bool, price: int, grams: int, kind: int = market_calls.GTC) -> Order:
        """Place an order in book 1, watch, and give it as projected; ``price`` is in ticks."""
        call = market_calls.place_order(1, is_bid, kind, price * TICK, grams, FEE_CAP_BPS, 0, 0, True)
        fate = self.do(owner, call, self.key())
        placed = next(e["data"]["order"] for e in fate.events if e["type"].endswith("::OrderPlaced"))
        self.watch()
        order = self.trading.order(1, placed)
        assert order is not None
        return order

    def act(self, owner: str, call: EntryCall) -> None:
        """Do something, and watch."""
        self.do(owner, call, self.key())
        self.watch()

    def now_us(self) -> int:
        """The ledger's time."""
        return self.node.ledger().timestamp_us

    def key(self) -> str:
        """A key that was not used yet."""
        self._acts += 1
        return f"act {self._acts}"

    def clear(self) -> None:
        """End every order, so that the book is empty."""
        self.watch()
        for name in TRADERS:
            for _, order in self.trading.orders_of(self.address(name), open_only=True):
                self.act(name, market_calls.cancel_order(1, int(order.id)))

    def claimable(self, name: str, asset: str) -> int:
        return self.trading.claimable(self.address(name), asset)

    def give(self, name: str, grams: int) -> None:
        """The developer gives a wallet grams."""
        self.do("developer", calls.give(self.batch.address, self.address(name), grams))


def new_exchange(localnet: Running, dynamodb_url: str, folder: Path, stage: str) -> Exchange:
    """An open exchange over a localnet."""
    exchange = Exchange(localnet, dynamodb_url, folder, stage)
    exchange.publish()
    exchange.register()
    exchange.anchor()
    exchange.open_exchange()
    return exchange
