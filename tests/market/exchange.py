"""The people of an exchange: a seller with two batches, buyers with dollars, an operator who opens books."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from carbonmarket.chain import market_calls
from carbonmarket.chain.addresses import canonical
from carbonmarket.chain.calls import EntryCall
from carbonmarket.ports.chain import Fate
from carbonmarket.projection.watch import advance
from carbonmarket.records.chain import Batch
from carbonmarket_adapters.wiring import chain, registry
from infra.bootstrap import ADMIN, PAUSER, TEST_USDC
from tests.sagas.world import Refused, Site, World

TICK = 1_000_000
"""A dollar a tonne, so that a gram costs a quote unit for each tick of its price."""
LOT = 10
MIN_NOTIONAL = 100
DOLLARS = 10**12
GRAMS = 400
KILOWATTS = 5
"""A sunny day of 120 kWh: about 100 kg for the stories of a session to sell."""
_keys = itertools.count(1)


class Exchange:
    """``books`` are numbers of the two batches' books; people are called by their organisations' ids."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.seller = ""
        self.buyer = ""
        self.rival = ""
        self.batches: list[str] = []
        self.books: list[int] = []

    def open(self) -> None:
        """Mint two batches, open their books, hand out dollars."""
        site = Site(self.world)
        self.seller = site.organisation
        self.batches = [site.mint(KILOWATTS), self._given(Site(self.world))]
        self.buyer, self.rival = (self._admit(name) for name in ("Buyer", "Rival"))
        self.watch()
        for batch in self.batches:
            address = self.batch(batch).address
            call = market_calls.open_book(address, self.quote, TICK, LOT, MIN_NOTIONAL, 0)
            self.done("issuer", f"book/{batch}", call)
        for organisation in (self.seller, self.buyer, self.rival):
            self.faucet(self.account(organisation))
        self.watch()
        found = (chain.market_projection().book_of(self.batch(batch).address) for batch in self.batches)
        self.books = [book.number for book in found if book is not None]

    @property
    def quote(self) -> str:
        return self.world.settings.quote_asset

    @property
    def usdc_address(self) -> str:
        """Where the test USDC's module lies."""
        return chain.signer().address(TEST_USDC)

    def _given(self, site: Site) -> str:
        """A batch whose developer gives all of it to the seller."""
        batch = site.mint(KILOWATTS)
        self.watch()
        [held] = site.get("/v1/holdings")["edges"]
        site.post("/v1/transfers", {"batch": batch, "to": self.seller, "grams": held["node"]["grams"]})
        return batch

    def _admit(self, name: str) -> str:
        body = {"name": name, "kind": "buyer", "country": "US"}
        return str(self.world.post("operator", "/v1/organisations", body)["id"])

    # Chain

    def done(self, sender: str, key: str, call: EntryCall, *, sponsored: bool = True) -> Fate:
        """A call that must succeed."""
        access = chain.chain_access()
        access.submit(f"exchange/{key}", sender, call, sponsored)
        fate = access.await_fate(f"exchange/{key}")
        assert fate.success, fate.reason
        return fate

    def admin(self, key: str, call: EntryCall) -> Fate:
        """A call of the admin's."""
        return self.done(ADMIN, f"{key}/{next(_keys)}", call, sponsored=False)

    def faucet(self, account: str, dollars: int = DOLLARS) -> None:
        """Play money."""
        self.admin("faucet", market_calls.usdc_faucet(self.usdc_address, account, dollars))

    def usdc(self, key: str, call: EntryCall) -> None:
        """An act of who publishes the test USDC."""
        self.done(TEST_USDC, f"{key}/{next(_keys)}", call, sponsored=False)

    def pauser(self, key: str, call: EntryCall) -> None:
        """An act of the pauser's."""
        self.world._fund(chain.signer().address(PAUSER), 10**8)
        self.done(PAUSER, f"{key}/{next(_keys)}", call, sponsored=False)

    def watch(self) -> int:
        """Let the projection catch up; how many versions it folded."""
        folded = 0
        while progress := advance(
            chain.chain_source(), chain.chain_writer(), canonical(self.world.settings.market_address)
        ).versions:
            folded += progress
        return folded

    def account(self, organisation: str) -> str:
        """The organisation's address."""
        found = registry.accounts().organisation(organisation)
        assert found is not None
        return found.account_address

    def batch(self, id: str) -> Batch:
        """The batch as it was seen on chain."""
        found = chain.projection().batch(id)
        assert found is not None
        return found

    def claimable(self, organisation: str, asset: str) -> int:
        """What the chain itself says is claimable."""
        view = chain.chain_access().view("market_vault::balance", [], [self.account(organisation), asset])
        return int(view[0])

    def claimable_at(self, account: str) -> int:
        """Quote units that are claimable at an address."""
        return int(chain.chain_access().view("market_vault::balance", [], [account, self.quote])[0])

    def state(self) -> tuple[Any, ...]:
        """What no refused request may change: both books, and everybody's balances and wallets."""
        look = chain.chain_access().view
        assets = [self.quote, *(self.batch(batch).address for batch in self.batches)]
        people = [self.account(each) for each in (self.seller, self.buyer, self.rival)]
        kind = "0x1::fungible_asset::Metadata"
        return (
            self.resting(),
            [look("market_vault::balance", [], [who, asset])[0] for who in people for asset in assets],
            [
                look("0x1::primary_fungible_store::balance", [kind], [who, asset])[0]
                for who in people
                for asset in assets
            ],
        )

    def resting(self) -> list[list[str]]:
        """Ids of the orders on both sides of both books, as the chain has them."""
        return [
            chain.chain_access().view("market_book::orders", [], [str(book), is_bid, "0", "50"])[0]
            for book in self.books
            for is_bid in (True, False)
        ]

    def clear(self) -> None:
        """Empty the books, where anything rests in them."""
        if not any(ids for ids in self.resting()):
            return
        self.watch()
        for organisation in (self.seller, self.buyer, self.rival):
            for book in self.books:
                while self._cancel_page(organisation, book):
                    self.watch()

    def _cancel_page(self, organisation: str, book: int) -> bool:
        try:
            page = self.post(organisation, "/v1/orders/cancellation", {"book": str(book)})
        except Refused as refused:
            assert refused.status == 409, refused
            return False
        return bool(page["more"])

    # HTTP

    def post(self, organisation: str, path: str, body: Any = None, key: str | None = None) -> Any:
        """A write that must succeed."""
        return self.world.post("buyer", path, body, organisation, key)

    def get(self, organisation: str, path: str) -> Any:
        """A read that must succeed."""
        return self.world.get("buyer", path, organisation)

    def place(self, organisation: str, side: str, price: int, grams: int = GRAMS, **changes: Any) -> Any:
        """Place an order in the first book; ``price`` is in ticks."""
        key = changes.pop("key", None)
        return self.post(organisation, "/v1/orders", self.order(side, price, grams, **changes), key)

    def order(self, side: str, price: int, grams: int = GRAMS, **changes: Any) -> dict[str, Any]:
        """The body of an order in the first book."""
        return {
            "book": str(self.books[0]),
            "side": side,
            "kind": "gtc",
            "price": str(price * TICK),
            "grams": str(grams),
            "fee_cap_bps": 100,
        } | changes

    def refused_unsent(self, organisation: str, path: str, body: Any) -> Refused:
        """The refusal of a write of which the chain must never hear."""
        version = chain.node().ledger().version
        with pytest.raises(Refused) as refused:
            self.post(organisation, path, body)
        assert chain.node().ledger().version == version
        return refused.value

    def refused(self, organisation: str, path: str, body: Any) -> Refused:
        """The refusal of a write, which must leave everything as it was."""
        before = self.state()
        with pytest.raises(Refused) as refused:
            self.post(organisation, path, body)
        assert self.state() == before
        return refused.value
