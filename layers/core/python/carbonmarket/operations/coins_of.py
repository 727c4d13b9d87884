"""What an account has left to pay fees with."""

from __future__ import annotations

from carbonmarket.ports.chain import ChainAccess

_COIN = "0x1::aptos_coin::AptosCoin"


def coins_of(account: str, *, chain: ChainAccess) -> int:
    """Octas of the account at an address."""
    return int(chain.view("0x1::coin::balance", [_COIN], [account])[0])
