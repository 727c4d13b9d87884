"""Move values between BCS, the JSON of the Aptos REST API and the JSON that the VM makes of events.

Aptos' JSON: u8 to u32 are numbers, wider integers strings; ``vector<u8>`` is 0x-hex; a String is a string;
other structs are objects by field (so an Option is {"vec": []}); an enum has its ``__variant__``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from infra.local.chain import bcs
from infra.local.chain.bcs import BcsError, Reader
from infra.local.chain.bytecode import Fields, Layout, read_module
from infra.local.chain.types import (
    MoveType,
    Reference,
    Struct,
    TypeSyntaxError,
    Vector,
    format_address,
    format_type,
    parse_address,
    substitute,
)

_SIZE = {"u8": 1, "u16": 2, "u32": 4, "u64": 8, "u128": 16, "u256": 32}
_ONE = bytes(31) + b"\x01"
_BYTES = Vector("u8")
_VARIANT = "__variant__"

Json = Any
Decode = Callable[[Reader], Json]
Encode = Callable[[Json], bytes]
Convert = Callable[[Json], Json]


class ValueMismatch(ValueError):
    """A JSON value does not fit the Move type that it is meant for."""


class UnknownType(LookupError):
    """The type's module or struct is not published."""


def _is_string(kind: MoveType) -> bool:
    return (
        isinstance(kind, Struct) and kind.address == _ONE and (kind.module, kind.name) == ("string", "String")
    )


def _is_option(kind: MoveType) -> bool:
    return (
        isinstance(kind, Struct) and kind.address == _ONE and (kind.module, kind.name) == ("option", "Option")
    )


def _is_object(kind: MoveType) -> bool:
    return (
        isinstance(kind, Struct) and kind.address == _ONE and (kind.module, kind.name) == ("object", "Object")
    )


def _is_fixed_point(kind: MoveType) -> bool:
    names = {("fixed_point32", "FixedPoint32"), ("fixed_point64", "FixedPoint64")}
    return isinstance(kind, Struct) and kind.address == _ONE and (kind.module, kind.name) in names


