"""Move types: their text form in the REST API, their BCS form, and how they are kept in memory."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple, TypeAlias, Union

from infra.local.chain import bcs

PRIMITIVES = ("bool", "u8", "u64", "u128", "address", "signer", "u16", "u32", "u256")
"""Names of the types without parameters."""

_TAG_OF = {"bool": 0, "u8": 1, "u64": 2, "u128": 3, "address": 4, "signer": 5, "u16": 8, "u32": 9, "u256": 10}
_NAME_OF = {tag: name for name, tag in _TAG_OF.items()}
_MAX_DEPTH = 8  # Aptos' own limit; the VM ends the whole process on a type that is nested deeper


class TypeSyntaxError(ValueError):
    """The text is not a Move type."""


class Vector(NamedTuple):
    item: MoveType


class Struct(NamedTuple):
    address: bytes
    module: str
    name: str
    args: tuple[MoveType, ...] = ()


class Param(NamedTuple):
    """The type parameter at ``position`` of the struct or function around it."""

    position: int


class Reference(NamedTuple):
    mutable: bool
    target: MoveType


MoveType: TypeAlias = Union[str, Vector, Struct, Param, Reference]  # noqa: UP007 - recursive at run time


def parse_address(text: str) -> bytes:
    """32 bytes from ``0x1`` or the long form; raises TypeSyntaxError on anything else."""
    digits = text[2:] if text[:2] in {"0x", "0X"} else text
    try:
        if not 0 < len(digits) <= 64:
            raise ValueError
        return bytes.fromhex(digits.rjust(64, "0"))
    except ValueError:
        raise TypeSyntaxError(f"{text!r} is not an address: 1 to 64 hex digits after 0x.") from None


@lru_cache(maxsize=65536)
def format_address(address: bytes) -> str:
    """Aptos' form: special addresses (0x0 to 0xf) short, all others in full."""
    if address[:31] == bytes(31) and address[31] < 16:
        return f"0x{address[31]:x}"
    return "0x" + address.hex()


@lru_cache(maxsize=16384)
def format_type(kind: MoveType) -> str:
    """The text form that the REST API uses, such as ``0x1::table::Table<u64, 0x1::string::String>``."""
    if isinstance(kind, str):
        return kind
    if isinstance(kind, Vector):
        return f"vector<{format_type(kind.item)}>"
    if isinstance(kind, Param):
        return f"T{kind.position}"
    if isinstance(kind, Reference):
        return ("&mut " if kind.mutable else "&") + format_type(kind.target)
    name = f"{format_address(kind.address)}::{kind.module}::{kind.name}"
    return f"{name}<{', '.join(map(format_type, kind.args))}>" if kind.args else name


