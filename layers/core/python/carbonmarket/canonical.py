"""Canonical JSON: the one byte form that is signed, hashed and stored (RFC 8785).

Two rules are added to RFC 8785, so that every reader gets the same value: no fractions (a float's text
depends on who prints it, and NaN has none) and no integer outside the range that every JSON parser keeps
exactly (plus or minus 2^53 - 1). A larger quantity is a decimal string.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import orjson
import rfc8785

from carbonmarket.errors import InvalidInput

SAFE_INTEGER = 2**53 - 1
# Our deepest document, the certificate, has 6 levels; a hostile one must not exhaust the stack.
MAX_DEPTH = 32

_ORJSON_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER


def dumps(value: Any) -> bytes:
    """The canonical bytes of ``value``: dicts with str keys, lists, tuples, str, int, bool, None.

    Raises InvalidInput for anything else, naming where it stands as a JSON pointer.
    """
    # orjson sorts keys by their UTF-8 bytes, RFC 8785 by UTF-16 units. For ASCII keys the two orders are
    # the same, and so are the escapes; tests/unit/evidence/test_canonical.py holds both to that.
    if _is_plain(value, 0) or _check(value, "", 0):
        try:
            return orjson.dumps(value, option=_ORJSON_OPTIONS)
        except orjson.JSONEncodeError as error:
            raise InvalidInput(f"the text can't be written as UTF-8: {error}") from None
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeError) as error:
        raise InvalidInput(f"the document can't be written as canonical JSON: {error}") from None


def loads(data: bytes, what: str = "the document") -> Any:
    """Parse bytes that must already be canonical; ``what`` names them in errors.

    Refuses (InvalidInput) bytes that are no JSON, hold a duplicate key, a fraction, NaN or an unsafe
    integer, or differ in a single byte from the canonical form of what they say.
    """
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"{what} is not JSON: {error}") from None
    if dumps(value) != data:
        raise InvalidInput(f"{what} is not in canonical form (RFC 8785): {_difference(data)}")
    return value


def digest(value: Any) -> bytes:
    """SHA-256 (32 bytes) of the canonical bytes of ``value``."""
    return hashlib.sha256(dumps(value)).digest()


def _is_plain(value: Any, depth: int) -> bool:
    """Whether ``value`` has a canonical form and ASCII keys only: the quick answer for nearly all there is.

    False says no more than that :func:`_check` has to look.
    """
    kind = type(value)
    if kind is int:
        return bool(-SAFE_INTEGER <= value <= SAFE_INTEGER)
    if kind is dict and depth < MAX_DEPTH:
        for key, item in value.items():
            if type(key) is not str or not key.isascii():
                return False
            # Most values are texts; a call for each would cost more than all else here.
            if type(item) is not str and not _is_plain(item, depth + 1):
                return False
        return True
    if (kind is list or kind is tuple) and depth < MAX_DEPTH:
        return all(_is_plain(item, depth + 1) for item in value)
    return kind is str or kind is bool or value is None


def _check(value: Any, where: str, depth: int) -> bool:
    """Whether every key is ASCII; raises on a value that has no canonical form here."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return True
    if kind is int:
        if not -SAFE_INTEGER <= value <= SAFE_INTEGER:
            raise InvalidInput(
                f"{where or '/'} is {value}, beyond what JSON numbers keep exactly; write it as a string",
                field=where or None,
            )
        return True
    if depth >= MAX_DEPTH:
        raise InvalidInput(f"the document is nested more than {MAX_DEPTH} levels deep", field=where)
    if kind is dict:
        ascii_keys = True
        for key, item in value.items():
            if type(key) is not str:
                raise InvalidInput(f"{where or '/'} has a key that is not text: {key!r}", field=where or None)
            ascii_keys = _check(item, f"{where}/{key}", depth + 1) and key.isascii() and ascii_keys
        return ascii_keys
    if kind is list or kind is tuple:
        ascii_keys = True
        for index, item in enumerate(value):
            ascii_keys = _check(item, f"{where}/{index}", depth + 1) and ascii_keys
        return ascii_keys
    if kind is float:
        raise InvalidInput(f"{where or '/'} is a fraction ({value}); use an integer or a string", field=where)
    raise InvalidInput(f"{where or '/'} is a {kind.__name__}, which JSON has no form for", field=where)


def _difference(data: bytes) -> str:
    """What is not canonical about ``data``, as a sentence part."""
    duplicate: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        seen: set[str] = set()
        for key, _ in items:
            if key in seen:
                duplicate.append(key)
            seen.add(key)
        return dict(items)

    json.loads(data, object_pairs_hook=pairs)
    if duplicate:
        return f"the key {duplicate[0]!r} stands twice"
    return "spaces, key order, escapes or number forms differ"
