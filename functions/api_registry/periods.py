"""Monitoring periods, their reports and reviews, and the batches that come of them."""

from __future__ import annotations

import json

from carbonmarket.operations import close_period as closing
from carbonmarket.operations import find_credits as crediting
from carbonmarket.operations import vote as voting
from carbonmarket.records.registry import Batch, Review
from carbonmarket_adapters.http import Call, connection, show
from carbonmarket_adapters.wiring import chain, registry
from functions.api_registry.api import api


@api.post("/v1/projects/{project}/periods", body=closing.ClosePeriod, status=202)
def close_period(call: Call) -> object:
    """Close a monitoring period: quantification, review and issuance begin."""
    period = closing.close_period(
        call.path["project"],
        call.body,
        caller=call.caller,
        key=call.idempotency_key,
        registry=registry.registry(),
        sagas=registry.sagas(),
        now_us=call.now_us,
    )
    return show.period(period)


@api.get("/v1/projects/{project}/periods", paged=True)
def list_periods(call: Call) -> object:
    """A project's monitoring periods."""
    rows = closing.list_periods(
        call.path["project"], call.page.after, caller=call.caller, registry=registry.registry()
    )
    return connection(rows, call.page.first, show.period)


@api.get("/v1/projects/{project}/periods/{period}")
def get_period(call: Call) -> object:
    """One monitoring period and its state."""
    found = closing.get_period(
        call.path["project"], call.path["period"], caller=call.caller, registry=registry.registry()
    )
    return show.period(found)


@api.get("/v1/projects/{project}/periods/{period}/report")
def get_report(call: Call) -> object:
    """The period's report, line by line, in the canonical JSON that its hash is of."""
    content = closing.get_report(
        call.path["project"],
        call.path["period"],
        caller=call.caller,
        registry=registry.registry(),
        reports=registry.reports(),
    )
    return json.loads(content)


@api.get("/v1/reviews", paged=True)
def list_reviews(call: Call) -> object:
    """The reviews that your organisation was drawn for, with the bytes to sign."""
    rows = voting.list_reviews(call.page.after, caller=call.caller, registry=registry.registry())
    return connection(rows, call.page.first, _task)


@api.post("/v1/projects/{project}/periods/{period}/reviews", body=voting.Vote)
def vote(call: Call) -> object:
    """Cast a drawn reviewer's vote; an approval is signed."""
    cast = voting.vote(
        call.path["project"],
        call.path["period"],
        call.body,
        caller=call.caller,
        registry=registry.registry(),
        accounts=registry.accounts(),
        tasks=registry.review_tasks(),
        sagas=registry.sagas(),
        market=registry.market(),
        now_us=call.now_us,
    )
    return show.review(cast)


@api.get("/v1/batches", paged=True)
def list_batches(call: Call) -> object:
    """All batches in the order they were issued."""
    rows = crediting.list_batches(call.page.after, registry=registry.registry())
    return connection(rows, call.page.first, _batch)


@api.get("/v1/batches/{batch}")
def get_batch(call: Call) -> object:
    """One batch, issued here or imported."""
    found = crediting.get_batch(call.path["batch"], registry=registry.registry(), chain=chain.chain_access())
    return _batch(found)


def _batch(record: Batch) -> object:
    return show.batch(record, chain.projection().batch(record.id))


def _task(record: Review) -> object:
    period = registry.registry().period(record.project, record.period)
    if period is None:
        return show.review(record)
    return show.task(record, period.record, registry.market())
