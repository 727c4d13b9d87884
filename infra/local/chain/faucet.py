"""The faucet: sends APT from its own account, by ordinary transactions."""

from __future__ import annotations

from infra.local.chain import accounts, bcs
from infra.local.chain.blocks import BlockMaker
from infra.local.chain.errors import bad_request
from infra.local.chain.genesis import FAUCET_ADDRESS, FAUCET_KEY
from infra.local.chain.http import Request, Response, json_response
from infra.local.chain.ledger import MIN_GAS_PRICE, Ledger
from infra.local.chain.reads import address_of
from infra.local.chain.transaction import sign
from infra.local.chain.types import parse_address
from infra.local.chain.vm import Call

AMOUNT_DEFAULT = 100_000_000
AMOUNT_MAX = 10**17
"""In octas: 1 APT unless told otherwise, at most a thousand million APT at once."""

_MAX_GAS = 100_000
_LIFETIME_SECONDS = 60


class Faucet:
    def __init__(self, ledger: Ledger, blocks: BlockMaker) -> None:
        self._ledger = ledger
        self._blocks = blocks

    def healthy(self, _request: Request) -> Response:
        return Response(b"tap:ok", content_type="text/plain")

    def mint(self, request: Request) -> Response:
        """``?address=&amount=``; answers with a list of the transaction's hash, once it is committed."""
        address = request.query.get("address") or request.query.get("auth_key") or ""
        amount = request.number("amount", AMOUNT_DEFAULT)
        return json_response([self._give(address_of(address), amount)])

    def fund(self, request: Request) -> Response:
        """{"address", "amount"}; answers {"txn_hashes"}, once it is committed."""
        asked = request.json()
        if not isinstance(asked, dict):
            raise bad_request("The faucet is asked with address and amount.")
        amount = asked.get("amount", AMOUNT_DEFAULT)
        address = asked.get("address") or asked.get("auth_key") or asked.get("pub_key") or ""
        if not isinstance(amount, int) or isinstance(amount, bool) or not isinstance(address, str):
            raise bad_request("The faucet is asked with address, a string, and amount, an integer of octas.")
        return json_response({"txn_hashes": [self._give(address_of(address), amount)]})

    def _give(self, address: bytes, amount: int) -> str:
        """Send, and make blocks until it is committed: so the next one's sequence number is known."""
        if not 0 <= amount <= AMOUNT_MAX:
            raise bad_request(f"The faucet gives 0 to {AMOUNT_MAX} octas at once, not {amount}.")
        sequence = accounts.read_account(self._ledger.read, FAUCET_ADDRESS).sequence
        tx = self._ledger.submit(self._transfer(address, amount, sequence))
        while self._ledger.mempool.has_ready():
            self._blocks.make_now()
        return "0x" + tx.hash.hex()

    def _transfer(self, address: bytes, amount: int, sequence: int) -> bytes:
        return sign(
            FAUCET_KEY,
            FAUCET_ADDRESS,
            sequence,
            Call(parse_address("0x1"), "aptos_account", "transfer", (), (address, bcs.u64(amount))),
            max_gas=_MAX_GAS,
            gas_price=MIN_GAS_PRICE,
            expiration_seconds=self._ledger.clock.now() // 1_000_000 + _LIFETIME_SECONDS,
            chain_id=self._ledger.chain_id,
        )
