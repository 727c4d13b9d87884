"""Which sequence number the next transaction of an account takes.

Aptos executes an account's transactions in the order of their numbers, so a number whose bytes died leaves
a gap that blocks all later ones. A process leases the account's free numbers in blocks: it reads once which
are free, the lowest first, and hands them out from memory. What makes a number its own is the one write that
stores the bytes: it succeeds only where nobody took the number before. So a block that its process never
used up blocks nobody, and a gap is filled by the next block, or by ``Outbox.repair`` where none comes.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping

from carbonmarket.errors import Conflict
from carbonmarket.records.chain import Held

IN_FLIGHT_MAX = 100
"""Nodes keep at most this many waiting transactions of one account."""

BLOCK_S = 5
"""A block is used for this long; then what is free is looked up again."""


class Block:
    """Free numbers of one account, lowest first, as they were at ``ledger_us`` of the ledger's time."""

    def __init__(self, numbers: list[int], ledger_us: int) -> None:
        self.numbers = deque(numbers)
        self._read_s = time.monotonic()
        self._ledger_us = ledger_us

    @property
    def ledger_us(self) -> int:
        """The ledger's time now, as far as this process' clock tells."""
        return self._ledger_us + int((time.monotonic() - self._read_s) * 1_000_000)

    @property
    def is_spent(self) -> bool:
        """Whether another has to be leased."""
        return not self.numbers or time.monotonic() - self._read_s > BLOCK_S


def free(address: str, held: Mapping[int, Held], account_sequence: int) -> list[int]:
    """The numbers to lease, given the account's own on chain; Conflict when too many are in flight."""
    window = range(account_sequence, account_sequence + IN_FLIGHT_MAX)
    numbers = [number for number in window if number not in held]
    if not numbers:
        raise Conflict(
            f"account {address} has {IN_FLIGHT_MAX} transactions in flight; "
            "submit again when one of them is final"
        )
    return numbers


def gaps(held: Mapping[int, Held], account_sequence: int) -> list[int]:
    """The free numbers below the highest one in flight: what blocks those that wait."""
    return [number for number in range(account_sequence, max(held, default=0)) if number not in held]


def late(held: Mapping[int, Held], ledger_s: int) -> list[str]:
    """Keys whose bytes may be dead: they have expired and their number is not used up."""
    return [taken.key for taken in held.values() if taken.expiration_s < ledger_s]
