"""Requests and answers of the localnet's two small ASGI applications."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

import orjson

from infra.local.chain.errors import ApiError, bad_request

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

BCS = "application/x-bcs"
BODY_MAX = 8 * 1024 * 1024


NUMBER_MAX = (1 << 63) - 1
"""More than any version, height or sequence number will be, and as much as the database counts."""


def parse_number(text: str, what: str) -> int:
    """A non-negative decimal integer up to NUMBER_MAX; raises ApiError naming ``what``."""
    if not (text.isascii() and text.isdigit()) or len(text) > 19 or int(text) > NUMBER_MAX:
        raise bad_request(f"{what} must be an integer from 0 to {NUMBER_MAX}, not {text!r}.")
    return int(text)


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    def number(self, name: str, default: int, most: int | None = None) -> int:
        """A non-negative integer of the query; ``most`` caps it."""
        text = self.query.get(name, "")
        if not text:
            return default
        number = parse_number(text, f"The parameter {name}")
        return number if most is None else min(number, most)

    def flag(self, name: str) -> bool:
        return self.query.get(name, "").lower() == "true"

    def json(self) -> Any:
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise bad_request(f"The body is not JSON: {error}.") from None

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip()

    @property
    def wants_bcs(self) -> bool:
        return BCS in self.headers.get("accept", "")


@dataclass(frozen=True, slots=True)
class Response:
    body: bytes
    status: int = 200
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


def json_response(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(value), status, headers=headers or {})


def error_response(error: ApiError) -> Response:
    """Aptos' form of an error."""
    body = {"message": error.message, "error_code": error.code, "vm_error_code": error.vm_code}
    return json_response(body, error.status)


_log = logging.getLogger(__name__)

Handler = Callable[..., "Response | Awaitable[Response]"]


class Router:
    """Finds a handler by method and path; ``{name}`` in a pattern is one segment, unquoted."""

    def __init__(self) -> None:
        self._routes: list[tuple[str, re.Pattern[str], Handler]] = []

    def add(self, method: str, pattern: str, handler: Handler) -> None:
        expression = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern)
        self._routes.append((method, re.compile(f"^{expression}/?$"), handler))

    async def answer(self, request: Request) -> Response:
        """The handler's answer; an ApiError becomes Aptos' form of it."""
        try:
            known = False
            for method, pattern, handler in self._routes:
                match = pattern.match(request.path)
                if match is None:
                    continue
                known = True
                if method == request.method:
                    parameters = {name: unquote(value) for name, value in match.groupdict().items()}
                    result = handler(request, **parameters)
                    return result if isinstance(result, Response) else await result
            if known:
                raise ApiError(405, "web_framework_error", f"{request.method} is not allowed here.")
            raise ApiError(404, "web_framework_error", f"There is nothing at {request.path}.")
        except ApiError as error:
            return error_response(error)
        except Exception as error:  # an answer in Aptos' form, and the trace for whoever runs the node
            _log.exception("%s %s failed", request.method, request.path)
            return error_response(ApiError(500, "internal_error", f"The localnet failed: {error!r}"))


async def read_request(scope: Scope, receive: Receive) -> Request:
    """The whole request; raises ApiError when the body is larger than BODY_MAX."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > BODY_MAX:
            raise ApiError(413, "web_framework_error", f"The body is larger than {BODY_MAX} bytes.")
        if not message.get("more_body"):
            break
    query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    # The raw path keeps %3A and %2F apart from the separators.
    path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1").partition("?")[0]
    return Request(scope["method"], path, query, headers, body)


async def send_response(send: Send, response: Response, extra: Headers) -> None:
    headers = [
        (b"content-type", response.content_type.encode()),
        (b"content-length", str(len(response.body)).encode()),
        *extra,
        *((name.encode(), value.encode()) for name, value in response.headers.items()),
    ]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})
