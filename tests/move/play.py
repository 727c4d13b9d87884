"""Random acts of traders, the same ones on the contracts and in the plain book."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import Any

from infra.local.chain.vm import Outcome
from tests.move.exchange import BOOK, TICK, TRADERS, USDC, USDC_ADDRESS, Event, Exchange
from tests.move.market import ADMIN, ISSUER, MOVE, PAUSER
from tests.move.plain_book import GRAMS, VAULT, Order, PlainBook
from tests.move.plain_book import USDC as UNITS

BOOK_LABELS = 1
HOLDER = f"0x{0x501D:064x}"
SHARES = ((TRADERS[0], 7000), (HOLDER, 3000))
TOLD = {
    "BalanceChanged", "Brought", "Claimed", "OrderPlaced", "OrderFilled", "OrderCancelled", "OrderAmended",
    "ImprovementRefunded", "PendingChanged", "FeesChanged", "TreasuryDistributed",
}  # fmt: skip
WEIGHTS = {
    "place": 45, "take": 5, "small": 60, "cancel": 5, "cancel_page": 1, "amend": 5, "work": 1, "deposit": 5,
    "claim": 6, "freeze": 1, "unfreeze": 6, "pause": 0.3, "unpause": 6, "labels": 4, "fees": 1, "wait": 4,
    "buy_and_retire": 1, "retire": 1, "distribute": 0.7, "usdc": 1.5, "block": 1, "faucet": 2,
}  # fmt: skip


def refusals() -> dict[tuple[str, int], str]:
    """The names of all refusals by module and code."""
    found = {}
    for path in MOVE.rglob("sources/*.move"):
        for name, code in re.findall(r"const (E_\w+): u64 = (\d+);", path.read_text()):
            found[path.stem, int(code)] = f"{path.stem}::{name}"
    return found


@dataclass
class Play:
    """The same acts on the chain and in the plain book."""

    chain: Exchange
    plain: PlainBook
    chance: random.Random
    names: dict[str, str]
    refusals: dict[tuple[str, int], str]
    number: int = 0

    def told(self, outcome: Outcome) -> list[Event]:
        """What the chain told, in the words of the plain book."""
        return [
            (name, {field: self._word(value) for field, value in fields.items()})
            for name, fields in self.chain.events(outcome)
            if name in TOLD
        ]

    def _word(self, value: Any) -> Any:
        if isinstance(value, str) and not value.startswith("0x"):
            return int(value)
        return self.names.get(value, value)

    def refusal(self, outcome: Outcome) -> str | None:
        """Why the chain refused."""
        if outcome.failure is None:
            return None
        match = re.search(r"location=\S*?::(\w+), code=(\d+)", outcome.failure)
        assert match, outcome.failure
        return self.refusals[match[1], int(match[2])]

    def both(self, sender: str, function: str, arguments: list[Any], name: str, *plain: Any) -> str | None:
        """One act on both sides; gives the refusal on which they agree."""
        outcome = self.chain.attempt(sender, function, *arguments)
        events, refusal = self.plain.act(name, *plain)
        act = (self.number, name, plain)
        assert (act, self.refusal(outcome)) == (act, refusal)
        assert (act, self.told(outcome)) == (act, events)
        return refusal

    # Acts.

    def act(self) -> str:
        """One random act; gives what it was and how it ended."""
        self.number += 1
        self.plain.told = []
        kind = self.chance.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        trader = self.chance.choice(TRADERS)
        return f"{kind}: {getattr(self, f'_{kind}')(trader) or 'done'}"

    def _order(self, trader: str, price: int, grams: int, kind: int, is_bid: bool) -> str | None:
        chance = self.chance
        units = price * TICK + (chance.random() < 0.01)
        cap = chance.choices((1000, 10, 0), (96, 2, 2))[0]
        labels = chance.choices((0, 2), (85, 15))[0]
        lives = chance.choices((None, 5, 40, 0), (85, 7, 7, 1))[0]
        expires_at = 0 if lives is None else self.chain.now + lives
        from_wallet = chance.random() < 0.6
        order = (is_bid, kind, units, grams, cap, labels, expires_at, from_wallet)
        arguments = [BOOK, is_bid, kind, *map(str, (units, grams, cap, labels, expires_at)), from_wallet]
        return self.both(trader, "marketplace::place", arguments, "place", trader, *order)

    def _place(self, trader: str) -> str | None:
        chance = self.chance
        grams = chance.choices((chance.randrange(1, 60), 0, 2**63), (97, 2, 1))[0]
        price = chance.choices((chance.randrange(8, 18), 0, 2**42), (98, 1, 1))[0]
        kind = chance.choices(range(6), (60, 8, 8, 14, 8, 2))[0]
        return self._order(trader, price, grams, kind, chance.random() < 0.5)

    def _take(self, trader: str) -> str | None:
        """Large, at a price that crosses many."""
        is_bid, grams = self.chance.random() < 0.5, self.chance.randrange(50, 250)
        return self._order(trader, 18 if is_bid else 8, grams, 0, is_bid)

    def _small(self, trader: str) -> str | None:
        """Around the middle, and seldom across it."""
        is_bid = self.chance.random() < 0.5
        price = self.chance.randrange(8, 14) if is_bid else self.chance.randrange(13, 19)
        return self._order(trader, price, self.chance.randrange(1, 4), 0, is_bid)

    def _any_order(self) -> Order | None:
        state = self.plain.state
        orders = [*state.bids, *state.asks, *([state.pending] if state.pending else [])]
        return self.chance.choice(orders) if orders else None

    def _cancel(self, trader: str) -> str | None:
        order = self._any_order()
        number = order.id if order and self.chance.random() < 0.97 else 12345
        owner = order.owner if order and self.chance.random() < 0.95 else trader
        return self.both(owner, "marketplace::cancel", [BOOK, str(number)], "cancel", owner, number)

    def _cancel_page(self, trader: str) -> str | None:
        state = self.plain.state
        mine = [each.id for each in (*state.bids, *state.asks) if each.owner == trader]
        page = tuple(mine[: self.chance.randrange(0, 18)])
        arguments = [BOOK, list(map(str, page))]
        return self.both(trader, "marketplace::cancel_page", arguments, "cancel_page", trader, page)

    def _amend(self, trader: str) -> str | None:
        order = self._any_order()
        if order is None:
            return None
        grams = self.chance.randrange(0, order.open + 2)
        arguments = [BOOK, str(order.id), str(grams)]
        return self.both(order.owner, "marketplace::amend", arguments, "amend", order.owner, order.id, grams)

    def _work(self, trader: str) -> str | None:
        return self.both(trader, "marketplace::work", [BOOK], "work")

    def _deposit(self, trader: str) -> str | None:
        asset, amount = self.chance.choice((UNITS, GRAMS)), self.chance.randrange(0, 3000)
        arguments = [self.address(asset), str(amount)]
        return self.both(trader, "market_vault::deposit", arguments, "deposit", trader, asset, amount)

    def _claim(self, trader: str) -> str | None:
        asset = self.chance.choice((UNITS, GRAMS))
        has = self.plain.state.claimable.get((trader, asset), 0)
        amount = self.chance.choice((has, has + 1, has // 2))
        arguments = [self.address(asset), str(amount)]
        return self.both(trader, "market_vault::claim", arguments, "claim", trader, asset, amount)

    def _retirement(self, grams: int) -> list[Any]:
        return [
            str(grams), f"RET{self.number}", "0x" + "be" * 32, "voluntary", "DE", "0", "1",
        ]  # fmt: skip

    def _buy_and_retire(self, trader: str) -> str | None:
        grams, price = self.chance.randrange(1, 20), self.chance.randrange(10, 20) * TICK
        [units, *rest] = self._retirement(grams)
        arguments = [BOOK, str(price), units, "1000", True, *rest]
        plain = (trader, price, grams, True)
        return self.both(trader, "marketplace::buy_and_retire", arguments, "buy_and_retire", *plain)

    def _retire(self, trader: str) -> str | None:
        grams = self.chance.randrange(1, 15)
        arguments = [self.chain.batch, *self._retirement(grams)]
        return self.both(trader, "marketplace::retire", arguments, "retire", trader, grams)

    def _fees(self, _trader: str) -> str | None:
        maker, taker = self.chance.choice(((0, 0), (0, 25), (10, 30), (333, 77), (1000, 999)))
        return self.both(ADMIN, "market_fees::set_fees", [str(maker), str(taker)], "set_fees", maker, taker)

    def _distribute(self, trader: str) -> str | None:
        return self.both(trader, "market_fees::distribute", [self.chain.quote], "distribute")

    # Acts around the book.

    def _freeze(self, trader: str) -> None:
        target = self.chance.choices((trader, GRAMS), (9, 1))[0]
        if target not in self.plain.state.frozen:
            self.chain.do(PAUSER, "access_control::freeze_account", self.address(target), "case 17")
            self.plain.state.frozen.add(target)

    def _unfreeze(self, _trader: str) -> None:
        for target in self.plain.state.frozen:
            self.chain.do(PAUSER, "access_control::unfreeze_account", self.address(target), "case 17")
        self.plain.state.frozen.clear()

    def _pause(self, _trader: str) -> None:
        if not self.plain.state.paused:
            self.chain.do(PAUSER, "access_control::pause")
            self.plain.state.paused = True

    def _unpause(self, _trader: str) -> None:
        if self.plain.state.paused:
            self.chain.do(ADMIN, "access_control::unpause")
            self.plain.state.paused = False

    def _labels(self, _trader: str) -> None:
        self.plain.state.labels = self.chance.choices((3, 1, 2), (8, 2, 1))[0]
        self.chain.do(ISSUER, "carbon_credit::set_labels", self.chain.batch, str(self.plain.state.labels))

    def _wait(self, _trader: str) -> None:
        self.chain.now += self.chance.randrange(1, 8)
        self.plain.now = self.chain.now

    def _usdc(self, _trader: str) -> None:
        self.plain.state.usdc_paused = self.chance.random() < 0.1
        self.chain.do(USDC_ADDRESS, f"{USDC}::set_paused", self.plain.state.usdc_paused)

    def _block(self, trader: str) -> None:
        blocked = self.chance.random() < 0.2
        self.chain.do(USDC_ADDRESS, f"{USDC}::set_blocked", trader, blocked)
        (self.plain.state.blocked.add if blocked else self.plain.state.blocked.discard)(trader)

    def _faucet(self, trader: str) -> None:
        amount = self.chance.randrange(1, 2000)
        self.chain.do(trader, f"{USDC}::faucet", trader, str(amount))
        self.plain.state.wallets[trader, UNITS] += amount

    # Comparing.

    def address(self, name: str) -> str:
        return next((address for address, known in self.names.items() if known == name), name)

    def wallet(self, owner: str, asset: str) -> int:
        [units] = self.chain.view(
            "0x1::primary_fungible_store::balance", owner, self.address(asset),
            types=("0x1::fungible_asset::Metadata",),
        )  # fmt: skip
        return int(units)

    def compare_balances(self) -> None:
        """Every wallet, every claimable balance, and what the vault holds."""
        state, chain = self.plain.state, self.chain
        for asset in (UNITS, GRAMS):
            for owner in (*TRADERS, HOLDER):
                assert self.wallet(owner, asset) == state.wallets[owner, asset]
            for owner in (*TRADERS, HOLDER, VAULT):
                found = chain.claimable(self.address(owner), self.address(asset))
                assert found == state.claimable.get((owner, asset), 0)
            [held] = chain.view("market_vault::held", self.address(asset))
            assert int(held) == self.plain.held(asset)

    def compare_books(self) -> None:
        """Every order in its place, with what it holds."""
        for is_bid, side in ((True, self.plain.state.bids), (False, self.plain.state.asks)):
            [found] = self.chain.view("market_book::orders", BOOK, is_bid, "0", "100000")
            assert list(map(int, found)) == [each.id for each in side]
            for order in side:
                [seen] = self.chain.view("market_book::order", BOOK, str(order.id))
                assert (int(seen["grams"]), int(seen["escrow"])) == (order.open, order.purse)
                assert (seen["account"], int(seen["price"])) == (order.owner, order.price)
        [book] = self.chain.view("market_book::book", BOOK)
        pending = self.plain.state.pending
        assert int(book["pending"]) == (pending.id if pending else 0)


def new_play(chain: Exchange, seed: int) -> Play:
    """A play on a new exchange, with its book and the treasury's shares."""
    chain.open_book(BOOK_LABELS)
    chain.do(ADMIN, "market_fees::set_shares", [who for who, _ in SHARES], [str(part) for _, part in SHARES])
    [vault] = chain.view("market_vault::vault_address")
    names = {chain.quote: UNITS, chain.batch: GRAMS, vault: VAULT}
    plain = PlainBook({}, tick=TICK, minimum=5, labels=BOOK_LABELS)
    plain.now = chain.now
    plain.state.shares = SHARES
    play = Play(chain, plain, random.Random(seed), names, refusals())
    plain.state.wallets = {
        (owner, asset): play.wallet(owner, asset) for owner in (*TRADERS, HOLDER) for asset in (UNITS, GRAMS)
    }
    return play
