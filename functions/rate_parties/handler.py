"""Rates parties by new trades, reviews and periods, with the hash of what each rating rests on."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from carbonmarket.operations.rate_parties import rate_parties
from carbonmarket_adapters.wiring.ratings import ratings

logger = Logger(service="rate_parties")
tracer = Tracer(service="rate_parties")
metrics = Metrics(namespace="CarbonMarket", service="rate_parties")

# An organisation's or a project's ratings may wait for the chain; none are begun that would be cut off.
_RESERVE_MS = 60_000


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Answers {"verified", "ratings", "waiting", "refused"}."""
    done = rate_parties(ratings(lambda: context.get_remaining_time_in_millis() > _RESERVE_MS))
    metrics.add_metric(name="PartiesRated", unit=MetricUnit.Count, value=done.ratings)
    metrics.add_metric(name="RatingRefusals", unit=MetricUnit.Count, value=len(done.refusals))
    for refusal in done.refusals:
        logger.error("the contract refused a rating", refusal=refusal)
    return {
        "verified": done.verified,
        "ratings": done.ratings,
        "waiting": done.waiting,
        "refused": len(done.refusals),
    }
