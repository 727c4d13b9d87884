"""What the stories about the localnet share. The SDK is Aptos' own, unmodified."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aptos_sdk.account import Account
from aptos_sdk.account_address import AccountAddress
from aptos_sdk.async_client import FaucetClient, RestClient
from aptos_sdk.authenticator import Authenticator
from aptos_sdk.bcs import Serializer
from aptos_sdk.transactions import (
    EntryFunction,
    RawTransaction,
    Script,
    SignedTransaction,
    TransactionArgument,
    TransactionPayload,
)

from infra.local.chain import compiler
from infra.local.chain.process import Running

PROBE = Path(__file__).parent / "packages" / "probe"
OCTAS = 10**9
CHAIN_ID = 4


class Chain:
    """A client of the node and one of the faucet, in one event loop."""

    def __init__(self, localnet: Running) -> None:
        self.client = RestClient(localnet.node)
        self.faucet = FaucetClient(localnet.faucet, self.client)

    async def account(self, octas: int = OCTAS) -> Account:
        """A new account with some APT."""
        account = Account.generate()
        await self.faucet.fund_account(account.address(), octas)
        return account

    async def run(self, sender: Account, payload: EntryFunction | Script) -> dict[str, Any]:
        """Sign, send and wait, whether it succeeds or fails."""
        signed = await self.client.create_bcs_signed_transaction(sender, TransactionPayload(payload))
        return await self.settled(await self.client.submit_bcs_transaction(signed))

    async def settled(self, tx_hash: str) -> dict[str, Any]:
        while await self.client.transaction_pending(tx_hash):
            await asyncio.sleep(0.01)
        return await self.client.transaction_by_hash(tx_hash)

    async def send(self, raw: RawTransaction, authenticator: Authenticator) -> dict[str, Any]:
        return await self.settled(
            await self.client.submit_bcs_transaction(SignedTransaction(raw, authenticator))
        )

    async def publish_probe(self, owner: Account) -> str:
        """Publish the test package; the address by which its functions are called."""
        address = str(owner.address())
        built = compiler.build(PROBE, {"probe": address})
        payload = EntryFunction.natural(
            "0x1::code",
            "publish_package_txn",
            [],
            [
                TransactionArgument(built.metadata, Serializer.to_bytes),
                TransactionArgument(built.codes, Serializer.sequence_serializer(Serializer.to_bytes)),
            ],
        )
        outcome = await self.run(owner, payload)
        assert outcome["success"], outcome["vm_status"]
        return address


def story(localnet: Running, tell: Callable[[Chain], Awaitable[Any]]) -> Any:
    """Run one story with a fresh client."""

    async def told() -> Any:
        chain = Chain(localnet)
        try:
            return await tell(chain)
        finally:
            await chain.client.close()

    return asyncio.run(told())


def entry(module: str, function: str, *arguments: tuple[Any, Callable[..., None]]) -> EntryFunction:
    """A call without type arguments."""
    return EntryFunction.natural(
        module, function, [], [TransactionArgument(value, encode) for value, encode in arguments]
    )


def transfer(to: Account | AccountAddress, octas: int) -> EntryFunction:
    address = to.address() if isinstance(to, Account) else to
    return entry("0x1::aptos_account", "transfer", (address, Serializer.struct), (octas, Serializer.u64))


def raw_transaction(
    sender: Account | AccountAddress,
    sequence: int,
    payload: EntryFunction,
    *,
    seconds: int = 600,
    chain_id: int = CHAIN_ID,
    max_gas: int = 100_000,
) -> RawTransaction:
    address = sender.address() if isinstance(sender, Account) else sender
    expires = int(time.time()) + seconds
    return RawTransaction(address, sequence, TransactionPayload(payload), max_gas, 100, expires, chain_id)


def signed(sender: Account, raw: RawTransaction) -> SignedTransaction:
    return SignedTransaction(raw, sender.sign_transaction(raw))
