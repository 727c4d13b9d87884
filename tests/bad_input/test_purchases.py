"""Quotes and purchases that are refused: with a reason, and with nothing changed."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from carbonmarket.operations.purchase import QuoteExpired
from carbonmarket.records.audit import SYSTEM, told
from carbonmarket_adapters.wiring import purchases, registry, settings
from tests.bad_input.conftest import Refusal
from tests.sagas.settling import Settling
from tests.sagas.till import CARD, GRAMS, PRICE, RETIREMENT, Till


def refusal(till: Till, path: str, body: Any, who: tuple[str, ...] | None = None) -> Refusal:
    """What the buyer is told who asks for that; nothing has changed."""
    before = till.state()
    caller = who or (till.exchange.buyer, "buyer")
    answer = Refusal(till.world.call("POST", path, who=caller, body=body))
    assert till.state() == before
    return answer


def asked(till: Till, **changes: Any) -> dict[str, Any]:
    """The body of a quote; None leaves a field out."""
    body = {"batch": till.exchange.batches[0], "grams": str(GRAMS), "deliver": "hold"} | changes
    return {name: value for name, value in body.items() if value is not None}


@pytest.mark.parametrize(
    ("changes", "status", "field", "reason"),
    [
        ({"batch": "BAT000000000000"}, 422, "batch", "there is no batch with this id"),
        ({"batch": None}, 422, "batch", "name a batch or criteria, and not both"),
        ({"criteria": {}}, 422, "batch", "name a batch or criteria, and not both"),
        ({"grams": "0"}, 422, "grams", "grams must be whole grams"),
        ({"grams": "55"}, 422, "grams", "multiple of 10"),
        ({"grams": "60"}, 409, "grams", "the book sells 50 grams now, not 60"),
        ({"grams": "20"}, 422, "grams", "this costs 41 cents; a card takes from 50"),
        ({"grams": "18446744073709551610"}, 409, "grams", "the book sells 50 grams now"),
        ({"deliver": "retire"}, 422, "retirement", 'retirement is needed with deliver "retire"'),
        ({"retirement": RETIREMENT}, 422, "retirement", "only then"),
        ({"deliver": "lend"}, 422, "deliver", "deliver must be hold, or retire"),
        ({"batch": None, "criteria": {"countries": ["FR"]}}, 409, "", "no book that meets the criteria"),
        ({"batch": None, "criteria": {"countries": ["US"]}, "grams": "90"}, 409, "grams", "can take 50"),
        ({"batch": None, "criteria": {"labels": ["gold"]}}, 422, "labels", "'gold' is no label"),
    ],
)
def test_a_quote_that_can_not_be_given(
    till: Till, changes: dict[str, Any], status: int, field: str, reason: str
) -> None:
    till.offer()
    answer = refusal(till, "/v1/quotes", asked(till, **changes))
    assert (answer.status, answer.field) == (status, field)
    assert reason in answer.reason


def test_more_small_orders_than_one_transaction_takes_are_refused(till: Till) -> None:
    for price in range(PRICE, PRICE + 3):
        for _ in range(6):
            till.exchange.place(till.exchange.seller, "sell", price, 10)
    till.exchange.watch()
    answer = refusal(till, "/v1/quotes", asked(till, grams="180"))
    assert (answer.status, answer.field) == (409, "grams")


def test_a_quote_is_used_once_and_in_time_and_by_its_own_buyer(settling: Settling) -> None:
    till = settling.till
    till.offer()
    quote = till.quote()
    body = {"quote": quote["id"], "payment_method": CARD}
    stranger = refusal(till, "/v1/purchases", body, (till.exchange.rival, "buyer"))
    assert (stranger.status, stranger.field) == (422, "quote")
    unknown = refusal(till, "/v1/purchases", body | {"quote": "QUO000000000000"})
    assert (unknown.status, unknown.field) == (422, "quote")
    purchase = till.buy(quote, key="first-of-two")
    assert till.buy(quote, key="first-of-two") == purchase
    again = refusal(till, "/v1/purchases", body)
    assert (again.status, again.title) == (409, "quote used")

    late = till.quote()
    store = purchases.purchases()
    kept = store.quote(late["id"])
    assert kept is not None
    past = msgspec.structs.replace(kept.record, expires_us=kept.record.created_us)
    store.save_quote(past, kept.revision, told(SYSTEM, "a story", late["id"], "expired", 1))
    expired = refusal(till, "/v1/purchases", body | {"quote": late["id"]})
    assert (expired.status, expired.title) == (409, "quote expired")


def test_a_purchase_whose_saga_begins_days_after_its_quote_charges_nobody(settling: Settling) -> None:
    # Whoever took the quote died before the saga was started, and its app has come back under the same key.
    till = settling.till
    till.offer()
    before = till.state()
    quote = till.quote(deliver="retire", retirement=RETIREMENT)
    purchase = till.buy(quote)
    store = purchases.purchases()
    kept = store.quote(quote["id"])
    assert kept is not None
    past = msgspec.structs.replace(kept.record, expires_us=kept.record.created_us - 2 * 86_400 * 1_000_000)
    store.save_quote(past, kept.revision, told(SYSTEM, "a story", quote["id"], "expired", 1))
    with pytest.raises(QuoteExpired) as refused:
        settling.step(purchase, "screen")
    failed = settling.fail(purchase, refused.value)
    assert (failed["money"], failed["failure"]) == ("none", refused.value.reason)
    assert till.state() == before


@pytest.mark.parametrize("method", ["4242424242424242", "", "tok_visa", "pm_" + "x" * 300])
def test_a_card_number_is_never_taken(till: Till, method: str) -> None:
    till.offer()
    body = {"quote": till.quote()["id"], "payment_method": method}
    answer = refusal(till, "/v1/purchases", body)
    assert (answer.status, answer.field) == (422, "payment_method")
    assert method not in answer.reason or not method


@pytest.mark.parametrize(
    ("setting", "value", "reason"),
    [("card_cents_max", "50", "at most 50 cents"), ("card_denied", "the buyer", "can't buy by card")],
)
def test_who_is_screened_out_pays_nothing(
    settling: Settling, monkeypatch: pytest.MonkeyPatch, setting: str, value: str, reason: str
) -> None:
    till = settling.till
    till.offer()
    before = till.state()
    purchase = till.buy(till.quote())
    told_value = till.exchange.buyer if setting == "card_denied" else value
    monkeypatch.setenv(f"CARBONMARKET_{setting.upper()}", told_value)
    settings.cache_clear()
    purchases.screening.cache_clear()
    with pytest.raises(Exception, match=reason) as refused:
        settling.step(purchase, "screen")
    failed = settling.fail(purchase, refused.value)  # type: ignore[arg-type]
    assert (failed["money"], reason in failed["failure"]) == ("none", True)
    assert till.state() == before


def test_the_float_is_not_overdrawn(settling: Settling) -> None:
    from carbonmarket.errors import Conflict
    from carbonmarket.records.money import CAPITAL, TREASURY_FLOAT, Transfer
    from carbonmarket_adapters.wiring import money

    till = settling.till
    till.offer()
    purchase = till.buy(till.quote())
    settling.until(purchase, "await_authentication")
    left = till.balance(TREASURY_FLOAT, "USDC")
    taken = Transfer(
        debit=CAPITAL, credit=TREASURY_FLOAT, amount=left, currency="USDC", reason="a story takes the float"
    )
    money.ledger().post(f"story/{purchase}/taken", [taken], 1)
    before = till.state()
    try:
        with pytest.raises(Conflict, match="float:usdc lacks") as refused:
            settling.step(purchase, "place")
        failed = settling.fail(purchase, refused.value)
        assert (failed["money"], till.state()) == ("voided", before)
    finally:
        back = msgspec.structs.replace(taken, debit=TREASURY_FLOAT, credit=CAPITAL)
        money.ledger().post(f"story/{purchase}/back", [back], 2)


@pytest.mark.parametrize(
    ("path", "who", "status"),
    [
        ("/v1/purchases/PUR000000000000/release", "buyer", 403),
        ("/v1/purchases/PUR000000000000/release", "operator", 404),
        ("/v1/payouts/PAY000000000000/retry", "developer", 403),
        ("/v1/payouts/PAY000000000000/retry", "operator", 404),
        ("/v1/cases/CAS000000000000/closure", "buyer", 403),
        ("/v1/cases/CAS000000000000/closure", "operator", 404),
        ("/v1/payment-events/evt_1/replay", "buyer", 403),
        ("/v1/payment-events/evt_1/replay", "operator", 404),
    ],
)
def test_what_is_the_operators_is_refused_to_others(till: Till, path: str, who: str, status: int) -> None:
    assert Refusal(till.world.call("POST", path, who=("ORGPLATFORM", who))).status == status


def test_a_frozen_buyer_pays_nothing(settling: Settling) -> None:
    from carbonmarket.errors import AccountFrozen

    till = settling.till
    till.offer()
    body = {"name": "Frozen", "kind": "buyer", "country": "US"}
    frozen = till.world.post("operator", "/v1/organisations", body)["id"]
    quote = till.world.post("buyer", "/v1/quotes", asked(till), frozen)
    taken = {"quote": quote["id"], "payment_method": CARD}
    purchase = till.world.post("buyer", "/v1/purchases", taken, frozen)["id"]
    till.world.freeze(frozen)
    with pytest.raises(AccountFrozen):
        settling.step(purchase, "screen")
    assert registry.accounts().organisation(frozen) is not None
    answer = Refusal(till.world.call("GET", f"/v1/purchases/{purchase}", who=(till.exchange.buyer, "buyer")))
    assert answer.status == 404
