"""Checks of JSON documents against the schemas in ``carbonmarket/schemas``.

The compiled checker of fastjsonschema decides, since ingestion runs it on every reading; where it refuses,
jsonschema finds the field and the reason for people.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from importlib import resources
from typing import Any

import orjson

from carbonmarket.errors import InvalidInput


@lru_cache(maxsize=256)
def load(name: str) -> dict[str, Any]:
    """The schema ``name`` ("sensors/solar_output") as a dict; KeyError where there is none."""
    path = resources.files("carbonmarket").joinpath("schemas", *f"{name}.json".split("/"))
    if not path.is_file():
        raise KeyError(name)
    schema: dict[str, Any] = orjson.loads(path.read_bytes())
    return schema


def check(name: str, value: Any, where: str = "") -> None:
    """Raise InvalidInput with the field (a JSON pointer below ``where``) unless ``value`` fits."""
    import fastjsonschema

    try:
        _compiled(name)(value)
    except fastjsonschema.JsonSchemaValueException as refusal:
        raise _explain(name, value, where, refusal.message) from None


@lru_cache(maxsize=256)
def _compiled(name: str) -> Callable[[Any], Any]:
    import fastjsonschema

    compiled: Callable[[Any], Any] = fastjsonschema.compile(load(name), use_default=False)
    return compiled


def _explain(name: str, value: Any, where: str, short: str) -> InvalidInput:
    # Slow to import and to run; only a refused document pays for it.
    from jsonschema import Draft7Validator
    from jsonschema.exceptions import best_match

    error = best_match(Draft7Validator(load(name)).iter_errors(value))
    if error is None:
        # jsonschema lets a newline stand behind a pattern's end, fastjsonschema does not.
        return InvalidInput(f"{where or 'the document'} does not fit: {short}", field=where or None)
    field = where + "".join(f"/{part}" for part in error.absolute_path)
    return InvalidInput(f"{field or 'the document'} does not fit: {error.message}", field=field or None)
