"""The reading half of the REST API: ledger, accounts, modules, tables, blocks, transactions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from infra.local.chain import accounts
from infra.local.chain.bcs import BcsError
from infra.local.chain.blocks import BlockMaker
from infra.local.chain.errors import ApiError, bad_request, not_found
from infra.local.chain.http import BCS, Handler, Request, Response, Router, json_response, parse_number
from infra.local.chain.ledger import MIN_GAS_PRICE, Ledger
from infra.local.chain.render import Renderer, hex_of
from infra.local.chain.state import Block, Committed
from infra.local.chain.types import (
    Struct,
    TypeSyntaxError,
    parse_address,
    parse_struct,
    parse_type,
    struct_bytes,
)
from infra.local.chain.values import UnknownType, ValueMismatch
from infra.local.chain.vm import KIND_MODULE, KIND_RESOURCE, KIND_TABLE_ITEM, Call

PAGE = 25
PAGE_MAX = 100
RESOURCES_MAX = 9999
WAIT_SECONDS = 1.0


def address_of(text: str) -> bytes:
    try:
        return parse_address(text)
    except TypeSyntaxError as error:
        raise bad_request(str(error)) from None


def hash_of(text: str) -> bytes:
    try:
        digest = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        digest = b""
    if len(digest) != 32:
        raise bad_request(f"{text!r} is not a transaction hash: 64 hex digits after 0x.")
    return digest


class Reads:
    def __init__(self, ledger: Ledger, renderer: Renderer, blocks: BlockMaker) -> None:
        self._ledger = ledger
        self._renderer = renderer
        self._blocks = blocks

    def add_to(self, router: Router) -> None:
        routes: dict[str, Handler] = {
            "/v1": self.index,
            "/v1/-/healthy": self.healthy,
            "/v1/estimate_gas_price": self.gas_price,
            "/v1/accounts/{address}": self.account,
            "/v1/accounts/{address}/resources": self.resources,
            "/v1/accounts/{address}/resource/{name}": self.resource,
            "/v1/accounts/{address}/modules": self.modules,
            "/v1/accounts/{address}/module/{name}": self.module,
            "/v1/accounts/{address}/balance/{asset}": self.balance,
            "/v1/accounts/{address}/transactions": self.account_transactions,
            "/v1/transactions": self.transactions,
            "/v1/transactions/by_hash/{tx_hash}": self.by_hash,
            "/v1/transactions/wait_by_hash/{tx_hash}": self.wait_by_hash,
            "/v1/transactions/by_version/{version}": self.by_version,
            "/v1/blocks/by_height/{height}": self.block_by_height,
            "/v1/blocks/by_version/{version}": self.block_by_version,
        }
        for pattern, handler in routes.items():
            router.add("GET", pattern, handler)
        router.add("POST", "/v1/tables/{handle}/item", self.table_item)
        router.add("POST", "/v1/tables/{handle}/raw_item", self.raw_table_item)

    def check_version(self, request: Request) -> None:
        """Only the newest state is kept: a question about another version is refused, not misanswered."""
        version = request.number("ledger_version", self._ledger.version)
        if version > self._ledger.version:
            raise not_found(
                "version_not_found", f"Ledger version {version} does not exist; {self._ledger.version} does."
            )
        if version < self._ledger.version:
            raise ApiError(
                410,
                "version_pruned",
                f"The state at ledger version {version} is pruned: the localnet keeps the newest state only, "
                f"which is at {self._ledger.version}.",
            )

    # Ledger

    def index(self, _request: Request) -> Response:
        ledger = self._ledger
        return json_response(
            {
                "chain_id": ledger.chain_id,
                "epoch": "1",
                "ledger_version": str(ledger.version),
                "oldest_ledger_version": "0",
                "ledger_timestamp": str(ledger.clock.now()),
                "node_role": "full_node",
                "oldest_block_height": "0",
                "block_height": str(ledger.last_block.height),
                "git_hash": "",
            }
        )

    def healthy(self, _request: Request) -> Response:
        return json_response({"message": "aptos-node:ok"})

    def gas_price(self, _request: Request) -> Response:
        price = MIN_GAS_PRICE
        estimates = {"deprioritized_gas_estimate": price, "gas_estimate": price}
        return json_response({**estimates, "prioritized_gas_estimate": price})

    # Accounts

    def account(self, request: Request, address: str) -> Response:
        """Sequence number and key. As on Aptos, an address without the resource has sequence number 0."""
        self.check_version(request)
        account = accounts.read_account(self._ledger.read, address_of(address))
        sequence, key = str(account.sequence), hex_of(account.auth_key)
        return json_response({"sequence_number": sequence, "authentication_key": key})

    def resources(self, request: Request, address: str) -> Response:
        self.check_version(request)
        owner = address_of(address)
        start = request.query.get("start", "")
        found = list(self._ledger.store.scan(owner + bytes((KIND_RESOURCE,))))
        if not found and not accounts.account_exists(self._ledger.read, owner):
            raise not_found("account_not_found", f"Account not found by Address({address}).")
        return self._page(request, start, found, lambda key, value: self._renderer.resource(key[33:], value))

    def modules(self, request: Request, address: str) -> Response:
        self.check_version(request)
        start = request.query.get("start", "")
        found = list(self._ledger.store.scan(address_of(address) + bytes((KIND_MODULE,))))
        return self._page(request, start, found, lambda _key, value: self._renderer.module(value))

    def _page(
        self,
        request: Request,
        start: str,
        found: list[tuple[bytes, bytes]],
        render: Callable[[bytes, bytes], Any],
    ) -> Response:
        """A page of an account's keys; the cursor of the next is in a header, as on Aptos."""
        limit = request.number("limit", RESOURCES_MAX, RESOURCES_MAX)
        rest = [pair for pair in found if not start or pair[0] >= _cursor(start)]
        headers = {"x-aptos-cursor": hex_of(rest[limit][0])} if len(rest) > limit else {}
        return json_response([render(key, value) for key, value in rest[:limit]], headers=headers)

    def resource(self, request: Request, address: str, name: str) -> Response:
        self.check_version(request)
        tag = self._struct(name)
        value = self._ledger.read(address_of(address) + bytes((KIND_RESOURCE,)) + struct_bytes(tag))
        if value is None:
            raise not_found(
                "resource_not_found",
                f"Resource not found by Address({address}), Struct tag({name}) and "
                f"Ledger version({self._ledger.version})",
            )
        if request.wants_bcs:
            return Response(value, content_type=BCS)
        return json_response(self._renderer.resource(struct_bytes(tag), value))

    @staticmethod
    def _struct(name: str) -> Struct:
        try:
            return parse_struct(name)
        except TypeSyntaxError as error:
            raise bad_request(str(error)) from None

    def module(self, request: Request, address: str, name: str) -> Response:
        self.check_version(request)
        code = self._ledger.module_code(address_of(address), name)
        if code is None:
            raise not_found(
                "module_not_found", f"Module not found by Address({address}), Module name({name})"
            )
        return (
            Response(code, content_type=BCS)
            if request.wants_bcs
            else json_response(self._renderer.module(code))
        )

    def balance(self, request: Request, address: str, asset: str) -> Response:
        """The amount that an account holds of a coin type or of a fungible asset's metadata address."""
        self.check_version(request)
        owner = address_of(address)
        if "::" in asset:
            call = Call(_ONE, "coin", "balance", (self._struct(asset),), (owner,))
        else:
            metadata = parse_struct("0x1::fungible_asset::Metadata")
            call = Call(_ONE, "primary_fungible_store", "balance", (metadata,), (owner, address_of(asset)))
        failure, amount = self._ledger.view(call)
        if failure is not None:
            raise bad_request(f"{asset} has no balance: {failure}")
        return Response(amount.strip('"').encode())

    # Transactions

    def account_transactions(self, request: Request, address: str) -> Response:
        sender = address_of(address)
        limit = request.number("limit", PAGE, PAGE_MAX)
        newest = accounts.read_account(self._ledger.read, sender).sequence
        start = request.number("start", max(0, newest - limit))
        return json_response(
            [self._renderer.committed(each) for each in self._ledger.store.of_sender(sender, start, limit)]
        )

    def transactions(self, request: Request) -> Response:
        limit = request.number("limit", PAGE, PAGE_MAX)
        start = request.number("start", max(0, self._ledger.version + 1 - limit))
        if start > self._ledger.version:
            raise not_found("version_not_found", f"Ledger version {start} does not exist yet.")
        return json_response(
            [self._renderer.committed(each) for each in self._ledger.store.page(start, limit)]
        )

    def by_hash(self, _request: Request, tx_hash: str) -> Response:
        """A transaction by its hash. Whoever asks for a waiting one gets its block made at once."""
        digest = hash_of(tx_hash)
        waiting = self._ledger.mempool.get(digest)
        if waiting is not None:
            self._blocks.make_now()
            now = self._ledger.clock.now() // 1_000_000
            if waiting.expiration_seconds <= now:
                self._ledger.mempool.expire(now)
        entry = self._ledger.store.by_hash(digest)
        if entry is not None:
            return json_response(self._renderer.committed(entry))
        waiting = self._ledger.mempool.get(digest)
        if waiting is not None:
            return json_response(self._renderer.pending(waiting))
        raise not_found("transaction_not_found", f"Transaction not found by Transaction hash({tx_hash})")

    async def wait_by_hash(self, request: Request, tx_hash: str) -> Response:
        """As ``by_hash``, but waits up to a second for the transaction to be committed."""
        digest = hash_of(tx_hash)
        if self._ledger.mempool.get(digest) is not None or self._ledger.store.by_hash(digest) is None:
            self._blocks.make_now()
            if self._ledger.store.by_hash(digest) is None:
                await self._blocks.next_block(WAIT_SECONDS)
        return self.by_hash(request, tx_hash)

    def by_version(self, _request: Request, version: str) -> Response:
        entry = self._ledger.store.by_version(parse_number(version, "A version"))
        if entry is None:
            raise not_found("version_not_found", f"Ledger version {version} does not exist.")
        return json_response(self._renderer.committed(entry))

    # Blocks

    def block_by_height(self, request: Request, height: str) -> Response:
        return self._block(
            request, self._ledger.store.block_at(parse_number(height, "A height")), f"height {height}"
        )

    def block_by_version(self, request: Request, version: str) -> Response:
        return self._block(
            request, self._ledger.store.block_of(parse_number(version, "A version")), f"version {version}"
        )

    def _block(self, request: Request, block: Block | None, what: str) -> Response:
        if block is None:
            raise not_found("block_not_found", f"There is no block of {what}.")
        transactions: list[Committed] | None = None
        if request.flag("with_transactions"):
            count = min(PAGE_MAX, block.last_version - block.first_version + 1)
            transactions = self._ledger.store.page(block.first_version, count)
        return json_response(self._renderer.block(block, transactions))

    # Tables

    def table_item(self, request: Request, handle: str) -> Response:
        """A table's item by its key as JSON; the body names the types of key and value."""
        self.check_version(request)
        asked = request.json()
        try:
            key_type, value_type = parse_type(asked["key_type"]), parse_type(asked["value_type"])
            key = self._ledger.values.encode(key_type, asked["key"])
        except (KeyError, TypeError):
            raise bad_request("A table item is asked for with key_type, value_type and key.") from None
        except (TypeSyntaxError, ValueMismatch, UnknownType) as error:
            raise bad_request(str(error)) from None
        value = self._item(handle, key)
        try:
            return json_response(self._ledger.values.decode(value_type, value))
        except (BcsError, UnknownType) as error:
            raise bad_request(f"The item is not a {asked['value_type']}: {error}") from None

    def raw_table_item(self, request: Request, handle: str) -> Response:
        """A table's item in BCS by its key in BCS (hex)."""
        self.check_version(request)
        try:
            key = bytes.fromhex(request.json()["key"].removeprefix("0x"))
        except (KeyError, TypeError, AttributeError, ValueError):
            raise bad_request("A raw table item is asked for with key, the key's BCS in hex.") from None
        return Response(self._item(handle, key), content_type=BCS)

    def _item(self, handle: str, key: bytes) -> bytes:
        value = self._ledger.read(address_of(handle) + bytes((KIND_TABLE_ITEM,)) + key)
        if value is None:
            raise not_found(
                "table_item_not_found",
                f"Table Item not found by Table handle({handle}), Table key({hex_of(key)})",
            )
        return value


_ONE = parse_address("0x1")


def _cursor(text: str) -> bytes:
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        raise bad_request(f"{text!r} is not a cursor from the header x-aptos-cursor.") from None
