"""Who reviews a report: drawn by a rule that anybody can repeat, as the contract does.

Sort the registered verifiers by SHA-256(report hash ‖ address), leave out the developer's organisation,
take three. Nobody can pick the reviewers without picking the report's hash.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec

REVIEWERS_DRAWN = 3
QUORUM = 2


class Verifier(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A verifier registered on chain: account ``address`` (0x and 64 hex digits) and the ``organisation``'s
    commitment (64 hex digits)."""

    address: str
    organisation: str


def draw(report_hash: bytes, verifiers: Iterable[Verifier], excluded_organisation: str) -> list[Verifier]:
    """The reviewers of the report, in the order drawn; fewer than three where fewer are eligible."""
    eligible = [verifier for verifier in verifiers if verifier.organisation != excluded_organisation]
    eligible.sort(key=lambda verifier: _ticket(report_hash, verifier.address))
    return eligible[:REVIEWERS_DRAWN]


def _ticket(report_hash: bytes, address: str) -> bytes:
    raw = bytes.fromhex(address.removeprefix("0x").rjust(64, "0"))
    return hashlib.sha256(report_hash + raw).digest()
