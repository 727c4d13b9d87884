"""The demo's chapter on the market: imported credits, a session of agents, and a buyer who buys in every way.

The chain's clock is left alone here, so that the certificates are dated today.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

from carbonmarket.chain import calls, market_calls
from infra.bootstrap import TEST_USDC
from infra.local.demo.client import ApiRefused, User
from infra.local.demo.told import MarketTold, Told
from infra.local.machine import Machine
from infra.local.narrator import Narrator
from infra.local.run import fund
from infra.local.seed.command import SAMPLE, read_report
from infra.local.seed.day import Plan, Seeded, Seeder
from infra.local.seed.imports import LOT, MIN_NOTIONAL, TICK
from infra.local.seed.prices import read_prices

T = TypeVar("T")
ORDERS = 240
BOOKS = 12
DOLLARS = 10_000 * 10**6
# The developer's own credits, a whole deal dearer than what nobody measured here.
OFFERED_G, BOUGHT_G, OWN_PRICE = 200_000, 150_000, 12_000_000
IMPORTED_G, BY_CARD_G = 3_000_000, 2_000_000
RETIRED_OWN_G, RETIRED_IMPORTED_G = 100_000, 1_000_000
# Ten tonnes more than the cheapest book has, so that another must serve too.
_BEYOND_G = 10_000_000
_TYPE = "Forest Carbon"
_HIGHEST = 8_000_000
_FEE_CAP_BPS = 100
_FUNDS_OCTAS = 10**12
_WITHIN_S = 120


def tell_market(machine: Machine, told: Told, narrator: Narrator) -> MarketTold:
    """From a registry's file to what the buyer retires of it."""
    market = MarketTold()
    market.seeded = _seed(machine, narrator)
    buyer = told.cast.buyer.user
    with narrator.chapter("The buyer buys in two books, by order"):
        book = _offer_own(told)
        _pay(told)
        market.orders.append(_buy(buyer, book, OWN_PRICE, BOUGHT_G))
        imported = _deepest(buyer, market.seeded, skip=_TYPE)
        market.orders.append(_buy(buyer, imported, _HIGHEST, IMPORTED_G))
    with narrator.chapter(f"The buyer buys by criteria: any {_TYPE}, wherever it is cheapest"):
        market.criteria = _buy_by_criteria(buyer, market.seeded)
    with narrator.chapter("The buyer buys by card"):
        market.purchase = _buy_by_card(told, market.seeded, imported)
    with narrator.chapter("The buyer retires some of each"):
        own = told.batches["2016-08"]["id"]
        other = _batch_of(market.seeded, imported)
        for batch, grams in ((own, RETIRED_OWN_G), (other, RETIRED_IMPORTED_G)):
            market.retirements.append(_retire(buyer, batch, grams, told.personal[0]))
    with narrator.chapter("What was done becomes reputation"):
        market.reputation = _reputation(machine, told)
    return market


def _seed(machine: Machine, narrator: Narrator) -> Seeded:
    from carbonmarket_adapters.wiring import chain, settings

    faucet = machine.settings.faucet_url
    seeder = Seeder(settings(), chain.signer(), lambda account: fund(faucet, account, _FUNDS_OCTAS))
    plan = Plan(orders=ORDERS, books=BOOKS, hours=0, seed=1)
    return seeder.seed(read_report(SAMPLE).issuances, read_prices(), plan, narrator)


def _offer_own(told: Told) -> int:
    """The operator opens a book for August, and the developer offers some of it; the book's number."""
    from carbonmarket_adapters.wiring import settings

    batch, quote = told.batches["2016-08"], settings().quote_asset
    _settled(
        "demo/book-of-august",
        settings().issuer_key,
        market_calls.open_book(batch["address"], quote, TICK, LOT, MIN_NOTIONAL, 0),
    )
    developer = told.cast.developer.user
    market = _eventually(lambda: _offer_of(developer, batch["id"]))
    body = _order(int(market["book"]), "sell", "gtc", OWN_PRICE, OFFERED_G)
    developer.post("/v1/orders", body, key="august-for-sale")
    return int(market["book"])


def _offer_of(user: User, batch: str) -> Any:
    found = user.nodes("/v1/market/batches")
    return next((node for node in found if node["batch"]["id"] == batch and node["book"]), None)


def _pay(told: Told) -> None:
    """The buyer gets play dollars."""
    from carbonmarket_adapters.wiring import chain

    mint = chain.signer().address(TEST_USDC)
    call = market_calls.usdc_faucet(mint, told.cast.buyer.address, DOLLARS)
    chain.chain_access().submit("demo/dollars", TEST_USDC, call, sponsored=False)
    chain.chain_access().await_fate("demo/dollars")


def _buy(buyer: User, book: int, price: int, grams: int) -> Any:
    placed = buyer.post("/v1/orders", _order(book, "buy", "ioc", price, grams), key=f"buy-in-{book}")
    if placed["filled"] != str(grams):
        raise RuntimeError(f"of {grams} g in book {book} the buyer got {placed['filled']}")
    return placed


def _order(book: int, side: str, kind: str, price: int, grams: int) -> dict[str, Any]:
    return {
        "book": str(book),
        "side": side,
        "kind": kind,
        "price": str(price),
        "grams": str(grams),
        "fee_cap_bps": _FEE_CAP_BPS,
    }


