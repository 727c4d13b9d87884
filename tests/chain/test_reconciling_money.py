"""Ledger, payment provider and treasury agree after trades; whichever of them is changed is named."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from carbonmarket.chain import market_calls
from carbonmarket.errors import EngineUnavailable
from carbonmarket.operations.reconcile_money import DAY_US, reconcile_money
from carbonmarket.records.money import MoneyReconciliation, Transfer
from carbonmarket_adapters.dynamo.ledger import BALANCE, DynamoLedger
from carbonmarket_adapters.dynamo.table import DocumentTable, Write, table_model
from carbonmarket_adapters.payments_stripe import StripePayments
from tests.chain.exchange import DOLLARS, Exchange
from tests.money.provider import KEY, Provider

TREASURY = "alice"
NOW_US = time.time_ns() // 1_000

HOUR_US = 3_600_000_000
_stages = itertools.count()


class Desk:
    """A treasury with quote tokens, a ledger that knows of them, and a provider."""

    def __init__(self, exchange: Exchange, ledger: DynamoLedger, provider: Provider, wallet: int) -> None:
        self.exchange = exchange
        self.ledger = ledger
        self.provider = provider
        self.payments: StripePayments = provider.payments()
        self.post("float", move("float:usdc", "capital", wallet, "USDC"))

    def post(self, key: str, *transfers: Transfer) -> None:
        self.ledger.post(key, transfers, NOW_US)

    def buy(self, key: str, amount: int, card: str = "pm_card_visa") -> str:
        """A card pays; returns the balance transaction, which the ledger does not know yet."""
        held = self.payments.authorise(f"{key} authorise", amount, "USD", card, {})
        return self.payments.capture(held.intent, amount).balance_transaction

    def book(self, key: str, movement: str, amount: int, fee: int) -> None:
        named = {"balance_transaction": movement}
        self.post(
            key,
            move("stripe:receivable", "buyer:ORG1", amount, "USD", named),
            move("stripe:fees", "stripe:receivable", fee, "USD", named),
        )

    def run(
        self, now_us: int | None = None, catch_up: Callable[[], None] = lambda: None
    ) -> MoneyReconciliation:
        return reconcile_money(
            ledger=self.ledger,
            payments=self.payments,
            chain=self.exchange.outbox,
            treasury=self.exchange.address(TREASURY),
            quote_asset=self.exchange.quote,
            currency="USD",
            catch_up=catch_up,
            now_us=time.time_ns() // 1_000 if now_us is None else now_us,
        )


def move(
    debit: str, credit: str, amount: int, currency: str, references: dict[str, str] | None = None
) -> Transfer:
    return Transfer(
        debit=debit,
        credit=credit,
        amount=amount,
        currency=currency,
        reason="a story",
        references=references or {},
    )


@pytest.fixture
def desk(exchange: Exchange, tmp_path: Path) -> Iterator[Desk]:
    """A ledger and a provider of their own over the session's exchange."""
    settings = replace(exchange.settings, stage=f"{exchange.settings.stage}-{next(_stages)}")
    table_model(settings, "ledger").create_table(billing_mode="PAY_PER_REQUEST", wait=True)
    provider = Provider(tmp_path / "stripe", "")
    provider.start()
    wallet = exchange.outbox.view(
        "0x1::primary_fungible_store::balance",
        ["0x1::fungible_asset::Metadata"],
        [exchange.address(TREASURY), exchange.quote],
    )
    yield Desk(exchange, DynamoLedger(settings), provider, int(wallet[0]) + claimable(exchange))
    provider.stop()


def claimable(exchange: Exchange) -> int:
    [amount] = exchange.outbox.view("market_vault::balance", [], [exchange.address(TREASURY), exchange.quote])
    return int(amount)


def later() -> int:
    """When nothing that just happened is on its way any more."""
    return time.time_ns() // 1_000 + HOUR_US


