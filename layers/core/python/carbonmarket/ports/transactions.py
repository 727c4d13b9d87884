"""Transactions that wallets sign, and the texts of gifts."""

from __future__ import annotations

from typing import Protocol

from carbonmarket.chain.calls import EntryCall
from carbonmarket.ports.registry import Kept
from carbonmarket.records.audit import AuditEntry
from carbonmarket.records.transactions import BuiltTransaction, GiftMessage


class TransactionsStore(Protocol):
    """What is kept of acts in the market besides the bytes themselves."""

    def built(self, transaction: str) -> Kept[BuiltTransaction] | None:
        """A built transaction."""
        ...

    def save_built(self, transaction: BuiltTransaction, revision: int, entry: AuditEntry) -> None:
        """Keep it; StaleWrite, and nothing is kept, if the record is no longer at ``revision``."""
        ...

    def gift_message(self, hash: str) -> GiftMessage | None:
        """The text whose hash stands on chain."""
        ...

    def save_gift_message(self, message: GiftMessage, entry: AuditEntry | None = None) -> None:
        """Keep a text, with an entry of the audit where there is one; the same again changes nothing."""
        ...


class Wallets(Protocol):
    """Builds transactions that accounts of others sign and the sponsor pays for."""

    def build(self, built: BuiltTransaction, call: EntryCall) -> BuiltTransaction:
        """``built`` with bytes, message, number and expiration: in 10 minutes, or 72 hours for several.

        InvalidInput if the keys are not those of the account; NotAllowed if the sponsor would not pay.
        """
        ...

    def check(self, built: BuiltTransaction, position: int, signature: str) -> None:
        """Refuse (InvalidInput) a signature (hex) that is not the key's at ``position`` over the message."""
        ...

    def positions(self, authenticator: str, built: BuiltTransaction) -> dict[int, str]:
        """The signatures in an account authenticator (BCS, hex) by the position of their key.

        InvalidInput if it can't be read or names other keys than the transaction was built for.
        """
        ...

    def submit(self, built: BuiltTransaction, key: str, budget_of: str) -> str:
        """Let the sponsor sign last, keep the bytes under ``key`` and send them; the hash. The gas counts in
        the budget of the account ``budget_of``."""
        ...
