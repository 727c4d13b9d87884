"""What a trade, a review or a period's readings say of a party: marks and weights, by a stated rule.

A mark is 0 to 10,000, a weight 1 to 100; all is integer arithmetic, rounded down. The contract decides what
of them counts (``reputation``).

- **Delivery**, by the buyer of a trade: a trade delivers when it is made, so the mark is the share of its
  batch that no reversal has taken back. **Community**, by its seller: the buyer paid, which is the best mark.
  Both weigh the root of the dollars paid.
- **Verification**, by each reviewer of a period: the best mark for an approval, the worst for a refusal.
- **Data quality**, by a period's readings: the shares of its time that was reported, of its readings that
  were neither stale nor uncalibrated, and of what came that was not rejected, multiplied. It weighs a point
  a day.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable
from fractions import Fraction

import msgspec

from carbonmarket import times
from carbonmarket.errors import InvalidInput
from carbonmarket.methodologies.report import MrvReport
from carbonmarket.records.chain import Batch
from carbonmarket.records.devices import Reject
from carbonmarket.records.market import Trade
from carbonmarket.records.ratings import Statement
from carbonmarket.records.registry import Period, Review
from carbonmarket.reputation import BEST, COMMUNITY, DATA_QUALITY, DELIVERY, VERIFICATION

WEIGHT_MAX = 100
REVIEW_WEIGHT = 25
_DAY_US = 86_400_000_000
# A quote unit is a millionth of a dollar, so a thousand of their root is the root of a dollar.
_ROOT_OF_DOLLAR = 1_000


def delivery(trade: Trade, batch: Batch, buyer: str) -> Statement:
    """What the buyer says of the seller; ``buyer`` is the account that the grams were for."""
    seller, _ = sides(trade)
    facts = {"reversed": str(batch.reversed), "issued": str(batch.issued)}
    mark = BEST * max(batch.issued - batch.reversed, 0) // batch.issued
    return _of_trade(trade, DELIVERY, seller, buyer, mark, facts)


def payment(trade: Trade, buyer: str) -> Statement:
    """What the seller says of the buyer; ``buyer`` as above."""
    seller, _ = sides(trade)
    return _of_trade(trade, COMMUNITY, buyer, seller, BEST, {})


def sides(trade: Trade) -> tuple[str, str]:
    """(seller, buyer)."""
    return (trade.maker, trade.taker) if trade.taker_is_bid else (trade.taker, trade.maker)


def _of_trade(
    trade: Trade, dimension: int, subject: str, counterparty: str, mark: int, facts: dict[str, str]
) -> Statement:
    return Statement(
        dimension=dimension,
        reference=f"trade/{trade.index}",
        subject=subject,
        counterparty=counterparty,
        mark=mark,
        weight=_weight(math.isqrt(trade.quote) // _ROOT_OF_DOLLAR),
        facts={
            "transaction": trade.transaction,
            "batch": trade.batch,
            "grams": str(trade.grams),
            "quote": str(trade.quote),
            **facts,
        },
    )


def review(found: Review, developer: str) -> Statement:
    """What a reviewer who voted says of the developer, whose account is given."""
    return Statement(
        dimension=VERIFICATION,
        reference=found.id,
        subject=developer,
        counterparty=found.reviewer,
        mark=BEST if found.vote == "approve" else 0,
        weight=REVIEW_WEIGHT,
        facts={"period": found.period, "report_hash": found.report_hash, "vote": str(found.vote)},
    )


def data_quality(period: Period, report: MrvReport, rejected: int, developer: str) -> Statement:
    """What a period's readings say of the developer; ``rejected`` of the period's readings were refused."""
    expected_s = sum(_span_s(report, device.started_us, device.ended_us) for device in report.devices)
    missing_s = min(_line(report, "gap_time"), expected_s)
    unsound = min(_line(report, "stale_readings") + _line(report, "uncalibrated_readings"), report.readings)
    shares = (
        Fraction(expected_s - missing_s, expected_s or 1),
        Fraction(report.readings - unsound, report.readings or 1),
        Fraction(report.readings, report.readings + rejected or 1),
    )
    return Statement(
        dimension=DATA_QUALITY,
        reference=period.id,
        subject=developer,
        counterparty="",
        mark=math.floor(BEST * math.prod(shares)),
        weight=_weight((period.end_us - period.start_us) // _DAY_US),
        facts={
            "report_hash": period.report_hash,
            "expected_s": str(expected_s),
            "missing_s": str(missing_s),
            "readings": str(report.readings),
            "unsound": str(unsound),
            "rejected": str(rejected),
        },
    )


def rejected_readings(period: Period, rejects: Iterable[Reject]) -> int:
    """How many refused readings were of the period: by their own start where the message can be read, else by
    when they came."""
    return sum(
        reject.count
        for reject in rejects
        if any(period.start_us <= at_us < period.end_us for at_us in _starts(reject) or [reject.received_us])
    )


class _Reading(msgspec.Struct):
    start: str


class _Message(msgspec.Struct):
    readings: list[_Reading]


def _starts(reject: Reject) -> list[int]:
    try:
        message = msgspec.json.decode(base64.b64decode(reject.message), type=_Message)
        return [times.parse_us(reading.start, "start") for reading in message.readings]
    except (ValueError, InvalidInput):
        return []


def _span_s(report: MrvReport, started_us: int, ended_us: int | None) -> int:
    end_us = report.period_end_us if ended_us is None else min(report.period_end_us, ended_us)
    return max(0, (end_us - max(report.period_start_us, started_us)) // times.MICROSECONDS)


def _line(report: MrvReport, key: str) -> int:
    """A methodology without this rule has no such line."""
    try:
        return int(report.line(key).value)
    except KeyError:
        return 0


def _weight(points: int) -> int:
    return max(1, min(points, WEIGHT_MAX))
