"""What the ledger's decisions do to balances: any sequence of writes keeps every law."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbonmarket.errors import Conflict, InvalidInput
from carbonmarket.ledger.chart import CHART, account_of, available
from carbonmarket.ledger.decide import (
    AccountKey,
    Decision,
    decide_pend,
    decide_post,
    decide_posting,
    decide_return,
    lines_of,
)
from carbonmarket.ledger.laws import broken
from carbonmarket.records.money import Balance, Books, Entry, HeldTransfer, Transfer

ACCOUNTS = ("stripe:receivable", "buyer:ORG1", "buyer:ORG2", "payable:ORG3", "fees", "capital", "exchange")


def transfer(debit: str, credit: str, amount: int, currency: str = "USD") -> Transfer:
    return Transfer(debit=debit, credit=credit, amount=amount, currency=currency, reason="a story")


class Plain:
    """Books in memory, written by the decisions under test."""

    def __init__(self) -> None:
        self.balances: dict[AccountKey, Balance] = {}
        self.entries: list[Entry] = []
        self.held: dict[str, HeldTransfer] = {}

    def take(self, decision: Decision[Any]) -> Any:
        self.balances.update(decision.balances)
        return decision.appended

    def post(self, *transfers: Transfer) -> None:
        self.entries.append(self.take(decide_post("key", transfers, self.balances, 1)))

    def pend(self, key: str, wanted: Transfer) -> None:
        self.held[key] = HeldTransfer(hold=self.take(decide_pend(key, wanted, self.balances, 1, 100)))

    def settle(self, key: str, amount: int, *also: Transfer) -> None:
        self._end(key, decide_posting(self.held[key], amount, {}, also, self.balances, 2))

    def void(self, key: str) -> None:
        self._end(key, decide_return(self.held[key], "voided", self.balances, 2))

    def _end(self, key: str, decision: Decision[Any]) -> None:
        self.held[key] = msgspec.structs.replace(self.held[key], resolution=self.take(decision))

    def books(self) -> Books:
        return Books(
            entries=tuple(self.entries),
            holds=tuple(self.held.values()),
            balances=tuple(self.balances.values()),
        )

    def available(self, account: str, currency: str = "USD") -> int:
        return available(self.balances[account, currency])


AMOUNTS = st.integers(1, 50)
PAIRS = st.tuples(st.sampled_from(ACCOUNTS), st.sampled_from(ACCOUNTS)).filter(
    lambda pair: pair[0] != pair[1]
)
STEPS = st.tuples(
    st.sampled_from(["post", "pend", "settle", "void"]), PAIRS, AMOUNTS, st.sampled_from(["USD", "EUR"])
)


@settings(max_examples=150, deadline=None)
@given(st.lists(STEPS, max_size=30))
def test_no_sequence_of_writes_breaks_a_law(steps: list[tuple[str, tuple[str, str], int, str]]) -> None:
    plain, sums = Plain(), dict.fromkeys(ACCOUNTS, 0)
    for number, (kind, (debit, credit), amount, currency) in enumerate(steps):
        wanted = transfer(debit, credit, amount, currency)
        moved: list[Transfer] = []
        before = plain.books()
        pending = [key for key, held in plain.held.items() if held.state == "pending"]
        try:
            if kind == "post":
                plain.post(wanted)
                moved = [wanted]
            elif kind == "pend":
                plain.pend(str(number), wanted)
            elif pending and kind == "settle":
                held = plain.held[pending[0]].hold.transfer
                plain.settle(pending[0], min(amount, held.amount), wanted)
                moved = [msgspec.structs.replace(held, amount=min(amount, held.amount)), wanted]
            elif pending:
                plain.void(pending[0])
        except Conflict:
            assert plain.books() == before
        for each in moved:
            sums[each.debit] += each.amount
            sums[each.credit] -= each.amount
        assert broken(plain.books()) == []
    for account, total in sums.items():
        kept = [b for b in plain.balances.values() if b.account == account]
        assert sum(b.debits - b.credits for b in kept) == total


def test_money_set_aside_cannot_be_spent_twice() -> None:
    plain = Plain()
    plain.post(transfer("float:usdc", "capital", 100, "USDC"))
    plain.pend("one", transfer("exchange", "float:usdc", 80, "USDC"))
    assert plain.available("float:usdc", "USDC") == 20
    with pytest.raises(Conflict, match="float:usdc lacks 10 USDC"):
        plain.pend("two", transfer("exchange", "float:usdc", 30, "USDC"))
    with pytest.raises(Conflict, match="float:usdc lacks 10 USDC"):
        plain.post(transfer("exchange", "float:usdc", 30, "USDC"))


def test_what_a_hold_does_not_post_comes_back() -> None:
    plain = Plain()
    plain.post(transfer("float:usdc", "capital", 100, "USDC"))
    plain.pend("one", transfer("exchange", "float:usdc", 80, "USDC"))
    plain.settle("one", 30)
    assert plain.available("float:usdc", "USDC") == 70
    plain.pend("two", transfer("exchange", "float:usdc", 70, "USDC"))
    plain.void("two")
    assert plain.available("float:usdc", "USDC") == 70


def test_an_entry_is_judged_as_a_whole() -> None:
    """The float is paid out before it is filled up, in one entry: what counts is where it ends."""
    plain = Plain()
    plain.post(
        transfer("exchange", "float:usdc", 50, "USDC"),
        transfer("float:usdc", "capital", 50, "USDC"),
    )
    assert plain.available("float:usdc", "USDC") == 0


def test_a_hold_ends_once_and_in_time() -> None:
    plain = Plain()
    plain.pend("one", transfer("stripe:receivable", "buyer:ORG1", 10))
    with pytest.raises(InvalidInput, match="11 of it can't be posted"):
        plain.settle("one", 11)
    with pytest.raises(InvalidInput, match="0 of it can't be posted"):
        plain.settle("one", 0)
    with pytest.raises(Conflict, match="time of hold one has passed"):
        decide_posting(plain.held["one"], 10, {}, (), plain.balances, 100)
    plain.settle("one", 10)
    with pytest.raises(Conflict, match="posted already"):
        plain.settle("one", 10)
    with pytest.raises(Conflict, match="transfer of its own"):
        plain.void("one")


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (transfer("stripe:receivable", "buyer:ORG1", 0), "amount"),
        (transfer("stripe:receivable", "buyer:ORG1", -5), "amount"),
        (transfer("stripe:receivable", "buyer:ORG1", 2**63), "amount"),
        (transfer("fees", "fees", 1), "debit"),
        (transfer("fees", "nobody", 1), "account"),
        (transfer("fees", "buyer:", 1), "account"),
        (transfer("fees", "buyer:ORG 1", 1), "account"),
        (transfer("fees", "exchange", 1, "dollars"), "currency"),
        (transfer("exchange", "float:usdc", 1, "USD"), "currency"),
    ],
)
def test_what_is_no_transfer_is_refused(wanted: Transfer, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        decide_post("key", [wanted], {}, 1)
    assert refused.value.field == field


def test_an_entry_has_transfers_and_not_too_many() -> None:
    for count in (0, 17):
        with pytest.raises(InvalidInput, match="1 to 16"):
            decide_post("key", [transfer("fees", "exchange", 1)] * count, {}, 1)


def test_a_hold_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(InvalidInput, match="end after it begins"):
        decide_pend("key", transfer("stripe:receivable", "buyer:ORG1", 1), {}, 5, 5)


def test_statements_show_both_sides() -> None:
    entry = decide_post("key", [transfer("stripe:receivable", "buyer:ORG1", 7)], {}, 1).appended
    assert [(line.account, line.delta) for line in lines_of(entry)] == [
        ("stripe:receivable", 7),
        ("buyer:ORG1", -7),
    ]


def test_the_chart_names_each_account_once() -> None:
    assert len({account.name for account in CHART}) == len(CHART)
    assert account_of("buyer:ORG1").name == "buyer:"


def forged(plain: Plain, **change: int) -> Books:
    books = plain.books()
    first = msgspec.structs.replace(books.balances[0], **change)
    return msgspec.structs.replace(books, balances=(first, *books.balances[1:]))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"debits": 101}, "debits of USD exceed its credits by 1"),
        ({"debits_pending": 1}, "pending debits of USD exceed"),
        ({"credits_pending": -1}, "a sum below zero"),
        ({"credits": 101}, "is kept as"),
    ],
)
def test_forged_balances_are_found(change: dict[str, int], sentence: str) -> None:
    plain = Plain()
    plain.post(transfer("stripe:receivable", "buyer:ORG1", 100))
    assert any(sentence in each for each in broken(forged(plain, **change)))


def test_an_overdrawn_account_is_found() -> None:
    plain = Plain()
    plain.post(transfer("stripe:receivable", "buyer:ORG1", 100))
    plain.balances["buyer:ORG1", "USD"] = Balance(account="buyer:ORG1", currency="USD", debits=1, credits=0)
    assert any("buyer:ORG1 is overdrawn by 1 USD" in each for each in broken(plain.books()))


def test_a_hold_that_posted_too_much_is_found() -> None:
    plain = Plain()
    plain.pend("one", transfer("stripe:receivable", "buyer:ORG1", 10))
    plain.settle("one", 10)
    held = plain.held["one"]
    smaller = msgspec.structs.replace(held.hold.transfer, amount=9)
    plain.held["one"] = msgspec.structs.replace(
        held, hold=msgspec.structs.replace(held.hold, transfer=smaller)
    )
    assert any("hold one of 9 USD has posted 10" in each for each in broken(plain.books()))
