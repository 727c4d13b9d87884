"""What a reviewer signs: the approval of one issuance, in the bytes that the contract rebuilds.

BCS (Binary Canonical Serialization, the chain's encoding) of the struct ``IssueApproval`` in
``move/sources/reviews.move``; the fields are written one after the other.
"""

from __future__ import annotations

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from carbonmarket.errors import InvalidInput
from carbonmarket.quantities import U64_MAX

DOMAIN = b"CARBONMARKET::ISSUE::V1"


class IssueApproval(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One issuance that a reviewer approves: on which chain, by which package, what and how much.

    ``module_address`` is 0x and up to 64 hex digits; the period is in seconds since 1970, its end not
    included; ``report_hash`` is 64 hex digits.
    """

    chain_id: int
    module_address: str
    project: str
    period_start: int
    period_end: int
    grams: int
    report_hash: str


def approval_bytes(approval: IssueApproval) -> bytes:
    """The bytes to sign with Ed25519."""
    address = bytes.fromhex(approval.module_address.removeprefix("0x").rjust(64, "0"))
    return b"".join(
        (
            _vector(DOMAIN),
            approval.chain_id.to_bytes(1, "little"),
            address,
            _vector(approval.project.encode()),
            _u64(approval.period_start, "period_start"),
            _u64(approval.period_end, "period_end"),
            _u64(approval.grams, "grams"),
            _vector(bytes.fromhex(approval.report_hash)),
        )
    )


def verify_approval(approval: IssueApproval, public_key: bytes, signature: bytes) -> bool:
    """Whether ``public_key`` (Ed25519, 32 bytes) signed this approval."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, approval_bytes(approval))
    except (InvalidSignature, ValueError):
        return False
    return True


def _u64(value: int, field: str) -> bytes:
    if not 0 <= value <= U64_MAX:
        raise InvalidInput(f"{field} {value} does not fit the contract's u64", field=field)
    return value.to_bytes(8, "little")


def _vector(content: bytes) -> bytes:
    return _uleb128(len(content)) + content


def _uleb128(value: int) -> bytes:
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
