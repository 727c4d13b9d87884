"""Matches orders on that wait in their books, and has dead orders cleared away; each minute.

What the sponsor has left is counted on the way: without coins nobody trades, retires or is paid.
"""

from __future__ import annotations

import time
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from carbonmarket.operations.coins_of import coins_of
from carbonmarket.operations.work_books import work_books
from carbonmarket_adapters.wiring import chain, settings

logger = Logger(service="work_books")
tracer = Tracer(service="work_books")
metrics = Metrics(namespace="CarbonMarket", service="work_books")

# A part of a round may wait for the chain; none is begun that would be cut off.
_RESERVE_MS = 20_000


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Answers {"calls", "needing"}: calls made, and books in which there still is something to do."""
    done = work_books(
        chain=chain.chain_access(),
        key_id=settings().oracle_key,
        now_us=time.time_ns() // 1_000,
        goes_on=lambda: context.get_remaining_time_in_millis() > _RESERVE_MS,
    )
    metrics.add_metric(name="BooksWorked", unit=MetricUnit.Count, value=done.calls)
    sponsor = chain.signer().address(settings().sponsor_key)
    coins = coins_of(sponsor, chain=chain.chain_access())
    metrics.add_metric(name="SponsorOctas", unit=MetricUnit.NoUnit, value=coins)
    for refusal in done.refusals:
        logger.error("a book could not be worked", refusal=refusal)
    return {"calls": done.calls, "needing": done.needing}
