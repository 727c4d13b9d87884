"""Request models: JSON Schema as API Gateway understands it."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft4Validator, Draft7Validator

from carbonmarket import schema
from infra.constructs.models import SchemaRefused, draft_4
from infra.constructs.routes import routes
from infra.declarations import declarations

BODIES = sorted(
    {route.operation.schema for route in routes(declarations("dev").http_apps) if route.operation.schema}
)


@pytest.mark.parametrize("name", BODIES)
def test_every_body_has_a_valid_draft_4_model(name: str) -> None:
    Draft4Validator.check_schema(draft_4(schema.load(name), "Model"))


@pytest.mark.parametrize(
    ("said", "understood"),
    [
        ({"const": "a"}, {"enum": ["a"]}),
        ({"exclusiveMinimum": 0}, {"minimum": 0, "exclusiveMinimum": True}),
        ({"exclusiveMaximum": 9}, {"maximum": 9, "exclusiveMaximum": True}),
        ({"$id": "x", "examples": [1], "type": "integer"}, {"type": "integer"}),
        ({"properties": {"const": {"const": 1}}}, {"properties": {"const": {"enum": [1]}}}),
        ({"type": "object", "required": []}, {"type": "object"}),
        ({"items": [{"const": 1}]}, {"items": [{"enum": [1]}]}),
    ],
)
def test_a_keyword_is_said_in_draft_4(said: dict[str, Any], understood: dict[str, Any]) -> None:
    assert draft_4(said, "Model") == {"$schema": "http://json-schema.org/draft-04/schema#", **understood}


@pytest.mark.parametrize("value", [{"a": 1, "b": 1}, {"a": 1}, {"a": 2}, {"a": 2, "c": 1}, {}])
def test_a_condition_takes_the_same_values(value: dict[str, int]) -> None:
    said = {
        "if": {"required": ["a"], "properties": {"a": {"const": 1}}},
        "then": {"required": ["b"]},
        "else": {"required": ["c"]},
    }
    assert Draft4Validator(draft_4(said, "Model")).is_valid(value) == Draft7Validator(said).is_valid(value)


def test_what_draft_4_cannot_say_is_refused_by_name() -> None:
    with pytest.raises(SchemaRefused, match="Model uses contains"):
        draft_4({"properties": {"a": {"contains": {"const": 1}}}}, "Model")