def test_all_three_agree_after_cards_a_refund_and_a_deposit(desk: Desk) -> None:
    desk.book("one", desk.buy("one", 10_000), 10_000, 320)
    held = desk.payments.authorise("two", 5_000, "USD", "pm_card_visa", {})
    taken = desk.payments.capture(held.intent, 5_000)
    desk.book("two", taken.balance_transaction, taken.amount, taken.fee)
    given = desk.payments.refund("four", held.intent, 1_000)
    named = {"balance_transaction": given.balance_transaction}
    desk.post("three", move("buyer:ORG1", "stripe:receivable", 1_000, "USD", named))
    # In the wallet or claimable from the market, it is the treasury's.
    desk.exchange.do(TREASURY, market_calls.deposit(desk.exchange.quote, DOLLARS // 10), desk.exchange.key())
    result = desk.run(later())
    assert result.differences == ()
    assert (result.matched, result.in_flight) == (3, 0)
    assert result.provider_balance == result.ledger_receivable == 15_000 - 320 - taken.fee - 1_000
    assert result.chain_float == result.ledger_float
    assert desk.ledger.published() == [result]


def test_what_the_provider_paid_to_our_bank_is_booked_once(desk: Desk) -> None:
    desk.book("one", desk.buy("one", 10_000), 10_000, 320)
    desk.provider.client().v1.payouts.create({"amount": 9_000, "currency": "usd"})
    for _ in range(2):
        result = desk.run(later())
        assert (result.differences, result.matched) == ((), 2)
        assert result.provider_balance == result.ledger_receivable == 680
    (bank,) = desk.ledger.balances("bank")
    assert bank.debits == 9_000


def test_what_was_put_into_the_providers_balance_and_its_own_fees_are_booked_once(desk: Desk) -> None:
    # Sellers' accounts cost fees that belong to no payment; who finds too little there puts more into it.
    desk.provider.client().v1.topups.create({"amount": 5_000, "currency": "usd"})
    desk.provider.test("fees", amount=200, currency="usd")
    for _ in range(2):
        result = desk.run(later())
        assert (result.differences, result.matched) == ((), 2)
        assert result.provider_balance == result.ledger_receivable == 4_800
    (bank,), (fees,) = desk.ledger.balances("bank"), desk.ledger.balances("stripe:fees")
    assert (bank.credits, fees.debits) == (5_000, 200)


def test_a_capture_that_nobody_booked_is_named_once_it_is_late(desk: Desk) -> None:
    movement = desk.buy("one", 10_000)
    soon = desk.run()
    assert (soon.differences, soon.in_flight) == ((), 9_680)
    late = desk.run(later())
    assert any(
        movement in each and "9680 USD at the provider and 0 in the ledger" in each
        for each in late.differences
    )
    assert any("the provider's balance is 9680 USD; the ledger has 0" in each for each in late.differences)


def test_a_booking_of_another_amount_is_named(desk: Desk) -> None:
    movement = desk.buy("one", 10_000)
    desk.book("one", movement, 10_000, 319)
    (amounts, totals) = desk.run(later()).differences
    assert movement in amounts and "9680 USD at the provider and 9681 in the ledger" in amounts
    assert "9680 USD; the ledger has 9681" in totals


def test_what_the_ledger_made_up_is_named(desk: Desk) -> None:
    desk.book("one", "txn_made_up", 500, 45)
    desk.post("two", move("stripe:receivable", "suspense", 7, "USD"))
    sentences = desk.run().differences
    assert any("entry two moves 7 USD at the provider and names no balance" in each for each in sentences)
    assert any("by txn_made_up, which the provider doesn't have" in each for each in sentences)
    assert any("the provider's balance is 0 USD; the ledger has 462" in each for each in sentences)


def test_what_was_booked_days_later_is_no_difference(desk: Desk) -> None:
    movement = desk.buy("one", 10_000)
    in_ten_days = time.time_ns() // 1_000 + 10 * DAY_US
    desk.ledger.post(
        "one",
        [move("stripe:receivable", "buyer:ORG1", 9_680, "USD", {"balance_transaction": movement})],
        in_ten_days - DAY_US,
    )
    assert desk.run(in_ten_days).differences == ()


def test_a_treasury_that_lost_tokens_is_named(desk: Desk) -> None:
    desk.post("one", move("float:usdc", "capital", 5, "USDC"))
    (sentence,) = desk.run().differences
    assert "the treasury's account on chain holds" in sentence


def test_what_is_set_aside_may_have_moved_or_not(desk: Desk) -> None:
    desk.ledger.pend("order", move("exchange", "float:usdc", 100, "USDC"), NOW_US, later())
    assert desk.run().differences == ()
    # The order was filled for 60 on chain and its saga has not come to booking it.
    desk.post("more", move("float:usdc", "capital", 60, "USDC"))
    assert desk.run().differences == ()
    # Once nothing is set aside any more, the 60 are missing.
    assert len(desk.run(later() + DAY_US).differences) == 1


def test_a_forged_balance_is_named(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    # The ledger is as long as the market is old: no run may hold all of it.
    monkeypatch.delattr(DynamoLedger, "books")
    desk.book("one", desk.buy("one", 10_000), 10_000, 320)
    (balance,) = desk.ledger.balances("stripe:receivable")
    forged = Write(
        BALANCE,
        "account#stripe:receivable",
        "balance#USD",
        msgspec.structs.replace(balance, debits=balance.debits + 1),
    )
    DocumentTable(desk.ledger._settings, "ledger").put(forged)
    sentences = desk.run(later()).differences
    assert "debits of USD exceed its credits by 1" in sentences
    assert any("the ledger has 9681" in each for each in sentences)


def test_what_is_only_late_is_let_catch_up(desk: Desk) -> None:
    movement = desk.buy("one", 10_000)
    result = desk.run(later(), lambda: desk.book("one", movement, 10_000, 320))
    assert (result.differences, result.matched) == ((), 1)


def test_nothing_is_published_while_the_provider_is_away(desk: Desk) -> None:
    desk.provider.kill()
    with pytest.raises(EngineUnavailable, match="payment provider"):
        desk.run()
    assert desk.ledger.published() == []


def test_the_function_publishes_and_measures(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from functions.reconcile_money import handler

    desk.post("one", move("float:usdc", "capital", 5, "USDC"))
    desk.exchange.wire(monkeypatch)
    told = replace(desk.exchange.settings, quote_asset=desk.exchange.quote, treasury_key=TREASURY)
    for name, value in told.to_env().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(handler, "ledger", lambda: desk.ledger)
    monkeypatch.setattr(handler, "payments", lambda: desk.payments)
    monkeypatch.setattr(handler, "_CATCH_UP_S", 0)
    context: Any = SimpleNamespace(
        aws_request_id="one",
        function_name="reconcile-money",
        memory_limit_in_mb=512,
        invoked_function_arn="arn:aws:lambda:us-east-1:000000000000:function:reconcile-money",
    )
    assert handler.handler({}, context) == {"matched": 0, "differences": 1}
    assert len(desk.ledger.published()) == 1
    printed = capsys.readouterr().out
    assert "MoneyReconciliationDifference" in printed
    assert KEY not in printed
