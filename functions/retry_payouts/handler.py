"""Tries again what sellers are owed, and counts payouts and cases that wait; alarms stay on while some do.

What is left of the float is counted on the way: without it every purchase by card fails.
"""

from __future__ import annotations

import time
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from carbonmarket.ledger.chart import available
from carbonmarket.operations.retry_payouts import retry_payouts
from carbonmarket.records.money import TREASURY_FLOAT
from carbonmarket_adapters.wiring import purchases

logger = Logger(service="retry_payouts")
tracer = Tracer(service="retry_payouts")
metrics = Metrics(namespace="CarbonMarket", service="retry_payouts")

# A payout may wait for the chain and the payment provider; none is begun that would be cut off.
_RESERVE_MS = 60_000


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Answers {"paid", "paid_on_chain", "payouts_waiting", "cases_open"}."""
    till = purchases.till(time.time_ns() // 1_000)
    backlog = retry_payouts(till, lambda: context.get_remaining_time_in_millis() > _RESERVE_MS)
    metrics.add_metric(name="PayoutsWaiting", unit=MetricUnit.Count, value=backlog.payouts_waiting)
    metrics.add_metric(name="CasesOpen", unit=MetricUnit.Count, value=backlog.cases_open)
    left = sum(available(each) for each in till.ledger.balances(TREASURY_FLOAT))
    metrics.add_metric(name="FloatUnits", unit=MetricUnit.NoUnit, value=left)
    for failure in backlog.failures:
        logger.warning("a payout could not be tried to its end", failure=failure)
    return {
        "paid": backlog.paid,
        "paid_on_chain": backlog.paid_on_chain,
        "payouts_waiting": backlog.payouts_waiting,
        "cases_open": backlog.cases_open,
    }
