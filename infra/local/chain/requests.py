"""Calls and transactions that arrive as JSON, in the forms that Aptos documents, turned into BCS."""

from __future__ import annotations

from typing import Any

from infra.local.chain import bcs
from infra.local.chain.errors import bad_request
from infra.local.chain.ledger import Ledger
from infra.local.chain.render import Renderer
from infra.local.chain.types import TypeSyntaxError, complete_type, parse_address
from infra.local.chain.values import UnknownType, ValueMismatch
from infra.local.chain.vm import Call


def read_call_json(asked: Any, ledger: Ledger, renderer: Renderer) -> Call:
    """{function, type_arguments, arguments} with the arguments encoded by the function's ABI."""
    try:
        address_text, module, name = asked["function"].split("::")
        types = tuple(complete_type(text) for text in asked.get("type_arguments", []))
        arguments = list(asked.get("arguments", []))
        address = parse_address(address_text)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        if isinstance(error, TypeSyntaxError):
            raise bad_request(str(error)) from None
        raise bad_request("A call has function (address::module::name), type_arguments, arguments.") from None
    function = renderer.function(address, module, name)
    if function is None:
        raise bad_request(f"The function {asked['function']} does not exist.")
    try:
        kinds = renderer.parameters(function, types)
        if len(kinds) != len(arguments):
            raise bad_request(f"{asked['function']} takes {len(kinds)} arguments, and got {len(arguments)}.")
        encode = ledger.values.encode
        packed = tuple(encode(kind, value) for kind, value in zip(kinds, arguments, strict=True))
    except (ValueMismatch, UnknownType, IndexError) as error:
        raise bad_request(f"The arguments do not fit {asked['function']}: {error}") from None
    return Call(address, module, name, types, packed)


def _number(asked: dict[str, Any], name: str) -> bytes:
    text = str(asked[name])
    if not (text.isascii() and text.isdigit()) or int(text) >= 1 << 64:
        raise bad_request(f"{name} must be a decimal integer of 64 bits, not {text!r}.")
    return bcs.u64(int(text))


def read_transaction_json(asked: Any, ledger: Ledger, renderer: Renderer) -> bytes:
    """BCS of a transaction given as JSON: entry functions signed by one Ed25519 key.

    Raises ApiError for other forms, which the SDKs send as BCS.
    """
    try:
        payload, signature = asked["payload"], asked["signature"]
        if payload["type"] != "entry_function_payload" or signature["type"] != "ed25519_signature":
            raise bad_request("As JSON, only entry functions signed by one Ed25519 key are taken; send BCS.")
        call = read_call_json(payload, ledger, renderer)
        key, signed = (
            bytes.fromhex(signature[name].removeprefix("0x")) for name in ("public_key", "signature")
        )
        return (
            parse_address(asked["sender"])
            + _number(asked, "sequence_number")
            + b"\x02"
            + call.to_bytes()
            + _number(asked, "max_gas_amount")
            + _number(asked, "gas_unit_price")
            + _number(asked, "expiration_timestamp_secs")
            + bytes((ledger.chain_id, 0))
            + bcs.blob(key)
            + bcs.blob(signed)
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise bad_request(f"The transaction is incomplete or malformed: {error!r}.") from None
