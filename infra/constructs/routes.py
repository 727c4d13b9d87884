"""The routes that the Chalice apps declare, read by walking their objects."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from infra.declarations import HttpApp


@dataclass(frozen=True)
class Route:
    """One method of one path; ``operation`` is what the app says of it (``carbonmarket_adapters.http``)."""

    app: str
    path: str
    method: str
    operation: Any


def routes(apps: tuple[HttpApp, ...]) -> Iterator[Route]:
    """Every route, app by app, path by path."""
    for declared in apps:
        app = chalice_app(declared)
        for path in sorted(app.routes):
            for method, entry in sorted(app.routes[path].items()):
                yield Route(declared.name, path, method, entry.view_function.operation)


def binary_types(apps: tuple[HttpApp, ...]) -> list[str]:
    """The media types that the apps answer as bytes."""
    return sorted({kind for declared in apps for kind in chalice_app(declared).api.binary_types})


def chalice_app(declared: HttpApp) -> Any:
    """The app's object."""
    return getattr(importlib.import_module(declared.module), declared.attribute)
