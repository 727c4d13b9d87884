"""What is stored or sent says which version its form has, and older forms are brought up to today's."""

from __future__ import annotations

import importlib
import json
import pkgutil
from importlib import resources

import msgspec
import pytest

from carbonmarket_adapters import dynamo
from carbonmarket_adapters.dynamo.table import Kind


def kinds() -> dict[str, Kind[msgspec.Struct]]:
    """Every kind of item that an adapter stores, by where it stands."""
    names = [f"{dynamo.__name__}.{module.name}" for module in pkgutil.iter_modules(dynamo.__path__)]
    return {
        f"{name}.{attribute}": value
        for name in names
        for attribute, value in vars(importlib.import_module(name)).items()
        if isinstance(value, Kind)
    }


def test_every_older_version_of_an_item_has_its_upcaster() -> None:
    found = kinds()
    assert len(found) > 10
    lacking = {name for name, kind in found.items() if set(kind.upcasters) != set(range(1, kind.version))}
    assert lacking == set()


def test_an_item_is_brought_up_step_by_step() -> None:
    class Point(msgspec.Struct):
        x: int
        y: int
        z: int

    point = Kind("point", Point, version=3, upcasters={1: lambda b: b | {"y": 2}, 2: lambda b: b | {"z": 3}})
    assert point.decode('{"x":1}', 1) == point.decode('{"x":1,"y":2}', 2) == Point(1, 2, 3)


EVENTS = [
    path for path in resources.files("carbonmarket.schemas.events").iterdir() if path.name[-5:] == ".json"
]


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: path.name)
def test_every_event_says_its_version(path: resources.abc.Traversable) -> None:
    schema = json.loads(path.read_text())
    assert "version" in schema["required"]
    assert isinstance(schema["properties"]["version"]["const"], int)
