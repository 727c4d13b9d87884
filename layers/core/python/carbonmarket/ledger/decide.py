"""What a write does: from the balances as they are to what is appended and the balances as they will be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Generic, Literal, TypeVar

import msgspec
from msgspec.structs import replace

from carbonmarket.errors import Conflict, IdempotencyMismatch, InvalidInput
from carbonmarket.ledger.chart import account_of, available, check_currency
from carbonmarket.ports.money import TRANSFERS_MAX
from carbonmarket.records.money import Balance, Entry, HeldTransfer, Hold, Line, Resolution, Transfer

AccountKey = tuple[str, str]
"""An account's name and a currency."""

Balances = Mapping[AccountKey, Balance]
AMOUNT_MAX = 2**63 - 1
_KEY_LENGTH_MAX = 200


Appended = TypeVar("Appended", Entry, Hold, Resolution)


class Decision(msgspec.Struct, Generic[Appended], frozen=True, kw_only=True):
    """``appended`` is new in the journal; ``balances`` are those that it changes, as they will be."""

    appended: Appended
    balances: dict[AccountKey, Balance]


def accounts_of(transfers: Iterable[Transfer]) -> list[AccountKey]:
    """The accounts whose balances the transfers change, each once, in order."""
    named = {(name, each.currency) for each in transfers for name in (each.debit, each.credit)}
    return sorted(named)


def decide_post(key: str, transfers: Sequence[Transfer], balances: Balances, now_us: int) -> Decision[Entry]:
    """Post transfers together."""
    _check_key(key)
    _check(transfers)
    books = _Books(balances)
    for transfer in transfers:
        books.move(transfer, transfer.amount)
    entry = Entry(key=key, transfers=tuple(transfers), at_us=now_us)
    return Decision(appended=entry, balances=books.changed())


def decide_pend(
    key: str, transfer: Transfer, balances: Balances, now_us: int, expires_us: int
) -> Decision[Hold]:
    """Set a transfer aside."""
    _check_key(key)
    _check([transfer])
    if expires_us <= now_us:
        raise InvalidInput("a hold must end after it begins", field="expires_us")
    books = _Books(balances)
    books.hold(transfer, transfer.amount)
    hold = Hold(key=key, transfer=transfer, created_us=now_us, expires_us=expires_us)
    return Decision(appended=hold, balances=books.changed())


def settled(hold: Hold, amount: int, references: Mapping[str, str], also: Sequence[Transfer]) -> Entry:
    """What is posted when ``amount`` of a hold is; ``at_us`` is still to be set."""
    if not 1 <= amount <= hold.transfer.amount:
        raise InvalidInput(
            f"hold {hold.key} is of {hold.transfer.amount} {hold.transfer.currency}: {amount} of it can't be "
            "posted",
            field="amount",
        )
    first = replace(hold.transfer, amount=amount, references={**hold.transfer.references, **references})
    return Entry(key=hold.key, transfers=(first, *also), at_us=0)


def decide_posting(
    held: HeldTransfer,
    amount: int,
    references: Mapping[str, str],
    also: Sequence[Transfer],
    balances: Balances,
    now_us: int,
) -> Decision[Resolution]:
    """Post part or all of a hold that is pending, return the rest, and post ``also`` with it."""
    hold = held.hold
    if held.resolution is not None:
        raise Conflict(f"hold {hold.key} was {held.state} already; nothing of it can be posted")
    if now_us >= hold.expires_us:
        raise Conflict(f"the time of hold {hold.key} has passed; set the money aside anew")
    entry = replace(settled(hold, amount, references, also), at_us=now_us)
    _check(entry.transfers)
    books = _Books(balances)
    books.hold(hold.transfer, -hold.transfer.amount)
    for transfer in entry.transfers:
        books.move(transfer, transfer.amount)
    end = Resolution(key=hold.key, state="posted", amount=amount, at_us=now_us, entry=entry)
    return Decision(appended=end, balances=books.changed())


