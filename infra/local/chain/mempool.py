"""Transactions that were let in and wait for a block: in order for each account, gaps allowed."""

from __future__ import annotations

from collections import deque

from infra.local.chain.errors import ApiError
from infra.local.chain.transaction import SignedTransaction

PER_ACCOUNT_MAX = 100
"""How far ahead of the account's sequence number a transaction may be."""


class Mempool:
    def __init__(self) -> None:
        self._waiting: dict[bytes, dict[int, SignedTransaction]] = {}
        self._by_hash: dict[bytes, SignedTransaction] = {}
        self._ready: deque[tuple[bytes, int]] = deque()
        self._next: dict[bytes, int] = {}

    def __len__(self) -> int:
        return len(self._by_hash)

    def get(self, tx_hash: bytes) -> SignedTransaction | None:
        return self._by_hash.get(tx_hash)

    def has_ready(self) -> bool:
        return bool(self._ready)

    def add(self, tx: SignedTransaction, account_sequence: int) -> None:
        """Take a valid transaction. The same one again changes nothing.

        Another with the same number replaces the first only if it pays more for gas.
        """
        if tx.hash in self._by_hash:
            return
        mine = self._waiting.setdefault(tx.sender, {})
        earlier = mine.get(tx.sequence)
        if earlier is not None:
            if tx.gas_price <= earlier.gas_price:
                raise ApiError(
                    400,
                    "invalid_transaction_update",
                    "Transaction already in mempool with a different payload: "
                    f"the account has sent another with the sequence number {tx.sequence}.",
                )
            del self._by_hash[earlier.hash]
        elif tx.sequence >= account_sequence + PER_ACCOUNT_MAX:
            raise ApiError(
                507,
                "mempool_is_full",
                f"Mempool is full: the sequence number {tx.sequence} is {PER_ACCOUNT_MAX} or more ahead "
                f"of the account's, which is {account_sequence}.",
            )
        mine[tx.sequence] = tx
        self._by_hash[tx.hash] = tx
        if tx.sender not in self._next:
            self._next[tx.sender] = account_sequence
        self._release(tx.sender)

    def _release(self, sender: bytes) -> None:
        """Move what follows without a gap into the queue."""
        mine, number = self._waiting.get(sender, {}), self._next[sender]
        while number in mine:
            self._ready.append((sender, number))
            number += 1
        self._next[sender] = number

    def pop(self) -> SignedTransaction | None:
        """The next transaction whose turn it is, in the order of arrival."""
        while self._ready:
            sender, number = self._ready.popleft()
            tx = self._waiting.get(sender, {}).get(number)
            if tx is not None:
                return tx
        return None

    def park(self, tx: SignedTransaction, account_sequence: int) -> None:
        """Let a transaction wait for the numbers before it, which have been lost."""
        self._next[tx.sender] = account_sequence

    def done(self, tx: SignedTransaction, account_sequence: int) -> None:
        """Forget a transaction that was committed or refused; what follows a refused one waits again."""
        mine = self._waiting.get(tx.sender, {})
        if mine.get(tx.sequence) is tx:
            del mine[tx.sequence]
        self._by_hash.pop(tx.hash, None)
        if account_sequence <= tx.sequence:
            self._next[tx.sender] = account_sequence
        if not mine:
            self._waiting.pop(tx.sender, None)
            self._next.pop(tx.sender, None)

    def expire(self, now_seconds: int) -> None:
        """Forget what can no longer be executed."""
        expired = [tx for tx in self._by_hash.values() if tx.expiration_seconds <= now_seconds]
        for tx in expired:
            self.done(tx, min(self._next.get(tx.sender, tx.sequence), tx.sequence))
