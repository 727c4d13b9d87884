"""Bodies of requests: strict JSON, then the operation's schema, then the record the operation takes."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from carbonmarket import schema
from carbonmarket.errors import InvalidInput, MarketError

BYTES_MAX = 65_536
_JSON = "application/json"
B = TypeVar("B", bound=msgspec.Struct)


class MalformedBody(MarketError):
    """The body is no JSON object."""

    status = 400
    code = "malformed-body"


class UnsupportedMediaType(MarketError):
    """The body is said to be something else than JSON."""

    status = 415
    code = "unsupported-media-type"


class InvalidBody(InvalidInput):
    """The body's values don't fit; ``errors`` names every field with its reason, the first in ``field``."""

    def __init__(self, errors: list[tuple[str, str]]) -> None:
        field, reason = errors[0]
        super().__init__(reason, field=field or None)
        self.errors = errors

    def problem(self, instance: str | None = None) -> dict[str, object]:
        """The problem with an ``errors`` list, as RFC 9457's example has it."""
        errors = [{"pointer": field, "detail": reason} for field, reason in self.errors]
        return {**super().problem(instance), "errors": errors}


def parse(raw: bytes, media_type: str = _JSON) -> dict[str, Any]:
    """The body as a dict; an empty body is an empty one, whatever its media type.

    Fractions, NaN and infinities are kept as Decimal, so that the schema refuses them by field.
    """
    if len(raw) > BYTES_MAX:
        raise MalformedBody(f"the body has {len(raw)} bytes; at most {BYTES_MAX} are taken")
    if not raw.strip():
        return {}
    if media_type.partition(";")[0].strip().lower() != _JSON:
        raise UnsupportedMediaType(f"the body is said to be {media_type}; send it as {_JSON}")
    try:
        body = json.loads(
            raw, parse_float=Decimal, parse_constant=_constant, object_pairs_hook=_without_duplicates
        )
    except (ValueError, RecursionError) as error:
        raise MalformedBody(f"the body is not JSON: {error}") from None
    if not isinstance(body, dict):
        raise MalformedBody("the body must be a JSON object")
    return body


def convert(schema_name: str, body: dict[str, Any], record: type[B]) -> B:
    """The body as ``record`` after the check against ``schemas/<schema_name>.json``."""
    try:
        schema.check(schema_name, body)
    except InvalidInput:
        raise InvalidBody(_all_errors(schema_name, body)) from None
    return msgspec.convert(body, record)


def _all_errors(schema_name: str, body: dict[str, Any]) -> list[tuple[str, str]]:
    # jsonschema costs 80 ms to import; only a refused body pays for it.
    from jsonschema import Draft7Validator

    found = Draft7Validator(schema.load(schema_name)).iter_errors(body)
    return [(_pointer(error), _reason(error)) for error in sorted(found, key=_pointer)]


def _pointer(error: Any) -> str:
    path = [str(part) for part in error.absolute_path]
    if error.validator == "required":
        missing = error.message.split("'")[1]
        path.append(missing)
    elif error.validator == "additionalProperties":
        known = error.schema.get("properties", {})
        path.append(next(key for key in error.instance if key not in known))
    return "".join(f"/{part}" for part in path)


def _reason(error: Any) -> str:
    # The refused value itself is never quoted: it may be a person's.
    name = _pointer(error).removeprefix("/") or "the body"
    if error.validator == "required":
        return f"{name} is missing"
    if error.validator == "additionalProperties":
        return f"{name} is no field of this request"
    wanted = error.schema.get("description") or f"{error.validator} {error.validator_value}"
    return f"{name} must be {wanted}"


def _constant(text: str) -> Decimal:
    return Decimal(text)


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    body = dict(pairs)
    if len(body) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the field {twice} stands there twice")
    return body
