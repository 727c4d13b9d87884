"""The audit of a ledger holds little of it, and what moves while it reads is no difference."""

from __future__ import annotations

import tracemalloc
from collections.abc import Collection, Iterator

import msgspec
import pytest

from carbonmarket.ledger.audit import audited
from carbonmarket.ledger.decide import AccountKey
from carbonmarket.records.money import Balance, Entry, Hold, KeptBalance, Resolution, Transfer

PURCHASES = 20_000
AMOUNT = 100


def transfer(debit: str, credit: str) -> Transfer:
    return Transfer(
        debit=debit, credit=credit, amount=AMOUNT, currency="USD", reason="a story", references={}
    )


PAID = transfer("stripe:receivable", "fees")


class Long:
    """A ledger of many purchases, each of which is there only while it is read."""

    def __init__(self, **changes: int) -> None:
        self.changes = changes

    def kept(self, accounts: Collection[AccountKey] | None = None) -> dict[AccountKey, KeptBalance]:
        total = 2 * PURCHASES * AMOUNT
        balances = (
            Balance(account="stripe:receivable", currency="USD", debits=total),
            Balance(account="fees", currency="USD", credits=total + self.changes.get("credits", 0)),
        )
        return {(each.account, "USD"): KeptBalance(balance=each, revision=1) for each in balances}

    def journal(self) -> Iterator[Entry | Hold | Resolution]:
        for number in range(PURCHASES):
            yield Entry(key=f"entry {number}", transfers=(PAID,), at_us=number)
            hold = Hold(key=f"hold {number}", transfer=PAID, created_us=1, expires_us=9)
            posted = Entry(key=hold.key, transfers=(PAID,), at_us=2)
            end = Resolution(key=hold.key, state="posted", amount=AMOUNT, at_us=2, entry=posted)
            # A scan may give the two the other way round.
            yield from (hold, end) if number % 2 else (end, hold)


def test_of_a_long_ledger_only_sums_are_held() -> None:
    tracemalloc.start()
    try:
        assert audited(Long()) == []  # type: ignore[arg-type]
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 500_000


def test_a_sum_that_differs_by_one_is_named() -> None:
    (unequal, forged) = audited(Long(credits=1))  # type: ignore[arg-type]
    assert unequal == "debits of USD exceed its credits by -1"
    assert "fees in USD is kept as" in forged


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"amount": AMOUNT + 1}, "hold hold 1 of 100 USD has posted 101"),
        ({"key": "nowhere"}, "hold nowhere has an end and never began"),
    ],
)
def test_a_hold_that_ended_wrongly_is_named(
    monkeypatch: pytest.MonkeyPatch, change: dict[str, object], sentence: str
) -> None:
    def forged(self: Long) -> Iterator[Entry | Hold | Resolution]:
        for each in whole(self):
            is_one = isinstance(each, Resolution) and each.key == "hold 1"
            yield msgspec.structs.replace(each, **change) if is_one else each

    whole = Long.journal
    monkeypatch.setattr("tests.unit.ledger.test_audit.PURCHASES", 3)
    monkeypatch.setattr(Long, "journal", forged)
    assert sentence in audited(Long())  # type: ignore[arg-type]
