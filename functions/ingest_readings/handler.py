"""Messages out of queue ``readings``, in batches; what fails goes back to the queue, and then to its DLQ."""

from __future__ import annotations

import base64
import binascii
import time
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from carbonmarket.intake.opening import Delivery
from carbonmarket.operations.ingest_readings import IngestResult, ingest_readings
from carbonmarket_adapters.wiring.devices import intake

logger = Logger(service="ingest_readings")
tracer = Tracer(service="ingest_readings")
metrics = Metrics(namespace="CarbonMarket", service="ingest_readings")


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """Decide the whole batch at once, then answer record by record which of them failed."""
    deliveries, failures = [], dict[str, Exception]()
    for record in map(SQSRecord, event["Records"]):
        try:
            deliveries.append(_delivery(record))
        except (ValueError, LookupError, TypeError, binascii.Error) as error:
            # Not what the rule sends: the DLQ keeps it for a person to look at.
            failures[record.message_id] = error
    result = ingest_readings(deliveries, intake()) if deliveries else IngestResult(outcomes={}, failures={})
    failures.update(result.failures)
    _report(result, failures)

    def settle(record: SQSRecord) -> None:
        if record.message_id in failures:
            raise failures[record.message_id]

    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    return process_partial_response(event, settle, processor, context)


def _delivery(record: SQSRecord) -> Delivery:
    body = record.json_body
    if "base64OriginalPayload" in body:
        # What the rule's error action kept while this queue was away, moved back from the DLQ.
        return Delivery(
            key=record.message_id,
            gateway=str(body["topic"]).split("/")[3],
            received_us=time.time_ns() // 1_000,
            data=base64.b64decode(body["base64OriginalPayload"], validate=True),
        )
    return Delivery(
        key=record.message_id,
        gateway=str(body["gateway"]),
        received_us=int(body["received"]) * 1_000,
        data=base64.b64decode(body["message"], validate=True),
    )


def _report(result: IngestResult, failures: dict[str, Exception]) -> None:
    accepted = sum(outcome.accepted for outcome in result.outcomes.values())
    rejected = sum(sum(outcome.rejected.values()) for outcome in result.outcomes.values())
    metrics.add_metric(name="ReadingsAccepted", unit=MetricUnit.Count, value=accepted)
    metrics.add_metric(name="ReadingsRejected", unit=MetricUnit.Count, value=rejected)
    metrics.add_metric(name="MessagesFailed", unit=MetricUnit.Count, value=len(failures))
    for outcome in result.outcomes.values():
        if outcome.rejected:
            logger.warning("readings rejected", rejected=outcome.rejected)
    for key, error in failures.items():
        logger.error("message kept in the queue", message_id=key, error=type(error).__name__, why=str(error))
