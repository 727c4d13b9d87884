"""The steps of the saga mint. Each takes the saga's whole state and returns ids and hashes.

All of them can be repeated at any time: what was done is found again, never done twice.
"""

from __future__ import annotations

import time
from typing import Any

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.tracing import Tracer

from carbonmarket.operations import ask_reviewers as asking
from carbonmarket.operations import issue_batch as issuing
from carbonmarket.operations import quantify as quantifying
from carbonmarket.operations import reject_period as rejecting
from carbonmarket.operations.anchor_readings import anchor_readings
from carbonmarket_adapters.saga_steps import cause_of, names_what_is_away
from carbonmarket_adapters.wiring import chain, devices, registry, settings
from carbonmarket_adapters.wiring.anchors import anchoring

logger = Logger(service="mint")
tracer = Tracer(service="mint")

State = dict[str, Any]


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@names_what_is_away
def quantify(state: State, context: object) -> State:
    """Close the period on chain and compute its report."""
    measured = quantifying.Measured(
        devices=devices.devices(), readings=devices.readings(), anchors=devices.anchors()
    )
    period = quantifying.quantify(
        state["project"],
        state["period"],
        registry=registry.registry(),
        measured=measured,
        chain=chain.chain_access(),
        reports=registry.reports(),
        oracle=settings().oracle_key,
        anchor=lambda project: anchor_readings(project, anchoring(), now_us=_now_us()),
        now_us=_now_us(),
    )
    logger.info("quantified", period=period.id, grams=str(period.grams), report_hash=period.report_hash)
    return {"report_hash": period.report_hash, "grams": str(period.grams)}


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@names_what_is_away
def review(state: State, context: object) -> State:
    """Draw and ask the reviewers; the vote that decides ends the wait under the token."""
    reviewers = asking.ask_reviewers(
        state["project"],
        state["period"],
        state["task_token"],
        registry=registry.registry(),
        accounts=registry.accounts(),
        chain=chain.chain_access(),
        tasks=registry.review_tasks(),
        sagas=registry.sagas(),
        notifications=registry.notifications(),
        now_us=_now_us(),
    )
    return {"reviewers": list(reviewers)}


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@names_what_is_away
def mint(state: State, context: object) -> State:
    """Submit the issuance with the quorum's signatures."""
    transaction = issuing.issue_batch(
        state["project"],
        state["period"],
        registry=registry.registry(),
        chain=chain.chain_access(),
        issuer=settings().issuer_key,
        public_url=settings().public_url,
        now_us=_now_us(),
    )
    return {"transaction": transaction}


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@names_what_is_away
def await_finality(state: State, context: object) -> State:
    """Ask what became of the issuance; NotYetFinal is retried."""
    fate = issuing.await_issuance(
        state["project"], state["period"], registry=registry.registry(), chain=chain.chain_access()
    )
    return {"transaction": fate.hash, "version": str(fate.version)}


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@names_what_is_away
def register(state: State, context: object) -> State:
    """Keep the batch that the chain announced."""
    batch = issuing.register_batch(
        state["project"],
        state["period"],
        registry=registry.registry(),
        chain=chain.chain_access(),
        now_us=_now_us(),
    )
    logger.info("registered", batch=batch.id, grams=str(batch.grams))
    return {"batch": batch.id}


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@names_what_is_away
def notify(state: State, context: object) -> State:
    """Tell the developer."""
    batch = issuing.batch_of(state["project"], state["period"], registry=registry.registry())
    registry.notifications().send(
        f"{batch.id}/issued",
        "batch.issued",
        batch.organisation,
        {"batch": batch.id, "project": batch.project, "period": batch.period, "grams": str(batch.grams)},
    )
    return {"notified": batch.organisation}


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@names_what_is_away
def reject_period(state: State, context: object) -> State:
    """Undo: free the period on chain, mark it rejected, tell the developer."""
    rejected = rejecting.reject_period(
        state["project"],
        state["period"],
        cause_of(state),
        registry=registry.registry(),
        chain=chain.chain_access(),
        oracle=settings().oracle_key,
        now_us=_now_us(),
    )
    registry.notifications().send(
        f"{rejected.id}/rejected",
        "period.rejected",
        rejected.organisation,
        {"project": rejected.project, "period": rejected.id, "reason": rejected.reason},
    )
    return {"period": rejected.id}


def _now_us() -> int:
    return time.time_ns() // 1_000