def _deepest(user: User, seeded: Seeded, skip: str) -> int:
    """The book with most on offer, those of one type left out; asked until the watcher has seen it."""

    def found() -> int | None:
        depths = [
            (_on_offer(user, venue.book), venue.book) for venue in seeded.venues if venue.project_type != skip
        ]
        grams, book = max(depths)
        return book if grams >= IMPORTED_G + BY_CARD_G else None

    return _eventually(found)


def _on_offer(user: User, book: int) -> int:
    depth = user.get(f"/v1/books/{book}/depth?levels=16")
    return sum(int(level["grams"]) for level in depth["asks"])


def _buy_by_criteria(buyer: User, seeded: Seeded) -> Any:
    criteria = {"methodologies": [_TYPE]}
    books = [venue.book for venue in seeded.venues if venue.project_type == _TYPE]
    depths = {book: buyer.get(f"/v1/books/{book}/depth?levels=16")["asks"] for book in books}
    cheapest = min((int(asks[0]["price"]), book) for book, asks in depths.items() if asks)[1]
    wanted = sum(int(level["grams"]) for level in depths[cheapest]) + _BEYOND_G
    asked = {"criteria": criteria, "price": str(_HIGHEST), "grams": str(wanted)}
    route = buyer.post("/v1/orders/route", asked, key="which-forests")
    legs = [{"book": leg["book"], "grams": leg["grams"]} for leg in route["legs"]]
    body = {"criteria": criteria, "price": str(_HIGHEST), "legs": legs, "fee_cap_bps": _FEE_CAP_BPS}
    return buyer.post("/v1/orders/criteria", body, key="any-forest")


def _buy_by_card(told: Told, seeded: Seeded, book: int) -> Any:
    """A card without 3-D Secure: what it bought is held until an operator lets it go."""
    buyer = told.cast.buyer.user
    asked = {"batch": _batch_of(seeded, book), "grams": str(BY_CARD_G), "deliver": "hold"}
    quote = buyer.post("/v1/quotes", asked, key="price-by-card")
    body = {"quote": quote["id"], "payment_method": "pm_card_visa"}
    path = f"/v1/purchases/{buyer.post('/v1/purchases', body, key='by-card')['id']}"
    held = buyer.until(path, ("held", "completed", "failed"))
    if held["state"] == "held":
        told.cast.operator.post(f"{path}/release", key="by-card-release")
        held = buyer.until(path, ("completed", "failed"))
    if held["state"] == "failed":
        raise RuntimeError(f"the purchase by card failed: {held['failure']}")
    return held


def _retire(buyer: User, batch: str, grams: int, beneficiary: str) -> Any:
    body = {
        "batch": batch,
        "grams": str(grams),
        "source": "balance",
        "reason": "voluntary",
        "country": "US",
        "period_start": "2016-08-01T00:00:00Z",
        "period_end": "2016-09-01T00:00:00Z",
        "beneficiary": {"name": beneficiary, "name_is_public": True},
    }
    ordered = buyer.post("/v1/retirements", body, key=f"retire-{batch}")
    done = buyer.until(f"/v1/retirements/{ordered['id']}", ("certified", "failed"))
    if done["state"] == "failed":
        raise RuntimeError(f"the retirement of {batch} failed: {done.get('failure')}")
    return done


def _batch_of(seeded: Seeded, book: int) -> str:
    return next(each.batch_id for each in seeded.imported if each.book == book)


def _reputation(machine: Machine, told: Told) -> int:
    """What the hourly schedule does, asked for now; the developer's reputation after it, 0 to 10,000, as the
    API shows it once the watcher has seen what the chain says."""
    from carbonmarket_adapters.wiring import aws, chain
    from infra.declarations import resource_name

    name = resource_name(machine.settings.stage, "rate-parties")
    answer = aws("lambda").invoke(FunctionName=name, Payload=b"{}")
    if "FunctionError" in answer:
        raise RuntimeError(f"rate-parties failed: {answer['Payload'].read().decode()[:300]}")
    look, batch = chain.chain_access().view, told.batches["2016-08"]["id"]
    [party] = look("reputation_system::party_of", [], [told.cast.developer.address])
    [score] = look("reputation_system::overall", [], [party])

    def shown() -> int | None:
        offer = _offer_of(told.cast.buyer.user, batch)
        # Scores fade, so that the later look may see a point less.
        return int(offer["reputation"]) if offer and 0 <= int(score) - int(offer["reputation"]) <= 1 else None

    return _eventually(shown)


def _settled(key: str, sender: str, call: calls.EntryCall) -> None:
    from carbonmarket.chain.aborts import refused
    from carbonmarket_adapters.wiring import chain

    fate = chain.chain_access().settle(key, sender, call)
    if not fate.success:
        raise refused(fate)


def _eventually(ask: Callable[[], T | None]) -> T:
    """The first answer that is there, once the watcher has seen what was done."""
    deadline = time.monotonic() + _WITHIN_S
    while True:
        try:
            answer = ask()
        except ApiRefused as refused:
            if refused.status != 404 or time.monotonic() > deadline:
                raise
            answer = None
        if answer is not None:
            return answer
        if time.monotonic() > deadline:
            raise TimeoutError(f"what was awaited was not seen within {_WITHIN_S} s")
        time.sleep(0.3)
