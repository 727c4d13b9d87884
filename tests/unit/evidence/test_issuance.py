"""Reviewers, approvals and commitments: the rules that the contract repeats."""

from __future__ import annotations

import hashlib

import msgspec
import pytest
from aptos_sdk.account_address import AccountAddress
from aptos_sdk.bcs import Serializer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from carbonmarket import commitments, issuance, reviewers
from carbonmarket.errors import InvalidInput

u64 = st.integers(0, 2**64 - 1)
approvals = st.builds(
    issuance.IssueApproval,
    chain_id=st.integers(0, 255),
    module_address=st.binary(min_size=32, max_size=32).map(lambda raw: "0x" + raw.hex()),
    project=st.text(max_size=200),
    period_start=u64,
    period_end=u64,
    grams=u64,
    report_hash=st.binary(min_size=32, max_size=32).map(bytes.hex),
)


@given(approvals)
def test_the_signed_bytes_are_the_chains_own_encoding(approval: issuance.IssueApproval) -> None:
    serializer = Serializer()
    serializer.to_bytes(b"CARBONMARKET::ISSUE::V1")
    serializer.u8(approval.chain_id)
    AccountAddress.from_str_relaxed(approval.module_address).serialize(serializer)
    serializer.str(approval.project)
    serializer.u64(approval.period_start)
    serializer.u64(approval.period_end)
    serializer.u64(approval.grams)
    serializer.to_bytes(bytes.fromhex(approval.report_hash))
    assert issuance.approval_bytes(approval) == serializer.output()


APPROVAL = issuance.IssueApproval(
    chain_id=4,
    module_address="0xcafe",
    project="SERFEAST",
    period_start=1_467_331_200,
    period_end=1_470_009_600,
    grams=600_000,
    report_hash="ab" * 32,
)


def test_an_approval_is_of_one_number_only() -> None:
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    signature = key.sign(issuance.approval_bytes(APPROVAL))
    more = issuance.IssueApproval(
        **{f: getattr(APPROVAL, f) for f in APPROVAL.__struct_fields__} | {"grams": 600_001}
    )
    assert issuance.verify_approval(APPROVAL, public, signature)
    assert not issuance.verify_approval(more, public, signature)
    assert not issuance.verify_approval(APPROVAL, bytes(32), signature)


def test_grams_beyond_the_contract_are_refused() -> None:
    with pytest.raises(InvalidInput, match="u64"):
        issuance.approval_bytes(msgspec.structs.replace(APPROVAL, grams=2**64))


def verifiers(count: int) -> list[reviewers.Verifier]:
    return [
        reviewers.Verifier(address=f"0x{number:064x}", organisation=f"{number % 4:064x}")
        for number in range(1, count + 1)
    ]


@given(st.binary(min_size=32, max_size=32))
def test_three_are_drawn_by_the_hash_and_none_of_the_developers_own(report_hash: bytes) -> None:
    own = f"{1:064x}"
    drawn = reviewers.draw(report_hash, verifiers(20), own)
    eligible = [v for v in verifiers(20) if v.organisation != own]
    tickets = sorted(hashlib.sha256(report_hash + bytes.fromhex(v.address[2:])).digest() for v in eligible)
    assert [hashlib.sha256(report_hash + bytes.fromhex(v.address[2:])).digest() for v in drawn] == tickets[:3]


def test_the_order_of_registration_changes_nothing() -> None:
    assert reviewers.draw(b"h" * 32, verifiers(9), "") == reviewers.draw(b"h" * 32, verifiers(9)[::-1], "")


def test_fewer_than_three_are_drawn_where_fewer_are_eligible() -> None:
    assert len(reviewers.draw(b"h" * 32, verifiers(2), f"{1:064x}")) == 1


def test_a_commitment_is_opened_by_its_salt_and_person_only() -> None:
    salt, person = bytes(range(32)), {"name": "Ada Lovelace"}
    commitment = commitments.personal_commitment(salt, person)
    assert commitment == hashlib.sha256(b"\x02" + salt + b'{"name":"Ada Lovelace"}').digest()
    assert commitments.opens(commitment, salt, person)
    assert not commitments.opens(commitment, salt, {"name": "Charles Babbage"})
    assert not commitments.opens(commitment, bytes(32), person)


def test_a_short_salt_is_refused() -> None:
    with pytest.raises(InvalidInput, match="32 bytes"):
        commitments.personal_commitment(b"short", {"name": "A"})
