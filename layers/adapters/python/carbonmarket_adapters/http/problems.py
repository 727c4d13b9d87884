"""Answers: JSON in one canonical form, refusals as RFC 9457 problems, and the headers all of them carry."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from typing import Any

from chalice.app import Response

from carbonmarket import canonical
from carbonmarket.errors import PROBLEM_BASE, EngineUnavailable, InvalidInput, MarketError

SECURITY_HEADERS = {
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

_NOBODY_ANSWERS = frozenset(
    {"EndpointConnectionError", "ConnectTimeoutError", "ConnectionRefusedError", "ConnectionClosedError"}
)


def answer(body: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer. Quantities must be strings: a float or an integer beyond 2^53 is a fault of ours."""
    try:
        content = canonical.dumps(body)
    except InvalidInput as error:
        raise TypeError(f"the answer can't be written: {error.reason}") from error
    return _response(content, "application/json", status, headers)


def problem(error: MarketError, instance: str) -> Response:
    """The refusal as problem+json; ``instance`` identifies this occurrence in the logs."""
    return problem_of(error.problem(instance), error.status)


def problem_of(document: dict[str, object], status: int) -> Response:
    """A problem document as an answer."""
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return _response(canonical.dumps(document), "application/problem+json", status, headers)


def unexpected(instance: str) -> Response:
    """What a caller sees of a fault of ours: that it happened and how to name it, nothing of the inside."""
    return problem_of(
        {
            "type": PROBLEM_BASE + "unexpected",
            "title": "unexpected",
            "status": 500,
            "detail": "something failed on our side; nothing is known to be wrong with your request",
            "instance": instance,
        },
        500,
    )


def engine_unavailable(error: BaseException, endpoint: str) -> EngineUnavailable | None:
    """The refusal for an exception that means "nobody answers there", or None for any other.

    ``endpoint`` is that of one machine, "" on AWS. Its router answers for an engine that is not running, and
    says which; what AWS says of itself is not passed on.
    """
    for seen in _chain(error):
        if type(seen).__name__ in _NOBODY_ANSWERS:
            return EngineUnavailable(
                f"{endpoint or 'AWS'} does not answer; on one machine, `carbonmarket up` starts the engines"
            )
        told = getattr(seen, "response", None)
        refused = told.get("Error", {}) if isinstance(told, dict) else {}
        if refused.get("Code") == "ServiceUnavailable":
            return EngineUnavailable(
                str(refused["Message"]) if endpoint else "AWS can't serve this now; ask again later"
            )
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and those it came of."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def where(error: BaseException) -> list[str]:
    """The calls an exception came through. Its message is left out: it may quote a person's data."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in frames]


def _response(body: bytes, content_type: str, status: int, headers: dict[str, str] | None) -> Response:
    merged: dict[str, str | list[str]] = {**SECURITY_HEADERS, "Content-Type": content_type, **(headers or {})}
    return Response(body=body.decode(), status_code=status, headers=merged)
