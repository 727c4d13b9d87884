"""The Merkle tree of a month of a large project, and one proof out of it."""

from __future__ import annotations

import hashlib
import time
from typing import Any

from carbonmarket import merkle

LEAVES = 1_000_000
CHECKS = 1_000


def bench_merkle() -> dict[str, Any]:
    """Seconds for the root of 1,000,000 leaves; milliseconds a check of one proof of it."""
    leaves = [hashlib.sha256(number.to_bytes(8, "big")).digest() for number in range(LEAVES)]
    began = time.perf_counter()
    root = merkle.root(leaves)
    tree_s = time.perf_counter() - began
    index = LEAVES // 3
    proof = merkle.inclusion_proof(leaves, index)
    began = time.perf_counter()
    holds = all(merkle.verify_inclusion(leaves[index], index, LEAVES, proof, root) for _ in range(CHECKS))
    check_ms = (time.perf_counter() - began) * 1000 / CHECKS
    if not holds:
        raise AssertionError("the proof of an existing leaf does not hold")
    return {"leaves": LEAVES, "tree_s": round(tree_s, 3), "proof_check_ms": round(check_ms, 4)}
