"""What parties do becomes their reputation: trades, reviews and readings rate, once each, with evidence."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import msgspec
import pytest

from carbonmarket.errors import Conflict
from carbonmarket.operations import rate_parties as rating_parties
from carbonmarket.operations.rate_parties import RateResult, rate_parties
from carbonmarket.ports.chain import Fate
from carbonmarket.ratings import WEIGHT_MAX
from carbonmarket.reputation import (
    BEST,
    COMMUNITY,
    DATA_QUALITY,
    DELIVERY,
    NEUTRAL,
    ONE,
    PAIR_CAP,
    VERIFICATION,
    score,
)
from carbonmarket_adapters.wiring import aws, chain, purchases, registry, settings
from carbonmarket_adapters.wiring.ratings import ratings
from tests.market.exchange import Exchange
from tests.sagas.settling import Settling
from tests.sagas.till import GRAMS, Till
from tests.sagas.world import Site

FAR = 2**40
"""A time after every rating, at which nothing of it is left."""


def party(exchange: Exchange, organisation: str) -> str:
    """The commitment that stands for an organisation on chain."""
    found = registry.accounts().organisation(organisation)
    assert found is not None
    return f"0x{found.commitment}"


def rate(exchange: Exchange) -> RateResult:
    """What the schedule does, and the watcher after it."""
    exchange.watch()
    done = rate_parties(ratings())
    exchange.watch()
    assert (done.waiting, done.refusals) == (0, [])
    return done


def kept(dimension: int, subject: str, reference: str) -> Any:
    """A statement in the bucket of evidence, and its hash."""
    key = f"ratings/{dimension}/{subject}/{reference}.json"
    content = aws("s3").get_object(Bucket=settings().prefix + "evidence", Key=key)["Body"].read()
    return json.loads(content), "0x" + hashlib.sha256(content).hexdigest()


def assert_both_are_rated(exchange: Exchange, trade: str, grams: str) -> None:
    """The trade speaks for its seller and its buyer, each in the other's name, on evidence that is kept."""
    reference = f"trade/{trade}"
    seller, buyer = exchange.seller, exchange.buyer
    for dimension, subject, other in ((DELIVERY, seller, buyer), (COMMUNITY, buyer, seller)):
        rating = chain.market_projection().rating(party(exchange, subject), dimension, reference)
        assert rating is not None
        assert (rating.mark, rating.counterparty) == (BEST, party(exchange, other))
        statement, digest = kept(dimension, exchange.account(subject), reference)
        assert (statement["facts"]["grams"], rating.evidence_hash) == (grams, digest)


def test_a_trade_rates_both_sides_once(exchange: Exchange) -> None:
    rate(exchange)
    market, seller, buyer = (chain.market_projection(), exchange.seller, exchange.buyer)
    exchange.place(seller, "sell", 10, 100)
    exchange.place(buyer, "buy", 10, 100)
    done = rate(exchange)
    assert (done.verified, done.ratings) == (0, 2)
    [(_, trade)] = market.trades_of(exchange.account(buyer), first=1)
    assert_both_are_rated(exchange, trade.index, "100")
    for dimension, subject in ((DELIVERY, seller), (COMMUNITY, buyer)):
        standing = market.standing(party(exchange, subject))[dimension]
        assert score(standing, standing.updated) > NEUTRAL
        assert score(standing, FAR) == NEUTRAL
    again = rate(exchange)
    assert (again.verified, again.ratings) == (0, 0)


