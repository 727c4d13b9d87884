"""The marketplace on a chain: the contracts, the books and the test USDC, with an issued batch to trade."""

from __future__ import annotations

import json
from typing import Any

from infra.local.chain import compiler
from infra.local.chain.types import parse_type
from infra.local.chain.vm import Outcome
from tests.move.approvals import MODULE_ADDRESS
from tests.move.market import BUYER, DEVELOPER, ISSUER, MOVE, Market

USDC_ADDRESS = "0x5dc"
USDC = "0x5dc::usdc"
BOOK = "1"
TICK = 1_000_000
"""A dollar a tonne: a quote unit a gram."""
LOT = 1
MIN_NOTIONAL = 5
TRADERS = (DEVELOPER, BUYER, *(f"0x{number:064x}" for number in (0xA1, 0xA2)))

GTC, IOC, FOK, POST_ONLY, AT_MARKET = range(5)
Event = tuple[str, dict[str, Any]]


def books() -> compiler.BuiltPackage:
    """The package of the marketplace."""
    return compiler.build(MOVE / "market", {"carbon_market": MODULE_ADDRESS})


def usdc() -> compiler.BuiltPackage:
    """The package of the test USDC."""
    return compiler.build(MOVE / "test_usdc", {"test_usdc": USDC_ADDRESS})


class Exchange(Market):
    """A market whose batch BAT1 has book 1 in test USDC; everybody has dollars, and half of the grams."""

    def __init__(self) -> None:
        super().__init__()
        self.publish(MODULE_ADDRESS, books())
        self.publish(USDC_ADDRESS, usdc())
        self.batch, _ = self.issue()
        [self.quote] = self.view(f"{USDC}::asset_address")
        for trader in TRADERS:
            self.do(trader, f"{USDC}::faucet", trader, "1000000")
        for trader in TRADERS[1:]:
            self.do(DEVELOPER, "carbon_credit::give", self.batch, trader, "2000")

    def open_book(self, labels: int = 0) -> None:
        """Book 1."""
        terms = (str(TICK), str(LOT), str(MIN_NOTIONAL), str(labels))
        self.do(ISSUER, "marketplace::open_book", self.batch, self.quote, *terms)

    def events(self, outcome: Outcome) -> list[Event]:
        """Everything that a transaction told, in order: short names and fields."""
        return [
            (kind.rpartition("::")[2], self.values.from_vm(parse_type(kind), json.loads(data)))
            for kind, data in outcome.events
        ]

    def place(
        self,
        owner: str,
        is_bid: bool,
        price: int,
        grams: int,
        kind: int = GTC,
        *,
        cap: int = 1000,
        labels: int = 0,
        expires_at: int = 0,
        from_wallet: bool = True,
    ) -> Outcome:
        """Place an order in book 1; ``price`` is in ticks."""
        return self.attempt(
            owner, "marketplace::place", BOOK, is_bid, kind, str(price * TICK), str(grams), str(cap),
            str(labels), str(expires_at), from_wallet,
        )  # fmt: skip

    def claimable(self, owner: str, asset: str) -> int:
        """What an account may claim of an asset."""
        [units] = self.view("market_vault::balance", owner, asset)
        return int(units)
