"""The ledger in DynamoDB: whole or not at all, once whatever is repeated, by any number of writers."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from carbonmarket.errors import Conflict, IdempotencyMismatch, InvalidInput, NotFound, StaleWrite
from carbonmarket.ledger.audit import audited
from carbonmarket.ledger.chart import available
from carbonmarket.ledger.laws import broken
from carbonmarket.records.money import Entry, Hold, MoneyReconciliation, Resolution, Transfer
from carbonmarket_adapters.dynamo.ledger import BALANCE, DynamoLedger
from carbonmarket_adapters.dynamo.table import DocumentTable, Write

pytestmark = pytest.mark.engines
HOUR = 3_600_000_000


def move(debit: str, credit: str, amount: int, currency: str = "USD", **references: str) -> Transfer:
    return Transfer(
        debit=debit, credit=credit, amount=amount, currency=currency, reason="a story", references=references
    )


PAID = move("stripe:receivable", "buyer:ORG1", 1_000, balance_transaction="txn_1")
FUNDED = move("float:usdc", "capital", 500, "USDC")


def spending(amount: int) -> Transfer:
    return move("exchange", "float:usdc", amount, "USDC")


def left(ledger: DynamoLedger, account: str) -> int:
    (balance,) = ledger.balances(account)
    return available(balance)


def test_an_entry_stands_in_journal_balances_and_statements(ledger: DynamoLedger) -> None:
    fee = move("stripe:fees", "stripe:receivable", 59, balance_transaction="txn_1")
    entry = ledger.post("one", [PAID, fee], 10)
    assert ledger.entry("one") == entry
    assert left(ledger, "stripe:receivable") == 941
    lines = ledger.statement("stripe:receivable", "USD", 0, 11)
    assert [(line.delta, line.counterpart) for line in lines] == [(1_000, "buyer:ORG1"), (-59, "stripe:fees")]
    assert {line.references["balance_transaction"] for line in lines} == {"txn_1"}
    assert broken(ledger.books()) == []


def test_statements_are_of_a_time(ledger: DynamoLedger) -> None:
    for at in (10, 20, 30):
        ledger.post(f"at {at}", [PAID], at)
    assert [line.at_us for line in ledger.statement("buyer:ORG1", "USD", 10, 30)] == [10, 20]


def test_the_same_again_changes_nothing(ledger: DynamoLedger) -> None:
    entry = ledger.post("one", [PAID], 10)
    assert ledger.post("one", [PAID], 99) == entry
    hold = ledger.pend("two", PAID, 10, HOUR)
    assert ledger.pend("two", PAID, 99, 2 * HOUR) == hold
    end = ledger.post_pending("two", 400, 20, references={"charge": "ch_1"})
    assert ledger.post_pending("two", 400, 99, references={"charge": "ch_1"}) == end
    assert left(ledger, "buyer:ORG1") == 1_400
    ledger.pend("three", PAID, 10, HOUR)
    assert ledger.void("three", 20) == ledger.void("three", 99)


def test_a_key_that_stands_for_something_else_is_refused(ledger: DynamoLedger) -> None:
    ledger.post("one", [PAID], 10)
    ledger.pend("two", PAID, 10, HOUR)
    ledger.pend("three", PAID, 10, HOUR)
    ledger.post_pending("three", 400, 20)
    other = msgspec.structs.replace(PAID, amount=1)
    for again in (
        lambda: ledger.post("one", [other], 10),
        lambda: ledger.post("two", [PAID], 10),
        lambda: ledger.pend("one", PAID, 10, HOUR),
        lambda: ledger.pend("two", other, 10, HOUR),
        lambda: ledger.post_pending("three", 401, 20),
        lambda: ledger.post_pending("three", 400, 20, also=[PAID]),
    ):
        with pytest.raises(IdempotencyMismatch):
            again()


def test_a_hold_is_posted_in_part_with_what_belongs_to_it(ledger: DynamoLedger) -> None:
    ledger.post("float", [FUNDED], 1)
    ledger.pend("order", spending(300), 2, HOUR)
    assert left(ledger, "float:usdc") == 200
    ledger.pend("card", PAID, 2, HOUR)
    ledger.post_pending("order", 120, 3)
    fee = move("stripe:fees", "stripe:receivable", 30, balance_transaction="txn_2")
    end = ledger.post_pending(
        "card", 500, 4, references={"balance_transaction": "txn_2"}, also=[fee, move("buyer:ORG1", "fees", 5)]
    )
    assert end.entry is not None
    assert end.entry.transfers[0].references == {"balance_transaction": "txn_2"}
    assert left(ledger, "float:usdc") == 380
    assert left(ledger, "stripe:receivable") == 470
    held = ledger.hold("card")
    assert held is not None
    assert (held.state, held.resolution) == ("posted", end)
    assert broken(ledger.books()) == []


def test_what_would_break_a_limit_leaves_everything_as_it_was(ledger: DynamoLedger) -> None:
    ledger.post("float", [FUNDED], 1)
    ledger.pend("order", spending(300), 2, HOUR)
    before = ledger.books()
    with pytest.raises(Conflict, match="float:usdc lacks 1 USDC"):
        ledger.post("two", [PAID, spending(201)], 3)
    with pytest.raises(Conflict, match="float:usdc lacks 100 USDC"):
        ledger.pend("three", spending(300), 3, HOUR)
    with pytest.raises(InvalidInput):
        ledger.post_pending("order", 301, 3)
    assert ledger.books() == before
    assert ledger.entry("two") is None


def test_what_was_never_set_aside_cannot_be_ended(ledger: DynamoLedger) -> None:
    ledger.post("entry", [PAID], 1)
    for key in ("nothing", "entry"):
        with pytest.raises(NotFound, match=f"no hold {key}"):
            ledger.post_pending(key, 1, 2)
        with pytest.raises(NotFound, match=f"no hold {key}"):
            ledger.void(key, 2)


def test_time_gives_money_back(ledger: DynamoLedger) -> None:
    ledger.post("float", [FUNDED], 1)
    ledger.pend("late", spending(300), 2, HOUR)
    ledger.pend("later", spending(100), 2, HOUR + 1)
    assert ledger.expire(HOUR - 1) == []
    (ended,) = ledger.expire(HOUR)
    assert (ended.key, ended.state, ended.amount) == ("late", "expired", 0)
    assert left(ledger, "float:usdc") == 400
    assert ledger.void("late", HOUR + 5) == ended
    assert ledger.expire(HOUR) == []


def test_a_hold_cannot_be_posted_when_its_time_has_passed(ledger: DynamoLedger) -> None:
    ledger.pend("late", PAID, 2, HOUR)
    with pytest.raises(Conflict, match="time of hold late has passed"):
        ledger.post_pending("late", 10, HOUR)
    assert left(ledger, "buyer:ORG1") == 0


def test_whoever_needs_money_gets_that_of_holds_whose_time_has_passed(ledger: DynamoLedger) -> None:
    ledger.post("float", [FUNDED], 1)
    ledger.pend("late", spending(400), 2, HOUR)
    ledger.pend("next", spending(500), HOUR, 2 * HOUR)
    held = ledger.hold("late")
    assert held is not None
    assert held.state == "expired"


def test_many_writers_of_the_float_never_overdraw_it(ledger: DynamoLedger) -> None:
    """Hot accounts: the loser of a race is told StaleWrite and its caller tries again."""
    ledger.post("float", [FUNDED], 1)

    @retry(
        retry=retry_if_exception_type(StaleWrite),
        stop=stop_after_attempt(60),
        wait=wait_random_exponential(multiplier=0.005, max=0.1),
        reraise=True,
    )
    def spend(number: int) -> bool:
        try:
            ledger.pend(f"order {number % 8}", spending(100), 2, HOUR)
        except StaleWrite:
            raise
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(spend, range(16)))
    # Eight orders, each asked for twice: five of them fit.
    assert left(ledger, "float:usdc") == 0
    held = [ledger.hold(f"order {number}") for number in range(8)]
    assert sum(each is not None for each in held) == 5
    assert sum(answers) == 10
    assert broken(ledger.books()) == []


def test_a_writer_that_lost_a_race_has_written_nothing(
    ledger: DynamoLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = DynamoLedger._load

    def overtaken(self: DynamoLedger, transfers: Any) -> Any:
        loaded = load(self, transfers)
        monkeypatch.setattr(DynamoLedger, "_load", load)
        self.post("first", [PAID], 1)
        return loaded

    monkeypatch.setattr(DynamoLedger, "_load", overtaken)
    with pytest.raises(StaleWrite):
        ledger.post("second", [PAID], 1)
    assert ledger.entry("second") is None
    assert left(ledger, "buyer:ORG1") == 1_000
    assert broken(ledger.books()) == []


def test_a_balance_that_somebody_changed_is_found(ledger: DynamoLedger) -> None:
    ledger.post("one", [PAID], 1)
    (balance,) = ledger.balances("buyer:ORG1")
    forged = msgspec.structs.replace(balance, credits=999)
    table = DocumentTable(ledger._settings, "ledger")
    table.put(Write(BALANCE, "account#buyer:ORG1", "balance#USD", forged))
    assert any("debits of USD exceed its credits by 1" in each for each in broken(ledger.books()))


def test_an_audit_finds_what_somebody_changed_and_all_else_in_order(ledger: DynamoLedger) -> None:
    ledger.post("float", [FUNDED], 1)
    ledger.post("one", [PAID], 1)
    ledger.pend("order", spending(300), 2, HOUR)
    ledger.pend("another", spending(100), 2, HOUR)
    ledger.post_pending("order", 120, 3)
    ledger.pend("third", spending(100), 2, HOUR)
    ledger.void("third", 3)
    assert audited(ledger) == []
    (balance,) = ledger.balances("float:usdc")
    forged = msgspec.structs.replace(balance, credits_pending=99)
    DocumentTable(ledger._settings, "ledger").put(
        Write(BALANCE, "account#float:usdc", "balance#USDC", forged)
    )
    pending, journal = audited(ledger)
    assert pending == "pending debits of USDC exceed its pending credits by 1"
    assert "float:usdc in USDC is kept as [500, 120, 0, 99]" in journal


def test_what_is_written_while_an_audit_reads_is_no_difference(
    ledger: DynamoLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def moving(self: DynamoLedger) -> Iterator[Entry | Hold | Resolution]:
        self.post(f"{next(numbers)} before", [PAID, spending(2)], 1)
        self.pend(f"{next(numbers)} held before", spending(3), 2, HOUR)
        for each in journal(self):
            yield each
            self.post(f"{next(numbers)} between", [PAID, spending(2)], 1)
            key = f"{next(numbers)} held between"
            self.pend(key, spending(3), 2, HOUR)
            self.post_pending(key, 2, 3)

    numbers, journal = itertools.count(), DynamoLedger.journal
    ledger.post("float", [FUNDED, move("float:usdc", "capital", 500, "USDC")], 1)
    ledger.post("still", [move("bank", "fees", 7)], 1)
    monkeypatch.setattr(DynamoLedger, "journal", moving)
    assert audited(ledger) == []
    # An account that moves is judged within what moved, one that stands still to the unit.
    table = DocumentTable(ledger._settings, "ledger")
    for account, currency, more in (("float:usdc", "USDC", 10_000), ("fees", "USD", 1)):
        (balance,) = ledger.balances(account)
        forged = msgspec.structs.replace(balance, debits=balance.debits + more)
        table.put(Write(BALANCE, f"account#{account}", f"balance#{currency}", forged))
    fees, float_ = audited(ledger)
    assert fees.startswith("fees in USD is kept as [1, 7, 0, 0]")
    assert float_.startswith("float:usdc in USDC is kept as")


def test_reconciliations_are_kept_newest_first(ledger: DynamoLedger) -> None:
    for at in (1, 2, 3):
        ledger.publish(
            MoneyReconciliation(
                at_us=at,
                since_us=0,
                currency="USD",
                ledger_receivable=0,
                provider_balance=0,
                in_flight=0,
                ledger_float=0,
                chain_float=0,
                matched=0,
                differences=(),
            )
        )
    assert [each.at_us for each in ledger.published(2)] == [3, 2]
    assert [each.at_us for each in ledger.published(2, before_us=3)] == [2, 1]
