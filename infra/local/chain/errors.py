"""What goes wrong with a transaction or a request, in Aptos' words and numbers."""

from __future__ import annotations

import re
from collections.abc import Callable

from infra.local.chain.bcs import BcsError
from infra.local.chain.bytecode import read_module
from infra.local.chain.types import format_address, parse_address

VALIDATION_CODES = {
    "INVALID_SIGNATURE": 1,
    "INVALID_AUTH_KEY": 2,
    "SEQUENCE_NUMBER_TOO_OLD": 3,
    "SEQUENCE_NUMBER_TOO_NEW": 4,
    "INSUFFICIENT_BALANCE_FOR_TRANSACTION_FEE": 5,
    "TRANSACTION_EXPIRED": 6,
    "EXCEEDED_MAX_TRANSACTION_SIZE": 10,
    "MAX_GAS_UNITS_EXCEEDS_MAX_GAS_UNITS_BOUND": 13,
    "MAX_GAS_UNITS_BELOW_MIN_TRANSACTION_GAS_UNITS": 14,
    "GAS_UNIT_PRICE_BELOW_MIN_BOUND": 15,
    "GAS_UNIT_PRICE_ABOVE_MAX_BOUND": 16,
    "BAD_CHAIN_ID": 23,
    "SIGNERS_CONTAIN_DUPLICATES": 33,
}
"""Numbers of Aptos' status codes for transactions that are not let in."""


class ApiError(Exception):
    """A request that cannot be answered: HTTP status, Aptos' error code, and a sentence."""

    def __init__(self, status: int, code: str, message: str, vm_code: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.vm_code = vm_code


class Refused(ApiError):
    """A transaction that validation does not let in; it never gets a version."""

    def __init__(self, name: str) -> None:
        message = f"Invalid transaction: Type: Validation Code: {name}"
        super().__init__(400, "vm_error", message, VALIDATION_CODES[name])
        self.name = name


def bad_request(message: str) -> ApiError:
    return ApiError(400, "invalid_input", message)


def not_found(code: str, message: str) -> ApiError:
    return ApiError(404, code, message)


_ABORT = re.compile(r"^VM aborted: location=(\S+), code=(\d+)")
_FAILURE = re.compile(
    r"status (\w+) of type.*?location=(?:(\w+)::(\w+)|(\w+)), function=(\d+), code_offset=(\d+)", re.S
)
_STATUS = re.compile(r"status (\w+) of type")

ModuleCode = Callable[[bytes, str], bytes | None]


def vm_status(failure: str, module_code: ModuleCode) -> str:
    """The VM's text of a failed execution in the words of Aptos' ``vm_status``."""
    abort = _ABORT.match(failure)
    if abort:
        return _abort_status(abort[1], int(abort[2]), module_code)
    status = _STATUS.search(failure)
    name = status[1] if status else "UNKNOWN_STATUS"
    if name == "OUT_OF_GAS":
        return "Out of gas"
    broken = _FAILURE.search(failure)
    if broken:
        where = f"{format_address(parse_address(broken[2]))}::{broken[3]}" if broken[2] else broken[4]
        return f"Execution failed in {where} at code offset {broken[6]} of function {broken[5]}: {name}"
    return f"Transaction Executed and Committed with Error {name}"


def _abort_status(location: str, code: int, module_code: ModuleCode) -> str:
    address, separator, module = location.partition("::")
    if not separator:
        return f"Move abort in {location}: {code:#x}"
    where = f"{format_address(parse_address(address))}::{module}"
    name, words = _reason(module_code(parse_address(address), module), code)
    return (
        f"Move abort in {where}: {name}({code:#x}): {words}" if name else f"Move abort in {where}: {code:#x}"
    )


def _reason(code_bytes: bytes | None, code: int) -> tuple[str, str]:
    """The constant's name and comment, found by the code without its category, or by the whole code."""
    if code_bytes is None:
        return "", ""
    try:
        errors = read_module(code_bytes).errors
    except BcsError:
        return "", ""
    name, words = errors.get(code & 0xFFF) or errors.get(code) or ("", "")
    return name, " ".join(words.split())
