"""Telling people and other programs what happened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

NotificationType = Literal[
    "review.asked",
    "batch.issued",
    "period.rejected",
    "retirement.certified",
    "retirement.failed",
    "purchase.action_required",
    "purchase.held",
    "purchase.completed",
    "purchase.failed",
    "payout.waiting",
    "payout.paid_on_chain",
    "case.opened",
]
"""What happened. Each has a schema in ``schemas/events``, named with ``_`` for the dot."""

OPERATORS = "operators"
"""In an organisation's place: all who have the role operator. Theirs need not be an organisation."""

VERSION = 1
"""The version of all forms in ``schemas/events`` that notifications have."""


class Notifications(Protocol):
    """At least once: a receiver drops an ``id`` it has seen. Ids and quantities only, no personal data."""

    def send(self, id: str, type: NotificationType, organisation: str, data: Mapping[str, str]) -> None:
        """Tell ``organisation``, or :data:`OPERATORS`. ``id`` is made of what happened, so that it is the
        same when it is sent again; ``data`` has the form that the type's schema gives it."""
        ...
