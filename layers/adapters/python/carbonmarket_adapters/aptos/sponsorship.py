"""Who pays: the sponsor signs last, and only bytes that the API itself built.

A sponsored transaction may call what is on the allow-list, within a gas cap and a price cap, and expires
within ten minutes, or within 72 hours where several people must sign.

There are two budgets of gas units a UTC day: that of all, and that of each organisation's account, so that
nobody uses up what the others need. What a wallet signs counts with the organisation that had it built, since
anybody can have any number of wallets. Orders and the like stop at eight tenths of both. The next tenth of
all, and the rest of the account's, is for the ways out (cancelling, claiming, taking back); the last tenth of
all is for the platform's own keys, which have no budget of an account.

Each call counts at its cap before its bytes are stored. A process reserves gas in shares that double as it
uses them, so that the budgets are seldom written, and what is reserved in vain is no more than what was used.
What a call didn't use is booked back by whoever keeps its fate, many calls in one write.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import partial

import msgspec
from aptos_sdk.authenticator import AccountAuthenticator
from aptos_sdk.transactions import EntryFunction, RawTransaction

from carbonmarket.errors import BudgetSpent, EngineUnavailable, NotAllowed, StaleWrite
from carbonmarket.ports.chain import SignerPort
from carbonmarket.records.accounts import ORGANISATION_PREFIX
from carbonmarket.records.chain import Submission
from carbonmarket.times import MICROSECONDS, format_us
from carbonmarket_adapters.aptos.transactions import authenticator_of, signing_message
from carbonmarket_adapters.dynamo.signing import SigningTable
from carbonmarket_adapters.dynamo.table import Stored

EXPIRY_S = 600
EXPIRY_OF_SEVERAL_S = 72 * 3_600
"""Where more than one signature is needed: people of several time zones must come to it."""
GAS_UNITS_MAX = 200_000
GAS_PRICE_OCTAS_MAX = 1_000
_SHARE_MAX = 64
_TRIES = 60
# Tenths of the day's budget that may be used by orders and the like, by the ways out, and by the platform.
_ORDERS, _WAYS_OUT, _PLATFORM = 8, 9, 10
_TENTHS = 10
# What is booked back is written once it is as much as so many calls at their cap.
_BOOKED_BACK_CALLS = 8


@dataclass
class _Share:
    """Gas units that this process has counted in a budget and not used yet; ``calls`` is how many calls the
    next share is for."""

    units_left: int = 0
    calls: int = 1


@dataclass(frozen=True)
class Reserved:
    """Gas that is counted in the budgets of ``day``: in those of these shares."""

    day: str
    units: int
    shares: tuple[_Share, ...]


class Sponsorship:
    """The sponsor's rules and its signature."""

    def __init__(
        self,
        *,
        signer: SignerPort,
        table: SigningTable,
        sponsor: str,
        allowed: Collection[str],
        ways_out: Collection[str],
        gas_units_a_day: int,
        gas_units_an_account: int,
    ) -> None:
        """``sponsor`` is a key id; ``allowed`` are full names ``0x…::module::function`` in the long form, and
        ``ways_out`` those of them that a part of the budgets is kept for."""
        self._signer = signer
        self._table = table
        self._sponsor = sponsor
        self._allowed = frozenset(allowed)
        self._ways_out = frozenset(ways_out)
        self._gas_units_a_day = gas_units_a_day
        self._gas_units_an_account = gas_units_an_account
        self._turn = threading.Lock()
        self._day = ""
        # By the account, "" for all, and the tenths that it may use: what is kept for the one isn't lent to
        # the other.
        self._shares: dict[tuple[str, int], _Share] = {}
        self._unspent: Counter[str] = Counter()
        self._unspent_day = ""

    @property
    def address(self) -> str:
        """The account that pays."""
        return self._signer.address(self._sponsor)

    def check(self, raw: RawTransaction, ledger_us: int, signers: int = 1) -> None:
        """Refuse (NotAllowed) what the rules don't allow; so many ``signers`` sign for the sender."""
        payload = raw.payload.value
        if not isinstance(payload, EntryFunction):
            raise NotAllowed("the sponsor pays for calls of entry functions only, not for scripts")
        name = _name(payload)
        if name not in self._allowed:
            raise NotAllowed(f"the sponsor doesn't pay for {name}: it isn't on the allow-list")
        if raw.max_gas_amount > GAS_UNITS_MAX:
            raise NotAllowed(f"the sponsor pays at most {GAS_UNITS_MAX} gas units, not {raw.max_gas_amount}")
        if raw.gas_unit_price > GAS_PRICE_OCTAS_MAX:
            raise NotAllowed(
                f"the sponsor pays at most {GAS_PRICE_OCTAS_MAX} octas a gas unit, not {raw.gas_unit_price}"
            )
        expiry_s = expiry_of(signers)
        if raw.expiration_timestamps_secs > ledger_us // MICROSECONDS + expiry_s:
            raise NotAllowed(f"a sponsored transaction expires within {expiry_s} seconds")

    def reserve(
        self,
        raw: RawTransaction,
        ledger_us: int,
        signers: int = 1,
        *,
        is_platform: bool = False,
        account: str = "",
    ) -> Reserved:
        """Check the rules and count the gas, before the bytes are stored; NotAllowed says why not, and
        BudgetSpent which budget is used up. It is that of ``account`` where another than the sender is named.
        """
        self.check(raw, ledger_us, signers)
        day = format_us(ledger_us)[:10]
        units = raw.max_gas_amount
        leaves = _name(raw.payload.value) in self._ways_out
        with self._turn:
            if day != self._day:
                self._day, self._shares = day, {}
            if is_platform:
                return Reserved(day, units, (self._taken("", _PLATFORM, units),))
            account = account or f"0x{raw.sender.address.hex()}"
            own = self._taken(account, _TENTHS if leaves else _ORDERS, units)
            try:
                of_all = self._taken("", _WAYS_OUT if leaves else _ORDERS, units)
            except BaseException:
                own.units_left += units
                raise
            return Reserved(day, units, (own, of_all))

    def give_back(self, reserved: Reserved) -> None:
        """Undo a reservation whose bytes were not stored."""
        with self._turn:
            # Of a day that is over nothing is left to use.
            for share in reserved.shares:
                share.units_left += reserved.units

    def book_back(self, ended: Iterable[tuple[Submission, int]]) -> None:
        """Take out of the budgets what calls that have ended didn't use: (what was sent, gas units used).

        Once for each, by whoever kept its fate. What a process has not written when it dies stays counted.
        """
        with self._turn:
            for submission, gas_used in ended:
                if not submission.gas_day or submission.gas_day < self._unspent_day:
                    continue
                if submission.gas_day > self._unspent_day:
                    self._unspent_day, self._unspent = submission.gas_day, Counter()
                # Nothing is sent with another amount than the cap.
                unspent = GAS_UNITS_MAX - gas_used
                self._unspent[""] += unspent
                if not submission.sender or submission.sender.startswith(ORGANISATION_PREFIX):
                    self._unspent[submission.gas_account or submission.address] += unspent
            enough = _BOOKED_BACK_CALLS * GAS_UNITS_MAX
            day = self._unspent_day
            due = {account: units for account, units in self._unspent.items() if units >= enough}
            for account in due:
                del self._unspent[account]
        for account, units in due.items():
            self._change(account, day, partial(_less, units))

    def _taken(self, account: str, tenths: int, units: int) -> _Share:
        """The share that ``units`` were taken out of."""
        share = self._shares.setdefault((account, tenths), _Share())
        if share.units_left < units:
            budget = self._gas_units_an_account if account else self._gas_units_a_day
            most = budget * tenths // _TENTHS
            wanted = share.calls * units
            taken = 0

            def counted(used: int) -> int:
                nonlocal taken
                if most - used < units:
                    raise BudgetSpent(self._refusal(account, tenths, budget))
                taken = min(wanted, most - used)
                return used + taken

            if not self._change(account, self._day, counted):
                raise EngineUnavailable("the sponsor's budget is too busy; submit again")
            share.units_left += taken
            share.calls = min(2 * share.calls, _SHARE_MAX)
        share.units_left -= units
        return share

    def _change(self, account: str, day: str, change: Callable[[int], int]) -> bool:
        """Whether the gas units of a budget could be changed, which fails where too many are at it."""
        for attempt in range(_TRIES):
            stored = self._table.budget(self._sponsor, day, account)
            record = msgspec.structs.replace(stored.record, gas_units=change(stored.record.gas_units))
            try:
                self._table.save_budget(Stored(record, stored.revision))
            except StaleWrite:
                time.sleep(random.uniform(0, 0.005 * (attempt + 1)))  # noqa: S311 - no secret
                continue
            return True
        return False

    def _refusal(self, account: str, tenths: int, budget: int) -> str:
        whose = "your organisation's part of the sponsor's budget" if account else "the sponsor's budget"
        kept = "" if tenths == _TENTHS else f", of which {tenths} tenths are for calls such as this one"
        return (
            f"{whose} is used up for {self._day}: {budget} gas units{kept}. It is renewed at midnight UTC; "
            "before that a little comes back as calls that are on their way end"
        )

    def sign(self, raw: RawTransaction) -> AccountAuthenticator:
        """The sponsor's signature, after the sender's."""
        message = signing_message(raw, self.address)
        key = self._signer.public_key(self._sponsor)
        return authenticator_of(key, self._signer.sign(self._sponsor, message))


def expiry_of(signers: int) -> int:
    """Within how many seconds a transaction expires that ``signers`` people must sign."""
    return EXPIRY_S if signers == 1 else EXPIRY_OF_SEVERAL_S


def _less(units: int, used: int) -> int:
    return max(used - units, 0)


def _name(payload: EntryFunction) -> str:
    return f"0x{payload.module.address.address.hex()}::{payload.module.name}::{payload.function}"
