"""Anchors the readings of every project that has some waiting, or of ``{"project": …}`` alone."""

from __future__ import annotations

import time
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from carbonmarket.errors import MarketError
from carbonmarket.operations.anchor_readings import AnchorResult, anchor_readings
from carbonmarket_adapters.wiring.anchors import anchoring

logger = Logger(service="anchor_readings")
tracer = Tracer(service="anchor_readings")
metrics = Metrics(namespace="CarbonMarket", service="anchor_readings")

# A project's run may wait for the chain; none is begun that the function's timeout would cut off.
_RESERVE_MS = 60_000


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answers {"projects": {id: {parts, readings, waiting, refusals}}, "failed": {id: why}}."""
    named = event.get("project")
    stores = anchoring()
    done: dict[str, Any] = {}
    failed: dict[str, str] = {}
    for project in [named] if named else stores.store.dirty_projects():
        if not named and context.get_remaining_time_in_millis() < _RESERVE_MS:
            logger.info("the rest is left to the next run", after=project)
            break
        try:
            result = anchor_readings(project, stores, now_us=time.time_ns() // 1_000)
        except MarketError as error:
            # One project's trouble must not keep the others from their anchors.
            failed[project] = error.reason
            logger.error("not anchored", project=project, code=error.code, why=error.reason)
            continue
        done[project] = _report(project, result)
    metrics.add_metric(name="AnchorFailures", unit=MetricUnit.Count, value=len(failed))
    return {"projects": done, "failed": failed}


def _report(project: str, result: AnchorResult) -> dict[str, Any]:
    metrics.add_metric(name="ReadingsAnchored", unit=MetricUnit.Count, value=result.readings)
    metrics.add_metric(name="AnchorRefusals", unit=MetricUnit.Count, value=len(result.refusals))
    if result.refusals:
        logger.error("the contract refused anchors", project=project, refusals=result.refusals)
    return {
        "parts": result.parts,
        "readings": result.readings,
        "waiting": result.waiting,
        "refusals": list(result.refusals),
    }
