"""Requests become API Gateway's REST proxy events (version 1) for the app that owns the route."""

from __future__ import annotations

import base64
import datetime
import http
import json
import threading
import time
import urllib.parse
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from chalice.app import Chalice, ChaliceAuthorizer
from chalice.config import Config
from chalice.local import LocalGateway, LocalGatewayException, MatchResult, RouteMatcher

from infra.local.engines.lambdas.held import Granted, held_to
from infra.local.settings import ACCOUNT

BODY_BYTES_MAX = 10 * 1024 * 1024
_Start = Callable[..., Any]


class GatewayRefused(Exception):
    """The apps cannot be served as declared; the text says which route and why."""


class Routes(RouteMatcher):
    """Which route a path is for: a literal segment goes before a variable one, values are decoded."""

    def match_route(self, url: str) -> MatchResult:
        """The route of a path and query; ValueError if there is none."""
        parsed = urllib.parse.urlsplit(url)
        path = parsed.path.rstrip("/") or "/"
        parts = path.split("/")
        for route in self.route_urls:
            captured = _captured(route.split("/"), parts)
            if captured is not None:
                return MatchResult(
                    route, captured, urllib.parse.parse_qs(parsed.query, keep_blank_values=True)
                )
        raise ValueError(f"no route is declared for {path}")


def _captured(wanted: list[str], parts: list[str]) -> dict[str, str] | None:
    if len(wanted) != len(parts):
        return None
    captured = {}
    for want, part in zip(wanted, parts, strict=True):
        if want.startswith("{") and want.endswith("}") and part:
            captured[want[1:-1]] = urllib.parse.unquote(part)
        elif want != part:
            return None
    return captured


class AppGateway(LocalGateway):
    """Chalice's local gateway for one app, with whole events and one request at a time.

    A Lambda process meets one request at a time, and libraries in the apps (metrics, logs) count on it.
    """

    def __init__(
        self, app: Chalice, function_name: str, timeout_seconds: int, granted: Granted | None = None
    ) -> None:
        """``granted`` is what the app's calls of AWS are held to, None for anything."""
        _refuse_unknown_authorizers(app)
        disk = {"app_name": function_name, "lambda_timeout": timeout_seconds, "lambda_memory_size": 512}
        super().__init__(
            app, Config(chalice_stage="local", function_name=function_name, config_from_disk=disk)
        )
        self.event_converter._route_matcher = Routes(list(app.routes))
        self.routes: Mapping[str, Mapping[str, Any]] = app.routes
        self._lock = threading.Lock()
        self._granted = granted

    def handle_request(
        self, method: str, path: str, headers: dict[str, str], body: bytes | None
    ) -> dict[str, Any]:
        """The app's answer, or a LocalGatewayException of the authorizer."""
        with self._lock, held_to(self._granted):
            answer: dict[str, Any] = super().handle_request(method, path, headers, body)
            return answer

    def _generate_lambda_event(
        self, method: str, path: str, headers: dict[str, str], body: bytes | None
    ) -> dict[str, Any]:
        event: dict[str, Any] = super()._generate_lambda_event(method, path, headers, body)
        context = event["requestContext"]
        now = datetime.datetime.now(datetime.UTC)
        context.update(
            accountId=ACCOUNT,
            apiId="local",
            protocol="HTTP/1.1",
            requestId=str(uuid.uuid4()),
            requestTime=now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            requestTimeEpoch=int(time.time() * 1000),
            stage="local",
        )
        many = event["multiValueQueryStringParameters"]
        event.update(
            resource=context["resourcePath"],
            path=context["path"],
            httpMethod=method,
            queryStringParameters={name: values[-1] for name, values in many.items()} if many else None,
            multiValueHeaders={name: [value] for name, value in event["headers"].items()},
        )
        event.setdefault("isBase64Encoded", False)
        if isinstance(event["body"], bytes):
            _put_text(event)
        return event


