"""What the demo's story and its market chapter have come to; told as they go, concluded at the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from infra.local.demo.cast import Cast
from infra.local.demo.project import Gateway
from infra.local.seed.day import Seeded


@dataclass
class MarketTold:
    """What the chapter has come to. Orders and purchases are as the API answered them."""

    seeded: Seeded | None = None
    orders: list[Any] = field(default_factory=list)
    criteria: Any = None
    purchase: Any = None
    retirements: list[Any] = field(default_factory=list)
    reputation: int = 0


@dataclass
class Told:
    """What the story has come to so far."""

    cast: Cast
    solar: Gateway
    neighbour: Gateway
    sent: int = 0
    periods: dict[str, Any] = field(default_factory=dict)
    reports: dict[str, Any] = field(default_factory=dict)
    batches: dict[str, Any] = field(default_factory=dict)
    transfer: Any = None
    retirement: Any = None
    retired_before: dict[str, int] = field(default_factory=dict)
    personal: tuple[str, ...] = ()
    market: MarketTold = field(default_factory=MarketTold)

    @property
    def project(self) -> str:
        """The solar project's id."""
        return self.solar.identity.project

    def counts(self) -> Any:
        """What became of the solar project's readings."""
        return self.cast.developer.user.get(f"/v1/projects/{self.project}/readings/counts")

    def neighbour_counts(self) -> Any:
        """What became of the neighbour's."""
        project = self.neighbour.identity.project
        return self.cast.neighbour.user.get(f"/v1/projects/{project}/readings/counts")
