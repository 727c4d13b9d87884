"""What a rule is: the effect of one kind of event on the projected records.

A rule takes the event, where it happened and a reader of the records as they are, and yields the records as
they are after it. Beside each rule stands which records it reads or replaces, so that they can be loaded
first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from carbonmarket.chain.event import Event
from carbonmarket.ports.projection import Key


class Place(msgspec.Struct, frozen=True):
    """Where an event happened; ``event`` is its number within the transaction."""

    version: int
    transaction: str
    time_us: int
    event: int


Read = Callable[[Key], Any]
Effect = tuple[Key, msgspec.Struct | None]
Rule = Callable[[Any, Place, Read], Iterator[Effect]]
Needs = Callable[[Any, Place], tuple[Key, ...]]
Rules = dict[type[Event], tuple[Rule, Needs]]


def nothing(_event: Any, _place: Place) -> tuple[Key, ...]:
    """The needs of a rule whose records are new with the event."""
    return ()
