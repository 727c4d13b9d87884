"""Whose turn it is: in order for each account, whatever the order of arrival."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from infra.local.chain.errors import ApiError
from infra.local.chain.mempool import PER_ACCOUNT_MAX, Mempool
from infra.local.chain.transaction import SignedTransaction, read_signed, sign
from infra.local.chain.types import parse_address
from infra.local.chain.vm import Call

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
ALICE, BOB = parse_address("0xa11ce"), parse_address("0xb0b")


def _tx(sender: bytes, sequence: int, *, price: int = 100, expires: int = 1000) -> SignedTransaction:
    call = Call(parse_address("0x1"), "any", "call", (), ())
    return read_signed(
        sign(
            KEY,
            sender,
            sequence,
            call,
            max_gas=10,
            gas_price=price,
            expiration_seconds=expires,
            chain_id=4,
        )
    )


def _drain(mempool: Mempool) -> list[tuple[bytes, int]]:
    out = []
    while (tx := mempool.pop()) is not None:
        out.append((tx.sender, tx.sequence))
        mempool.done(tx, tx.sequence + 1)
    return out


def test_accounts_take_turns_as_they_arrive() -> None:
    mempool = Mempool()
    for sender, sequence in ((ALICE, 0), (BOB, 7), (ALICE, 1)):
        mempool.add(_tx(sender, sequence), 0 if sender == ALICE else 7)
    assert _drain(mempool) == [(ALICE, 0), (BOB, 7), (ALICE, 1)]
    assert len(mempool) == 0


def test_a_gap_holds_back_what_follows_until_it_is_filled() -> None:
    mempool = Mempool()
    for sequence in (2, 1):
        mempool.add(_tx(ALICE, sequence), 0)
    assert not mempool.has_ready()
    mempool.add(_tx(ALICE, 0), 0)
    assert _drain(mempool) == [(ALICE, 0), (ALICE, 1), (ALICE, 2)]


def test_what_follows_a_lost_transaction_waits_for_its_replacement() -> None:
    mempool = Mempool()
    for sequence in (0, 1):
        mempool.add(_tx(ALICE, sequence), 0)
    lost = mempool.pop()
    assert lost is not None
    mempool.done(lost, 0)
    follower = mempool.pop()
    assert follower is not None
    mempool.park(follower, 0)
    assert mempool.pop() is None
    mempool.add(_tx(ALICE, 0, price=200), 0)
    assert _drain(mempool) == [(ALICE, 0), (ALICE, 1)]


def test_a_better_price_replaces_and_the_same_price_does_not() -> None:
    mempool = Mempool()
    first, better = _tx(ALICE, 0), _tx(ALICE, 0, price=101)
    mempool.add(first, 0)
    mempool.add(better, 0)
    assert mempool.get(first.hash) is None
    with pytest.raises(ApiError, match="different payload"):
        mempool.add(first, 0)
    assert mempool.pop() is better


def test_an_account_may_be_a_hundred_ahead_and_no_more() -> None:
    mempool = Mempool()
    mempool.add(_tx(ALICE, PER_ACCOUNT_MAX - 1), 0)
    with pytest.raises(ApiError, match="Mempool is full"):
        mempool.add(_tx(ALICE, PER_ACCOUNT_MAX), 0)


def test_what_has_expired_is_forgotten() -> None:
    mempool = Mempool()
    mempool.add(_tx(ALICE, 0, expires=1000), 0)
    mempool.add(_tx(ALICE, 1, expires=2000), 0)
    mempool.expire(1000)
    assert len(mempool) == 1
    mempool.add(_tx(ALICE, 0, expires=3000), 0)
    assert _drain(mempool) == [(ALICE, 0), (ALICE, 1)]
