"""A module's ABI in the form of the Aptos REST API."""

from __future__ import annotations

import ctypes
from functools import lru_cache
from typing import Any

import orjson

from infra.local.chain.bytecode import ModuleInfo, read_module
from infra.local.chain.movelib import ByteSliceView, UnmanagedVector, load, take, view
from infra.local.chain.types import format_address, format_type

Abi = dict[str, Any]


class AbiError(ValueError):
    """The VM cannot read the bytes as a module."""


@lru_cache(maxsize=1024)
def module_abi(code: bytes) -> Abi:
    """The ABI of a compiled module; raises AbiError when the VM cannot read it.

    The VM gives functions and structs; enum variants and event marks are read from the bytes themselves.
    """
    library = load("libmovevm")
    decode = library.decode_module_bytes
    decode.restype = UnmanagedVector
    decode.argtypes = [ctypes.POINTER(UnmanagedVector), ByteSliceView]
    library.destroy_unmanaged_vector.argtypes = [UnmanagedVector]
    error = UnmanagedVector(True, None, 0, 0)
    result = take(library, decode(ctypes.byref(error), view(code)))
    message = take(library, error)
    if message is not None or result is None:
        raise AbiError((message or b"The VM gave no ABI.").decode(errors="replace"))
    abi: Abi = orjson.loads(result)
    info = read_module(code)
    abi["address"] = format_address(info.address)
    for struct in abi["structs"]:
        _complete(struct, info)
    return abi


def _complete(struct: dict[str, Any], info: ModuleInfo) -> None:
    """Add what the VM's ABI lacks: the event mark, and an enum's variants."""
    struct["is_event"] = struct["name"] in info.events
    layout = info.structs[struct["name"]]
    struct["is_enum"] = layout.variants is not None
    if layout.variants is not None:
        struct["variants"] = [
            {"name": name, "fields": [{"name": field, "type": format_type(kind)} for field, kind in fields]}
            for name, fields in layout.variants
        ]
