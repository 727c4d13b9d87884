"""The gateway gives the apps API Gateway's events, enforces their authorizers, and refuses what it cannot."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from chalice import AuthResponse, Chalice, CognitoUserPoolAuthorizer, Response
from waitress.server import create_server

from infra.local.engines.gateway.app import BODY_BYTES_MAX, AppGateway, Gateway, GatewayRefused
from infra.local.settings import LOOPBACK

IMAGE = b"\x89PNG\x00\xff"


def apps() -> dict[str, AppGateway]:
    one, two = Chalice("one", configure_logs=False), Chalice("two", configure_logs=False)

    @one.authorizer()
    def login(request: Any) -> AuthResponse:
        allowed = ["*"] if request.token == "Bearer good" else []
        return AuthResponse(routes=allowed, principal_id="ann", context={"org": "ORG1"})

    @one.route("/v1/things/{thing}", methods=["GET"], cors=True)
    def read_thing(thing: str) -> dict[str, Any]:
        return {"thing": thing}

    @one.route("/v1/things/all", methods=["GET"], cors=True)
    def read_all() -> dict[str, Any]:
        return {"all": True}

    @one.route("/v1/things", methods=["POST"], authorizer=login)
    def write_thing() -> dict[str, Any]:
        request = one.current_request
        return {"body": request.json_body, "who": request.context["authorizer"]["principalId"]}

    @two.route("/v1/things", methods=["GET"])
    def list_things() -> list[str]:
        return []

    @two.route("/v1/things/{thing}/image", methods=["GET"])
    def image(thing: str) -> Response:
        return Response(body=IMAGE, headers={"Content-Type": "image/png"}, status_code=200)

    return {name: AppGateway(app, name, 29) for name, app in (("one", one), ("two", two))}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = create_server(
        Gateway(apps()), host=LOOPBACK, port=0, max_request_body_size=BODY_BYTES_MAX, ident=None
    )
    threading.Thread(target=server.run, daemon=True).start()
    yield f"http://{LOOPBACK}:{server.effective_port}"
    server.close()


def test_a_path_reaches_the_app_that_owns_it(url: str) -> None:
    assert requests.get(f"{url}/v1/things/7", timeout=10).json()["thing"] == "7"
    assert requests.get(f"{url}/v1/things", timeout=10).status_code == 200


def test_a_literal_path_goes_before_a_variable(url: str) -> None:
    assert requests.get(f"{url}/v1/things/all", timeout=10).json() == {"all": True}


def test_path_values_are_decoded(url: str) -> None:
    assert requests.get(f"{url}/v1/things/GW1%3A5%2F%C3%BC", timeout=10).json()["thing"] == "GW1:5/ü"


def test_health_names_the_apps(url: str) -> None:
    assert requests.get(f"{url}/healthz", timeout=10).json() == {"status": "ok", "apps": ["one", "two"]}


def test_a_protected_route_needs_a_login(url: str) -> None:
    assert requests.post(f"{url}/v1/things", json={}, timeout=10).status_code == 401


def test_a_protected_route_refuses_a_wrong_token(url: str) -> None:
    answer = requests.post(f"{url}/v1/things", json={}, headers={"Authorization": "Bearer bad"}, timeout=10)
    assert answer.status_code == 403
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_protected_route_knows_who_calls(url: str) -> None:
    answer = requests.post(
        f"{url}/v1/things", json={"n": "1"}, headers={"Authorization": "Bearer good"}, timeout=10
    )
    assert answer.json() == {"body": {"n": "1"}, "who": "ann"}


def test_an_unknown_path_is_a_problem(url: str) -> None:
    answer = requests.get(f"{url}/v1/nothing?x=1", timeout=10)
    assert answer.status_code == 404
    assert answer.json()["detail"] == "there is no GET /v1/nothing"


def test_binary_answers_pass_unchanged(url: str) -> None:
    answer = requests.get(f"{url}/v1/things/7/image", headers={"Accept": "image/png"}, timeout=10)
    assert answer.content == IMAGE


def test_a_browsers_preflight_is_answered(url: str) -> None:
    answer = requests.options(f"{url}/v1/things/7", timeout=10)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "GET" in answer.headers["Access-Control-Allow-Methods"]


def test_a_body_over_api_gateways_limit_is_refused(url: str) -> None:
    answer = requests.post(f"{url}/v1/things", data=b"x" * (BODY_BYTES_MAX + 1), timeout=30)
    assert answer.status_code == 413


def test_the_event_is_a_whole_rest_proxy_event() -> None:
    gateway = apps()["one"]
    event = gateway._generate_lambda_event("GET", "/v1/things/7?a=1&a=2", {"Accept": "x"}, b"")
    assert event["resource"] == "/v1/things/{thing}"
    assert event["pathParameters"] == {"thing": "7"}
    assert event["queryStringParameters"] == {"a": "2"}
    assert event["multiValueQueryStringParameters"] == {"a": ["1", "2"]}
    assert event["requestContext"]["requestId"]
    json.dumps(event)


def test_a_body_that_is_no_text_is_base64_in_the_event() -> None:
    event = apps()["one"]._generate_lambda_event("POST", "/v1/things", {}, IMAGE)
    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == IMAGE


def test_an_authorizer_that_cannot_be_enforced_is_refused() -> None:
    app = Chalice("three", configure_logs=False)
    pool = CognitoUserPoolAuthorizer("pool", provider_arns=["arn:aws:cognito-idp:us-east-1:0:userpool/p"])
    app.route("/v1/secret", authorizer=pool)(lambda: {})
    with pytest.raises(GatewayRefused, match="CognitoUserPoolAuthorizer"):
        AppGateway(app, "three", 29)


def test_a_route_that_two_apps_declare_is_refused() -> None:
    same = [Chalice(name, configure_logs=False) for name in ("a", "b")]
    for app in same:
        app.route("/v1/same")(lambda: {})
    with pytest.raises(GatewayRefused, match="GET /v1/same"):
        Gateway({app.app_name: AppGateway(app, app.app_name, 29) for app in same})
