"""The node as the watcher's source of transactions."""

from __future__ import annotations

from carbonmarket.ports.projection import Page
from carbonmarket_adapters.aptos.client import NodeClient


class NodeSource:
    """A :class:`~carbonmarket.ports.projection.ChainSource` over a node."""

    def __init__(self, node: NodeClient) -> None:
        self._node = node

    def page(self, start: int, limit: int) -> Page:
        ledger = self._node.ledger()
        if start > ledger.version:
            return Page(ledger.chain_id, ledger.version, [])
        answer = self._node.transactions(start, limit)
        return Page(answer.chain_id, answer.version, answer.body)

    def fingerprint(self, version: int) -> str | None:
        found = self._node.transaction_at(version).body
        return None if found is None else str(found["accumulator_root_hash"])
