"""What the records of all events have in common."""

from __future__ import annotations

from typing import NewType

import msgspec

Address = NewType("Address", str)
"""An account or object; :func:`carbonmarket.chain.events.decode` brings it to the long form."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all: the market's own events."""
