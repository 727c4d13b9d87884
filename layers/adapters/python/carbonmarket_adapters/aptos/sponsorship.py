"""Who pays: the sponsor signs last, and only bytes that the API itself built.

A sponsored transaction may call what is on the allow-list, within a gas cap and a price cap, and expires
within ten minutes, or within 72 hours where several people must sign. All of a day together stay within the
day's budget of gas units, each counted at its cap. A process reserves gas in shares that double as it uses
them, so that the budget is seldom written, and what is reserved in vain is no more than what was used.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Collection

import msgspec
from aptos_sdk.authenticator import AccountAuthenticator
from aptos_sdk.transactions import EntryFunction, RawTransaction

from carbonmarket.errors import EngineUnavailable, NotAllowed, StaleWrite
from carbonmarket.ports.chain import SignerPort
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


class Sponsorship:
    """The sponsor's rules and its signature."""

    def __init__(
        self,
        *,
        signer: SignerPort,
        table: SigningTable,
        sponsor: str,
        allowed: Collection[str],
        gas_units_a_day: int,
    ) -> None:
        """``sponsor`` is a key id; ``allowed`` are full names ``0x…::module::function`` in the long form."""
        self._signer = signer
        self._table = table
        self._sponsor = sponsor
        self._allowed = frozenset(allowed)
        self._gas_units_a_day = gas_units_a_day
        self._turn = threading.Lock()
        self._day = ""
        self._units_left = 0
        self._share = 1

    @property
    def address(self) -> str:
        """The account that pays."""
        return self._signer.address(self._sponsor)

    def check(self, raw: RawTransaction, ledger_us: int, signers: int = 1) -> None:
        """Refuse (NotAllowed) what the rules don't allow; so many ``signers`` sign for the sender."""
        payload = raw.payload.value
        if not isinstance(payload, EntryFunction):
            raise NotAllowed("the sponsor pays for calls of entry functions only, not for scripts")
        module = f"0x{payload.module.address.address.hex()}::{payload.module.name}"
        name = f"{module}::{payload.function}"
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

    def reserve(self, raw: RawTransaction, ledger_us: int, signers: int = 1) -> None:
        """Check the rules and count the gas, before the bytes are stored; NotAllowed says why not."""
        self.check(raw, ledger_us, signers)
        day = format_us(ledger_us)[:10]
        with self._turn:
            if day != self._day:
                self._day, self._units_left, self._share = day, 0, 1
            if self._units_left < raw.max_gas_amount:
                self._units_left += self._take_share(raw.max_gas_amount)
            self._units_left -= raw.max_gas_amount

    def give_back(self, raw: RawTransaction) -> None:
        """Undo a reservation whose bytes were not stored."""
        with self._turn:
            self._units_left += raw.max_gas_amount

    def _take_share(self, needed: int) -> int:
        """Gas units newly counted in the day's budget, at least ``needed``."""
        for attempt in range(_TRIES):
            stored = self._table.budget(self._sponsor, self._day)
            left = self._gas_units_a_day - stored.record.gas_units
            if left < needed:
                raise NotAllowed(
                    f"the sponsor's budget of {self._gas_units_a_day} gas units for {self._day} doesn't "
                    f"allow {needed} more; try again tomorrow, or pay the fee yourself"
                )
            units = min(self._share * needed, left)
            counted = msgspec.structs.replace(stored.record, gas_units=stored.record.gas_units + units)
            try:
                self._table.save_budget(Stored(counted, stored.revision))
            except StaleWrite:
                time.sleep(random.uniform(0, 0.005 * (attempt + 1)))  # noqa: S311 - no secret
                continue
            self._share = min(2 * self._share, _SHARE_MAX)
            return units
        raise EngineUnavailable("the sponsor's budget is too busy; submit again")

    def sign(self, raw: RawTransaction) -> AccountAuthenticator:
        """The sponsor's signature, after the sender's."""
        message = signing_message(raw, self.address)
        key = self._signer.public_key(self._sponsor)
        return authenticator_of(key, self._signer.sign(self._sponsor, message))


def expiry_of(signers: int) -> int:
    """Within how many seconds a transaction expires that ``signers`` people must sign."""
    return EXPIRY_S if signers == 1 else EXPIRY_OF_SEVERAL_S
