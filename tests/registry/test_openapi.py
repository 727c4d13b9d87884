"""The API's description is that of its routes."""

from __future__ import annotations

from openapi_spec_validator import validate

from infra import openapi


def test_the_written_description_is_current() -> None:
    assert openapi.TARGET.read_text() == openapi.text()


def test_docs_hold_the_same_file() -> None:
    assert (openapi.ROOT / "docs" / "openapi.json").resolve() == openapi.TARGET


def test_it_is_valid_openapi() -> None:
    validate(openapi.document())


def test_every_body_has_a_schema_that_describes_each_field() -> None:
    for operation in openapi.operations():
        if operation.schema is not None:
            fields = openapi.schema.load(operation.schema)["properties"]
            assert all(field["description"] for field in fields.values()), operation.name
            assert set(fields) == set(operation.body.__struct_fields__), operation.name
