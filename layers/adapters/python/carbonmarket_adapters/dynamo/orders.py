"""Table market, what acts in the market leave: transactions that wallets sign, and the texts of gifts.

Keys: ``transaction#<id>`` / ``transaction`` · ``gift_message#<hash>`` / ``gift_message``. The signed bytes
themselves lie in table signing.
"""

from __future__ import annotations

from carbonmarket.ports.registry import Kept
from carbonmarket.records.audit import AuditEntry
from carbonmarket.records.transactions import BuiltTransaction, GiftMessage
from carbonmarket.settings import Settings
from carbonmarket_adapters.dynamo.audit import AuditedTable
from carbonmarket_adapters.dynamo.table import Kind, Write

_TRANSACTION = Kind("transaction", BuiltTransaction)
_MESSAGE = Kind("gift_message", GiftMessage)


class DynamoTransactions:
    """The :class:`carbonmarket.ports.transactions.TransactionsStore` over DynamoDB."""

    def __init__(self, settings: Settings) -> None:
        self._table = AuditedTable(settings, "market")

    def built(self, transaction: str) -> Kept[BuiltTransaction] | None:
        stored = self._table.get(_TRANSACTION, f"transaction#{transaction}", "transaction")
        return Kept(stored.record, stored.revision) if stored else None

    def save_built(self, transaction: BuiltTransaction, revision: int, entry: AuditEntry) -> None:
        key = (f"transaction#{transaction.id}", "transaction")
        self._table.save([Write(_TRANSACTION, *key, transaction, revision)], entry)

    def gift_message(self, hash: str) -> GiftMessage | None:
        stored = self._table.get(_MESSAGE, f"gift_message#{hash}", "gift_message")
        return stored.record if stored else None

    def save_gift_message(self, message: GiftMessage, entry: AuditEntry | None = None) -> None:
        write = Write(_MESSAGE, f"gift_message#{message.hash}", "gift_message", message)
        if entry is None:
            self._table.put(write)
        else:
            self._table.save([write], entry)
