"""What anchoring reads, writes and signs with."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from carbonmarket_adapters.wiring import settings

if TYPE_CHECKING:
    from carbonmarket.operations.anchor_readings import Anchoring


@functools.cache
def anchoring() -> Anchoring:
    """The stores, the chain, the oracle's key and what each project measures."""
    from carbonmarket.operations.anchor_readings import Anchoring
    from carbonmarket.operations.find_project import measured_types
    from carbonmarket_adapters.wiring.chain import chain_access
    from carbonmarket_adapters.wiring.devices import anchors
    from carbonmarket_adapters.wiring.evidence import evidence, salts
    from carbonmarket_adapters.wiring.registry import registry

    return Anchoring(
        store=anchors(),
        evidence=evidence(),
        salts=salts(),
        chain=chain_access(),
        oracle=settings().oracle_key,
        measured=lambda project: measured_types(project, registry=registry()),
    )
