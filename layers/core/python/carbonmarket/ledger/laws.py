"""The laws that books keep at every moment, each a pure function of a snapshot; :data:`LAWS` lists them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from carbonmarket.ledger.chart import account_of, available
from carbonmarket.ledger.decide import AccountKey
from carbonmarket.records.money import Books, Transfer


def debits_equal_credits(books: Books) -> Iterator[str]:
    """Per currency, the sums of all debits and of all credits are the same, posted and pending."""
    sums: dict[str, list[int]] = {}
    for balance in books.balances:
        total = sums.setdefault(balance.currency, [0, 0])
        total[0] += balance.debits - balance.credits
        total[1] += balance.debits_pending - balance.credits_pending
    for currency, (posted, pending) in sorted(sums.items()):
        if posted:
            yield f"debits of {currency} exceed its credits by {posted}"
        if pending:
            yield f"pending debits of {currency} exceed its pending credits by {pending}"


def limits_are_kept(books: Books) -> Iterator[str]:
    """No account that may not be overdrawn is, and no sum is below zero."""
    for balance in books.balances:
        if account_of(balance.account).limited and available(balance) < 0:
            yield f"{balance.account} is overdrawn by {-available(balance)} {balance.currency}"
        sums = (balance.debits, balance.credits, balance.debits_pending, balance.credits_pending)
        if min(sums) < 0:
            yield f"{balance.account} has a sum below zero in {balance.currency}"


def balances_are_the_journals(books: Books) -> Iterator[str]:
    """Every balance is what the journal's transfers add up to."""
    folded: dict[AccountKey, list[int]] = {}
    for transfer in _posted(books):
        folded.setdefault((transfer.debit, transfer.currency), [0, 0, 0, 0])[0] += transfer.amount
        folded.setdefault((transfer.credit, transfer.currency), [0, 0, 0, 0])[1] += transfer.amount
    for held in books.holds:
        transfer = held.hold.transfer
        amount = transfer.amount if held.state == "pending" else 0
        folded.setdefault((transfer.debit, transfer.currency), [0, 0, 0, 0])[2] += amount
        folded.setdefault((transfer.credit, transfer.currency), [0, 0, 0, 0])[3] += amount
    kept = {
        (b.account, b.currency): [b.debits, b.credits, b.debits_pending, b.credits_pending]
        for b in books.balances
    }
    for key in sorted(folded.keys() | kept.keys()):
        if folded.get(key, [0, 0, 0, 0]) != kept.get(key, [0, 0, 0, 0]):
            yield f"{key[0]} in {key[1]} is kept as {kept.get(key)}, and the journal says {folded.get(key)}"


def holds_post_what_they_hold(books: Books) -> Iterator[str]:
    """A hold posts from 1 up to what it holds, to its own accounts; what is returned posts nothing."""
    for held in books.holds:
        end, wanted = held.resolution, held.hold.transfer
        if end is None:
            continue
        if end.state != "posted":
            if end.amount or end.entry:
                yield f"hold {end.key} was {end.state} and has posted"
            continue
        first = end.entry.transfers[0] if end.entry else None
        if first is None or not 1 <= end.amount == first.amount <= wanted.amount:
            yield f"hold {end.key} of {wanted.amount} {wanted.currency} has posted {end.amount}"
        elif (first.debit, first.credit, first.currency) != (wanted.debit, wanted.credit, wanted.currency):
            yield f"hold {end.key} was posted to other accounts"


LAWS: tuple[Callable[[Books], Iterator[str]], ...] = (
    debits_equal_credits,
    limits_are_kept,
    balances_are_the_journals,
    holds_post_what_they_hold,
)


def broken(books: Books) -> list[str]:
    """What of the laws doesn't hold, as sentences; none where all do."""
    return [sentence for law in LAWS for sentence in law(books)]


def _posted(books: Books) -> Iterator[Transfer]:
    for entry in books.entries:
        yield from entry.transfers
    for held in books.holds:
        if held.resolution is not None and held.resolution.entry is not None:
            yield from held.resolution.entry.transfers