class Values:
    """Converters, made once per type from the published modules."""

    def __init__(self, module_code: Callable[[bytes, str], bytes | None]) -> None:
        """``module_code`` gives the bytes of the module (address, name), or None."""
        self._module_code = module_code
        self.forget()

    def forget(self) -> None:
        """Drop what was made from modules that may have been upgraded."""
        self._decoders: dict[MoveType, Decode] = {}
        self._encoders: dict[MoveType, Encode] = {}
        self._converters: dict[MoveType, Convert] = {}

    def layout(self, struct: Struct) -> Layout:
        """Fields and variants with the type arguments put in; raises UnknownType."""
        code = self._module_code(struct.address, struct.module)
        layout = read_module(code).structs.get(struct.name) if code is not None else None
        if layout is None:
            raise UnknownType(f"The struct {format_type(struct)} is not published.")

        def fill(fields: Fields) -> Fields:
            return tuple((name, substitute(kind, struct.args)) for name, kind in fields)

        variants = None
        if layout.variants is not None:
            variants = tuple((name, fill(fields)) for name, fields in layout.variants)
        return Layout(fill(layout.fields), variants)

    def decode(self, kind: MoveType, data: bytes) -> Json:
        """BCS to Aptos' JSON; raises BcsError or UnknownType."""
        reader = Reader(data)
        value = self.decoder(kind)(reader)
        reader.end()
        return value

    def encode(self, kind: MoveType, value: Json) -> bytes:
        """JSON as the REST API takes it to BCS; raises ValueMismatch or UnknownType."""
        return self.encoder(kind)(value)

    def from_vm(self, kind: MoveType, value: Json) -> Json:
        """The VM's JSON of a value to Aptos' JSON."""
        return self.converter(kind)(value)

    def decoder(self, kind: MoveType) -> Decode:
        found = self._decoders.get(kind)
        if found is None:
            self._decoders[kind] = found = self._make_decoder(kind)
        return found

    def encoder(self, kind: MoveType) -> Encode:
        found = self._encoders.get(kind)
        if found is None:
            self._encoders[kind] = found = self._make_encoder(kind)
        return found

    def converter(self, kind: MoveType) -> Convert:
        found = self._converters.get(kind)
        if found is None:
            self._converters[kind] = found = self._make_converter(kind)
        return found

    def _make_decoder(self, kind: MoveType) -> Decode:
        if isinstance(kind, str):
            return _primitive_decoder(kind)
        if kind == _BYTES:
            return lambda reader: "0x" + reader.blob().hex()
        if isinstance(kind, Vector):
            item = self.decoder(kind.item)
            return lambda reader: [item(reader) for _ in range(reader.uleb())]
        if not isinstance(kind, Struct):
            raise UnknownType(f"{format_type(kind)} has no values.")
        if _is_string(kind):
            return Reader.text
        layout = self.layout(kind)
        if layout.variants is not None:
            variants = [(name, self._fields_decoder(fields)) for name, fields in layout.variants]

            def decode_variant(reader: Reader) -> Json:
                index = reader.uleb()
                if index >= len(variants):
                    raise BcsError(f"{format_type(kind)} has no variant {index}.")
                name, decode_fields = variants[index]
                return {_VARIANT: name, **decode_fields(reader)}

            return decode_variant
        return self._fields_decoder(layout.fields)

    def _fields_decoder(self, fields: Fields) -> Decode:
        parts = [(name, self.decoder(kind)) for name, kind in fields]
        return lambda reader: {name: decode(reader) for name, decode in parts}

    def _make_encoder(self, kind: MoveType) -> Encode:
        if isinstance(kind, str):
            return _primitive_encoder(kind)
        if kind == _BYTES:
            return _encode_bytes
        if isinstance(kind, Vector):
            item = self.encoder(kind.item)

            def encode_vector(value: Json) -> bytes:
                if not isinstance(value, list):
                    raise ValueMismatch(f"{value!r} is not a list, and {format_type(kind)} was expected.")
                return bcs.uleb(len(value)) + b"".join(map(item, value))

            return encode_vector
        if not isinstance(kind, Struct):
            raise UnknownType(f"{format_type(kind)} has no values.")
        if _is_string(kind):
            return _encode_string
        if _is_option(kind):
            return self._option_encoder(kind)
        return self._struct_encoder(kind)

    def _option_encoder(self, kind: Struct) -> Encode:
        item, items = self.encoder(kind.args[0]), self.encoder(Vector(kind.args[0]))

        def encode_option(value: Json) -> bytes:
            if isinstance(value, dict) and set(value) == {"vec"}:
                packed = items(value["vec"])
                if packed[0] > 1:
                    raise ValueMismatch("An Option has at most one value.")
                return packed
            return b"\x00" if value is None else b"\x01" + item(value)

        return encode_option

    def _struct_encoder(self, kind: Struct) -> Encode:
        layout = self.layout(kind)
        if layout.variants is not None:
            raise ValueMismatch(f"{format_type(kind)} is an enum; it cannot be given as JSON.")
        parts = [(name, self.encoder(field)) for name, field in layout.fields]

        def encode_struct(value: Json) -> bytes:
            if len(parts) == 1 and not isinstance(value, dict):
                return parts[0][1](value)
            if not isinstance(value, dict) or set(value) != {name for name, _ in parts}:
                raise ValueMismatch(f"{value!r} has not the fields of {format_type(kind)}.")
            return b"".join(encode(value[name]) for name, encode in parts)

        return encode_struct

    def _make_converter(self, kind: MoveType) -> Convert:
        if kind == "address":
            return _convert_address
        if isinstance(kind, str) or _is_string(kind):
            return lambda value: value
        if kind == _BYTES:
            return lambda value: "0x" if value == [] else "0x" + value
        if isinstance(kind, Vector):
            item = self.converter(kind.item)
            return lambda value: [item(part) for part in value]
        if not isinstance(kind, Struct):
            raise UnknownType(f"{format_type(kind)} has no values.")
        return self._special_converter(kind) or self._struct_converter(kind)

    def _special_converter(self, kind: Struct) -> Convert | None:
        """For the structs that the VM prints in a form of its own."""
        if _is_option(kind):
            return self._option_converter(kind.args[0])
        if _is_object(kind):
            return lambda value: {"inner": _convert_address(value)}
        if _is_fixed_point(kind):
            bits = 32 if kind.name == "FixedPoint32" else 64
            return lambda value: {"value": str(_fixed_point(value, bits))}
        return None

    def _option_converter(self, inner: MoveType) -> Convert:
        if inner == "u8":  # an Option is a vector inside, and a vector of bytes is hex
            return lambda value: {"vec": "0x" if value is None else f"0x{value:02x}"}
        convert = self.converter(inner)
        return lambda value: {"vec": [] if value is None else [convert(value)]}

    def _struct_converter(self, kind: Struct) -> Convert:
        layout = self.layout(kind)
        if layout.variants is None:
            return self._fields_converter(layout.fields)
        variants = [(name, fields, self._fields_converter(fields)) for name, fields in layout.variants]

        def convert_variant(values: Json) -> Json:
            # The VM prints a variant's values without its name: only their number tells them apart.
            fitting = [each for each in variants if len(each[1]) == len(values)]
            if len(fitting) != 1:
                return {_VARIANT: None, "values": values}
            name, fields, convert = fitting[0]
            named = {field: value for (field, _), value in zip(fields, values, strict=True)}
            return {_VARIANT: name, **convert(named)}

        return convert_variant

    def _fields_converter(self, fields: Fields) -> Convert:
        parts = [(name, self.converter(kind)) for name, kind in fields]
        if [name for name, _ in parts] == ["dummy_field"]:
            return lambda _value: {"dummy_field": False}
        return lambda value: {name: convert(value[name]) for name, convert in parts}


