"""What the server itself reads and writes on chain: sequence numbers, authentication keys and the fee coin.

It works on the BCS of the framework's resources, whose layouts are Aptos' and never change. Doing this in
Move instead would double the cost of a transfer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import NamedTuple

from infra.local.chain import bcs
from infra.local.chain.types import parse_address, parse_struct, struct_bytes
from infra.local.chain.vm import KIND_RESOURCE, Writes

Read = Callable[[bytes], bytes | None]

APT_METADATA = parse_address("0xa")
"""The object that is APT's fungible-asset metadata."""

_DERIVED_OBJECT = b"\xfc"


def resource_key(address: bytes, type_name: str) -> bytes:
    """The store's key of a resource."""
    return address + bytes((KIND_RESOURCE,)) + struct_bytes(parse_struct(type_name))


_ACCOUNT_SUFFIX = resource_key(b"", "0x1::account::Account")
_COIN_STORE_SUFFIX = resource_key(b"", "0x1::coin::CoinStore<0x1::aptos_coin::AptosCoin>")
_FUNGIBLE_STORE_SUFFIX = resource_key(b"", "0x1::fungible_asset::FungibleStore")
_SUPPLY_KEYS = tuple(
    resource_key(APT_METADATA, f"0x1::fungible_asset::{name}") for name in ("ConcurrentSupply", "Supply")
)

# Account begins with vector<u8> of the 32 bytes of the key, then the sequence number.
_SEQUENCE_AT = 33
# FungibleStore begins with the metadata's address, then the balance; CoinStore with the balance.
_FUNGIBLE_BALANCE_AT = 32


class Account(NamedTuple):
    """An account as transactions see it; an address without the resource has sequence 0 and its own key."""

    auth_key: bytes
    sequence: int


def account_key(address: bytes) -> bytes:
    return address + _ACCOUNT_SUFFIX


def read_account(read: Read, address: bytes) -> Account:
    data = read(account_key(address))
    if data is None:
        return Account(address, 0)
    return Account(data[1:33], int.from_bytes(data[_SEQUENCE_AT : _SEQUENCE_AT + 8], "little"))


def account_exists(read: Read, address: bytes) -> bool:
    return read(account_key(address)) is not None


def new_account(address: bytes, auth_key: bytes, sequence: int) -> bytes:
    """BCS of a fresh 0x1::account::Account with its two event handles."""
    handles = b"".join(bcs.u64(0) + bcs.u64(number) + address for number in (0, 1))
    next_creation, no_offers = bcs.u64(2), bcs.flag(False) * 2
    return bcs.blob(auth_key) + bcs.u64(sequence) + next_creation + handles + no_offers


def advance_sequence(read: Read, address: bytes, sequence: int) -> Writes:
    """Write ``sequence`` into the account, creating the account where there is none."""
    key = account_key(address)
    data = read(key)
    if data is None:
        return {key: new_account(address, address, sequence)}
    return {key: data[:_SEQUENCE_AT] + bcs.u64(sequence) + data[_SEQUENCE_AT + 8 :]}


def primary_store(owner: bytes, metadata: bytes = APT_METADATA) -> bytes:
    """The address of an owner's primary store of a fungible asset."""
    return hashlib.sha3_256(owner + metadata + _DERIVED_OBJECT).digest()


def _coin_key(owner: bytes) -> bytes:
    return owner + _COIN_STORE_SUFFIX


def _fungible_key(owner: bytes) -> bytes:
    return primary_store(owner) + _FUNGIBLE_STORE_SUFFIX


def balance(read: Read, owner: bytes) -> int:
    """APT in octas, as coin and as fungible asset together."""
    coin, fungible = read(_coin_key(owner)), read(_fungible_key(owner))
    total = int.from_bytes(coin[:8], "little") if coin else 0
    if fungible:
        total += int.from_bytes(fungible[_FUNGIBLE_BALANCE_AT : _FUNGIBLE_BALANCE_AT + 8], "little")
    return total


def burn_fee(read: Read, payer: bytes, octas: int) -> Writes | None:
    """Take the fee from the payer and from the supply; None when the payer has too little."""
    writes: Writes = {}
    left = octas
    for key, at in ((_coin_key(payer), 0), (_fungible_key(payer), _FUNGIBLE_BALANCE_AT)):
        data = read(key)
        if data and left:
            held = int.from_bytes(data[at : at + 8], "little")
            taken = min(held, left)
            writes[key] = data[:at] + bcs.u64(held - taken) + data[at + 8 :]
            left -= taken
    if left:
        return None
    for key in _SUPPLY_KEYS:
        data = read(key)
        if data:
            supply = int.from_bytes(data[:16], "little") - octas
            writes[key] = supply.to_bytes(16, "little") + data[16:]
    return writes
