"""The HTTP side: routes, keys, idempotency, and the pages of a cardholder's bank."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, request

from infra.local.engines.stripe import charges, connect, intents, reading
from infra.local.engines.stripe import params as take
from infra.local.engines.stripe.context import API_VERSION, Context
from infra.local.engines.stripe.params import Params, nested
from infra.local.engines.stripe.refusals import Refusal, invalid
from infra.local.engines.stripe.store import Object, new_id

Call = Callable[..., Object]

WRITES: dict[str, Call] = {
    "/v1/payment_intents": intents.create,
    "/v1/payment_intents/<id>": intents.update,
    "/v1/payment_intents/<id>/confirm": intents.confirm,
    "/v1/payment_intents/<id>/capture": intents.capture,
    "/v1/payment_intents/<id>/cancel": intents.cancel,
    "/v1/refunds": charges.create_refund,
    "/v1/disputes/<id>": charges.update_dispute,
    "/v1/disputes/<id>/close": charges.close_dispute,
    "/v1/accounts": connect.create_account,
    "/v1/account_links": connect.create_link,
    "/v1/transfers": connect.create_transfer,
    "/v1/payouts": connect.create_payout,
    "/v1/topups": connect.create_topup,
}
LISTS = {
    "/v1/payment_intents": "payment_intent",
    "/v1/charges": "charge",
    "/v1/refunds": "refund",
    "/v1/disputes": "dispute",
    "/v1/accounts": "account",
    "/v1/transfers": "transfer",
    "/v1/payouts": "payout",
    "/v1/topups": "topup",
    "/v1/balance_transactions": "balance_transaction",
    "/v1/events": "event",
}
PAGES: dict[str, tuple[Call, tuple[str, ...]]] = {
    "/_test/payment_intents/<id>/authentication": (intents.authenticate, ("succeeded", "failed")),
    "/_test/refunds/<id>/settlement": (charges.settle_refund, ("failed",)),
    "/_test/accounts/<id>/onboarding": (connect.onboard, ("complete", "restricted")),
}


def create_app(context: Context) -> Flask:
    """The WSGI app. Keys other than sk_test_… are refused: this server never stands for real money."""
    app = Flask("stripe")
    for rule, call in WRITES.items():
        _add(app, context, "POST", rule, call)
    for rule, kind in LISTS.items():
        _add(app, context, "GET", rule, functools.partial(reading.page, kind=kind, url=rule))
        _add(app, context, "GET", rule + "/<id>", functools.partial(_one, kind=kind))
    _add(app, context, "GET", "/v1/balance", reading.balance)
    for rule, (call, outcomes) in PAGES.items():
        _add(app, context, "POST", rule, call, is_open=True)
        app.add_url_rule(rule, "page " + rule, functools.partial(_page, outcomes), methods=["GET"])
    _add(app, context, "POST", "/_test/clock", _put_ahead, is_open=True)
    _add(app, context, "POST", "/_test/fees", connect.take_fee, is_open=True)
    _add(app, context, "POST", "/_test/events/<id>/delivery", _deliver_again, is_open=True)
    app.add_url_rule("/healthz", "health", lambda: {"status": "ok"})
    app.register_error_handler(404, _no_route)
    app.register_error_handler(405, _no_route)
    app.register_error_handler(500, _fault)
    return app


def _add(app: Flask, context: Context, method: str, rule: str, call: Call, *, is_open: bool = False) -> None:
    def view(**path: str) -> Response:
        try:
            if not is_open:
                _check_key()
            with context.store.transaction():
                status, body, replayed = _answer(context, call, path)
        except Refusal as refusal:
            status, body, replayed = refusal.status, json.dumps({"error": refusal.error}), False
        response = Response(body, status, content_type="application/json")
        response.headers["Request-Id"] = new_id("req")
        response.headers["Stripe-Version"] = API_VERSION
        if replayed:
            response.headers["Idempotent-Replayed"] = "true"
        return response

    app.add_url_rule(rule, f"{method} {rule}", view, methods=[method])


def _answer(context: Context, call: Call, path: dict[str, str]) -> tuple[int, str, bool]:
    """(status, body, whether it was answered before), within the transaction of the request."""
    intents.expire_uncaptured(context)
    params = nested((request.args if request.method == "GET" else request.form).items(multi=True))
    key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
    asked = hashlib.sha256(f"{request.path}\n{json.dumps(params, sort_keys=True)}".encode()).hexdigest()
    before = context.store.answer(key) if key else None
    if before is not None:
        if before[0] != asked:
            raise Refusal(
                400,
                "idempotency_error",
                "Keys for idempotent requests can only be used with the same parameters they were first used "
                f"with. Try using a key other than '{key}' if you meant to execute a different request.",
            )
        return before[1], before[2], True
    try:
        status, body = 200, json.dumps(reading.expanded(context, params, call(context, params, **path)))
    except Refusal as refusal:
        if not refusal.is_kept:
            raise
        status, body = refusal.status, json.dumps({"error": refusal.error})
    if key:
        context.store.put_answer(key, asked, status, body)
    return status, body, False


def _check_key() -> None:
    given = request.authorization
    key = (given.token or (given.parameters or {}).get("username")) if given else None
    if not key:
        raise Refusal(
            401,
            "invalid_request_error",
            "You did not provide an API key. Provide it in the Authorization header: 'Bearer sk_test_…'.",
        )
    if not key.startswith("sk_test_"):
        raise Refusal(
            401,
            "invalid_request_error",
            "Invalid API Key provided: this server of one machine takes test keys (sk_test_…) only.",
        )


def _one(context: Context, params: Params, id: str, kind: str) -> Object:
    take.only(params)
    return context.get(kind, id)


def _put_ahead(context: Context, params: Params) -> Object:
    take.only(params, "seconds")
    context.store.put_ahead(take.integer(params, "seconds"))
    intents.expire_uncaptured(context)
    return {"now": context.store.now()}


def _deliver_again(context: Context, params: Params, id: str) -> Object:
    take.only(params)
    if not context.has_webhook:
        raise invalid("No webhook is configured: start the server with --webhook-url.")
    event = context.get("event", id)
    context.store.deliver(id)
    return event


def _page(outcomes: tuple[str, ...], id: str) -> str:
    """What a person sees in a browser: a button for each outcome."""
    buttons = "".join(f'<button name="outcome" value="{each}">{each}</button> ' for each in outcomes)
    # The id is put into no markup: the form posts to the page's own address.
    return f"<!doctype html><title>Test page</title><form method=post>{buttons}</form>"


def _fault(error: Any) -> tuple[Object, int]:
    # Flask has logged what it was.
    return {"error": {"type": "api_error", "message": "Something failed in this server; see its log."}}, 500


def _no_route(error: Any) -> tuple[Object, int]:
    message = f"Unrecognized request URL ({request.method}: {request.path})."
    return {"error": {"type": "invalid_request_error", "message": message}}, 404
