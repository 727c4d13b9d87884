"""Counts what an alarm is to hear of, beside a function's own metrics."""

from __future__ import annotations


def count(*, name: str, service: str) -> None:
    """Write one of the metric into the function's log, where CloudWatch takes it from.

    ``service`` is its only dimension: the library adds one of that name where there is none, and an alarm
    finds a metric by all of its dimensions.
    """
    # Only who counts pays for the import.
    from aws_lambda_powertools.metrics import MetricUnit, single_metric

    with single_metric(
        name=name,
        unit=MetricUnit.Count,
        value=1,
        namespace="CarbonMarket",
        default_dimensions={"service": service},
    ):
        pass
