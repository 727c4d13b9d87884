"""Starting sagas, keeping the token of one that waits, and ending the wait."""

from __future__ import annotations

from typing import Protocol

from carbonmarket.records.sagas import ReviewTask


class Sagas(Protocol):
    """The engine that runs ``statemachines/*.asl.json``."""

    def start(self, machine: str, execution: str, data: dict[str, str]) -> None:
        """Start ``machine`` ("mint") on ``data``; the same execution name again changes nothing."""
        ...

    def succeed(self, token: str, output: dict[str, object]) -> None:
        """End a wait with an output; a token that is no longer waited on changes nothing."""
        ...

    def fail(self, token: str, error: str, cause: str) -> None:
        """End a wait with an error by name."""
        ...


class ReviewTasks(Protocol):
    """Who waits for which review."""

    def task(self, project: str, period: str) -> ReviewTask | None: ...

    def save_task(self, task: ReviewTask) -> None:
        """Keep the newest token of the period's review."""
        ...