def _put_text(event: dict[str, Any]) -> None:
    """Bodies are text in an event; what is no UTF-8 goes as base64, marked so."""
    try:
        event["body"] = event["body"].decode() or None
    except UnicodeDecodeError:
        event["body"] = base64.b64encode(event["body"]).decode()
        event["isBase64Encoded"] = True


def _refuse_unknown_authorizers(app: Chalice) -> None:
    # Chalice's local gateway lets requests pass for every kind of authorizer that it cannot run.
    for path, methods in app.routes.items():
        for method, entry in methods.items():
            if entry.authorizer is not None and not isinstance(entry.authorizer, ChaliceAuthorizer):
                kind = type(entry.authorizer).__name__
                raise GatewayRefused(
                    f"{method} {path} of {app.app_name} has a {kind}, which this machine cannot enforce"
                )


class Gateway:
    """The WSGI app over all HTTP apps."""

    def __init__(self, apps: Mapping[str, AppGateway]) -> None:
        self._names = sorted(apps)
        self._owners: dict[tuple[str, str], AppGateway] = {}
        for name, app in apps.items():
            for path, methods in app.routes.items():
                for method in methods:
                    if (path, method) in self._owners:
                        raise GatewayRefused(f"{method} {path} is declared by {name} and by another app")
                    self._owners[path, method] = app
        self._routes = Routes(sorted({path for path, _ in self._owners}))

    def __call__(self, environ: dict[str, Any], start: _Start) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["REQUEST_URI"]
        if path == "/healthz":
            return _json(start, 200, {"status": "ok", "apps": self._names})
        owner = self._owner(method, path)
        if owner is None:
            return _problem(start, 404, f"there is no {method} {path.split('?')[0]}")
        body = environ["wsgi.input"].read()
        try:
            answer = owner.handle_request(method, path, _headers(environ), body)
        except LocalGatewayException as error:
            reason = "log in first" if error.CODE == 401 else "you are not authorized for this"
            return _problem(start, error.CODE, reason)
        return _answer(start, answer)

    def _owner(self, method: str, path: str) -> AppGateway | None:
        try:
            route = self._routes.match_route(path).route
        except ValueError:
            return None
        if method == "OPTIONS":
            return next(owner for (known, _), owner in self._owners.items() if known == route)
        return self._owners.get((route, method))


def _headers(environ: Mapping[str, Any]) -> dict[str, str]:
    headers = {key[5:].replace("_", "-").lower(): v for key, v in environ.items() if key.startswith("HTTP_")}
    for key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(key):
            headers[key.replace("_", "-").lower()] = environ[key]
    return headers


def _answer(start: _Start, answer: dict[str, Any]) -> list[bytes]:
    body = answer["body"] or ""
    data = base64.b64decode(body) if answer.get("isBase64Encoded") else _bytes(body)
    headers = [(name, str(value)) for name, value in answer["headers"].items()]
    for name, values in answer.get("multiValueHeaders", {}).items():
        headers += [(name, str(value)) for value in values]
    headers = [(name, value) for name, value in headers if name.lower() != "content-length"]
    return _send(start, answer["statusCode"], headers, data)


def _bytes(body: str | bytes) -> bytes:
    return body if isinstance(body, bytes) else body.encode()


def _json(start: _Start, status: int, document: Any, kind: str = "application/json") -> list[bytes]:
    return _send(start, status, [("Content-Type", kind)], json.dumps(document).encode())


def _problem(start: _Start, status: int, detail: str) -> list[bytes]:
    title = http.HTTPStatus(status).phrase
    document = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return _json(start, status, document, "application/problem+json")


def _send(start: _Start, status: int, headers: list[tuple[str, str]], body: bytes) -> list[bytes]:
    start(f"{status} {http.HTTPStatus(status).phrase}", [*headers, ("Content-Length", str(len(body)))])
    return [body]