def test_a_sale_by_card_rates_its_seller_and_who_bought_once_the_credits_are_theirs(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange, settling = till.exchange, Settling(till, monkeypatch)
    market = chain.market_projection()
    rate(exchange)
    failed = settling.bought("await_fill")
    settling.fail(failed, Conflict("a story"))
    held = settling.bought("capture")
    # What failed left the credits with the treasury; what will come of the other nobody knows.
    assert rate(exchange).ratings == 0
    settling.step(held, "hold")
    till.operator(f"/v1/purchases/{held}/release")
    settling.until(held, "deliver", "deliver")
    assert (rate(exchange).ratings, rate(exchange).ratings) == (2, 0)
    [(_, trade)] = market.trades_of(purchases.treasury(), first=1)
    assert_both_are_rated(exchange, trade.index, str(GRAMS))


def test_everybody_sees_a_reputation_and_what_it_rests_on(exchange: Exchange) -> None:
    exchange.place(exchange.seller, "sell", 12, 100)
    exchange.place(exchange.rival, "buy", 12, 100)
    rate(exchange)
    path = f"/v1/market/reputation/{exchange.account(exchange.seller)}"
    shown = json.loads(exchange.world.call("GET", path, who=None).body)
    by_name = {each["dimension"]: each for each in shown["scores"]}
    assert set(by_name) == {"delivery", "data_quality", "verification", "community"}
    assert int(by_name["delivery"]["score"]) > NEUTRAL
    assert by_name["delivery"]["counterparties"] >= 1
    assert shown["party"] == party(exchange, exchange.seller)
    edges = json.loads(exchange.world.call("GET", f"{path}/ratings?first=100", who=None).body)["edges"]
    for node in (edge["node"] for edge in edges if edge["node"]["dimension"] == "delivery"):
        _, digest = kept(DELIVERY, exchange.account(exchange.seller), node["reference"])
        assert node["evidence_hash"] == digest


@pytest.mark.parametrize(("account", "status"), [("nobody", 422), ("0x" + "7" * 64, 404)])
def test_accounts_of_nobody_have_no_reputation(exchange: Exchange, account: str, status: int) -> None:
    answer = exchange.world.call("GET", f"/v1/market/reputation/{account}", who=None)
    assert (answer.status_code, json.loads(answer.body)["field"]) == (status, "account")


def test_whoever_died_before_its_mark_was_kept_rates_nothing_twice(exchange: Exchange) -> None:
    exchange.place(exchange.seller, "sell", 11, 100)
    exchange.place(exchange.buyer, "buy", 11, 100)
    exchange.watch()
    desk = ratings()
    before = desk.marks.rated_up_to(exchange.account(exchange.seller))
    rate(exchange)
    standing = chain.market_projection().standing(party(exchange, exchange.seller))[DELIVERY]
    desk.marks.save_rated_up_to(exchange.account(exchange.seller), before or "")
    rate(exchange)
    assert chain.market_projection().standing(party(exchange, exchange.seller))[DELIVERY] == standing


class Listening:
    """The chain, and in which order calls were sent and waited for."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self._chain = chain.chain_access()

    def submit(self, *call: Any) -> str:
        """Send one."""
        self.heard.append("sent")
        return self._chain.submit(*call)

    def await_fate(self, key: str, timeout_s: float) -> Fate:
        """Wait for one."""
        self.heard.append("waited")
        return self._chain.await_fate(key, timeout_s)


def test_ratings_of_several_trades_are_on_their_way_together(exchange: Exchange) -> None:
    rate(exchange)
    for price in (21, 22):
        exchange.place(exchange.seller, "sell", price, 100)
        exchange.place(exchange.buyer, "buy", price, 100)
    exchange.watch()
    listening = Listening()
    done = rate_parties(msgspec.structs.replace(ratings(), chain=listening))
    assert (done.ratings, listening.heard) == (4, ["sent"] * 4 + ["waited"] * 4)


def test_a_run_makes_so_many_ratings_and_the_next_goes_on(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    rate(exchange)
    for price in (23, 24):
        exchange.place(exchange.seller, "sell", price, 100)
        exchange.place(exchange.buyer, "buy", price, 100)
    exchange.watch()
    monkeypatch.setattr(rating_parties, "_TRADES_TOGETHER", 1)
    done = rate_parties(msgspec.structs.replace(ratings(), most=2))
    assert (done.ratings, done.waiting > 0) == (2, True)
    assert rate(exchange).ratings == 2


def test_a_circle_of_trades_weighs_no_more_than_a_pair_may(exchange: Exchange) -> None:
    """Dollars by the ten thousand between the same two: the contract's cap holds what all of it weighs."""
    for _ in range(3):
        exchange.place(exchange.seller, "sell", 10**8, 100)
        exchange.place(exchange.rival, "buy", 10**8, 100)
    rate(exchange)
    seller = party(exchange, exchange.seller)
    rated = [
        rating
        for _, rating in chain.market_projection().ratings(seller, first=1_000)
        if (rating.dimension, rating.counterparty) == (DELIVERY, party(exchange, exchange.rival))
    ]
    assert sum(rating.weight == WEIGHT_MAX for rating in rated) >= 3
    # What fades between two of them makes room for a little more.
    assert 0 < sum(int(rating.counted) for rating in rated) < PAIR_CAP + ONE


def test_a_period_rates_its_developer_by_readings_and_reviews(exchange: Exchange) -> None:
    site = Site(exchange.world)
    site.send_day(hours=18)
    period = site.close()
    site.await_period(period, "in_review")
    site.approve(period)
    site.await_period(period, "registered")
    rate(exchange)
    developer, market = party(exchange, site.organisation), chain.market_projection()
    quality = market.rating(developer, DATA_QUALITY, period)
    assert quality is not None
    # Six of 24 hours were silent.
    assert (quality.mark, quality.counterparty) == (BEST * 18 // 24, "")
    statement, digest = kept(DATA_QUALITY, exchange.account(site.organisation), period)
    assert (statement["facts"]["missing_s"], quality.evidence_hash) == (str(6 * 3_600), digest)
    votes = [rating for _, rating in market.ratings(developer) if rating.dimension == VERIFICATION]
    assert [rating.mark for rating in votes] == [BEST, BEST]
    assert market.standing(developer)[VERIFICATION].counterparties == 2
    assert rate(exchange).ratings == 0
