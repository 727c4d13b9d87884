"""Compares ledger, payment provider and the treasury on chain, and publishes the result; an alarm watches."""

from __future__ import annotations

import time
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from carbonmarket.operations.reconcile_money import reconcile_money
from carbonmarket_adapters.wiring import settings
from carbonmarket_adapters.wiring.chain import chain_access, signer
from carbonmarket_adapters.wiring.money import ledger, payments

logger = Logger(service="reconcile_money")
tracer = Tracer(service="reconcile_money")
metrics = Metrics(namespace="CarbonMarket", service="reconcile_money")

# A trade's money is booked within seconds of its fill.
_CATCH_UP_S = 5


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Answers {"matched", "differences"}."""
    result = reconcile_money(
        ledger=ledger(),
        payments=payments(),
        chain=chain_access(),
        treasury=signer().address(settings().treasury_key),
        quote_asset=settings().quote_asset,
        currency=settings().quote_currency,
        catch_up=lambda: time.sleep(_CATCH_UP_S),
        now_us=time.time_ns() // 1_000,
    )
    differences = len(result.differences)
    metrics.add_metric(name="MoneyReconciliationDifference", unit=MetricUnit.Count, value=differences)
    for difference in result.differences:
        logger.error("money doesn't reconcile", difference=difference)
    return {"matched": result.matched, "differences": differences}
