"""Transactions, events and changes as the JSON of the Aptos REST API."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import orjson

from infra.local.chain import writeset
from infra.local.chain.abi import AbiError, module_abi
from infra.local.chain.bcs import BcsError, Reader
from infra.local.chain.ledger import Ledger
from infra.local.chain.state import Block, Committed
from infra.local.chain.transaction import SignedTransaction, read_signed
from infra.local.chain.types import (
    MoveType,
    TypeSyntaxError,
    format_address,
    format_type,
    parse_type,
    read_struct,
    read_type,
    substitute,
)
from infra.local.chain.values import UnknownType, is_signer
from infra.local.chain.vm import KIND_MODULE, KIND_RESOURCE, KIND_TABLE_INFO, Call

Json = Any
_UNREADABLE = (BcsError, UnknownType, TypeSyntaxError, AbiError)


def hex_of(data: bytes) -> str:
    return "0x" + data.hex()


class Renderer:
    """Decodes by the modules that are published now; upgrades never change a layout."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def function(self, address: bytes, module: str, name: str) -> dict[str, Any] | None:
        """A function's ABI, or None when there is no such public or entry function."""
        code = self._ledger.module_code(address, module)
        if code is None:
            return None
        return next((each for each in module_abi(code)["exposed_functions"] if each["name"] == name), None)

    def parameters(self, function: dict[str, Any], type_args: Sequence[MoveType]) -> list[MoveType]:
        """Types of a function's parameters without signers, with its type arguments put in."""
        kinds = [substitute(parse_type(text), tuple(type_args)) for text in function["params"]]
        return [kind for kind in kinds if not is_signer(kind)]

    def module(self, code: bytes) -> Json:
        try:
            abi: Json = module_abi(code)
        except AbiError:
            abi = None
        return {"bytecode": hex_of(code), "abi": abi}

    def resource(self, path: bytes, value: bytes) -> Json:
        """{type, data} from a key's struct tag and the value's BCS."""
        tag = read_struct(Reader(path))
        return {"type": format_type(tag), "data": self._ledger.values.decode(tag, value)}

    def table_types(self, handle: bytes) -> tuple[MoveType, MoveType] | None:
        """Types of a table's keys and values, or None when the table is gone."""
        info = self._ledger.read(handle + bytes((KIND_TABLE_INFO,)))
        if info is None:
            return None
        reader = Reader(info)
        return read_type(reader), read_type(reader)

    def change(self, change: writeset.Change) -> Json:
        key = change.owner + bytes((change.kind,)) + change.path
        out: dict[str, Any] = {"state_key_hash": hex_of(hashlib.sha3_256(key).digest())}
        if change.kind == KIND_RESOURCE:
            out["address"] = format_address(change.owner)
            if change.value is None:
                resource = format_type(read_struct(Reader(change.path)))
                return {**out, "type": "delete_resource", "resource": resource}
            return {**out, "type": "write_resource", "data": self.resource(change.path, change.value)}
        if change.kind == KIND_MODULE:
            out["address"] = format_address(change.owner)
            if change.value is None:
                name = f"{out['address']}::{Reader(change.path).text()}"
                return {**out, "type": "delete_module", "module": name}
            return {**out, "type": "write_module", "data": self.module(change.value)}
        return {**out, **self._table_change(change)}

    def _table_change(self, change: writeset.Change) -> Json:
        out: dict[str, Any] = {"handle": hex_of(change.owner), "key": hex_of(change.path), "data": None}
        types = self.table_types(change.owner)
        if types is not None:
            key = self._ledger.values.decode(types[0], change.path)
            out["data"] = {"key": key, "key_type": format_type(types[0])}
        if change.value is None:
            return {**out, "type": "delete_table_item"}
        if types is not None:
            out["data"]["value"] = self._ledger.values.decode(types[1], change.value)
            out["data"]["value_type"] = format_type(types[1])
        return {**out, "type": "write_table_item", "value": hex_of(change.value)}

    def events(self, packed: bytes) -> list[Json]:
        """Events of a transaction; all are module events, which have no handle of their own."""
        guid = {"creation_number": "0", "account_address": "0x0"}
        return [
            {"guid": guid, "sequence_number": "0", **self._event(type_text, orjson.loads(data))}
            for type_text, data in orjson.loads(packed)
        ]

    def _event(self, type_text: str, data: Json) -> Json:
        kind = parse_type(type_text)
        return {"type": format_type(kind), "data": self._ledger.values.from_vm(kind, data)}

    def payload(self, tx: SignedTransaction) -> Json:
        payload = tx.payload
        types = [format_type(kind) for kind in payload.type_args]
        if isinstance(payload, Call):
            return {
                "type": "entry_function_payload",
                "function": f"{format_address(payload.address)}::{payload.module}::{payload.function}",
                "type_arguments": types,
                "arguments": self._arguments(payload),
            }
        return {
            "type": "script_payload",
            "code": {"bytecode": hex_of(payload.code), "abi": None},
            "type_arguments": types,
            "arguments": [self._script_argument(each.kind, each.data) for each in tx.script_arguments],
        }

    def _arguments(self, call: Call) -> list[Json]:
        """Decoded by the function's ABI; as hex when they do not fit it (such a transaction fails)."""
        function = self.function(call.address, call.module, call.function)
        try:
            kinds = self.parameters(function, call.type_args) if function else []
            return [
                self._ledger.values.decode(kind, data) for kind, data in zip(kinds, call.args, strict=True)
            ]
        except (*_UNREADABLE, ValueError, IndexError):
            return [hex_of(data) for data in call.args]

    def _script_argument(self, kind: str, data: bytes) -> Json:
        return hex_of(data) if kind == "serialized" else self._ledger.values.decode(parse_type(kind), data)

    def request(self, tx: SignedTransaction) -> Json:
        """What the sender asked for."""
        return {
            "hash": hex_of(tx.hash),
            "sender": format_address(tx.sender),
            "sequence_number": str(tx.sequence),
            "max_gas_amount": str(tx.max_gas),
            "gas_unit_price": str(tx.gas_price),
            "expiration_timestamp_secs": str(tx.expiration_seconds),
            "payload": self.payload(tx),
            "signature": tx.authenticator.to_json(),
            "replay_protection_nonce": None,
        }

    def pending(self, tx: SignedTransaction) -> Json:
        return {"type": "pending_transaction", **self.request(tx)}

    def committed(self, entry: Committed) -> Json:
        """A transaction with its outcome, events and changes."""
        outcome = {
            "version": str(entry.version),
            "hash": hex_of(entry.hash),
            "state_change_hash": hex_of(entry.state_change_hash),
            "event_root_hash": hex_of(entry.event_root_hash),
            "state_checkpoint_hash": None,
            "gas_used": str(entry.gas_used),
            "success": entry.success,
            "vm_status": entry.vm_status,
            "accumulator_root_hash": hex_of(entry.accumulator_root_hash),
            "changes": [self.change(change) for change in writeset.unpack(entry.writes)],
            "events": self.events(entry.events),
        }
        if entry.kind == "genesis":
            write_set = {"type": "direct_write_set", "changes": [], "events": []}
            payload = {"type": "write_set_payload", "write_set": write_set}
            return {"type": "genesis_transaction", **outcome, "payload": payload}
        request = self.request(read_signed(entry.body))
        return {"type": "user_transaction", **request, **outcome, "timestamp": str(entry.timestamp)}

    def block(self, block: Block, transactions: Sequence[Committed] | None) -> Json:
        return {
            "block_height": str(block.height),
            "block_hash": hex_of(block.hash),
            "block_timestamp": str(block.timestamp),
            "first_version": str(block.first_version),
            "last_version": str(block.last_version),
            "transactions": None if transactions is None else [self.committed(each) for each in transactions],
        }
