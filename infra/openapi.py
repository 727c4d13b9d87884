"""The API's description in OpenAPI 3.1, from the apps' routes and the schemas of their bodies.

``python -m infra.openapi`` writes it to ``functions/api_public/openapi.json``, which the API serves;
``docs/openapi.json`` is the same file. A test finds no drift.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from carbonmarket import schema
from carbonmarket_adapters.http import Operation
from infra.declarations import HTTP_APPS, ROOT

TARGET = ROOT / "functions" / "api_public" / "openapi.json"
Json = dict[str, Any]

_LOGIN: list[Json] = [{"login": []}]


def operations() -> Iterator[Operation]:
    """Every route of every app, in the order of paths and methods."""
    found: list[Operation] = []
    for declared in HTTP_APPS:
        app = getattr(importlib.import_module(declared.module), declared.attribute)
        for methods in app.routes.values():
            found.extend(entry.view_function.operation for entry in methods.values())
    return iter(sorted(found, key=lambda operation: (operation.path, operation.method)))


def document() -> Json:
    """The whole description."""
    paths: Json = {}
    for operation in operations():
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Carbon Offset Marketplace",
            "version": version("carbonmarket"),
            "description": "Quantities are strings, times are UTC with Z, lists are Relay connections, "
            "refusals are problem+json (RFC 9457).",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "securitySchemes": {"login": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
            "schemas": {"Problem": _PROBLEM, "Connection": _CONNECTION},
        },
    }


def _operation(operation: Operation) -> Json:
    described: Json = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.path.split("/")[2].removesuffix(".json")],
        "parameters": list(_parameters(operation)),
        "responses": {
            str(operation.status): {
                "description": "Done.",
                "content": {"application/json": _answer(operation)},
            },
            "default": {
                "description": "Refused; the field is named where there is one.",
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            },
        },
        "security": [] if operation.public else _LOGIN,
    }
    if operation.cache_s:
        described["responses"]["304"] = {"description": "Nothing has changed since the ETag that was sent."}
    if operation.schema is not None:
        body = {name: value for name, value in schema.load(operation.schema).items() if name[0] != "$"}
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return described


def _parameters(operation: Operation) -> Iterator[Json]:
    for name in re.findall(r"{(\w+)}", operation.path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
    for name in (*operation.query, *(("first", "after") if operation.paged else ())):
        yield {"name": name, "in": "query", "schema": {"type": "string"}}
    if operation.cache_s:
        yield {
            "name": "If-None-Match",
            "in": "header",
            "description": f"The ETag of an earlier answer, which may be kept for {operation.cache_s} s.",
            "schema": {"type": "string"},
        }
    if operation.signed:
        yield {
            "name": operation.signed,
            "in": "header",
            "required": True,
            "description": "The sender's signature over the body.",
            "schema": {"type": "string"},
        }
    elif operation.method == "POST":
        yield {
            "name": "Idempotency-Key",
            "in": "header",
            "required": True,
            "description": "The same when the request is repeated; the first answer is given again.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        }


def _answer(operation: Operation) -> Json:
    if operation.paged:
        return {"schema": {"$ref": "#/components/schemas/Connection"}}
    return {"schema": {"type": "object"}}


_PROBLEM: Json = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "field": {"type": "string"},
        "instance": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}
_CONNECTION: Json = {
    "type": "object",
    "required": ["edges", "pageInfo"],
    "properties": {
        "edges": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"cursor": {"type": "string"}, "node": {"type": "object"}},
            },
        },
        "pageInfo": {
            "type": "object",
            "properties": {
                "hasNextPage": {"type": "boolean"},
                "endCursor": {"type": ["string", "null"]},
            },
        },
    },
}


def text() -> str:
    """The description as it is written."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def main(target: Path = TARGET) -> None:
    """Write the description."""
    target.write_text(text())


if __name__ == "__main__":
    main()
