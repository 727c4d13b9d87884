"""Sends many transactions of this machine's own accounts at once: signed here, handed over ten at a time.

For accounts that only the seed uses: their sequence numbers are counted here and leased from nobody. What is
signed is not stored, so a run that dies may leave its last wave unsent; nothing depends on it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx
from aptos_sdk.bcs import Serializer
from aptos_sdk.transactions import RawTransaction

from carbonmarket.chain.calls import EntryCall
from carbonmarket.ports.chain import SignerPort
from carbonmarket_adapters.aptos.client import NodeClient
from carbonmarket_adapters.aptos.sponsorship import GAS_UNITS_MAX
from carbonmarket_adapters.aptos.transactions import (
    account_of,
    authenticator_of,
    payload_of,
    signed_bytes,
    signing_message,
    transaction_hash,
)

# A node lets an account's transactions wait up to 100 numbers ahead.
_IN_FLIGHT_MAX = 90
_BATCH = 10
_EXPIRY_S = 300
_SETTLE_S = 60
_OCTAS_MIN = 10**11
_BALANCE, _COIN = "0x1::coin::balance", "0x1::aptos_coin::AptosCoin"
_BCS = {"content-type": "application/x.aptos.signed_transaction+bcs"}


class SeedFailed(Exception):
    """The chain didn't take what the seed sent; the text says why."""


@dataclass
class _Account:
    address: str
    sequence: int
    in_flight: int = 0
    last_hash: str = ""


class Bulk:
    """One wave after the other: :meth:`send` as many as wanted, then :meth:`settle`."""

    def __init__(
        self,
        node_url: str,
        signer: SignerPort,
        market: str,
        fund: Callable[[str], None],
    ) -> None:
        """``node_url`` ends in /v1; ``fund`` gives an address coins for its fees."""
        self._url = node_url
        self._node = NodeClient(node_url)
        self._http = httpx.Client(timeout=_SETTLE_S)
        self._signer = signer
        self._market = market
        self._fund = fund
        self._accounts: dict[str, _Account] = {}
        self._queue: list[bytes] = []
        self._gas_price = self._node.gas_price()
        ledger = self._node.ledger()
        self._chain_id = ledger.chain_id
        self._now_s = ledger.timestamp_us // 1_000_000

    def address(self, key: str) -> str:
        """The account of a key, which is made and funded at its first use."""
        return self._account(key).address

    def send(self, key: str, call: EntryCall) -> None:
        """Sign a call with a key and hand it over, at the latest when the wave is settled."""
        account = self._account(key)
        if account.in_flight >= _IN_FLIGHT_MAX:
            self.settle()
        raw = RawTransaction(
            account_of(account.address),
            account.sequence,
            payload_of(call, self._market),
            GAS_UNITS_MAX,
            self._gas_price,
            self._now_s + _EXPIRY_S,
            self._chain_id,
        )
        signature = self._signer.sign(key, signing_message(raw, None))
        signed = signed_bytes(raw, authenticator_of(self._signer.public_key(key), signature), None)
        account.sequence += 1
        account.in_flight += 1
        account.last_hash = transaction_hash(signed)
        self._queue.append(signed)
        if len(self._queue) == _BATCH:
            self._hand_over()

    def settle(self) -> int:
        """Return once all that was sent is on chain, well or failed; the ledger's version then."""
        self._hand_over()
        for account in self._accounts.values():
            if account.in_flight:
                self._await(account.last_hash)
                account.in_flight = 0
        ledger = self._node.ledger()
        # What is sent next must not have expired, however long the wave took.
        self._now_s = ledger.timestamp_us // 1_000_000
        return ledger.version

    def move_clock(self, to_us: int) -> None:
        """Set the localnet's clock forward; nothing may be on its way."""
        root = self._url.removesuffix("/v1")
        answer = self._http.post(f"{root}/localnet/clock", json={"timestamp_usecs": str(to_us)})
        if answer.is_error:
            raise SeedFailed(f"the localnet's clock can't be set: {answer.text[:200]}")
        self._now_s = to_us // 1_000_000

    def now_us(self) -> int:
        """The ledger's time."""
        return self._node.ledger().timestamp_us

    def _account(self, key: str) -> _Account:
        found = self._accounts.get(key)
        if found is None:
            self._signer.create(key)
            address = self._signer.address(key)
            [octas] = self._node.view(_BALANCE, [_COIN], [address])
            if int(octas) < _OCTAS_MIN:
                self._fund(address)
            body = self._node.account(address).body
            found = _Account(address, int(body["sequence_number"]) if body else 0)
            self._accounts[key] = found
        return found

    def _hand_over(self) -> None:
        if not self._queue:
            return
        serializer = Serializer()  # type: ignore[no-untyped-call]
        serializer.uleb128(len(self._queue))
        content = serializer.output() + b"".join(self._queue)
        self._queue.clear()
        answer = self._http.post(f"{self._url}/transactions/batch", content=content, headers=_BCS)
        if answer.status_code != httpx.codes.ACCEPTED:
            raise SeedFailed(f"the node refused transactions of the seed: {answer.text[:300]}")

    def _await(self, hash_: str) -> None:
        deadline = time.monotonic() + _SETTLE_S
        while time.monotonic() < deadline:
            body = self._node.wait(hash_).body
            if body is not None and body["type"] != "pending_transaction":
                return
        raise SeedFailed(f"the chain didn't take transaction {hash_} within {_SETTLE_S} s")
