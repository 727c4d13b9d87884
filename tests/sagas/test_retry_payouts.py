"""What sellers are owed is tried again by the schedule, and what waits for a person is counted; a payout
whose proceeds the seller has fetched on chain ends there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from carbonmarket import schema
from carbonmarket.chain import market_calls
from carbonmarket.errors import ChainRefused, Conflict, EngineUnavailable
from carbonmarket.ledger.chart import available
from carbonmarket.operations.retry_payouts import Backlog, retry_payouts
from carbonmarket.records.audit import SYSTEM, told
from carbonmarket.records.money import TREASURY_FLOAT
from carbonmarket_adapters.wiring import chain, money, purchases
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
    opened = before["cases_open"] + 1
    assert after == {"paid": 1, "paid_on_chain": 0, "payouts_waiting": 0, "cases_open": opened}
    assert f'"CasesOpen":[{float(after["cases_open"])}]' in counted
    assert '"PayoutsWaiting":[0.0]' in counted
    [left] = [available(each) for each in money.ledger().balances(TREASURY_FLOAT)]
    assert f'"FloatUnits":[{float(left)}]' in counted
    assert [payouts(till, purchase)[0]["state"] for purchase in (held, failed)] == ["due", "paid"]
    [case] = till.cases(failed)
    till.operator(f"/v1/cases/{case['id']}/closure")
    assert schedule.handler({}, IN_TIME)["cases_open"] == before["cases_open"]


class Racing:
    """The provider, at which somebody else is paid while the first who asks is told to wait."""

    def __init__(self, till: Till) -> None:
        self._till, self._payments, self._asked = till, money.payments(), 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._payments, name)

    def payout(self, *asked: Any, **named: Any) -> Any:
        """The first is told what was so before the other came; the other dies before it keeps anything."""
        self._asked += 1
        assert self._asked <= 2, "what is booked as paid is not asked for again"
        try:
            return self._payments.payout(*asked, **named)
        except Conflict:
            self._till.payout_account("complete")
            self._payments.payout(*asked, **named)
            raise


def test_a_transfer_made_while_somebody_was_told_to_wait_is_the_only_one(
    settling: Settling, monkeypatch: pytest.MonkeyPatch
) -> None:
    till, seller = settling.till, settling.till.exchange.seller
    till.fund()
    purchase = settling.bought("retire", SECURE_CARD)
    till.payout_account("restricted")
    racing = Racing(till)
    monkeypatch.setattr(money, "payments", lambda: racing)
    settling.step(purchase, "pay_sellers")
    [waiting] = payouts(till, purchase)
    assert (waiting["state"], waiting["attempts"]) == ("waiting", 1)
    assert run().paid == 1
    [paid] = payouts(till, purchase)
    assert transfers_of(till, paid) == [paid["transfer"]]
    assert (f"payable:{seller}", "USD") not in till.balances()

    # Somebody who read it before keeps it as waiting: the ledger knows better.
    store = purchases.purchases()
    kept = store.payout(paid["id"])
    assert kept is not None
    forgotten = msgspec.structs.replace(kept.record, state="waiting", transfer="")
    store.save_payout(forgotten, kept.revision, told(SYSTEM, "pay_seller", kept.record.id, "waiting", 1))
    assert till.operator(f"/v1/payouts/{paid['id']}/retry")["transfer"] == paid["transfer"]
    assert payouts(till, purchase) == [paid]


PROCEEDS = 990_000
"""Of 50 grams for a dollar, less a fee of ten basis points and what is no whole cent."""


def fetch(till: Till, leave: int = 0) -> None:
    """The seller claims all but so much of its proceeds."""
    till.exchange.watch()
    _, claimable = till.seller_units()
    move(till, "claim", claimable - leave)


def move(till: Till, verb: str, amount: int) -> None:
    """The seller moves quote units between its wallet and what is claimable."""
    body = {"asset": "quote", "amount": str(amount)}
    till.exchange.post(till.exchange.seller, f"/v1/portfolio/{verb}", body)


def owned(till: Till) -> int:
    """Quote units that the seller has on chain."""
    return sum(till.seller_units())


def gaps(till: Till) -> tuple[int, int]:
    """By how much a reconciliation finds the ledger to differ from the treasury on chain, and from the
    provider."""
    found = till.reconciled()
    return (
        found.ledger_float - found.chain_float,
        found.ledger_receivable + found.in_flight - found.provider_balance,
    )


def transfers_of(till: Till, payout: Any) -> list[str]:
    """The transfers that the provider made for a payout."""
    found = till.stripe().v1.transfers.list({"destination": payout["account"], "limit": 100}).data
    return [each.id for each in found if each.metadata["payout"] == payout["id"]]


def test_a_seller_who_fetched_its_proceeds_before_the_payout_has_been_paid_on_chain(
    settling: Settling, capsys: pytest.CaptureFixture[str]
) -> None:
    till, seller = settling.till, settling.till.exchange.seller
    inbox = Notifications(till.world)
    inbox.take()
    inbox.messages.clear()
    agreed = gaps(till)
    purchase = settling.bought("retire", SECURE_CARD)
    fetch(till)
    before = till.balances(), till.treasury(), owned(till)
    settling.until(purchase, "complete", "pay_sellers")
    [ended] = payouts(till, purchase)
    assert (ended["state"], ended["units"], ended["transfer"]) == ("paid_on_chain", str(PROCEEDS), None)
    assert "claimable balance is smaller" in ended["reason"]
    # However often it is tried again, by whomever, nothing moves and nothing is counted.
    settling.step(purchase, "pay_sellers")
    assert till.operator(f"/v1/payouts/{ended['id']}/retry") == ended
    assert run() == Backlog(cases_open=run().cases_open)
    assert payouts(till, purchase) == [ended]
    assert (till.balances(), till.treasury(), owned(till)) == before
    assert transfers_of(till, ended) == []
    assert gaps(till) == agreed

    inbox.take()
    told = [message for message in inbox.messages if message["type"].startswith("payout.")]
    [message] = told
    schema.check("events/payout_paid_on_chain", message)
    assert message["organisation"] == seller
    assert message["data"] == {
        "payout": ended["id"],
        "purchase": purchase,
        "units": str(PROCEEDS),
        "reason": ended["reason"],
    }
    assert "PayoutBeganToWait" not in capsys.readouterr().out


def test_what_is_left_of_proceeds_fetched_in_part_is_the_sellers_and_so_are_later_sales(
    settling: Settling,
) -> None:
    till = settling.till
    agreed = gaps(till)
    first = settling.bought("await_fill")
    settling.fail(first, Conflict("a story"))
    fetch(till, leave=PROCEEDS - 1)
    assert (run().paid_on_chain, run().paid_on_chain) == (1, 0)
    assert till.seller_units()[1] == PROCEEDS - 1

    second = settling.bought("retire", SECURE_CARD)
    had = owned(till)
    # Both would fit into the balance now; only the second is taken out of it.
    move(till, "deposit", PROCEEDS)
    settling.step(second, "pay_sellers")
    [ended], [paid] = payouts(till, first), payouts(till, second)
    assert till.operator(f"/v1/payouts/{ended['id']}/retry") == ended
    assert (ended["state"], paid["state"]) == ("paid_on_chain", "paid")
    assert owned(till) == had - PROCEEDS
    assert (transfers_of(till, ended), transfers_of(till, paid)) == ([], [paid["transfer"]])
    assert gaps(till) == agreed


def test_proceeds_spent_between_their_claim_and_their_sending_stay_with_the_seller_through_any_death(
    settling: Settling,
) -> None:
    till, seller = settling.till, settling.till.exchange.seller
    purchase = settling.bought("retire", SECURE_CARD)
    [due] = payouts(till, purchase)
    access, claiming = chain.chain_access(), market_calls.claim(till.exchange.quote, PROCEEDS)
    access.submit(f"payout/{due['id']}/claim", seller, claiming)
    assert access.await_fate(f"payout/{due['id']}/claim").success
    # A process has died here, and the seller trades with all that is in its wallet.
    spent, _ = till.seller_units()
    move(till, "deposit", spent)
    before = till.balances(), till.treasury(), owned(till)
    settling.deaths.run(lambda: settling.step(purchase, "pay_sellers"))
    move(till, "claim", spent)
    assert payouts(till, purchase)[0]["state"] == "paid_on_chain"
    assert run().paid_on_chain == 0
    assert (till.balances(), till.treasury(), owned(till)) == before
    assert transfers_of(till, due) == []


class Refusing:
    """A node that takes nothing: who asks for a fate may have to fill a gap before it, which is refused."""

    def __init__(self) -> None:
        self._access = chain.chain_access()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._access, name)

    def await_fate(self, key: str, timeout_s: float = 30) -> Any:
        """Never known."""
        raise ChainRefused("the node refused the transaction of a gap")


def test_a_node_that_takes_nothing_ends_no_payout(
    settling: Settling, monkeypatch: pytest.MonkeyPatch
) -> None:
    till, refusing = settling.till, Refusing()
    purchase = settling.bought("await_fill")
    settling.fail(purchase, Conflict("a story"))
    with monkeypatch.context() as patch:
        patch.setattr(chain, "chain_access", lambda: refusing)
        refused = run()
    assert (refused.paid_on_chain, refused.payouts_waiting, len(refused.failures)) == (0, 1, 1)
    assert payouts(till, purchase)[0]["state"] == "due"
    assert run().paid == 1


def test_what_came_to_the_treasury_is_owed_whatever_the_chain_says_later(
    settling: Settling, monkeypatch: pytest.MonkeyPatch
) -> None:
    till, refusing = settling.till, Refusing()
    till.empty()
    purchase = settling.bought("complete", SECURE_CARD)
    assert payouts(till, purchase)[0]["state"] == "waiting"
    till.fund()
    monkeypatch.setattr(chain, "chain_access", lambda: refusing)
    assert run().paid == 1
    [paid] = payouts(till, purchase)
    assert transfers_of(till, paid) == [paid["transfer"]]
