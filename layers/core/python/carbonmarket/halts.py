"""Where the contracts let nothing be traded for a while, although offers rest there."""

from __future__ import annotations

from collections.abc import Container

from carbonmarket.records.chain import Batch
from carbonmarket.records.market import Halt


def halt_of(batch: Batch, labels: int, frozen: Container[str], seller: str = "") -> Halt | None:
    """Why nothing can be traded in a book, or bought from a listing of ``seller``, that requires the label
    bits; None if nothing stands against it. ``frozen`` are accounts and batches."""
    if batch.address in frozen or seller in frozen:
        return "frozen"
    return "labels_lost" if labels & ~batch.labels else None