def decide_return(
    held: HeldTransfer, state: Literal["voided", "expired"], balances: Balances, now_us: int
) -> Decision[Resolution]:
    """Return all that a pending hold holds."""
    hold = held.hold
    if held.state == "posted":
        raise Conflict(f"hold {hold.key} was posted; give money back by a transfer of its own")
    books = _Books(balances)
    books.hold(hold.transfer, -hold.transfer.amount)
    end = Resolution(key=hold.key, state=state, amount=0, at_us=now_us)
    return Decision(appended=end, balances=books.changed())


def lines_of(entry: Entry) -> list[Line]:
    """The entry as the statements of its accounts show it: two lines a transfer."""
    return [
        Line(
            account=account,
            currency=each.currency,
            delta=sign * each.amount,
            counterpart=counterpart,
            reason=each.reason,
            references=each.references,
            entry=entry.key,
            at_us=entry.at_us,
        )
        for each in entry.transfers
        for account, counterpart, sign in ((each.debit, each.credit, 1), (each.credit, each.debit, -1))
    ]


def check_same(key: str, before: object, now: object) -> None:
    """IdempotencyMismatch unless what stands under a key is what is asked again."""
    if before != now:
        raise IdempotencyMismatch(f"key {key} stands in the ledger for something else", field="key")


class _Books:
    """Balances while one write is decided; limits are judged on how it leaves them."""

    def __init__(self, balances: Balances) -> None:
        self._before = balances
        self._now: dict[AccountKey, Balance] = {}

    def move(self, transfer: Transfer, amount: int) -> None:
        debit, credit = self._sides(transfer)
        self._put(replace(debit, debits=debit.debits + amount))
        self._put(replace(credit, credits=credit.credits + amount))

    def hold(self, transfer: Transfer, amount: int) -> None:
        debit, credit = self._sides(transfer)
        self._put(replace(debit, debits_pending=debit.debits_pending + amount))
        self._put(replace(credit, credits_pending=credit.credits_pending + amount))

    def changed(self) -> dict[AccountKey, Balance]:
        """Every balance touched; Conflict if one was taken below its limit, which names what it lacks."""
        for key, balance in self._now.items():
            left = available(balance)
            # What was below already may be filled up in steps.
            if account_of(balance.account).limited and left < min(0, available(self._original(key))):
                raise Conflict(
                    f"account {balance.account} lacks {-left} {balance.currency} for this", field="amount"
                )
        return self._now

    def _sides(self, transfer: Transfer) -> tuple[Balance, Balance]:
        return self._get((transfer.debit, transfer.currency)), self._get((transfer.credit, transfer.currency))

    def _get(self, key: AccountKey) -> Balance:
        return self._now.get(key) or self._original(key)

    def _original(self, key: AccountKey) -> Balance:
        return self._before.get(key) or Balance(account=key[0], currency=key[1])

    def _put(self, balance: Balance) -> None:
        self._now[balance.account, balance.currency] = balance


def _check_key(key: str) -> None:
    if not 1 <= len(key) <= _KEY_LENGTH_MAX:
        raise InvalidInput(f"a ledger key has 1 to {_KEY_LENGTH_MAX} characters", field="key")


def _check(transfers: Sequence[Transfer]) -> None:
    if not 1 <= len(transfers) <= TRANSFERS_MAX:
        raise InvalidInput(
            f"an entry has 1 to {TRANSFERS_MAX} transfers, not {len(transfers)}", field="transfers"
        )
    for transfer in transfers:
        if not 1 <= transfer.amount <= AMOUNT_MAX:
            raise InvalidInput(
                f"a transfer moves 1 to {AMOUNT_MAX}, not {transfer.amount}; turn it round instead of "
                "moving less than nothing",
                field="amount",
            )
        if transfer.debit == transfer.credit:
            raise InvalidInput(f"a transfer from {transfer.debit} to itself moves nothing", field="debit")
        for name in (transfer.debit, transfer.credit):
            check_currency(name, transfer.currency)
