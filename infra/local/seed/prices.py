"""Published prices by type of project, each with the source that it is cited from."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

FILE = Path(__file__).with_name("prices.toml")
_EVERY_OTHER = "*"
_UNITS_PER_DOLLAR = 10**6


@dataclass(frozen=True)
class Source:
    """Who published a price."""

    title: str
    publisher: str
    url: str
    year: int
    says: str


@dataclass(frozen=True)
class Price:
    """USDC units (10^-6 dollars) a tonne."""

    units: int
    source: Source


class Prices:
    """The published price of each type of project."""

    def __init__(self, by_type: Mapping[str, Price]) -> None:
        self._by_type = dict(by_type)

    def of(self, project_type: str) -> Price:
        """The type's own price, or that of all credits together."""
        return self._by_type.get(project_type, self._by_type[_EVERY_OTHER])

    def sources(self) -> list[Source]:
        """Every source, once."""
        return list(dict.fromkeys(price.source for price in self._by_type.values()))


def read_prices(file: Path = FILE) -> Prices:
    """The prices of a file in the form of ``prices.toml``."""
    document = tomllib.loads(file.read_text())
    sources = {each.pop("id"): Source(**each) for each in document["source"]}
    return Prices(
        {
            name: Price(int(Decimal(entry["usd"]) * _UNITS_PER_DOLLAR), sources[entry["source"]])
            for entry in document["price"]
            for name in entry["types"]
        }
    )
