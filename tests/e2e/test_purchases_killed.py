"""A purchase by card whose engines, steps or whole machine are killed is paid, filled and delivered once."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from carbonmarket_adapters.wiring import money, purchases
from tests.e2e.crashes import cut_power, dying, restart
from tests.e2e.market import Market, eventually

pytestmark = pytest.mark.usefixtures("lawful")

GRAMS = 500_000
ENGINES = ("Stripe server", "Aptos localnet")
_purchases = itertools.count()


@pytest.fixture
def on_offer(market: Market) -> str:
    """The imported batch of which most is for sale."""
    seeded, public = market.told.market.seeded, market.told.cast.public
    assert seeded is not None

    def offered(book: int) -> int:
        asks = public.get(f"/v1/books/{book}/depth?levels=16")["asks"]
        return sum(int(level["grams"]) for level in asks)

    return max(seeded.imported, key=lambda each: offered(each.book)).batch_id


def begin(market: Market, batch: str) -> str:
    """The buyer pays for some grams with a card whose bank asks for nothing; the path of the purchase."""
    buyer, number = market.told.cast.buyer.user, next(_purchases)
    asked = {"batch": batch, "grams": str(GRAMS), "deliver": "hold"}
    quote = eventually(lambda: buyer.post("/v1/quotes", asked, key=f"killed-quote-{number}"))
    body = {"quote": quote["id"], "payment_method": "pm_card_visa"}
    return f"/v1/purchases/{buyer.post('/v1/purchases', body, key=f'killed-{number}')['id']}"


def until(market: Market, path: str, *states: str) -> Any:
    """The purchase once it is in one of the states."""

    def reached() -> Any:
        found = market.told.cast.buyer.user.get(path)
        return found if found["state"] in states else None

    return eventually(reached)


def bought_once(market: Market, batch: str, strike: Callable[[], None]) -> None:
    """``strike`` comes once while the order is under way and once while the credits are on their way."""
    cast = market.told.cast
    before = market.holding(cast.buyer, batch)
    path = begin(market, batch)
    strike()
    until(market, path, "held")
    eventually(lambda: cast.operator.post(f"{path}/release", key=f"release-{path[-26:]}"))
    strike()
    bought = until(market, path, "completed", "failed")
    assert (bought["state"], bought["grams"]) == ("completed", str(GRAMS)), bought
    eventually(lambda: market.holding(cast.buyer, batch) != before)
    assert market.holding(cast.buyer, batch) == before + GRAMS
    kept = purchases.purchases().purchase(bought["id"])
    assert kept is not None
    paid = money.payments().status(kept.record.intent)
    assert (paid.state, str(paid.captured)) == ("captured", bought["amount_cents"])


@pytest.mark.parametrize("engine", ENGINES)
def test_credits_are_bought_once(market: Market, on_offer: str, engine: str) -> None:
    bought_once(market, on_offer, lambda: restart(market, engine))


@pytest.mark.parametrize("step", ["place", "capture"])
def test_credits_are_bought_once_though_a_step_is_killed(market: Market, on_offer: str, step: str) -> None:
    with dying(market, f"functions.settle_trade.steps.{step}"):
        bought_once(market, on_offer, lambda: None)


def test_a_machine_that_lost_its_power_goes_on_buying_where_it_was(market: Market, on_offer: str) -> None:
    bought_once(market, on_offer, lambda: cut_power(market))
