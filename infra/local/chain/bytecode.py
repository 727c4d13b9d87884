"""Reads from a compiled Move module what the VM's own ABI leaves out: enum variants, private layouts,
the modules it needs, event marks and the names of its abort codes.

Follows the public Move binary format, versions 6 and 7.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from infra.local.chain.bcs import BcsError, Reader
from infra.local.chain.types import MoveType, Param, Reference, Struct, Vector

_MAGIC = bytes.fromhex("a11ceb0b")
_MODULE_HANDLES, _STRUCT_HANDLES, _FUNCTION_HANDLES, _IDENTIFIERS, _ADDRESSES = 1, 2, 3, 7, 8
_STRUCT_DEFS, _FRIENDS, _METADATA = 10, 15, 16
_METADATA_KEY = b"initia::metadata_v0"
_EVENT_MARK = 4
_OPTION_NONE = 1

_PRIMITIVE = {
    1: "bool",
    2: "u8",
    3: "u64",
    4: "u128",
    5: "address",
    12: "signer",
    13: "u16",
    14: "u32",
    15: "u256",
}

Fields = tuple[tuple[str, MoveType], ...]


@dataclass(frozen=True)
class Layout:
    """A struct's fields, or an enum's variants with theirs; native structs have neither."""

    fields: Fields
    variants: tuple[tuple[str, Fields], ...] | None = None


@dataclass(frozen=True)
class ModuleInfo:
    """What a module says about itself.

    ``functions`` names all of its functions, private ones too.
    ``errors`` maps an abort code to the constant's name and the comment above it.
    """

    address: bytes
    name: str
    needs: tuple[tuple[bytes, str], ...]
    functions: frozenset[str]
    structs: dict[str, Layout]
    events: frozenset[str]
    errors: dict[int, tuple[str, str]]


class _Tables:
    """The tables of one binary, by kind."""

    def __init__(self, code: bytes) -> None:
        head = Reader(code)
        if head.take(4) != _MAGIC:
            raise BcsError("These bytes are not a compiled Move module.")
        self.version = head.number(4) & 0xFFFF
        entries = [(head.byte(), head.uleb(), head.uleb()) for _ in range(head.uleb())]
        base = head.pos
        self.parts = {kind: code[base + at : base + at + size] for kind, at, size in entries}
        tail = Reader(code)
        tail.pos = base + sum(size for _, _, size in entries)
        self.own_handle = tail.uleb()


def _read_token(reader: Reader, handles: list[tuple[bytes, str, str]]) -> MoveType:
    tag = reader.byte()
    if tag in _PRIMITIVE:
        return _PRIMITIVE[tag]
    if tag in {6, 7}:
        return Reference(tag == 7, _read_token(reader, handles))
    if tag == 9:
        return Param(reader.uleb())
    if tag == 10:
        return Vector(_read_token(reader, handles))
    if tag == 8:
        return Struct(*handles[reader.uleb()])
    if tag == 11:
        handle = handles[reader.uleb()]
        return Struct(*handle, tuple(_read_token(reader, handles) for _ in range(reader.uleb())))
    raise BcsError(f"The module uses a type of kind {tag}, which is unknown.")


def _read_metadata(value: bytes) -> tuple[frozenset[str], dict[int, tuple[str, str]]]:
    reader = Reader(value)
    errors = {}
    for _ in range(reader.uleb()):
        code = reader.number(8)
        errors[code] = (reader.text(), reader.text())
    events = set()
    for _ in range(reader.uleb()):
        name = reader.text()
        kinds = [(reader.byte(), reader.blobs())[0] for _ in range(reader.uleb())]
        if _EVENT_MARK in kinds:
            events.add(name)
    return frozenset(events), errors


@lru_cache(maxsize=1024)
def read_module(code: bytes) -> ModuleInfo:
    """Read a compiled module; raises BcsError when the bytes are none."""
    tables = _Tables(code)
    names = [row.decode() for row in _rows_of_blobs(tables.parts.get(_IDENTIFIERS, b""))]
    packed = tables.parts.get(_ADDRESSES, b"")
    addresses = [packed[at : at + 32] for at in range(0, len(packed), 32)]
    reader = Reader(tables.parts.get(_MODULE_HANDLES, b""))
    modules = []
    while reader.pos < len(reader.data):
        modules.append((addresses[reader.uleb()], names[reader.uleb()]))
    reader = Reader(tables.parts.get(_STRUCT_HANDLES, b""))
    handles = []
    while reader.pos < len(reader.data):
        address, module = modules[reader.uleb()]
        handles.append((address, module, names[reader.uleb()]))
        reader.byte()
        reader.take(2 * reader.uleb())
    own = modules[tables.own_handle]
    events: frozenset[str] = frozenset()
    errors: dict[int, tuple[str, str]] = {}
    reader = Reader(tables.parts.get(_METADATA, b""))
    while reader.pos < len(reader.data):
        key, value = reader.blob(), reader.blob()
        if key == _METADATA_KEY:
            events, errors = _read_metadata(value)
    friends = _read_friends(Reader(tables.parts.get(_FRIENDS, b"")), names, addresses)
    needs = tuple(module for module in modules if module != own and module not in friends)
    structs = _read_structs(Reader(tables.parts.get(_STRUCT_DEFS, b"")), names, handles)
    functions = _read_own_functions(tables, names)
    return ModuleInfo(*own, needs, functions, structs, events, errors)


def _read_own_functions(tables: _Tables, names: list[str]) -> frozenset[str]:
    reader = Reader(tables.parts.get(_FUNCTION_HANDLES, b""))
    out = set()
    while reader.pos < len(reader.data):
        module, name = reader.uleb(), names[reader.uleb()]
        reader.uleb(), reader.uleb()
        reader.take(reader.uleb())
        if tables.version >= 7 and reader.byte() != _OPTION_NONE:
            raise BcsError(f"The function {name} has access specifiers, which are not supported.")
        if module == tables.own_handle:
            out.add(name)
    return frozenset(out)


def _read_friends(reader: Reader, names: list[str], addresses: list[bytes]) -> set[tuple[bytes, str]]:
    out = set()
    while reader.pos < len(reader.data):
        out.add((addresses[reader.uleb()], names[reader.uleb()]))
    return out


def _rows_of_blobs(data: bytes) -> list[bytes]:
    reader, out = Reader(data), []
    while reader.pos < len(data):
        out.append(reader.blob())
    return out


def _read_structs(
    reader: Reader, names: list[str], handles: list[tuple[bytes, str, str]]
) -> dict[str, Layout]:
    def fields() -> Fields:
        return tuple((names[reader.uleb()], _read_token(reader, handles)) for _ in range(reader.uleb()))

    out = {}
    while reader.pos < len(reader.data):
        name = handles[reader.uleb()][2]
        shape = reader.byte()
        if shape == 1:
            out[name] = Layout(())
        elif shape == 2:
            out[name] = Layout(fields())
        elif shape == 3:
            variants = tuple((names[reader.uleb()], fields()) for _ in range(reader.uleb()))
            out[name] = Layout((), variants)
        else:
            raise BcsError(f"The struct {name} has a shape of kind {shape}, which is unknown.")
    return out
