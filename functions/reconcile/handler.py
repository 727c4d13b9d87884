"""Compares serial ranges, supply and vault on chain with the projection, and publishes the result; an alarm
watches it."""

from __future__ import annotations

import time
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from carbonmarket.operations.reconcile import reconcile
from carbonmarket_adapters.wiring.chain import chain_access, projection

logger = Logger(service="reconcile")
tracer = Tracer(service="reconcile")
metrics = Metrics(namespace="CarbonMarket", service="reconcile")

# The watcher lags a second; a difference that is none is gone after a few.
_CATCH_UP_S = 3


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Answers {"batches", "differences", "version"}."""
    result = reconcile(
        chain=chain_access(),
        projection=projection(),
        catch_up=lambda: time.sleep(_CATCH_UP_S),
        now_us=time.time_ns() // 1_000,
    )
    metrics.add_metric(name="ReconciliationDifference", unit=MetricUnit.Count, value=result.differences)
    for batch in result.batches:
        if batch.differences:
            logger.error("a batch doesn't reconcile", batch=batch.batch_id, differences=batch.differences)
    for asset in result.assets:
        if asset.differences:
            logger.error("the vault doesn't reconcile", asset=asset.asset, differences=asset.differences)
    return {
        "batches": len(result.batches),
        "differences": result.differences,
        "version": result.version,
    }
