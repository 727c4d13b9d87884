"""Lambda's Invoke call as a WSGI app over the pool."""

from __future__ import annotations

import json
import re
import urllib.parse
from collections.abc import Callable, Iterable
from typing import Any

from infra.local.engines.lambdas.pool import Pool, UnknownFunction

INVOKE = re.compile(r"^/2015-03-31/functions/(?P<name>[^/]+)/invocations$")
_Start = Callable[..., Any]


class InvokeApi:
    """``POST /2015-03-31/functions/{name}/invocations``: RequestResponse, Event and DryRun."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def __call__(self, environ: dict[str, Any], start: _Start) -> Iterable[bytes]:
        match = INVOKE.match(urllib.parse.unquote(environ["PATH_INFO"]))
        if match is None:
            return _send(start, "404 Not Found", b'{"message":"This port knows Invoke only"}', {})
        event = environ["wsgi.input"].read() or b"{}"
        kind = environ.get("HTTP_X_AMZ_INVOCATION_TYPE", "RequestResponse")
        try:
            if kind == "DryRun":
                self._pool.resolve(match["name"])
                return _send(start, "204 No Content", b"", {})
            if kind == "Event":
                self._pool.invoke_event(match["name"], event)
                return _send(start, "202 Accepted", b"", {})
            answer = self._pool.invoke(match["name"], event)
        except UnknownFunction as error:
            body = json.dumps({"Type": "User", "Message": str(error)}).encode()
            return _send(start, "404 Not Found", body, {"x-amzn-ErrorType": "ResourceNotFoundException"})
        headers = {"X-Amz-Executed-Version": "$LATEST"}
        if answer.failed:
            headers["X-Amz-Function-Error"] = "Unhandled"
        return _send(start, "200 OK", answer.body, headers)


def _send(start: _Start, status: str, body: bytes, headers: dict[str, str]) -> list[bytes]:
    start(
        status,
        [("Content-Type", "application/json"), ("Content-Length", str(len(body))), *headers.items()],
    )
    return [body]
