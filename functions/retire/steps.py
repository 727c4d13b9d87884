"""The steps of the saga retire. Each takes the saga's whole state and returns ids and hashes.

All of them can be repeated at any time: what was done is found again, never done twice.
"""

from __future__ import annotations

import time
from typing import Any

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.tracing import Tracer

from carbonmarket.operations import retire_grams as retiring
from carbonmarket_adapters.saga_steps import cause_of, names_what_is_away
from carbonmarket_adapters.wiring import chain, registry

logger = Logger(service="retire")
tracer = Tracer(service="retire")

State = dict[str, Any]


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@names_what_is_away
def check_holding(state: State, context: object) -> State:
    """Refuse what the account does not hold, before anything is sent."""
    checked = retiring.check_holding(
        state["retirement"],
        registry=registry.registry(),
        accounts=registry.accounts(),
        chain=chain.chain_access(),
        now_us=_now_us(),
    )
    return {"grams": str(checked.grams)}


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@names_what_is_away
def retire(state: State, context: object) -> State:
    """Submit the retirement, signed by the organisation's key."""
    transaction = retiring.retire_grams(
        state["retirement"],
        registry=registry.registry(),
        accounts=registry.accounts(),
        chain=chain.chain_access(),
        now_us=_now_us(),
    )
    return {"transaction": transaction}


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@names_what_is_away
def await_finality(state: State, context: object) -> State:
    """Ask what became of it; NotYetFinal is retried."""
    final = retiring.await_retirement(
        state["retirement"], registry=registry.registry(), chain=chain.chain_access(), now_us=_now_us()
    )
    return {"transaction": final.transaction, "version": str(final.version)}


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@names_what_is_away
def render(state: State, context: object) -> State:
    """Render and keep the certificate, its PDF and its evidence."""
    # The PDF's libraries cost 300 ms to import, which only this step should pay.
    from carbonmarket.operations.render_certificate import render_certificate

    digest = render_certificate(
        state["retirement"], kept=registry.kept(), issuer=registry.issuer(), now_us=_now_us()
    )
    logger.info("certified", retirement=state["retirement"], certificate_sha256=digest)
    return {"certificate_sha256": digest}


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@names_what_is_away
def notify(state: State, context: object) -> State:
    """Tell the organisation that the certificate is there."""
    certified = retiring.load_retirement(state["retirement"], registry.registry()).record
    registry.notifications().send(
        f"{certified.id}/certified",
        "retirement.certified",
        certified.organisation,
        {"retirement": certified.id, "batch": certified.batch, "grams": str(certified.grams)},
    )
    return {"notified": certified.organisation}


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@names_what_is_away
def fail_retirement(state: State, context: object) -> State:
    """Undo: mark the retirement as failed, and tell the organisation."""
    failed = retiring.fail_retirement(
        state["retirement"],
        cause_of(state),
        registry=registry.registry(),
        chain=chain.chain_access(),
        now_us=_now_us(),
    )
    registry.notifications().send(
        f"{failed.id}/failed",
        "retirement.failed",
        failed.organisation,
        {"retirement": failed.id, "reason": failed.failure},
    )
    return {"retirement": failed.id}


def _now_us() -> int:
    return time.time_ns() // 1_000
