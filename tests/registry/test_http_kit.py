"""The HTTP kit: who the caller is, what comes out of a fault, and which bytes are sent."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace
from typing import Any

import jwt
import pytest
from botocore.exceptions import EndpointConnectionError
from chalice.test import Client

from carbonmarket.errors import InvalidInput, NotAllowed, NotAuthenticated
from carbonmarket.settings import Settings
from carbonmarket_adapters import wiring
from carbonmarket_adapters.http import Answer, Api, Call, connection, cursors, identity, once

KEY = "k" * 32
BASE = {
    "stage": "test",
    "aptos_node_url": "http://127.0.0.1:1/v1",
    "chain_id": 4,
    "market_address": "0xcafe",
    "public_url": "http://127.0.0.1:3000",
    "readings_store": "sqlite:///unused",
    "aws_endpoint_url": "http://127.0.0.1:1",
}
DEVELOPMENT = Settings(**BASE, authorizer="development", development_key=KEY)
COGNITO = Settings(**BASE)


def request(token: str = "", claims: dict[str, str] | None = None) -> Any:
    context = {} if claims is None else {"authorizer": {"claims": claims}}
    return SimpleNamespace(headers={"authorization": token} if token else {}, context=context)


def token(key: str = KEY, **changes: Any) -> str:
    claims = {"sub": "p1", "org": "ORG1", "roles": ["buyer", "king"], "exp": time.time() + 60} | changes
    return "Bearer " + jwt.encode({k: v for k, v in claims.items() if v is not None}, key, "HS256")


def test_a_development_token_names_person_organisation_and_known_roles() -> None:
    caller = identity.principal(request(token()), DEVELOPMENT)
    assert (caller.subject, caller.organisation, caller.roles) == ("p1", "ORG1", frozenset({"buyer"}))


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "Basic abc",
        "Bearer abc",
        token(key="x" * 32),
        token(exp=1),
        token(exp=None),
        token(org=None),
        token(roles="operator"),
        "Bearer " + jwt.encode({"sub": "p", "org": "O", "roles": [], "exp": 9e9}, None, "none"),
    ],
    ids=[
        "nothing",
        "another scheme",
        "no token",
        "another key",
        "expired",
        "without an end",
        "of nobody",
        "roles that are no list",
        "unsigned",
    ],
)
def test_a_bad_development_token_is_refused(bad: str) -> None:
    with pytest.raises(NotAuthenticated):
        identity.principal(request(bad), DEVELOPMENT)


@pytest.mark.parametrize("groups", ["buyer,reviewer", "[buyer reviewer]", "buyer, reviewer"])
def test_cognitos_claims_name_person_organisation_and_groups(groups: str) -> None:
    claims = {"sub": "p1", "custom:organisation": "ORG1", "cognito:groups": groups}
    caller = identity.principal(request(claims=claims), COGNITO)
    assert caller.roles == frozenset({"buyer", "reviewer"})


def test_behind_cognito_a_development_token_is_worth_nothing() -> None:
    with pytest.raises(NotAuthenticated):
        identity.principal(request(token()), COGNITO)


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Any:
    """An app with one route of each sort."""
    monkeypatch.setattr(wiring, "settings", lambda: DEVELOPMENT)
    monkeypatch.setenv("POWERTOOLS_TRACE_DISABLED", "true")
    api = Api("api_test")

    @api.get("/v1/broken", public=True)
    def broken(call: Call) -> object:
        raise RuntimeError("Ada Lovelace's secret")

    @api.get("/v1/fraction", public=True)
    def fraction(call: Call) -> object:
        return {"grams": 1.5}

    @api.get("/v1/waiting", public=True)
    def waiting(call: Call) -> object:
        return Answer(body={"state": "accepted"}, status=202, headers={"Retry-After": "2"})

    @api.get("/v1/price", public=True, cache_s=5)
    def price(call: Call) -> object:
        return {"price": call.query.get("at", "10")}

    @api.get("/v1/alone", public=True)
    def alone(call: Call) -> object:
        raise EndpointConnectionError(endpoint_url=DEVELOPMENT.aws_endpoint_url)

    @api.post("/v1/orders")
    def place(call: Call) -> object:
        raise NotAllowed("nobody orders here")

    with Client(api.app) as opened:
        yield opened.http


def test_a_fault_says_nothing_of_the_inside(client: Any, caplog: pytest.LogCaptureFixture) -> None:
    answer = client.get("/v1/broken")
    assert answer.status_code == 500
    assert json.loads(answer.body)["type"].endswith("/unexpected")
    (record,) = [record for record in caplog.records if record.message == "failed"]
    assert "Lovelace" not in str(vars(record)) + answer.body.decode()
    assert vars(record)["error"] == "RuntimeError"


def test_an_engine_that_is_not_running_is_named_with_how_to_start_it(client: Any) -> None:
    answer = client.get("/v1/alone")
    assert answer.status_code == 503
    assert (
        "127.0.0.1:1" in json.loads(answer.body)["detail"]
        and "carbonmarket up" in json.loads(answer.body)["detail"]
    )


@pytest.mark.parametrize(
    ("body", "media_type", "status", "kind"),
    [
        (b"{}", "application/x-www-form-urlencoded", 415, "unsupported-media-type"),
        (b"", "application/x-www-form-urlencoded", 403, "not-allowed"),
        (b"{}", "Application/JSON; charset=utf-8", 403, "not-allowed"),
    ],
    ids=["a form", "nothing", "JSON with its characters"],
)
def test_a_body_that_is_no_json_is_refused_as_a_problem(
    client: Any, monkeypatch: pytest.MonkeyPatch, body: bytes, media_type: str, status: int, kind: str
) -> None:
    monkeypatch.setattr(once, "once", lambda operation, **_: operation())
    headers = {"Authorization": token(), "Content-Type": media_type, "Idempotency-Key": "one"}
    answer = client.post("/v1/orders", headers=headers, body=body)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (answer.status_code, json.loads(answer.body)["type"].rsplit("/", 1)[-1]) == (status, kind)


def test_a_fraction_never_leaves(client: Any) -> None:
    assert client.get("/v1/fraction").status_code == 500


def test_an_answer_carries_its_status_and_headers(client: Any) -> None:
    answer = client.get("/v1/waiting")
    assert (answer.status_code, answer.headers["Retry-After"]) == (202, "2")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_what_may_be_kept_is_sent_once(client: Any) -> None:
    first = client.get("/v1/price")
    tag = first.headers["ETag"]
    assert (first.status_code, first.headers["Cache-Control"]) == (200, "public, max-age=5")
    for known in (tag, f"W/{tag}", f'"other", {tag}'):
        again = client.get("/v1/price", headers={"If-None-Match": known})
        assert (again.status_code, again.body, again.headers["ETag"]) == (304, b"", tag)
    changed = client.get("/v1/price?at=11", headers={"If-None-Match": tag})
    assert (changed.status_code, json.loads(changed.body)) == (200, {"price": "11"})
    assert client.get("/v1/waiting").headers["Cache-Control"] == "no-store"


def test_a_page_ends_in_the_cursor_of_the_next() -> None:
    rows = [(f"key{number}", number) for number in range(5)]
    page = connection(rows, 2, str)
    assert [edge["node"] for edge in page["edges"]] == ["0", "1"]
    after = cursors.page_request({"after": page["pageInfo"]["endCursor"]}).after
    assert (after, page["pageInfo"]["hasNextPage"]) == ("key1", True)
    assert connection(rows[2:4], 2, str)["pageInfo"]["hasNextPage"] is False


@pytest.mark.parametrize(
    "query",
    [
        {"first": "0"},
        {"first": "101"},
        {"first": "x"},
        {"after": "§"},
        {"after": ""},
        {"after": cursors.cursor_of("k" * 1025)},
    ],
)
def test_a_page_that_can_not_be_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(InvalidInput) as refused:
        cursors.page_request(query)
    assert refused.value.field in query
