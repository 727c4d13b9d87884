"""Merkle trees of RFC 6962, section 2.1: SHA-256, leaves and nodes hashed apart, no leaf ever doubled.

The prefixes 0x00 and 0x01 keep a node from being passed off as a leaf (second preimage). A lone node at the
end of a level rises unchanged, so two lists never share a root by repeating an entry. The size belongs to
the commitment: a proof is checked against (root, size).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()

_sha256 = hashlib.sha256


def leaf_hash(data: bytes) -> bytes:
    """SHA-256(0x00 ‖ data), 32 bytes."""
    return _sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right), 32 bytes."""
    return _sha256(b"\x01" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes; ``EMPTY_ROOT`` where there are none. Keeps one level in memory."""
    if not leaves:
        return EMPTY_ROOT
    level: Sequence[bytes] = leaves
    while len(level) > 1:
        level = _parents(level)
    return level[0]


class Tree:
    """A tree kept whole, for many proofs. ``leaves`` are leaf hashes of 32 bytes in their order."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self._levels: list[Sequence[bytes]] = [tuple(leaves)]
        while len(self._levels[-1]) > 1:
            self._levels.append(_parents(self._levels[-1]))

    @property
    def size(self) -> int:
        """How many leaves."""
        return len(self._levels[0])

    @property
    def root(self) -> bytes:
        """The root, 32 bytes."""
        return self._levels[-1][0] if self.size else EMPTY_ROOT

    def inclusion_proof(self, index: int) -> list[bytes]:
        """The audit path of leaf ``index``, from its sibling up to below the root.

        Raises IndexError for an index outside the tree.
        """
        if not 0 <= index < self.size:
            raise IndexError(f"leaf {index} is not in a tree of {self.size}")
        path = []
        for level in self._levels[:-1]:
            sibling = index ^ 1
            if sibling < len(level):
                path.append(level[sibling])
            index >>= 1
        return path


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The audit path of one leaf; see ``Tree.inclusion_proof``, which is for many."""
    return Tree(leaves).inclusion_proof(index)


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], expected_root: bytes) -> bool:
    """Whether ``leaf`` (a leaf hash) is number ``index`` of the ``size`` leaves under ``expected_root``.

    The procedure of RFC 9162, section 2.1.3.2. A path of the wrong length is no proof.
    """
    if not 0 <= index < size:
        return False
    position, last = index, size - 1
    current = leaf
    for sibling in path:
        if last == 0 or len(sibling) != HASH_BYTES:
            return False
        if position & 1 or position == last:
            current = node_hash(sibling, current)
            # A lone node rose through levels where it had no sibling.
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            current = node_hash(current, sibling)
        position >>= 1
        last >>= 1
    return last == 0 and current == expected_root


def _parents(level: Sequence[bytes]) -> list[bytes]:
    pairs = len(level) // 2
    nodes = [
        _sha256(b"\x01" + left + right).digest()
        for left, right in zip(level[0 : 2 * pairs : 2], level[1 : 2 * pairs : 2], strict=True)
    ]
    if len(level) % 2:
        nodes.append(level[-1])
    return nodes
