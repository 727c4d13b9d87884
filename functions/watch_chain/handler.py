"""Watches the chain until shortly before its time is up; started again each minute.

A watcher's time is longer than a minute, so that the next one waits for its lease and nobody has to wait for
the next minute. The lease lets one watcher run at a time, and the cursor's revision stops a second one that
has the lease wrongly. An open transaction that nobody asks after is settled or sent again on the way.
"""

from __future__ import annotations

import time
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from carbonmarket.chain.addresses import canonical
from carbonmarket.errors import EngineUnavailable, StaleWrite
from carbonmarket.projection.watch import Progress, advance
from carbonmarket_adapters.wiring import settings
from carbonmarket_adapters.wiring.chain import chain_access, chain_source, chain_writer

logger = Logger(service="watch_chain")
tracer = Tracer(service="watch_chain")
metrics = Metrics(namespace="CarbonMarket", service="watch_chain")

# Of the function's time, the last 5 seconds are for ending cleanly.
_RESERVE_MS = 5_000
_LEASE_S = 15
RENEW_S = 5
"""A watcher that has lost its lease works on for at most this long."""
_IDLE_S = 0.25
_IDLE = Progress(0, 0, 0)


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Answers {"versions", "undone"}: how many versions were folded and journal entries undone."""
    versions = undone = 0
    holder = context.aws_request_id
    if _has_lease(holder):
        versions, undone, behind = _watch(holder, context)
        metrics.add_metric(name="VersionsBehind", unit=MetricUnit.Count, value=behind)
        chain_writer().release(holder)
    else:
        logger.info("another watcher has the lease")
    metrics.add_metric(name="VersionsFolded", unit=MetricUnit.Count, value=versions)
    metrics.add_metric(name="VersionsUndone", unit=MetricUnit.Count, value=undone)
    return {"versions": versions, "undone": undone}


def _watch(holder: str, context: LambdaContext) -> tuple[int, int, int]:
    """Follow the chain while there is time and the lease is kept; (versions folded, entries undone, versions
    that still waited at the end)."""
    versions = undone = behind = 0
    renew_at = time.monotonic() + RENEW_S
    while context.get_remaining_time_in_millis() > _RESERVE_MS:
        if time.monotonic() > renew_at:
            if not _lease(holder):
                logger.warning("the lease ran out and another watcher took it")
                break
            renew_at = time.monotonic() + RENEW_S
        progress = _advance()
        versions += progress.versions
        undone += progress.undone
        behind = progress.behind
        # A public network always has something new: what is caught up with is as good as quiet.
        if not progress.behind:
            _sweep()
        if progress == _IDLE:
            time.sleep(_IDLE_S)
    return versions, undone, behind


def _has_lease(holder: str) -> bool:
    """Wait for the lease of a watcher that is about to end, or that was killed."""
    until = time.monotonic() + _LEASE_S + _IDLE_S
    while not _lease(holder):
        if time.monotonic() > until:
            return False
        time.sleep(_IDLE_S)
    return True


def _lease(holder: str) -> bool:
    return chain_writer().lease(holder, time.time_ns() // 1_000, _LEASE_S)


def _advance() -> Progress:
    try:
        market = canonical(settings().market_address)
        progress = advance(chain_source(), chain_writer(), market, settings().first_version)
    except StaleWrite:
        # Another watcher was first; the next step goes on from where that one is.
        return Progress(0, 0, 1)
    except EngineUnavailable as error:
        logger.warning("no answer; trying again", why=error.reason)
        metrics.add_metric(name="NodeUnavailable", unit=MetricUnit.Count, value=1)
        return _IDLE
    if progress.undone:
        logger.warning("the chain went back or was replaced", undone=progress.undone)
    return progress


def _sweep() -> None:
    try:
        chain_access().sweep()
    except EngineUnavailable as error:
        logger.warning("open transactions are left for later", why=error.reason)
