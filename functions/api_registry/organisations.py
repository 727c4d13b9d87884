"""Organisations."""

from __future__ import annotations

import os

from carbonmarket.commitments import SALT_BYTES
from carbonmarket.operations import create_organisation as admitting
from carbonmarket.operations import list_organisations as listing
from carbonmarket_adapters.http import Call, connection, show
from carbonmarket_adapters.wiring import chain, registry
from functions.api_registry.api import api


@api.post("/v1/organisations", body=admitting.CreateOrganisation)
def create_organisation(call: Call) -> object:
    """Admit an organisation and give it an account on chain."""
    made = admitting.create_organisation(
        call.body,
        caller=call.caller,
        key=call.idempotency_key,
        accounts=registry.accounts(),
        signer=chain.signer(),
        salt=os.urandom(SALT_BYTES),
        now_us=call.now_us,
    )
    return show.organisation(made)


@api.get("/v1/organisations", paged=True)
def list_organisations(call: Call) -> object:
    """The organisations you may see."""
    rows = listing.list_organisations(call.page.after, caller=call.caller, accounts=registry.accounts())
    return connection(rows, call.page.first, show.organisation)


@api.get("/v1/organisations/{organisation}")
def get_organisation(call: Call) -> object:
    """One organisation."""
    found = listing.get_organisation(
        call.path["organisation"], caller=call.caller, accounts=registry.accounts()
    )
    return show.organisation(found)
