"""Leases of sequence numbers: which number the next transaction of an account takes.

Aptos executes an account's transactions in the order of their numbers, so a number whose bytes died leaves
a gap that blocks all later ones. The lowest free number at or above the account's own is always the next to
be leased; a gap is therefore filled by the next transaction, or by ``Outbox.repair`` where none comes.
"""

from __future__ import annotations

import msgspec

from carbonmarket.errors import Conflict
from carbonmarket.records.chain import Held, Leases

IN_FLIGHT_MAX = 100
"""Nodes keep at most this many waiting transactions of one account."""


def next_free(leases: Leases, account_sequence: int) -> int:
    """The number to lease, given the account's own on chain; Conflict when too many are in flight."""
    waiting = [int(number) for number in leases.held if int(number) >= account_sequence]
    if len(waiting) >= IN_FLIGHT_MAX:
        raise Conflict(
            f"account {leases.address} has {IN_FLIGHT_MAX} transactions in flight; "
            "submit again when one of them is final"
        )
    number = account_sequence
    while str(number) in leases.held:
        number += 1
    return number


def gaps(leases: Leases, account_sequence: int) -> list[int]:
    """The free numbers below the highest one in flight: what blocks those that wait."""
    highest = max((int(number) for number in leases.held), default=0)
    return [n for n in range(account_sequence, highest) if str(n) not in leases.held]


def settled_or_late(leases: Leases, account_sequence: int, ledger_s: int) -> list[str]:
    """Keys whose fate may be final: their number is used, or their bytes have expired."""
    return [
        held.key
        for number, held in leases.held.items()
        if int(number) < account_sequence or held.expiration_s < ledger_s
    ]


def lease(leases: Leases, number: int, key: str, expiration_s: int) -> Leases:
    """The leases with ``number`` taken for ``key``."""
    held = {**leases.held, str(number): Held(key=key, expiration_s=expiration_s)}
    return msgspec.structs.replace(leases, held=held)


def release(leases: Leases, number: int, key: str) -> Leases:
    """The leases without ``number``, if it is still ``key``'s."""
    found = leases.held.get(str(number))
    if found is None or found.key != key:
        return leases
    held = {n: other for n, other in leases.held.items() if n != str(number)}
    return msgspec.structs.replace(leases, held=held)
