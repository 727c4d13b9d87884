"""Reputation as the API shows it."""

from __future__ import annotations

from typing import Any

from carbonmarket.operations.find_reputation import Reputation
from carbonmarket.records.market import Rating
from carbonmarket.reputation import COMMUNITY, DATA_QUALITY, DELIVERY, VERIFICATION
from carbonmarket.times import format_s

Json = dict[str, Any]
_NAMES = {
    DELIVERY: "delivery",
    DATA_QUALITY: "data_quality",
    VERIFICATION: "verification",
    COMMUNITY: "community",
}


def reputation(found: Reputation) -> Json:
    """A party's scores, 0 to 10,000."""
    return {
        "account": found.account,
        "party": found.party,
        "overall": str(found.overall),
        "scores": [
            {
                "dimension": _NAMES[each.dimension],
                "score": str(each.score),
                "ratings": each.ratings,
                "counterparties": each.counterparties,
                "updated": None if each.updated is None else format_s(each.updated),
            }
            for each in found.scores
        ],
    }


def rating(record: Rating) -> Json:
    """One rating, with the hash of what it rests on."""
    return {
        "dimension": _NAMES[record.dimension],
        "reference": record.reference,
        "counterparty": record.counterparty or None,
        "mark": str(record.mark),
        "weight": record.weight,
        "evidence_hash": record.evidence_hash,
        "rated": format_s(record.rated_at),
        "transaction": record.transaction,
    }
