"""Table market, how far ratings have come.

Keys: ``rated#<account>`` / ``trades`` · ``rated#<project>`` / ``period#<period>``.
"""

from __future__ import annotations

from carbonmarket.records.ratings import RatedPeriod, RatedUpTo
from carbonmarket.settings import Settings
from carbonmarket_adapters.dynamo.table import DocumentTable, Kind, Write

_UP_TO = Kind("rated_up_to", RatedUpTo)
_PERIOD = Kind("rated_period", RatedPeriod)


class DynamoRatingMarks:
    """The :class:`carbonmarket.ports.ratings.RatingMarks` over DynamoDB."""

    def __init__(self, settings: Settings) -> None:
        self._table = DocumentTable(settings, "market")

    def rated_up_to(self, account: str) -> str | None:
        stored = self._table.get(_UP_TO, f"rated#{account}", "trades")
        return stored.record.index if stored else None

    def save_rated_up_to(self, account: str, index: str) -> None:
        record = RatedUpTo(account=account, index=index)
        self._table.put(Write(_UP_TO, f"rated#{account}", "trades", record))

    def rated_periods(self, project: str) -> frozenset[str]:
        found = self._table.query(_PERIOD, f"rated#{project}", prefix="period#")
        return frozenset(stored.record.period for _, stored in found)

    def save_rated_period(self, project: str, period: str) -> None:
        record = RatedPeriod(project=project, period=period)
        self._table.put(Write(_PERIOD, f"rated#{project}", f"period#{period}", record))
