"""The steps of the saga settle_trade. Each takes the saga's whole state and returns ids and numbers.

All of them can be repeated at any time: what was done is found again, never done twice.
"""

from __future__ import annotations

import time
from typing import Any

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.tracing import Tracer

from carbonmarket.operations import purchase_delivery as delivering
from carbonmarket.operations import purchase_order as ordering
from carbonmarket.operations import purchase_payment as paying
from carbonmarket.operations.purchase import Till
from carbonmarket.operations.purchase_payout import pay_sellers as pay_all_sellers
from carbonmarket.operations.purchase_undo import fail_purchase as undo
from carbonmarket_adapters.saga_steps import cause_of, names_what_is_away
from carbonmarket_adapters.wiring import purchases

logger = Logger(service="settle_trade")
tracer = Tracer(service="settle_trade")

State = dict[str, Any]


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@names_what_is_away
def screen(state: State, context: object) -> State:
    """Refuse who may not buy, before any money is touched."""
    paying.screen(state["purchase"], _till())
    return {}


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@names_what_is_away
def authorise(state: State, context: object) -> State:
    """Hold the quote's highest amount on the card."""
    purchase = paying.authorise(state["purchase"], _till())
    return {"intent": purchase.intent}


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@names_what_is_away
def await_authentication(state: State, context: object) -> State:
    """Wait for the buyer's bank under the token; the wait is over at once where the bank has answered."""
    purchase = paying.await_authentication(state["purchase"], state["task_token"], _till())
    return {"purchase": purchase.id}


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@names_what_is_away
def place(state: State, context: object) -> State:
    """Set the float aside and submit the order, signed by the treasury's key."""
    return {"transaction": ordering.place(state["purchase"], _till())}


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@names_what_is_away
def await_fill(state: State, context: object) -> State:
    """Ask what the order bought; NotYetFinal is retried."""
    purchase = ordering.await_fill(state["purchase"], _till())
    logger.info("filled", purchase=purchase.id, grams=str(purchase.grams), units=str(purchase.spent_units))
    return {"transaction": purchase.transaction, "grams": str(purchase.grams)}


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@names_what_is_away
def capture(state: State, context: object) -> State:
    """Take what was spent, and say for how many seconds the wait for the release may last."""
    till = _till()
    purchase = paying.capture(state["purchase"], till)
    return {"charge": purchase.charge, "hold_s": paying.hold_seconds(purchase, till)}


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@names_what_is_away
def hold(state: State, context: object) -> State:
    """Wait for the risk period's end under the token; the wait is over at once where nothing is held."""
    purchase = paying.hold(state["purchase"], state["task_token"], _till())
    return {"purchase": purchase.id}


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@names_what_is_away
def deliver(state: State, context: object) -> State:
    """Give the buyer its credits; NotYetFinal is retried."""
    purchase = delivering.deliver(state["purchase"], _till())
    logger.info("delivered", purchase=purchase.id, grams=str(purchase.grams))
    return {"grams": str(purchase.grams)}


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@names_what_is_away
def retire(state: State, context: object) -> State:
    """Start the retirements that were asked for."""
    return {"retirements": list(delivering.retire(state["purchase"], _till()))}


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@names_what_is_away
def pay_sellers(state: State, context: object) -> State:
    """Pay the sellers who chose fiat; who can't be paid yet is tried again by the schedule."""
    paid = pay_all_sellers(state["purchase"], _till())
    return {"payouts": [payout.id for payout in paid]}


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@names_what_is_away
def complete(state: State, context: object) -> State:
    """Tell the buyer that everything is done."""
    return {"purchase": delivering.complete(state["purchase"], _till()).id}


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False)
@names_what_is_away
def fail_purchase(state: State, context: object) -> State:
    """Undo: release or give back the money, keep why, and tell the buyer."""
    failed = undo(state["purchase"], cause_of(state), _till())
    logger.info("failed", purchase=failed.id, money=failed.money)
    return {"purchase": failed.id}


def _till() -> Till:
    return purchases.till(time.time_ns() // 1_000)
