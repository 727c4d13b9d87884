"""The laws of a ledger that goes on moving, however long it is: its journal is read once and nothing is kept.

What is held in memory is a sum for each account and the holds that are pending. Reading takes a while, and
what is written meanwhile may be read or not. But sums of debits and of credits only grow, so what the
journal was seen to add up to lies between an account's balance before the reading and that after it; where
the account didn't move, the two are one. What is pending grows and shrinks: it is judged of accounts that
didn't move.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from operator import attrgetter

from carbonmarket.ledger.decide import AccountKey
from carbonmarket.ledger.laws import debits_equal_credits, holds_post_what_they_hold, limits_are_kept
from carbonmarket.ports.money import Ledger
from carbonmarket.records.money import Balance, Books, Entry, HeldTransfer, Hold, KeptBalance, Resolution

_sums = attrgetter("debits", "credits", "debits_pending", "credits_pending")


def audited(ledger: Ledger) -> list[str]:
    """What of the laws doesn't hold, as sentences; none where all do."""
    before = ledger.kept()
    journal = _Journal()
    for appended in ledger.journal():
        journal.take(appended)
    after = ledger.kept(before.keys() | journal.accounts())
    return [*journal.broken(), *_broken(journal, before, after)]


class _Journal:
    """What a journal adds up to."""

    def __init__(self) -> None:
        self._sums: dict[AccountKey, list[int]] = {}
        self._holds: dict[str, Hold] = {}
        # Ends are read beside their holds; one that is read first waits here.
        self._ends: dict[str, Resolution] = {}
        self._sentences: list[str] = []

    def accounts(self) -> set[AccountKey]:
        return set(self._sums)

    def take(self, appended: Entry | Hold | Resolution) -> None:
        if isinstance(appended, Entry):
            self._post(appended)
        elif isinstance(appended, Hold):
            self._hold(appended)
            end = self._ends.pop(appended.key, None)
            if end is None:
                self._holds[appended.key] = appended
            else:
                self._end(appended, end)
        elif (hold := self._holds.pop(appended.key, None)) is not None:
            self._end(hold, appended)
        else:
            self._ends[appended.key] = appended

    def sums(self, account: AccountKey) -> list[int]:
        """Debits, credits, pending debits and pending credits."""
        return self._sums.get(account, [0, 0, 0, 0])

    def broken(self) -> list[str]:
        """What is wrong with single holds."""
        return [*self._sentences, *(f"hold {key} has an end and never began" for key in sorted(self._ends))]

    def _hold(self, hold: Hold, sign: int = 1) -> None:
        transfer = hold.transfer
        self._add(transfer.debit, transfer.currency, 2, sign * transfer.amount)
        self._add(transfer.credit, transfer.currency, 3, sign * transfer.amount)

    def _end(self, hold: Hold, end: Resolution) -> None:
        self._hold(hold, -1)
        if end.entry is not None:
            self._post(end.entry)
        held = HeldTransfer(hold=hold, resolution=end)
        self._sentences.extend(holds_post_what_they_hold(Books(holds=(held,))))

    def _post(self, entry: Entry) -> None:
        for transfer in entry.transfers:
            self._add(transfer.debit, transfer.currency, 0, transfer.amount)
            self._add(transfer.credit, transfer.currency, 1, transfer.amount)

    def _add(self, account: str, currency: str, which: int, amount: int) -> None:
        self._sums.setdefault((account, currency), [0, 0, 0, 0])[which] += amount


def _broken(
    journal: _Journal, before: Mapping[AccountKey, KeptBalance], after: Mapping[AccountKey, KeptBalance]
) -> Iterator[str]:
    balances = Books(balances=tuple(each.balance for each in after.values()))
    yield from limits_are_kept(balances)
    if before == after:
        # Of accounts that move, both sides of a transfer are seldom read at one moment.
        yield from debits_equal_credits(balances)
    for key in sorted(after.keys() | before.keys() | journal.accounts()):
        first, last = before.get(key) or _nothing(key), after.get(key) or _nothing(key)
        least, most, seen = _sums(first.balance), _sums(last.balance), journal.sums(key)
        # A sum that is below the earlier one has been changed by somebody: nothing lies between the two.
        checked = range(4 if first.revision == last.revision else 2)
        if not all(least[each] <= seen[each] <= most[each] for each in checked):
            kept = list(most) if least == most else f"{list(least)} to {list(most)}"
            yield f"{key[0]} in {key[1]} is kept as {kept}, and the journal says {seen}"


def _nothing(key: AccountKey) -> KeptBalance:
    return KeptBalance(balance=Balance(account=key[0], currency=key[1]), revision=0)
