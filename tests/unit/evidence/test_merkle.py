"""Merkle trees: RFC 6962's own values, and what must not pass as a proof."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbonmarket import merkle

# The entries and roots of the test vectors that accompany RFC 6962 (certificate-transparency project).
ENTRIES = [
    bytes.fromhex(text)
    for text in [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ]
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]

leaf_lists = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=40)


def recursive_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1, as the text defines it: split at the largest power of two below n."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    left, right = recursive_root(leaves[:split]), recursive_root(leaves[split:])
    return hashlib.sha256(b"\x01" + left + right).digest()


@pytest.mark.parametrize("size", range(1, 9))
def test_the_roots_of_the_published_vectors(size: int) -> None:
    leaves = [merkle.leaf_hash(entry) for entry in ENTRIES[:size]]
    assert merkle.root(leaves).hex() == ROOTS[size - 1]


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert merkle.root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert merkle.Tree([]).root == merkle.root([])


@given(leaf_lists)
def test_the_root_is_the_recursive_definition(leaves: list[bytes]) -> None:
    assert merkle.root(leaves) == merkle.Tree(leaves).root == recursive_root(leaves)


@given(leaf_lists)
def test_every_leaf_is_proved(leaves: list[bytes]) -> None:
    tree = merkle.Tree(leaves)
    for index, leaf in enumerate(leaves):
        assert merkle.verify_inclusion(leaf, index, tree.size, tree.inclusion_proof(index), tree.root)


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=2, max_size=40, unique=True), st.data())
def test_a_proof_is_of_one_leaf_at_one_place_in_one_tree(leaves: list[bytes], data: st.DataObject) -> None:
    tree = merkle.Tree(leaves)
    index = data.draw(st.integers(0, len(leaves) - 1))
    path = tree.inclusion_proof(index)
    other = data.draw(st.integers(0, len(leaves) - 1).filter(lambda i: i != index))
    assert not merkle.verify_inclusion(leaves[other], index, tree.size, path, tree.root)
    assert not merkle.verify_inclusion(leaves[index], other, tree.size, path, tree.root)
    assert not merkle.verify_inclusion(leaves[index], index, tree.size, path[:-1], tree.root)
    assert not merkle.verify_inclusion(leaves[index], index, tree.size, [*path, bytes(32)], tree.root)
    assert not merkle.verify_inclusion(leaves[index], tree.size, tree.size, path, tree.root)
    flipped = bytes([path[0][0] ^ 1]) + path[0][1:]
    assert not merkle.verify_inclusion(leaves[index], index, tree.size, [flipped, *path[1:]], tree.root)


def test_a_node_is_no_leaf() -> None:
    left, right = merkle.leaf_hash(b"a"), merkle.leaf_hash(b"b")
    assert merkle.root([left, right]) != merkle.leaf_hash(left + right)


def test_repeating_the_last_leaf_changes_the_root() -> None:
    leaves = [merkle.leaf_hash(bytes([number])) for number in range(3)]
    assert merkle.root(leaves) != merkle.root([*leaves, leaves[-1]])


def test_an_index_outside_the_tree_has_no_proof() -> None:
    with pytest.raises(IndexError):
        merkle.Tree([bytes(32)]).inclusion_proof(1)
