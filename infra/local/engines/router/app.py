"""Which engine a call is for, and how it gets there unchanged."""

from __future__ import annotations

import json
import urllib.parse
import xml.sax.saxutils
from collections.abc import Callable, Iterable
from typing import Any

import urllib3

from infra.local.engines.lambdas.api import INVOKE, InvokeApi
from infra.local.engines.router.sagas import TARGET, Sagas

_Start = Callable[..., Any]
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "content-length"}
_UNAVAILABLE = "ServiceUnavailable"


class Upstream:
    """An engine behind the router. The raw path and the Host are kept: signatures cover them."""

    def __init__(self, name: str, url: str, start_with: str) -> None:
        parsed = urllib.parse.urlsplit(url)
        self._name = name
        self._start_with = start_with
        self._pool = urllib3.HTTPConnectionPool(
            str(parsed.hostname), parsed.port, maxsize=64, timeout=urllib3.Timeout(connect=5, read=120)
        )

    def __call__(self, environ: dict[str, Any], start: _Start) -> Iterable[bytes]:
        body = environ["wsgi.input"].read()
        try:
            answer = self._pool.urlopen(
                environ["REQUEST_METHOD"],
                environ["REQUEST_URI"],
                body=body,
                headers=_headers(environ, len(body)),
                retries=False,
                redirect=False,
                decode_content=False,
            )
        except urllib3.exceptions.HTTPError as error:
            return self._unavailable(environ, start, error)
        headers = [(k, v) for k, v in answer.headers.items() if k.lower() not in _HOP_BY_HOP]
        if environ["REQUEST_METHOD"] == "HEAD":
            # A HEAD's length is the object's, not that of the absent body.
            headers += [
                ("Content-Length", v) for k, v in answer.headers.items() if k.lower() == "content-length"
            ]
        else:
            headers.append(("Content-Length", str(len(answer.data))))
        start(f"{answer.status} {answer.reason or 'OK'}", headers)
        return [answer.data]

    def _unavailable(self, environ: dict[str, Any], start: _Start, error: Exception) -> list[bytes]:
        """Say so in the words of the service's protocol: S3's is XML, the others' are JSON."""
        message = f"{self._name} is not running ({error}). {self._start_with}"
        if "HTTP_X_AMZ_TARGET" in environ:
            kind = "application/x-amz-json-1.0"
            body = json.dumps({"__type": _UNAVAILABLE, "message": message}).encode()
        else:
            kind = "application/xml"
            text = xml.sax.saxutils.escape(message)
            body = f"<Error><Code>{_UNAVAILABLE}</Code><Message>{text}</Message></Error>".encode()
        start(
            "503 Service Unavailable",
            [
                ("Content-Type", kind),
                ("Content-Length", str(len(body))),
                ("x-amzn-ErrorType", _UNAVAILABLE),
            ],
        )
        return [body]


def _headers(environ: dict[str, Any], length: int) -> dict[str, str]:
    headers = {
        key[5:].replace("_", "-").title(): value
        for key, value in environ.items()
        if key.startswith("HTTP_") and key[5:].replace("_", "-").lower() not in _HOP_BY_HOP
    }
    if environ.get("CONTENT_TYPE"):
        headers["Content-Type"] = environ["CONTENT_TYPE"]
    if length or environ["REQUEST_METHOD"] in {"POST", "PUT"}:
        headers["Content-Length"] = str(length)
    return headers


class Router:
    """The endpoint: Lambda's Invoke, DynamoDB and its streams, Step Functions, and the rest."""

    def __init__(self, invoke: InvokeApi, sagas: Sagas, dynamodb: Upstream, rest: Upstream) -> None:
        self._invoke = invoke
        self._sagas = sagas
        self._dynamodb = dynamodb
        self._rest = rest

    def __call__(self, environ: dict[str, Any], start: _Start) -> Iterable[bytes]:
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        if target.startswith("DynamoDB"):
            return self._dynamodb(environ, start)
        if target.startswith(TARGET):
            return self._sagas(environ, start)
        if INVOKE.match(urllib.parse.unquote(environ["PATH_INFO"])):
            return self._invoke(environ, start)
        if environ["PATH_INFO"] == "/_router/health":
            start("200 OK", [("Content-Length", "2")])
            return [b"ok"]
        return self._rest(environ, start)
