"""Table market, how far ratings have come.

Keys: ``rated#<account>`` / ``trades`` · / ``card#<trade>`` · ``rated#<project>`` / ``period#<period>``.
"""

from __future__ import annotations

from carbonmarket.records.market import Trade
from carbonmarket.records.ratings import CardSale, RatedPeriod, RatedUpTo
from carbonmarket.settings import Settings
from carbonmarket_adapters.dynamo.table import DocumentTable, Kind, Write

_UP_TO = Kind("rated_up_to", RatedUpTo)
_CARD_SALE = Kind("card_sale", CardSale)
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

    def card_sales(self, account: str) -> list[Trade]:
        found = self._table.query(_CARD_SALE, f"rated#{account}", prefix="card#", consistent=True)
        return [stored.record.trade for _, stored in found]

    def save_card_sale(self, account: str, trade: Trade) -> None:
        record = CardSale(account=account, trade=trade)
        self._table.put(Write(_CARD_SALE, f"rated#{account}", f"card#{trade.index}", record))

    def end_card_sale(self, account: str, trade: Trade) -> None:
        self._table.delete(f"rated#{account}", f"card#{trade.index}")

    def rated_periods(self, project: str) -> frozenset[str]:
        found = self._table.query(_PERIOD, f"rated#{project}", prefix="period#")
        return frozenset(stored.record.period for _, stored in found)

    def save_rated_period(self, project: str, period: str) -> None:
        record = RatedPeriod(project=project, period=period)
        self._table.put(Write(_PERIOD, f"rated#{project}", f"period#{period}", record))
