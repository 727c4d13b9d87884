"""What ends a purchase after its fill that no step foresaw, and what is forgotten of who gets nothing."""

from __future__ import annotations

from typing import Any

import pytest

from carbonmarket.chain import calls
from carbonmarket.errors import BudgetSpent, Conflict, EngineUnavailable
from carbonmarket.operations.purchase_delivery import claim_key, give_key
from carbonmarket.operations.purchase_order import NothingFilled
from carbonmarket.operations.purchase_payment import Disputed, GivenBack
from carbonmarket.times import parse_us
from carbonmarket_adapters.wiring import chain, purchases, registry
from tests.sagas.settling import Settling
from tests.sagas.test_settle_order import Access
from tests.sagas.test_settle_refunds import CREATED, captured_of_two_batches, refund, refunded_of
from tests.sagas.test_settle_trade import CENTS
from tests.sagas.till import GRAMS, PRICE, RETIREMENT, SECURE_CARD, Till


def test_a_refund_before_the_deliverys_first_call_still_stops_it(
    settling: Settling, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spent(*_: Any) -> None:
        raise BudgetSpent("the sponsor's budget is used up")

    till = settling.till
    owed, held = till.paid(), till.held()
    purchase = settling.bought("hold", SECURE_CARD)
    access = Access(submit=spent)
    with monkeypatch.context() as patch, pytest.raises(BudgetSpent):
        patch.setattr(chain, "chain_access", lambda: access)
        settling.step(purchase, "deliver")
    made = refund(till, purchase, 40)
    # It is being delivered, for all that the event can tell: the provider sends it again.
    assert till.deliver_webhook(CREATED, made) == (409, "stale-write")
    with pytest.raises(GivenBack) as stopped:
        settling.step(purchase, "deliver")
    assert settling.fail(purchase, stopped.value)["money"] == "refunded"
    assert till.deliver_webhook(CREATED, made) == (200, "handled")
    assert (till.paid(), till.held()) == (owed, held)


def test_a_dispute_that_nobody_told_of_stops_the_delivery(settling: Settling) -> None:
    till = settling.till
    held = till.held()
    purchase = settling.bought("capture", "pm_card_createDispute")
    settling.step(purchase, "hold")
    till.operator(f"/v1/purchases/{purchase}/release")
    with pytest.raises(Disputed) as stopped:
        settling.step(purchase, "deliver")
    assert (settling.fail(purchase, stopped.value)["money"], till.held()) == ("captured", held)
    # Its event comes at last.
    assert till.deliver_webhook("charge.dispute.created", till.intent(purchase)) == (200, "handled")
    assert {case["kind"] for case in till.cases(purchase)} == {"dispute", "kept_credits"}
    till.books()


@pytest.mark.parametrize("cents", [CENTS - 1, None])
def test_what_a_person_took_from_the_card_is_given_back(settling: Settling, cents: int | None) -> None:
    till = settling.till
    owed, differences = till.paid(), till.reconciled().differences
    till.offer()
    placed = till.offer()
    quote = till.quote(2 * GRAMS)
    till.withdraw(placed)
    purchase = till.buy(quote)
    settling.until(purchase, "await_fill")
    part = {} if cents is None else {"amount_to_capture": cents}
    taken = till.stripe().v1.payment_intents.capture(till.intent(purchase), part).amount_received
    with pytest.raises(Conflict, match=f"{taken} of payment .* were captured already") as refused:
        settling.step(purchase, "capture")
    failed = settling.deaths.run(lambda: settling.fail(purchase, refused.value))
    assert (failed["state"], failed["money"]) == ("failed", "refunded")
    [back] = till.stripe().v1.refunds.list({"payment_intent": till.intent(purchase)}).data
    assert (back.amount, till.paid()) == (taken, owed)
    assert [case["kind"] for case in till.cases(purchase)] == ["kept_credits"]
    assert till.reconciled().differences == differences


def test_what_a_person_took_for_an_order_that_met_nothing_is_given_back(settling: Settling) -> None:
    till = settling.till
    owed, differences = till.paid(), till.reconciled().differences
    placed = till.offer()
    purchase = till.buy(till.quote())
    settling.until(purchase, "authorise")
    till.withdraw(placed)
    settling.until(purchase, "place", "await_authentication")
    taken = till.stripe().v1.payment_intents.capture(till.intent(purchase)).amount_received
    with pytest.raises(NothingFilled) as nothing:
        settling.step(purchase, "await_fill")
    failed = settling.deaths.run(lambda: settling.fail(purchase, nothing.value))
    assert (failed["state"], failed["money"], till.cases(purchase)) == ("failed", "refunded", [])
    assert (refunded_of(till, purchase), till.paid()) == (taken, owed)
    assert till.reconciled().differences == differences


def test_a_refund_stops_a_delivery_of_which_only_refused_calls_were_sent(
    settling: Settling, monkeypatch: pytest.MonkeyPatch
) -> None:
    till, exchange = settling.till, settling.till.exchange
    treasury, key = purchases.treasury(), till.world.settings.treasury_key
    first, second = (exchange.batch(batch).address for batch in exchange.batches[:2])
    before = [till.wallet(exchange.account(exchange.buyer), each) for each in (first, second)]
    purchase = captured_of_two_batches(settling)
    settling.step(purchase, "hold")
    till.operator(f"/v1/purchases/{purchase}/release")
    given = give_key(purchase, exchange.books[0])

    def refused_then_away(real: Any, called: str, *rest: Any) -> Any:
        """The first batch leaves the treasury's wallet by another call, and then the node goes away."""
        if called == given:
            moved = calls.give(first, exchange.account(exchange.rival), till.wallet(treasury, first))
            exchange.done(key, f"story/{purchase}", moved)
        elif called == claim_key(purchase, exchange.books[1]):
            raise EngineUnavailable("the node doesn't answer")
        return real(called, *rest)

    access = Access(submit=refused_then_away)
    with monkeypatch.context() as patch, pytest.raises(EngineUnavailable):
        patch.setattr(chain, "chain_access", lambda: access)
        settling.step(purchase, "deliver")
    assert not chain.chain_access().fate(given).success
    refund(till, purchase)
    with pytest.raises(GivenBack) as stopped:
        settling.step(purchase, "deliver")
    assert settling.fail(purchase, stopped.value)["money"] == "refunded"
    assert [till.wallet(exchange.account(exchange.buyer), each) for each in (first, second)] == before


def beneficiaries(purchase: str) -> list[bool]:
    """Of each leg of the purchase's quote, whether anybody can still read for whom it is to be retired."""
    store = purchases.purchases()
    bought = store.purchase(purchase)
    assert bought is not None
    quoted = store.quote(bought.record.quote)
    assert quoted is not None
    planned = [leg.retirement for leg in quoted.record.legs]
    return [registry.subjects().open(plan.sealed) is not None for plan in planned if plan is not None]


def leaves(till: Till, quote: Any) -> Any:
    """When the key leaves by itself under which the first leg's beneficiary is sealed."""
    place = {"pk": {"S": f"subject#{quote['legs'][0]['retirement']}"}, "sk": {"S": "key"}}
    dynamodb, table = till.world.aws.client("dynamodb"), till.world.aws.name("subject_keys")
    return dynamodb.get_item(TableName=table, Key=place)["Item"].get("expires_at")


def test_who_is_named_in_a_quote_is_forgotten_a_day_after_it_unless_a_purchase_begins(
    settling: Settling,
) -> None:
    till = settling.till
    till.offer()
    quote = till.quote(deliver="retire", retirement=RETIREMENT)
    day_after = parse_us(quote["expires"], "expires") // 1_000_000 + 86_400
    assert leaves(till, quote) == {"N": str(day_after)}
    settling.until(till.buy(quote), "screen")
    assert leaves(till, quote) is None


def test_nobody_is_remembered_for_whom_a_failed_purchase_was(settling: Settling) -> None:
    purchase = settling.bought("authorise", deliver="retire", retirement=RETIREMENT)
    assert beneficiaries(purchase) == [True]
    settling.deaths.run(lambda: settling.fail(purchase, Conflict("a story")))
    assert beneficiaries(purchase) == [False]
    # An execution that is run again finds nobody there.
    assert settling.fail(purchase, Conflict("a story"))["money"] == "voided"


def test_nobody_is_remembered_for_whom_a_leg_was_that_met_no_offer(settling: Settling) -> None:
    till = settling.till
    till.offer(30)
    other = till.exchange.order("sell", PRICE + 5, 30, book=str(till.exchange.books[1]))
    placed = till.exchange.post(till.exchange.seller, "/v1/orders", other)
    till.exchange.watch()
    wanted: Any = {"batch": None, "criteria": {"countries": ["US"]}}
    quote = till.quote(**wanted, deliver="retire", retirement=RETIREMENT)
    till.withdraw(placed)
    purchase = till.buy(quote)
    settling.until(purchase, "capture")
    settling.step(purchase, "hold")
    till.operator(f"/v1/purchases/{purchase}/release")
    settling.until(purchase, "retire", "deliver")
    assert till.purchase(purchase)["retirements"] == [quote["legs"][0]["retirement"]]
    assert beneficiaries(purchase) == [True, False]
