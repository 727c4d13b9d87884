"""Who may buy by card, and how much: asked before any money is touched.

A port, since what is known of buyers grows: now a threshold for one purchase and a list of organisations that
are refused; levels of proven identity come later behind the same question.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from carbonmarket.errors import NotAllowed


class ScreenedOut(NotAllowed):
    """The purchase may not go on; nothing was charged."""

    code = "screened-out"


class Screening(Protocol):
    """Judges purchases."""

    def screen(self, organisation: str, amount_cents: int) -> None:
        """ScreenedOut, with what would help, where ``organisation`` may not pay ``amount_cents`` by card."""
        ...


class ThresholdAndList(msgspec.Struct, frozen=True, kw_only=True):
    """The :class:`Screening` by a threshold for one purchase and a list of those who are refused."""

    amount_max_cents: int
    denied: frozenset[str]

    def screen(self, organisation: str, amount_cents: int) -> None:
        if organisation in self.denied:
            raise ScreenedOut("your organisation can't buy by card at present; write to the operator")
        if amount_cents > self.amount_max_cents:
            raise ScreenedOut(
                f"one purchase by card is at most {self.amount_max_cents} cents, not {amount_cents}; "
                "buy less at once, or on the market from an account of your own",
                field="quote",
            )
