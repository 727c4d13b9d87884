"""Who pays: the sponsor signs last, and only bytes that the API itself built.

A sponsored transaction may call what is on the allow-list, within a gas cap and a price cap, and expires
within ten minutes; all of a day together stay within the day's budget of gas units, each counted at its cap.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec
from aptos_sdk.authenticator import AccountAuthenticator
from aptos_sdk.transactions import EntryFunction, RawTransaction

from carbonmarket.errors import NotAllowed
from carbonmarket.ports.chain import SignerPort
from carbonmarket.records.chain import GasBudget
from carbonmarket.times import MICROSECONDS, format_us
from carbonmarket_adapters.aptos.transactions import authenticator_of, signing_message
from carbonmarket_adapters.dynamo.signing import SigningTable
from carbonmarket_adapters.dynamo.table import Stored

EXPIRY_S = 600
GAS_UNITS_MAX = 200_000
GAS_PRICE_OCTAS_MAX = 1_000


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

    @property
    def address(self) -> str:
        """The account that pays."""
        return self._signer.address(self._sponsor)

    def reserve(self, raw: RawTransaction, ledger_us: int) -> Stored[GasBudget]:
        """Check the rules and count the gas; NotAllowed says which rule refused.

        The returned budget is to be saved in the transaction that stores the bytes.
        """
        self._check(raw, ledger_us)
        day = format_us(ledger_us)[:10]
        stored = self._table.budget(self._sponsor, day)
        spent = stored.record.gas_units + raw.max_gas_amount
        if spent > self._gas_units_a_day:
            raise NotAllowed(
                f"the sponsor's budget of {self._gas_units_a_day} gas units for {day} doesn't allow "
                f"{raw.max_gas_amount} more; try again tomorrow, or pay the fee yourself"
            )
        return Stored(msgspec.structs.replace(stored.record, gas_units=spent), stored.revision)

    def sign(self, raw: RawTransaction) -> AccountAuthenticator:
        """The sponsor's signature, after the sender's."""
        message = signing_message(raw, self.address)
        key = self._signer.public_key(self._sponsor)
        return authenticator_of(key, self._signer.sign(self._sponsor, message))

    def _check(self, raw: RawTransaction, ledger_us: int) -> None:
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
        if raw.expiration_timestamps_secs > ledger_us // MICROSECONDS + EXPIRY_S:
            raise NotAllowed(f"a sponsored transaction expires within {EXPIRY_S} seconds")
