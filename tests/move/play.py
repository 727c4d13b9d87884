"""Random acts of traders, the same ones on the contracts and in the plain book."""

from __future__ import annotations

import random
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

from infra.local.chain.vm import Outcome
from tests.move.approvals import PROJECT
from tests.move.exchange import TICK, TRADERS, USDC, USDC_ADDRESS, Event, Exchange
from tests.move.market import ADMIN, DEVELOPER, ISSUER, MOVE, PAUSER
from tests.move.plain_book import USDC as UNITS
from tests.move.plain_book import VAULT
from tests.move.plain_listings import PlainMarket
from tests.move.plain_records import Book, Order, Supply

BOOKS = (
    Book(1, "grams", tick=TICK, lot=1, minimum=14, required=1, labels=1),
    Book(2, "other grams", tick=TICK // 10, lot=10, minimum=15, required=0, labels=1),
)
"""Book 2 is of another batch, with finer prices and larger lots."""
CROWD = 250
HOLDER = f"0x{0x501D:064x}"
SHARES = ((TRADERS[0], 7000), (HOLDER, 3000))
TOLD = {
    "BalanceChanged", "Brought", "Claimed", "OrderPlaced", "OrderFilled", "OrderCancelled", "OrderAmended",
    "ImprovementRefunded", "PendingChanged", "FeesChanged", "TreasuryDistributed", "Listed", "ListingSold",
    "ListingPriceChanged", "ListingCancelled", "GiftMade", "GiftEnded", "CreditsReversed",
}  # fmt: skip
WEIGHTS = {
    "place": 40, "take": 7, "small": 75, "cancel": 5, "cancel_page": 1, "amend": 5, "work": 1, "deposit": 5,
    "claim": 6, "freeze": 1, "unfreeze": 6, "pause": 0.3, "unpause": 6, "labels": 4, "fees": 1, "wait": 4,
    "buy_and_retire": 1, "retire": 1, "distribute": 0.7, "usdc": 1.5, "block": 1, "faucet": 2,
}  # fmt: skip
BESIDE = {
    "criteria": 5, "list": 4, "buy": 8, "reprice": 1, "take_back": 2, "give": 4, "claim_gift": 4,
    "take_gift_back": 1, "reverse": 0.2, "stray": 0.5,
}  # fmt: skip
"""Acts on both books at once, on listings and gifts, and reversals."""
HASH = "0x" + "91" * 32


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
    plain: PlainMarket
    chance: random.Random
    names: dict[str, str]
    refusals: dict[tuple[str, int], str]
    weights: dict[str, float]
    number: int = 0
    strays: Counter[str] = field(default_factory=Counter)
    """What was sent to the vault's address and is nobody's."""

    def told(self, outcome: Outcome) -> list[Event]:
        """What the chain told, in the words of the plain book."""
        return [
            (name, {field: self._word(value) for field, value in fields.items()})
            for name, fields in self.chain.events(outcome)
            if name in TOLD
        ]

    def _word(self, value: Any) -> Any:
        if isinstance(value, str) and not value.startswith("0x"):
            return int(value) if value.isdigit() else value
        return self.names.get(value, value)

    def refusal(self, outcome: Outcome) -> str | None:
        """Why the chain refused."""
        if outcome.failure is None:
            return None
        match = re.search(r"location=\S*?::(\w+), code=(\d+)", outcome.failure)
        assert match, outcome.failure
        return self.refusals[match[1], int(match[2])]

    def both(
        self, sender: str, function: str, arguments: list[Any], name: str, *plain: Any, **named: str
    ) -> str | None:
        """One act on both sides; gives the refusal on which they agree."""
        outcome = self.chain.attempt(sender, function, *arguments)
        events, refusal = self.plain.act(name, *plain, **named)
        act = (self.number, name, plain)
        assert (act, self.refusal(outcome)) == (act, refusal)
        assert (act, self.told(outcome)) == (act, events)
        return refusal

    # Acts.

    def act(self) -> str:
        """One random act; gives what it was and how it ended."""
        self.number += 1
        self.plain.told = []
        kind = self.chance.choices(list(self.weights), list(self.weights.values()))[0]
        trader = self.chance.choice(TRADERS)
        if kind == "small" and self._is_crowded():
            kind = "cancel_page"
        return f"{kind}: {getattr(self, f'_{kind}')(trader) or 'done'}"

    def _is_crowded(self) -> bool:
        """Whether the books have become so deep that acts seldom meet each other's orders."""
        return sum(len(book.orders()) for book in self.plain.state.books.values()) > CROWD

    def _book(self) -> Book:
        books = list(self.plain.state.books.values())
        return books[0] if len(books) == 1 else self.chance.choice(books)

    def _asset(self) -> str:
        return self.chance.choice((UNITS, *(book.asset for book in self.plain.state.books.values())))

    def _order(self, trader: str, price: int, grams: int, kind: int, is_bid: bool) -> str | None:
        """``price`` is in ticks, ``grams`` in lots."""
        chance, book = self.chance, self._book()
        units = price * book.tick + (chance.random() < 0.01)
        grams = min(grams, 2**63 // book.lot) * book.lot + (book.lot > 1 and chance.random() < 0.01)
        cap = chance.choices((1000, 10, 0), (96, 2, 2))[0]
        labels = chance.choices((0, 2), (85, 15))[0]
        lives = chance.choices((None, 5, 40, 0), (85, 7, 7, 1))[0]
        expires_at = 0 if lives is None else self.chain.now + lives
        from_wallet = chance.random() < 0.6
        order = (is_bid, kind, units, grams, cap, labels, expires_at, from_wallet)
        sums = map(str, (units, grams, cap, labels, expires_at))
        arguments = [str(book.number), is_bid, kind, *sums, from_wallet]
        return self.both(trader, "marketplace::place", arguments, "place", book.number, trader, *order)

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
        return self._order(trader, price, self.chance.randrange(2, 5), 0, is_bid)

    def _any_order(self) -> tuple[Book, Order | None]:
        book = self._book()
        orders = book.orders()
        return book, self.chance.choice(orders) if orders else None

    def _cancel(self, trader: str) -> str | None:
        book, order = self._any_order()
        number = order.id if order and self.chance.random() < 0.97 else 12345
        owner = order.owner if order and self.chance.random() < 0.95 else trader
        arguments = [str(book.number), str(number)]
        return self.both(owner, "marketplace::cancel", arguments, "cancel", book.number, owner, number)

    def _cancel_page(self, trader: str) -> str | None:
        book = self._book()
        mine = [each.id for each in (*book.bids, *book.asks) if each.owner == trader]
        page = tuple(mine[: self.chance.randrange(0, 18)])
        arguments = [str(book.number), list(map(str, page))]
        plain = (book.number, trader, page)
        return self.both(trader, "marketplace::cancel_page", arguments, "cancel_page", *plain)

    def _amend(self, trader: str) -> str | None:
        book, order = self._any_order()
        if order is None:
            return None
        grams = self.chance.randrange(0, order.open // book.lot + 2) * book.lot
        arguments = [str(book.number), str(order.id), str(grams)]
        plain = (book.number, order.owner, order.id, grams)
        return self.both(order.owner, "marketplace::amend", arguments, "amend", *plain)

    def _work(self, trader: str) -> str | None:
        book = self._book()
        return self.both(trader, "marketplace::work", [str(book.number)], "work", book.number)

    def _criteria(self, trader: str) -> str | None:
        chance = self.chance
        labels = chance.choices((0, 1, 2), (70, 20, 10))[0]
        books = chance.sample(list(self.plain.state.books.values()), chance.choice((1, 2, 2, 2)))
        legs = tuple((book.number, chance.randrange(1, 40) * book.lot) for book in books)
        price, from_wallet = chance.randrange(10, 180) * TICK // 10, chance.random() < 0.8
        arguments = [
            self.chain.quote, [str(book) for book, _ in legs], [str(grams) for _, grams in legs], str(price),
            [], [], [], str(labels), "1000", from_wallet,
        ]  # fmt: skip
        plain = (trader, legs, price, labels, from_wallet)
        return self.both(trader, "market_purchases::buy_by_criteria", arguments, "buy_by_criteria", *plain)

    # Listings.

    def _list(self, trader: str) -> str | None:
        chance, book = self.chance, self._book()
        lot = chance.choices((1, 10, 0), (40, 58, 2))[0]
        price = chance.randrange(8, 18) * TICK // chance.choice((1, 1, 10))
        grams = chance.choices((chance.randrange(1, 20) * 10, 0, 7), (94, 3, 3))[0]
        cap, from_wallet = chance.choices((1000, 10), (95, 5))[0], chance.random() < 0.7
        if lot == 0:
            grams = 10
        plain = (trader, book.number, grams, price, lot, cap, from_wallet)
        sums = map(str, (grams, price, lot, cap))
        arguments = [self.address(book.asset), self.chain.quote, *sums, from_wallet]
        return self.both(trader, "listings::create", arguments, "list_grams", *plain)

    def _any_listing(self) -> int:
        listings = list(self.plain.state.listings)
        return self.chance.choice(listings) if listings and self.chance.random() < 0.97 else 12345

    def _buy(self, trader: str) -> str | None:
        chance, number = self.chance, self._any_listing()
        listing = self.plain.state.listings.get(number)
        lot = listing.lot if listing else 1
        grams = chance.randrange(0, 9) * lot + chance.choices((0, 1), (95, 5))[0]
        limit = chance.choices((18 * TICK, TICK), (95, 5))[0]
        cap, from_wallet = chance.choices((1000, 10), (95, 5))[0], chance.random() < 0.6
        plain = (trader, number, grams, limit, cap, from_wallet)
        arguments = [*map(str, (number, grams, limit, cap)), from_wallet]
        return self.both(trader, "listings::buy", arguments, "buy", *plain)

    def _owner_of(self, number: int, trader: str) -> str:
        listing = self.plain.state.listings.get(number)
        return listing.seller if listing and self.chance.random() < 0.9 else trader

    def _reprice(self, trader: str) -> str | None:
        number = self._any_listing()
        owner, price = self._owner_of(number, trader), self.chance.randrange(0, 180) * TICK // 10
        arguments = [str(number), str(price)]
        return self.both(owner, "listings::set_price", arguments, "set_price", owner, number, price)

    def _take_back(self, trader: str) -> str | None:
        number = self._any_listing()
        owner = self._owner_of(number, trader)
        return self.both(owner, "listings::cancel", [str(number)], "take_back", owner, number)

    # Gifts.

    def _give(self, trader: str) -> str | None:
        chance = self.chance
        recipient = chance.choice([each for each in TRADERS if each != trader or chance.random() < 0.05])
        asset = UNITS if chance.random() < 0.02 else self._book().asset
        grams, from_wallet = chance.randrange(0, 40), chance.random() < 0.5
        message_hash = HASH if chance.random() < 0.98 else HASH[:-2]
        plain = (trader, recipient, asset, grams, message_hash, from_wallet)
        arguments = [recipient, self.address(asset), str(grams), message_hash, from_wallet]
        return self.both(trader, "gifts::make", arguments, "make_gift", *plain)

    def _any_gift(self) -> int:
        gifts = list(self.plain.state.gifts)
        return self.chance.choice(gifts) if gifts and self.chance.random() < 0.95 else 12345

    def _claim_gift(self, trader: str) -> str | None:
        number = self._any_gift()
        gift = self.plain.state.gifts.get(number)
        owner = gift.recipient if gift and self.chance.random() < 0.9 else trader
        return self.both(owner, "gifts::claim", [str(number)], "claim_gift", owner, number)

    def _take_gift_back(self, trader: str) -> str | None:
        number = self._any_gift()
        gift = self.plain.state.gifts.get(number)
        owner = gift.giver if gift and self.chance.random() < 0.9 else trader
        return self.both(owner, "gifts::take_back", [str(number)], "take_gift_back", owner, number)

    # Balances.

    def _deposit(self, trader: str) -> str | None:
        asset, amount = self._asset(), self.chance.randrange(0, 3000)
        arguments = [self.address(asset), str(amount)]
        return self.both(trader, "market_vault::deposit", arguments, "deposit", trader, asset, amount)

    def _claim(self, trader: str) -> str | None:
        asset = self._asset()
        has = self.plain.state.claimable.get((trader, asset), 0)
        amount = self.chance.choice((has, has + 1, has // 2))
        arguments = [self.address(asset), str(amount)]
        return self.both(trader, "market_vault::claim", arguments, "claim", trader, asset, amount)

    def _stray(self, trader: str) -> None:
        """Credits that somebody sends to the vault's address outside of the market."""
        state, asset = self.plain.state, self._book().asset
        if state.paused or trader in state.frozen or state.wallets[trader, asset] == 0:
            return
        self.chain.do(trader, "carbon_credit::give", self.address(asset), self.address(VAULT), "1")
        state.wallets[trader, asset] -= 1
        self.strays[asset] += 1

    def _retirement(self, grams: int) -> list[Any]:
        return [
            str(grams), f"RET{self.number}", "0x" + "be" * 32, "voluntary", "DE", "0", "1",
        ]  # fmt: skip

    def _buy_and_retire(self, trader: str) -> str | None:
        book = self._book()
        grams = self.chance.randrange(1, 20) * book.lot
        price = self.chance.randrange(10, 20) * book.tick
        [units, *rest] = self._retirement(grams)
        arguments = [str(book.number), str(price), units, "1000", True, *rest]
        plain = (book.number, trader, price, grams, True)
        return self.both(trader, "market_purchases::buy_and_retire", arguments, "buy_and_retire", *plain)

    def _retire(self, trader: str) -> str | None:
        grams, asset = self.chance.randrange(1, 15), self._book().asset
        arguments = [self.address(asset), *self._retirement(grams)]
        return self.both(trader, "market_purchases::retire", arguments, "retire", asset, trader, grams)

    def _reverse(self, _trader: str) -> str | None:
        """Mostly a few grams; sometimes more than buffer and developer have."""
        chance, book = self.chance, self._book()
        grams = chance.choices((chance.randrange(0, 12), 700, 10_000), (90, 8, 2))[0]
        named = {
            "reversal_id": f"REV{self.number}", "batch_id": f"BAT{book.number}", "project": PROJECT,
            "evidence_hash": HASH,
        }  # fmt: skip
        arguments = [self.address(book.asset), str(grams), named["reversal_id"], HASH]
        plain = (book.asset, DEVELOPER, grams)
        return self.both(ISSUER, "carbon_credit::reverse", arguments, "reverse", *plain, **named)

    def _fees(self, _trader: str) -> str | None:
        maker, taker = self.chance.choice(((0, 0), (0, 25), (10, 30), (333, 77), (1000, 999)))
        return self.both(ADMIN, "market_fees::set_fees", [str(maker), str(taker)], "set_fees", maker, taker)

    def _distribute(self, trader: str) -> str | None:
        return self.both(trader, "market_fees::distribute", [self.chain.quote], "distribute")

    # Acts around the book.

    def _freeze(self, trader: str) -> None:
        target = self.chance.choices((trader, self._book().asset), (9, 1))[0]
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
        book = self._book()
        book.labels = self.chance.choices((3, 1, 2), (8, 2, 1))[0]
        self.chain.do(ISSUER, "carbon_credit::set_labels", self.address(book.asset), str(book.labels))

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
        for asset in (UNITS, *(book.asset for book in state.books.values())):
            for owner in (*TRADERS, HOLDER):
                assert self.wallet(owner, asset) == state.wallets[owner, asset]
            for owner in (*TRADERS, HOLDER, VAULT):
                found = chain.claimable(self.address(owner), self.address(asset))
                assert found == state.claimable.get((owner, asset), 0)
            [owed] = chain.view("market_vault::owed", self.address(asset))
            [held] = chain.view("market_vault::held", self.address(asset))
            assert int(owed) == self.plain.held(asset)
            assert int(held) == int(owed) + self.strays[asset]
        for asset, supply in state.supplies.items():
            assert int(chain.view("credit_batch::buffer_balance", self.address(asset))[0]) == supply.buffer

    def compare_places(self) -> None:
        """Every order in its place."""
        for number, book in self.plain.state.books.items():
            for is_bid, side in ((True, book.bids), (False, book.asks)):
                [found] = self.chain.view("market_book::orders", str(number), is_bid, "0", "100000")
                assert list(map(int, found)) == [each.id for each in side]
            [seen] = self.chain.view("market_book::book", str(number))
            assert int(seen["pending"]) == (book.pending.id if book.pending else 0)

    def compare_offers(self) -> None:
        """Every order, listing and gift, with what it holds."""
        for number, book in self.plain.state.books.items():
            for order in book.orders():
                [seen] = self.chain.view("market_book::order", str(number), str(order.id))
                assert (int(seen["grams"]), int(seen["escrow"])) == (order.open, order.purse)
                assert (seen["account"], int(seen["price"])) == (order.owner, order.price)
        for number, listing in self.plain.state.listings.items():
            [seen] = self.chain.view("listings::listing", str(number))
            assert (int(seen["grams"]), int(seen["price"])) == (listing.grams, listing.price)
            assert seen["seller"] == listing.seller
        for number, gift in self.plain.state.gifts.items():
            [seen] = self.chain.view("gifts::gift", str(number))
            assert (seen["giver"], seen["recipient"], int(seen["grams"])) == (
                gift.giver,
                gift.recipient,
                gift.grams,
            )


def new_play(chain: Exchange, seed: int, books: int = 1) -> Play:
    """A play on a new exchange, with one book or both, and the treasury's shares. With both books there are
    acts beside single books too."""
    known = [replace(book, bids=[], asks=[]) for book in BOOKS[:books]]
    batches = [chain.batch, *(chain.issue(number)[0] for number in range(2, books + 1))]
    for book, batch in zip(known, batches, strict=True):
        if book.number > 1:
            chain.do(ISSUER, "carbon_credit::set_labels", batch, str(book.labels))
            for trader in TRADERS[1:]:
                chain.do(DEVELOPER, "carbon_credit::give", batch, trader, "2000")
        terms = map(str, (book.tick, book.lot, book.minimum, book.required))
        chain.do(ISSUER, "marketplace::open_book", batch, chain.quote, *terms)
    chain.do(ADMIN, "market_fees::set_shares", [who for who, _ in SHARES], [str(part) for _, part in SHARES])
    [vault] = chain.view("market_vault::vault_address")
    assets = {batch: book.asset for book, batch in zip(known, batches, strict=True)}
    names = {chain.quote: UNITS, vault: VAULT, **assets}
    plain = PlainMarket({}, known)
    plain.now = chain.now
    plain.state.shares = SHARES
    for batch, asset in assets.items():
        [seen] = chain.view("credit_batch::batch", batch)
        terms = (int(seen[field]) for field in ("issued", "buffered", "serial_next"))
        plain.state.supplies[asset] = Supply(*terms)
    weights = WEIGHTS if books == 1 else WEIGHTS | BESIDE
    play = Play(chain, plain, random.Random(seed), names, refusals(), weights)
    plain.state.wallets = {
        (owner, asset): play.wallet(owner, asset)
        for owner in (*TRADERS, HOLDER)
        for asset in (UNITS, *assets.values())
    }
    return play
