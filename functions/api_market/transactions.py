"""Transactions for wallets: built here, signed there, submitted here with the sponsor's payment."""

from __future__ import annotations

from carbonmarket.operations import build_transaction as building
from carbonmarket.operations import submit_transaction as submitting
from carbonmarket_adapters.http import Answer, Call, show_market
from carbonmarket_adapters.wiring import market
from functions.api_market.api import api


@api.post("/v1/transactions", body=building.BuildTransaction)
def build_transaction(call: Call) -> object:
    """Have a transaction built for a wallet to sign; its fee is paid for you."""
    built = building.build_transaction(
        call.body,
        caller=call.caller,
        key=call.idempotency_key,
        desk=market.desk(call.now_us),
        wallets=market.wallets(),
    )
    return show_market.built(built)


@api.get("/v1/transactions/{transaction}")
def get_transaction(call: Call) -> object:
    """A built transaction, the signatures it has, and what came of it."""
    found = submitting.get_transaction(
        call.path["transaction"], caller=call.caller, desk=market.desk(call.now_us)
    )
    return show_market.submitted(found)


@api.post("/v1/transactions/{transaction}/submission", body=submitting.SubmitTransaction, status=200)
def submit_transaction(call: Call) -> object:
    """Hand in signatures; 202 while more are needed or the chain has not answered yet."""
    found = submitting.submit_transaction(
        call.path["transaction"],
        call.body,
        caller=call.caller,
        desk=market.desk(call.now_us),
        wallets=market.wallets(),
    )
    return Answer(body=show_market.submitted(found), status=200 if found.state == "committed" else 202)
