"""An exchange with a watcher that needs neither node nor store."""

from __future__ import annotations

import json
from typing import Any

from carbonmarket.chain.addresses import canonical
from carbonmarket.ports.projection import Folded, Key
from carbonmarket.projection.fold import fold, wanted
from infra.local.chain.types import parse_type
from infra.local.chain.vm import Outcome
from tests.move.approvals import MODULE_ADDRESS
from tests.move.exchange import Exchange

MARKET = canonical(MODULE_ADDRESS)


class Watched(Exchange):
    """An exchange whose transactions are folded one by one, each with only the records it asks for."""

    def __init__(self) -> None:
        self.state: dict[Key, Any] = {}
        self.folded: list[Folded] = []
        super().__init__()

    def attempt(self, sender: str, function: str, *arguments: Any, types: tuple[str, ...] = ()) -> Outcome:
        outcome = super().attempt(sender, function, *arguments, types=types)
        if outcome.failure is None:
            self.watch(outcome)
        return outcome

    def watch(self, outcome: Outcome) -> None:
        transaction = {
            "version": str(self.height),
            "hash": f"0x{self.height:064x}",
            "accumulator_root_hash": f"0x{self.height:064x}",
            "timestamp": str(self.now * 1_000_000),
            "events": [
                {"type": kind, "data": self.values.from_vm(parse_type(kind), json.loads(data))}
                for kind, data in outcome.events
            ],
        }
        before = {key: self.state.get(key) for key in wanted([transaction], MARKET)}
        (folded,) = fold([transaction], before, MARKET)
        self.folded.append(folded)
        for key, record in folded.effects.items():
            if record is None:
                del self.state[key]
            else:
                self.state[key] = record

    def records(self, kind: type[Any]) -> list[Any]:
        return [record for record in self.state.values() if isinstance(record, kind)]
