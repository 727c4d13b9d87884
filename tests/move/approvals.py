"""Writes ``move/tests/approvals.move``: real signatures for the contracts' tests, which cannot sign.

The keys, the bytes to sign and the draw come from the core package, so the contracts' tests hold both sides
to one rule. Run ``python -m tests.move.approvals`` after a change of the cases.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from carbonmarket.issuance import IssueApproval, approval_bytes
from carbonmarket.reviewers import Verifier, draw

TARGET = Path(__file__).resolve().parents[2] / "move" / "tests" / "approvals.move"

CHAIN_ID = 4
MODULE_ADDRESS = "0xcafe"
PROJECT = "SUN1"
DAY_ZERO = 1_467_331_200  # 2016-07-01T00:00:00Z
DAY = 86_400
DEVELOPER_ORGANISATION = "dd" * 32
ORGANISATIONS = ["a0" * 32, "a1" * 32, "a2" * 32, DEVELOPER_ORGANISATION, "a4" * 32]
"""Employers of the verifiers 0xe000 to 0xe004; 0xe005 has a key and is registered nowhere."""
SIGNERS = len(ORGANISATIONS) + 1

CASES = [(0, 9_000), (1, 9_000), (0, 9_001), (2, 100), (0, 0)]
"""(which two-day period of the project, grams)"""


def address(signer: int) -> str:
    return f"0x{0xE000 + signer:064x}"


def private_key(signer: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"verifier %d" % signer).digest())


def report_hash(case: int) -> bytes:
    return hashlib.sha256(b"report %d" % case).digest()


def approval(case: int) -> bytes:
    period, grams = CASES[case]
    start = DAY_ZERO + 2 * period * DAY
    return approval_bytes(
        IssueApproval(
            chain_id=CHAIN_ID,
            module_address=MODULE_ADDRESS,
            project=PROJECT,
            period_start=start,
            period_end=start + 2 * DAY,
            grams=grams,
            report_hash=report_hash(case).hex(),
        )
    )


def drawn(case: int) -> list[str]:
    verifiers = [
        Verifier(address=address(signer), organisation=organisation)
        for signer, organisation in enumerate(ORGANISATIONS)
    ]
    return [verifier.address for verifier in draw(report_hash(case), verifiers, DEVELOPER_ORGANISATION)]


def render() -> str:
    """The module's source."""
    cases = range(len(CASES))
    signers = range(SIGNERS)
    keys = _bytes([private_key(signer).public_key().public_bytes_raw() for signer in signers])
    hashes = _bytes([report_hash(case) for case in cases])
    approvals = _bytes([approval(case) for case in cases])
    signatures = _bytes([private_key(signer).sign(approval(case)) for case in cases for signer in signers])
    reviewers = _list([f"@0x{int(account, 16):x}" for case in cases for account in drawn(case)])
    return f"""\
#[test_only]
/// Written by tests/move/approvals.py: what the verifiers of the scenario signed, case by case.
module carbon_market::approvals {{
    const KEYS: vector<vector<u8>> = {keys};
    const REPORT_HASHES: vector<vector<u8>> = {hashes};
    const APPROVALS: vector<vector<u8>> = {approvals};
    /// By case, then by signer.
    const SIGNATURES: vector<vector<u8>> = {signatures};
    /// Three a case.
    const DRAWN: vector<address> = {reviewers};

    public fun key(signer: u64): vector<u8> {{
        KEYS[signer]
    }}

    public fun report_hash(case: u64): vector<u8> {{
        REPORT_HASHES[case]
    }}

    public fun approval(case: u64): vector<u8> {{
        APPROVALS[case]
    }}

    public fun signature(case: u64, signer: u64): vector<u8> {{
        SIGNATURES[case * {SIGNERS} + signer]
    }}

    public fun drawn(case: u64): vector<address> {{
        DRAWN.slice(case * 3, case * 3 + 3)
    }}
}}
"""


def _bytes(items: list[bytes]) -> str:
    return _list([f'x"{item.hex()}"' for item in items])


def _list(items: list[str]) -> str:
    return "vector[\n        " + ",\n        ".join(items) + "\n    ]"


if __name__ == "__main__":
    TARGET.write_text(render())