class _Parser:
    """Recursive descent over the text form."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.pos = 0

    def skip(self, token: str) -> bool:
        while self.text[self.pos : self.pos + 1] == " ":
            self.pos += 1
        if self.text.startswith(token, self.pos):
            self.pos += len(token)
            return True
        return False

    def word(self) -> str:
        self.skip("")
        start = self.pos
        while self.pos < len(self.text) and (self.text[self.pos].isalnum() or self.text[self.pos] == "_"):
            self.pos += 1
        if start == self.pos:
            raise TypeSyntaxError(
                f"{self.text!r} is not a Move type: a name is missing at character {start}."
            )
        return self.text[start : self.pos]

    def kind(self, depth: int = 0) -> MoveType:
        if depth > _MAX_DEPTH:
            raise TypeSyntaxError(f"{self.text!r} is nested deeper than {_MAX_DEPTH} types.")
        if self.skip("&"):
            mutable = self.skip("mut ")
            return Reference(mutable, self.kind(depth + 1))
        word = self.word()
        if word == "vector":
            (item,) = self.arguments(depth, required=True)
            return Vector(item)
        if self.skip("::"):
            module = self.word()
            if not self.skip("::"):
                raise TypeSyntaxError(f"{self.text!r} is not a Move type: a struct's name is missing.")
            return Struct(parse_address(word), module, self.word(), self.arguments(depth))
        if word in PRIMITIVES:
            return word
        if word[0] == "T" and word[1:].isdigit():
            return Param(int(word[1:]))
        raise TypeSyntaxError(f"{word!r} is not a Move type.")

    def arguments(self, depth: int, required: bool = False) -> tuple[MoveType, ...]:
        if not self.skip("<"):
            if required:
                raise TypeSyntaxError(f"{self.text!r} is not a Move type: a vector names its items' type.")
            return ()
        out = [self.kind(depth + 1)]
        while self.skip(","):
            out.append(self.kind(depth + 1))
        if not self.skip(">"):
            raise TypeSyntaxError(f"{self.text!r} is not a Move type: a > is missing.")
        if required and len(out) != 1:
            raise TypeSyntaxError(f"{self.text!r} is not a Move type: a vector has one type of items.")
        return tuple(out)


@lru_cache(maxsize=16384)
def parse_type(text: str) -> MoveType:
    """Read the text form; raises TypeSyntaxError saying where it is wrong."""
    parser = _Parser(text)
    kind = parser.kind()
    if parser.pos != len(text):
        raise TypeSyntaxError(f"{text!r} is not a Move type: {text[parser.pos :]!r} follows it.")
    return kind


def parse_struct(text: str) -> Struct:
    """Read a struct's name such as ``0x1::account::Account``."""
    kind = parse_type(text)
    if not isinstance(kind, Struct):
        raise TypeSyntaxError(f"{text!r} is not the type of a resource: address::module::Name.")
    return kind


def struct_bytes(tag: Struct) -> bytes:
    """BCS of a struct tag."""
    arguments = b"".join(map(type_bytes, tag.args))
    return tag.address + bcs.text(tag.module) + bcs.text(tag.name) + bcs.uleb(len(tag.args)) + arguments


def type_bytes(kind: MoveType) -> bytes:
    """BCS of a type tag."""
    if isinstance(kind, str):
        return bytes((_TAG_OF[kind],))
    if isinstance(kind, Vector):
        return b"\x06" + type_bytes(kind.item)
    if isinstance(kind, Struct):
        return b"\x07" + struct_bytes(kind)
    raise TypeSyntaxError(f"{format_type(kind)} is not a complete type.")


def complete_type(text: str) -> MoveType:
    """Read the text form of a type that values have: no reference and no parameter; else TypeSyntaxError."""
    kind = parse_type(text)
    type_bytes(kind)
    return kind


def read_struct(reader: bcs.Reader, depth: int = 0) -> Struct:
    """Read a struct tag from BCS."""
    address, module, name = reader.take(32), reader.text(), reader.text()
    return Struct(address, module, name, tuple(read_type(reader, depth + 1) for _ in range(reader.uleb())))


def read_type(reader: bcs.Reader, depth: int = 0) -> MoveType:
    """Read a type tag from BCS."""
    if depth > _MAX_DEPTH:
        raise bcs.BcsError(f"A type is nested deeper than {_MAX_DEPTH} types.")
    tag = reader.uleb()
    if tag == 6:
        return Vector(read_type(reader, depth + 1))
    if tag == 7:
        return read_struct(reader, depth)
    if tag not in _NAME_OF:
        raise bcs.BcsError(f"There is no type with the number {tag}.")
    return _NAME_OF[tag]


@lru_cache(maxsize=16384)
def substitute(kind: MoveType, arguments: tuple[MoveType, ...]) -> MoveType:
    """Put ``arguments`` in the place of the type parameters."""
    if isinstance(kind, Param):
        return arguments[kind.position]
    if isinstance(kind, Vector):
        return Vector(substitute(kind.item, arguments))
    if isinstance(kind, Struct) and kind.args:
        return kind._replace(args=tuple(substitute(item, arguments) for item in kind.args))
    if isinstance(kind, Reference):
        return kind._replace(target=substitute(kind.target, arguments))
    return kind
