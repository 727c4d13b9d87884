"""Holdings, transfers and retirements."""

from __future__ import annotations

import os

from carbonmarket.commitments import SALT_BYTES
from carbonmarket.operations import create_retirement as retiring
from carbonmarket.operations import create_transfer as giving
from carbonmarket.operations.find_credits import own_organisation
from carbonmarket.records.chain import Holding
from carbonmarket.records.credits import Retirement
from carbonmarket_adapters.http import Answer, Api, Call, connection, show
from carbonmarket_adapters.wiring import chain, registry, settings

api = Api("api_credits")
app = api.app


@api.get("/v1/holdings", paged=True)
def list_holdings(call: Call) -> object:
    """What your organisation holds, batch by batch, as far as the chain was seen."""
    owner = own_organisation(call.caller, registry.accounts())
    page = call.page
    found = chain.projection().holdings(owner.account_address, after=page.after, first=page.first + 1)
    return connection(((holding.batch, holding) for holding in found), page.first, _holding)


@api.post("/v1/transfers", body=giving.CreateTransfer)
def create_transfer(call: Call) -> object:
    """Give grams of a batch to another organisation."""
    transfer = giving.create_transfer(
        call.body,
        caller=call.caller,
        key=call.idempotency_key,
        registry=registry.registry(),
        accounts=registry.accounts(),
        chain=chain.chain_access(),
        now_us=call.now_us,
    )
    return Answer(body=show.transfer(transfer), status=202 if transfer.state == "submitted" else 201)


@api.get("/v1/transfers", paged=True, query=("direction",))
def list_transfers(call: Call) -> object:
    """What your organisation gave, or with direction=received what it was given."""
    rows = giving.list_transfers(
        call.page.after,
        received=call.query.get("direction") == "received",
        caller=call.caller,
        registry=registry.registry(),
        accounts=registry.accounts(),
        chain=chain.chain_access(),
        now_us=call.now_us,
    )
    return connection(rows, call.page.first, show.transfer)


@api.post("/v1/retirements", body=retiring.CreateRetirement, status=202)
def create_retirement(call: Call) -> object:
    """Retire grams; the answer names the certificate's URL, which answers at once."""
    ordered = retiring.create_retirement(
        call.body,
        caller=call.caller,
        key=call.idempotency_key,
        registry=registry.registry(),
        accounts=registry.accounts(),
        chain=chain.chain_access(),
        subjects=registry.subjects(),
        sagas=registry.sagas(),
        public_url=settings().public_url,
        salt=os.urandom(SALT_BYTES),
        now_us=call.now_us,
    )
    return _retirement(ordered)


@api.get("/v1/retirements", paged=True)
def list_retirements(call: Call) -> object:
    """Your organisation's retirements."""
    rows = retiring.list_retirements(call.page.after, caller=call.caller, registry=registry.registry())
    return connection(rows, call.page.first, _retirement)


@api.get("/v1/retirements/{retirement}")
def get_retirement(call: Call) -> object:
    """One retirement and its state."""
    found = retiring.get_retirement(call.path["retirement"], caller=call.caller, registry=registry.registry())
    return _retirement(found)


@api.post("/v1/retirements/{retirement}/erasure", status=200)
def erase_beneficiary(call: Call) -> object:
    """Forget who the beneficiary is; the certificate stays valid."""
    erased = retiring.erase_beneficiary(
        call.path["retirement"],
        caller=call.caller,
        registry=registry.registry(),
        subjects=registry.subjects(),
        now_us=call.now_us,
    )
    return _retirement(erased)


def _holding(record: Holding) -> object:
    batch = chain.projection().batch_at(record.batch)
    return show.holding(record, batch.id if batch else None)


def _retirement(record: Retirement) -> object:
    return show.retirement(record, settings().public_url)
