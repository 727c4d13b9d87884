"""One HTTP app: Chalice's routes with everything around a handler that is the same for all of them."""

from __future__ import annotations

import functools
import hashlib
import time
from collections.abc import Callable
from typing import Any

import msgspec
from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import Metrics, MetricUnit
from aws_lambda_powertools.tracing import Tracer
from chalice.app import Chalice, ConvertToMiddleware, CORSConfig, Response

from carbonmarket.errors import MarketError, NotAuthenticated
from carbonmarket.records.principal import Principal
from carbonmarket_adapters import wiring
from carbonmarket_adapters.http import bodies, identity, once, problems
from carbonmarket_adapters.http.cursors import PageRequest, page_request

CORS_HEADERS = ["Authorization", "Content-Type", "Idempotency-Key", "If-None-Match"]
"""What a browser's program may send; on AWS the API itself says so, before any function is asked."""
# Bearer tokens, no cookies: any origin may ask, nothing rides along with it.
CORS = CORSConfig(
    allow_origin="*",
    allow_headers=CORS_HEADERS,
    expose_headers=["ETag", "Location", "Retry-After"],
    max_age=600,
)


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """What infra and the API's documentation read of a route: ``view.operation``.

    ``schema`` is the body's schema below ``carbonmarket/schemas`` ("http/create_project") or None;
    ``public`` routes need no login; ``status`` is that of success; ``paged`` lists take first and after.
    ``cache_s`` is how long a read may be kept by whoever asked, 0 for not at all. ``replays`` says that the
    kit keeps a write's answer; without it the operation itself answers a repetition the same. ``signed``
    names the header with a signature over the body's bytes: that proves who calls, so such a write needs
    neither login nor Idempotency-Key, and its body is looked at by the operation alone.
    """

    name: str
    method: str
    path: str
    status: int
    public: bool
    paged: bool
    query: tuple[str, ...]
    schema: str | None
    body: Any
    summary: str
    cache_s: int = 0
    replays: bool = True
    signed: str = ""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer with another status than the operation's, or with headers."""

    body: Any
    status: int
    headers: dict[str, str] = {}


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One request as a handler sees it. ``caller`` raises where a public route asks for one; ``raw`` and
    ``signature`` are a signed write's body as it came and what its header says."""

    principal: Principal | None
    path: dict[str, str]
    query: dict[str, str]
    body: Any
    idempotency_key: str
    now_us: int
    raw: bytes = b""
    signature: str = ""

    @property
    def caller(self) -> Principal:
        """Who calls."""
        if self.principal is None:
            raise NotAuthenticated("this needs a login")
        return self.principal

    @property
    def page(self) -> PageRequest:
        """The page of a list that is asked for."""
        return page_request(self.query)


Handler = Callable[[Call], Any]


