"""Where the evidence of ratings is kept, and how far rating has come."""

from __future__ import annotations

from typing import Protocol

from carbonmarket.records.market import Trade


class RatingEvidence(Protocol):
    """Statements, each written once under its name."""

    def keep(self, name: str, content: bytes) -> bytes:
        """Keep ``content`` under the name unless something is there; answers what is kept."""
        ...


class RatingMarks(Protocol):
    """How far the ratings of trades and periods have come; writing a mark again changes nothing."""

    def rated_up_to(self, account: str) -> str | None:
        """The index of the account's last trade that has rated."""
        ...

    def save_rated_up_to(self, account: str, index: str) -> None: ...

    def card_sales(self, account: str) -> list[Trade]:
        """The account's sales to the treasury that have not rated, in order."""
        ...

    def save_card_sale(self, account: str, trade: Trade) -> None: ...

    def end_card_sale(self, account: str, trade: Trade) -> None:
        """It has rated, or never will."""
        ...

    def rated_periods(self, project: str) -> frozenset[str]:
        """The project's periods that have rated."""
        ...

    def save_rated_period(self, project: str, period: str) -> None: ...
