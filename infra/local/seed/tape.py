"""What the agents' transactions did, read back from the chain: open orders, balances, a tally per book."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from carbonmarket.chain.addresses import canonical
from carbonmarket_adapters.aptos.client import NodeClient

_PAGE = 100


@dataclass
class Tally:
    """One book's day. ``grams`` and ``quote`` are traded, ``fees`` maker's and taker's together in units."""

    orders: int = 0
    fills: int = 0
    cancelled: int = 0
    grams: int = 0
    quote: int = 0
    fees: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))


@dataclass
class Tape:
    """Reads from version ``next`` on. ``accounts`` are the agents' addresses, in the long form.

    ``open_orders`` are ids by (account, book), ``balances`` what an account may trade with of an asset.
    """

    node: NodeClient
    next: int
    accounts: set[str] = field(default_factory=set)
    open_orders: dict[tuple[str, int], list[int]] = field(default_factory=lambda: defaultdict(list))
    balances: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    books: dict[int, Tally] = field(default_factory=lambda: defaultdict(Tally))
    transactions: int = 0
    refused: int = 0

    def read(self, last: int) -> None:
        """Take in everything up to the version ``last``."""
        while self.next <= last:
            page = self.node.transactions(self.next, min(_PAGE, last - self.next + 1)).body
            for transaction in page:
                if transaction["type"] == "user_transaction":
                    self._take(transaction)
            self.next += len(page)

    def total(self) -> Tally:
        """All books together."""
        return sum(self.books.values(), Tally())

    def _take(self, transaction: Mapping[str, Any]) -> None:
        if canonical(transaction["sender"]) not in self.accounts:
            return
        self.transactions += 1
        self.refused += not transaction["success"]
        for event in transaction["events"]:
            take = _TAKERS.get(event["type"].split("::", 1)[-1])
            if take is not None:
                take(self, event["data"])

    def _placed(self, data: Mapping[str, Any]) -> None:
        book = int(data["book"])
        self.books[book].orders += 1
        self.open_orders[canonical(data["account"]), book].append(int(data["order"]))

    def _filled(self, data: Mapping[str, Any]) -> None:
        book = int(data["book"])
        tally = self.books[book]
        tally.fills += 1
        tally.grams += int(data["grams"])
        tally.quote += int(data["quote"])
        tally.fees += int(data["maker_fee"]) + int(data["taker_fee"])
        for side in ("maker", "taker"):
            if not int(data[f"{side}_open_new"]):
                self._gone(data[side], book, data[f"{side}_order"])

    def _cancelled(self, data: Mapping[str, Any]) -> None:
        book = int(data["book"])
        self.books[book].cancelled += 1
        self._gone(data["account"], book, data["order"])

    def _balance(self, data: Mapping[str, Any]) -> None:
        self.balances[canonical(data["account"]), canonical(data["asset"])] = int(data["balance_new"])

    def _gone(self, account: str, book: int, order: str) -> None:
        mine = self.open_orders[canonical(account), book]
        if int(order) in mine:
            mine.remove(int(order))


_TAKERS = {
    "market_book::OrderPlaced": Tape._placed,
    "market_book::OrderFilled": Tape._filled,
    "market_book::OrderCancelled": Tape._cancelled,
    "market_vault::BalanceChanged": Tape._balance,
}
