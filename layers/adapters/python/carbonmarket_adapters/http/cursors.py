"""Relay cursors: lists in pages, whose places are opaque to the caller."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any, TypeVar

import msgspec

from carbonmarket.errors import InvalidInput

FIRST_DEFAULT = 20
FIRST_MAX = 100
_KEY_BYTES_MAX = 1024
"""As long as a sort key of DynamoDB can be."""
N = TypeVar("N")


class PageRequest(msgspec.Struct, frozen=True):
    """``first`` nodes after the key ``after`` (None: from the start)."""

    first: int
    after: str | None


def page_request(query: Mapping[str, str]) -> PageRequest:
    """What ``?first=&after=`` ask for."""
    text = query.get("first", str(FIRST_DEFAULT))
    if not (text.isascii() and text.isdecimal() and len(text) < 5 and 1 <= int(text) <= FIRST_MAX):
        raise InvalidInput(f"first must be a whole number from 1 to {FIRST_MAX}", field="first")
    after = query.get("after")
    return PageRequest(int(text), None if after is None else _key(after))


def connection(rows: Iterable[tuple[str, N]], first: int, show: Callable[[N], Any]) -> dict[str, Any]:
    """A Relay connection of the first ``first`` rows (key, node); one more is read to know of a next page.

    ``rows`` begin after the cursor that was asked for, in the order of their keys.
    """
    taken = list(islice(rows, first + 1))
    edges = [{"cursor": cursor_of(key), "node": show(node)} for key, node in taken[:first]]
    return {
        "edges": edges,
        "pageInfo": {
            "hasNextPage": len(taken) > first,
            "endCursor": edges[-1]["cursor"] if edges else None,
        },
    }


def cursor_of(key: str) -> str:
    """The opaque cursor of a key."""
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def _key(cursor: str) -> str:
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        key = raw.decode()
    except (binascii.Error, ValueError):
        key = ""
    # No list has a place without a name, and none of DynamoDB's has one so long.
    if not 0 < len(key.encode()) <= _KEY_BYTES_MAX:
        raise InvalidInput("after must be a cursor that this list gave", field="after")
    return key
