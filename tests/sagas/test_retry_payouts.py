"""What sellers are owed is tried again by the schedule, and what waits for a person is counted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from carbonmarket.errors import Conflict, EngineUnavailable
from carbonmarket.operations.retry_payouts import Backlog, retry_payouts
from carbonmarket_adapters.wiring import purchases
from functions.retry_payouts import handler as schedule
from tests.sagas.settling import Settling
from tests.sagas.test_faults import CONTEXT
from tests.sagas.test_notifications import Inbox as Notifications
from tests.sagas.test_payout_account import payouts
from tests.sagas.till import SECURE_CARD, Till

IN_TIME = SimpleNamespace(**vars(CONTEXT), get_remaining_time_in_millis=lambda: 300_000)


@pytest.fixture
def settling(till: Till, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settling]:
    """Steps that the story runs; the seller is paid in fiat, and its account is ready."""
    seller = till.exchange.seller
    account = till.payout_account("complete")
    till.exchange.post(seller, "/v1/payout-choice", {"payout": "fiat", "account": account})
    yield Settling(till, monkeypatch)
    till.exchange.post(seller, "/v1/payout-choice", {"payout": "onchain"})


def run() -> Backlog:
    """What the schedule does."""
    return retry_payouts(purchases.till(time.time_ns() // 1_000))


def test_a_payout_refused_for_a_passing_reason_is_paid_by_the_schedule(
    settling: Settling, capsys: pytest.CaptureFixture[str]
) -> None:
    till, seller = settling.till, settling.till.exchange.seller
    inbox = Notifications(till.world)
    inbox.take()
    inbox.messages.clear()
    till.empty()
    purchase = settling.bought("complete", SECURE_CARD)
    [refused] = payouts(till, purchase)
    assert (refused["state"], refused["attempts"]) == ("waiting", 1)
    assert "insufficient" in refused["reason"]
    assert (run().paid, run().payouts_waiting) == (0, 1)
    # It has begun to wait once, however often it is refused.
    assert payouts(till, purchase)[0]["attempts"] == 3
    inbox.take()
    assert [message["type"] for message in inbox.messages].count("payout.waiting") == 1
    assert capsys.readouterr().out.count('"PayoutBeganToWait":[1.0]') == 1

    till.fund()
    assert (run().paid, run().paid) == (1, 0)
    [paid] = payouts(till, purchase)
    assert (paid["state"], paid["reason"]) == ("paid", None)
    transfers = till.stripe().v1.transfers.list({"destination": paid["account"], "limit": 100}).data
    assert [each.id for each in transfers if each.metadata["payout"] == paid["id"]] == [paid["transfer"]]
    assert (f"payable:{seller}", "USD") not in till.balances()


def test_a_payout_that_found_the_provider_away_is_paid_once_it_is_back(settling: Settling) -> None:
    till = settling.till
    purchase = settling.bought("retire", SECURE_CARD)
    till.engine.kill()
    try:
        with pytest.raises(EngineUnavailable):
            settling.step(purchase, "pay_sellers")
        settling.step(purchase, "complete")
        away = run()
        assert (away.paid, away.payouts_waiting, len(away.failures)) == (0, 1, 1)
        assert "payment provider" in away.failures[0]
    finally:
        till.engine.start()
    assert run().paid == 1
    assert payouts(till, purchase)[0]["state"] == "paid"


def test_sellers_of_a_purchase_that_failed_after_its_fill_are_paid_and_those_of_a_held_one_not_yet(
    settling: Settling, capsys: pytest.CaptureFixture[str]
) -> None:
    till = settling.till
    held = settling.bought("capture")
    failed = settling.bought("await_fill")
    before = schedule.handler({}, IN_TIME)
    assert (before["paid"], before["payouts_waiting"]) == (0, 0)
    settling.fail(failed, Conflict("a story"))
    capsys.readouterr()
    after = schedule.handler({}, IN_TIME)
    counted = capsys.readouterr().out
    assert after == {"paid": 1, "payouts_waiting": 0, "cases_open": before["cases_open"] + 1}
    assert f'"CasesOpen":[{float(after["cases_open"])}]' in counted
    assert '"PayoutsWaiting":[0.0]' in counted
    assert [payouts(till, purchase)[0]["state"] for purchase in (held, failed)] == ["due", "paid"]
    [case] = till.cases(failed)
    till.operator(f"/v1/cases/{case['id']}/closure")
    assert schedule.handler({}, IN_TIME)["cases_open"] == before["cases_open"]
