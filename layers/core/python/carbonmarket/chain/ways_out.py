"""The calls by which an organisation gets out what it has put in."""

from __future__ import annotations

from carbonmarket.chain.addresses import canonical
from carbonmarket.chain.calls import gap_filler

_WAYS_OUT = (
    "marketplace::cancel",
    "marketplace::cancel_page",
    "market_vault::claim",
    "listings::cancel",
    "gifts::claim",
    "gifts::take_back",
)


def ways_out(market: str) -> frozenset[str]:
    """Full names, in the long form, of the sponsored calls that a part of the sponsor's budgets is kept for.

    What fills the gap of a dead transaction is one of them: without it no later call of its account ends.
    """
    filler = gap_filler(market)
    package, module = filler.module.split("::")
    ours = (f"{canonical(market)}::{name}" for name in _WAYS_OUT)
    return frozenset((*ours, f"{canonical(package)}::{module}::{filler.function}"))
