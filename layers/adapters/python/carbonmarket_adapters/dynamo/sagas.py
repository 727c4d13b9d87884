"""Table sagas: the task tokens of reviews. Keys: ``review#<project>#<period>`` / ``task``.

A token is a secret: the table has its own grants, and nothing of it is ever shown or logged. Items leave by
TTL some weeks after the longest review.
"""

from __future__ import annotations

from carbonmarket.records.sagas import ReviewTask
from carbonmarket.settings import Settings
from carbonmarket_adapters.dynamo.table import DocumentTable, Kind, Write

TASK = Kind("review-task", ReviewTask)
KEPT_S = 60 * 86_400


class DynamoReviewTasks:
    """The :class:`carbonmarket.ports.sagas.ReviewTasks` over DynamoDB."""

    def __init__(self, settings: Settings) -> None:
        self._table = DocumentTable(settings, "sagas")

    def task(self, project: str, period: str) -> ReviewTask | None:
        stored = self._table.get(TASK, f"review#{project}#{period}", "task")
        return stored.record if stored else None

    def save_task(self, task: ReviewTask) -> None:
        expires_at = task.created_us // 1_000_000 + KEPT_S
        key = (f"review#{task.project}#{task.period}", "task")
        self._table.put(Write(TASK, *key, task, expires_at=expires_at))
