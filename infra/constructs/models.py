"""A request's JSON Schema as API Gateway understands it: draft 4, without what it refuses."""

from __future__ import annotations

from typing import Any

_DRAFT_4 = "http://json-schema.org/draft-04/schema#"
# What says nothing of which values are taken.
_SILENT = {"$id", "$schema", "$comment", "examples", "default"}
_REFUSED = {"$defs", "contains", "propertyNames", "dependentRequired", "unevaluatedProperties"}
_BY_NAME = {"properties", "definitions", "patternProperties"}


class SchemaRefused(Exception):
    """A schema that can't be said in draft 4."""


def draft_4(schema: dict[str, Any], name: str) -> dict[str, Any]:
    """The schema in draft 4. SchemaRefused where a keyword has no counterpart there."""
    return {"$schema": _DRAFT_4, **_node(schema, name)}


def _node(schema: dict[str, Any], name: str) -> dict[str, Any]:
    refused = _REFUSED & schema.keys()
    if refused:
        raise SchemaRefused(f"{name} uses {', '.join(sorted(refused))}, which draft 4 does not know")
    node: dict[str, Any] = {}
    for keyword, value in schema.items():
        if keyword in _BY_NAME:
            node[keyword] = {key: _value(below, name) for key, below in value.items()}
        elif keyword == "const":
            node["enum"] = [value]
        elif keyword in {"exclusiveMinimum", "exclusiveMaximum"}:
            node[keyword.removeprefix("exclusive").lower()] = value
            node[keyword] = True
        elif keyword == "required" and not value:
            # Draft 4 wants at least one name there.
            continue
        elif keyword not in _SILENT | {"if", "then", "else"}:
            node[keyword] = _value(value, name)
    if "if" in schema:
        node["allOf"] = [*node.get("allOf", []), *_condition(schema, name)]
    return node


def _condition(schema: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """if A then B else C is: (not A or B) and (A or C)."""
    premise = _node(schema["if"], name)
    then, otherwise = (_node(schema.get(branch, {}), name) for branch in ("then", "else"))
    return [{"anyOf": [{"not": premise}, then]}, {"anyOf": [premise, otherwise]}]


def _value(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return _node(value, name)
    if isinstance(value, list):
        return [_value(item, name) for item in value]
    return value