class Api:
    """An HTTP app; ``app`` is the Chalice object and the Lambda handler."""

    def __init__(self, service: str) -> None:
        self.app = Chalice(app_name=service, configure_logs=False)
        self.app.api.cors = CORS
        self.logger = Logger(service=service)
        self._metrics = Metrics(namespace="CarbonMarket", service=service)
        self._tracer = Tracer(service=service)
        for wrapper in (
            self.logger.inject_lambda_context,
            functools.partial(self._tracer.capture_lambda_handler, capture_response=False),
            self._metrics.log_metrics,
        ):
            self.app.register_middleware(ConvertToMiddleware(wrapper))

    def get(
        self,
        path: str,
        *,
        public: bool = False,
        paged: bool = False,
        query: tuple[str, ...] = (),
        cache_s: int = 0,
    ) -> Callable[[Handler], Handler]:
        """Declare a read. ``query`` names the parameters it knows besides a page's.

        With ``cache_s`` the answer carries an ETag and may be kept so long; who sends the ETag again in
        If-None-Match gets 304 while nothing has changed.
        """
        return self._route(
            "GET", path, status=200, public=public, paged=paged, query=query, body=None, cache_s=cache_s
        )

    def post(
        self,
        path: str,
        *,
        body: type[msgspec.Struct] | None = None,
        status: int = 201,
        replays: bool = True,
    ) -> Callable[[Handler], Handler]:
        """Declare a write. ``body`` is the record that ``schemas/http/<operation>.json`` is turned into.

        ``replays`` False is for operations that are asked for in great numbers and know by the key what they
        did before: their answers are not kept a second time.
        """
        return self._route(
            "POST", path, status=status, public=False, paged=False, query=(), body=body, replays=replays
        )

    def hook(self, path: str, *, signed: str) -> Callable[[Handler], Handler]:
        """Declare a write of another service, which proves itself by the header ``signed``."""
        told = {"status": 200, "public": True, "paged": False, "query": (), "body": None}
        return self._route("POST", path, **told, replays=False, signed=signed)

    def _route(self, method: str, path: str, **told: Any) -> Callable[[Handler], Handler]:
        def declare(handler: Handler) -> Handler:
            operation = Operation(
                name=handler.__name__,
                method=method,
                path=path,
                schema=f"http/{handler.__name__}" if told["body"] is not None else None,
                summary=(handler.__doc__ or "").strip().split("\n")[0],
                **told,
            )

            def view(**path_values: str) -> Response:
                return self._respond(operation, handler, path_values)

            view.__name__ = handler.__name__
            view.operation = operation  # type: ignore[attr-defined]
            # Chalice refuses other media types than these in a form of its own; none leaves it to the kit.
            self.app.route(path, methods=[method], cors=CORS, content_types=[])(view)
            return handler

        return declare

    def _respond(self, operation: Operation, handler: Handler, path_values: dict[str, str]) -> Response:
        instance = getattr(self.app.lambda_context, "aws_request_id", "") or "unknown"
        instance = f"urn:request:{instance}"
        self.logger.append_keys(operation=operation.name)
        try:
            response = self._answer(operation, handler, path_values)
        except MarketError as error:
            response = problems.problem(error, instance)
            self.logger.info("refused", status=error.status, code=error.code, field=error.field)
        except Exception as error:
            response = self._failure(error, instance)
        self._metrics.add_dimension(name="operation", value=operation.name)
        self._metrics.add_metric(name="Requests", unit=MetricUnit.Count, value=1)
        if response.status_code >= 500:
            self._metrics.add_metric(name="Faults", unit=MetricUnit.Count, value=1)
        return response

    def _failure(self, error: Exception, instance: str) -> Response:
        unavailable = problems.engine_unavailable(error, wiring.settings().aws_endpoint_url)
        self.logger.error("failed", error=type(error).__name__, where=problems.where(error))
        return (
            problems.unexpected(instance) if unavailable is None else problems.problem(unavailable, instance)
        )

    def _answer(self, operation: Operation, handler: Handler, path_values: dict[str, str]) -> Response:
        request: Any = self.app.current_request
        settings = wiring.settings()
        caller = None if operation.public else identity.principal(request, settings)
        writes = operation.method == "POST"
        writes_json = writes and not operation.signed
        key = once.key_of(request.headers) if writes_json else ""
        media_type = request.headers.get("content-type", "application/json")
        raw_body = bodies.parse(request.raw_body, media_type) if writes_json else {}
        body = None
        if operation.schema is not None:
            body = bodies.convert(operation.schema, raw_body, operation.body)
        elif raw_body:
            raise bodies.InvalidBody([("", "this request takes no body")])
        call = Call(
            principal=caller,
            path=path_values,
            query=dict(request.query_params or {}),
            body=body,
            idempotency_key=key,
            now_us=time.time_ns() // 1_000,
            raw=request.raw_body if operation.signed else b"",
            signature=request.headers.get(operation.signed.lower(), "") if operation.signed else "",
        )
        if not writes or not operation.replays:
            answer = _rendered(_shaped(handler(call), operation))
            return _cached(answer, operation, request.headers) if operation.cache_s else answer
        kept = once.once(
            lambda: msgspec.to_builtins(_shaped(handler(call), operation)),
            key=key,
            request={"operation": operation.name, "path": path_values, "body": raw_body},
            caller=call.caller,
            settings=settings,
            client=wiring.aws("dynamodb"),
            context=self.app.lambda_context,
            # Accepted, where success would be another status: what was asked for is not finished yet.
            tells_more=lambda answer: answer["status"] == 202 != operation.status,
        )
        return _rendered(msgspec.convert(kept, Answer))


def _shaped(result: Any, operation: Operation) -> Answer:
    return result if isinstance(result, Answer) else Answer(body=result, status=operation.status)


def _cached(response: Response, operation: Operation, asked: Any) -> Response:
    """The answer with its ETag, or 304 without a body where the caller has it already."""
    tag = f'"{hashlib.sha256(response.body.encode()).hexdigest()[:32]}"'
    response.headers["ETag"] = tag
    response.headers["Cache-Control"] = f"public, max-age={operation.cache_s}"
    known = asked.get("if-none-match", "")
    if response.status_code == 200 and tag in [each.strip().removeprefix("W/") for each in known.split(",")]:
        response.status_code = 304
        response.body = ""
    return response


def _rendered(answer: Answer) -> Response:
    return problems.answer(answer.body, status=answer.status, headers=answer.headers)
