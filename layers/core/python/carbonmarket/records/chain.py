"""Records of what was signed and sent, and of what the chain was seen to hold.

Grams are u64, addresses in the long form, hashes and commitments 0x-hex as the node prints them; times on
chain are whole seconds, ledger times microseconds.
"""

from __future__ import annotations

from typing import Literal

import msgspec

# What was signed and sent (table signing)


class Held(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A leased sequence number: the outbox key it was leased for and when its bytes expire."""

    key: str
    expiration_s: int


class Leases(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The sequence numbers of one account that are in flight, by number."""

    address: str
    held: dict[str, Held]


class Submission(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The signed bytes under an outbox key, and their fate once it is final.

    ``call_digest`` is SHA-256 of the payload's BCS. ``earlier`` are the hashes of tries that died before
    this one; at most one hash of a key ever stands on chain.
    """

    key: str
    sender: str
    address: str
    sequence: int
    call: str
    call_digest: str
    hash: str
    signed: str
    expiration_s: int
    state: Literal["open", "committed", "dead"] = "open"
    earlier: tuple[str, ...] = ()


class GasBudget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Gas units that the sponsor has signed for on one UTC day of the ledger, counted at their cap."""

    sponsor: str
    day: str
    gas_units: int