def _convert_address(value: Json) -> Json:
    return format_address(parse_address(value))


def _fixed_point(text: str, bits: int) -> int:
    """The raw value of a fixed-point number that the VM printed in decimal, exactly."""
    whole, _, fraction = str(text).partition(".")
    scale: int = 10 ** len(fraction)
    numerator: int = int(whole + fraction) << bits
    return -(-numerator // scale)


def _primitive_decoder(kind: str) -> Decode:
    if kind == "bool":
        return Reader.flag
    if kind in {"address", "signer"}:
        return lambda reader: format_address(reader.take(32))
    size = _SIZE[kind]
    if size <= 4:
        return lambda reader: reader.number(size)
    return lambda reader: str(reader.number(size))


def _primitive_encoder(kind: str) -> Encode:
    if kind == "bool":
        return _encode_bool
    if kind == "address":
        return _encode_address
    if kind == "signer":
        raise ValueMismatch("A signer cannot be given as a value.")
    size = _SIZE[kind]

    def encode_integer(value: Json) -> bytes:
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise ValueMismatch(f"{value!r} is not an integer, and {kind} was expected.")
        if isinstance(value, str) and not (value.isascii() and value.isdigit()):
            raise ValueMismatch(f"{value!r} is not a decimal integer, and {kind} was expected.")
        try:
            return int(value).to_bytes(size, "little")
        except OverflowError:
            raise ValueMismatch(f"{value} does not fit {kind}.") from None

    return encode_integer


def _encode_bool(value: Json) -> bytes:
    if not isinstance(value, bool):
        raise ValueMismatch(f"{value!r} is not true or false, and bool was expected.")
    return bcs.flag(value)


def _encode_address(value: Json) -> bytes:
    if not isinstance(value, str):
        raise ValueMismatch(f"{value!r} is not an address.")
    try:
        return parse_address(value)
    except TypeSyntaxError as error:
        raise ValueMismatch(str(error)) from None


def _encode_string(value: Json) -> bytes:
    if not isinstance(value, str):
        raise ValueMismatch(f"{value!r} is not a string.")
    return bcs.text(value)


def _encode_bytes(value: Json) -> bytes:
    if isinstance(value, list):
        try:
            return bcs.blob(bytes(value))
        except (TypeError, ValueError):
            raise ValueMismatch("A vector<u8> given as a list has numbers from 0 to 255.") from None
    if not isinstance(value, str):
        raise ValueMismatch(f"{value!r} is not hex, and vector<u8> was expected.")
    try:
        return bcs.blob(bytes.fromhex(value.removeprefix("0x")))
    except ValueError:
        raise ValueMismatch(f"{value!r} is not hex, and vector<u8> was expected.") from None


def is_signer(kind: MoveType) -> bool:
    """Whether a function's parameter is filled by a signer."""
    return kind == "signer" or (isinstance(kind, Reference) and kind.target == "signer")
