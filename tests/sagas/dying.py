"""Ports that die: each attempt at a step dies one call further on, before or after the call took effect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from carbonmarket_adapters.wiring import chain, registry

ATTEMPTS_MAX = 200


class Died(Exception):
    """The process of a step is gone at this point."""


class Deaths:
    """Wraps ports and counts the calls through them; dies at one point of the count.

    Point 2k dies before call k, point 2k + 1 after it took effect and before its answer is known.
    """

    def __init__(self) -> None:
        self.point: int | None = None
        self.calls = 0
        self.used: set[str] = set()

    def wrap(self, port: Any, name: str) -> Any:
        """The port, through which a process may die; ``used`` has its name once it was called."""
        return _Proxy(self, port, name)

    def call(self, port: str, method: Callable[..., Any], *args: Any, **named: Any) -> Any:
        """One call, if the process lives so long."""
        self.used.add(port)
        number, self.calls = self.calls, self.calls + 1
        if self.point == 2 * number:
            raise Died
        answer = method(*args, **named)
        if self.point == 2 * number + 1:
            raise Died
        return answer

    def run(self, step: Callable[[], Any]) -> Any:
        """Repeat the step, each time dying one point later, until it comes through alive."""
        for point in range(ATTEMPTS_MAX):
            self.point, self.calls = point, 0
            try:
                return step()
            except Died:
                continue
            finally:
                self.point = None
        raise AssertionError("the step never came through")


class _Proxy:
    def __init__(self, deaths: Deaths, port: Any, name: str) -> None:
        self._deaths, self._port, self._name = deaths, port, name

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)
        return lambda *args, **named: self._deaths.call(self._name, method, *args, **named)


class Recorder:
    """Stands for the waiting saga where a test runs the steps itself: it keeps what the wait was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    def start(self, machine: str, execution: str, data: dict[str, str]) -> None:
        self.told.append((machine, execution))

    def succeed(self, token: str, output: dict[str, object]) -> None:
        self.told.append(("succeed", token))

    def fail(self, token: str, error: str, cause: str) -> None:
        self.told.append((error, token))


def deadly(patch: pytest.MonkeyPatch, *more: tuple[Any, str]) -> tuple[Deaths, Recorder]:
    """Wrap every port of the steps, those of ``more`` too, and record what the saga would be told."""
    deaths, recorder = Deaths(), Recorder()
    for module, name in (
        (registry, "registry"),
        (registry, "reports"),
        (registry, "certificates"),
        (registry, "notifications"),
        (registry, "review_tasks"),
        (chain, "chain_access"),
        *more,
    ):
        wrapped = deaths.wrap(getattr(module, name)(), name)
        patch.setattr(module, name, lambda wrapped=wrapped: wrapped)
    patch.setattr(registry, "sagas", lambda: recorder)
    return deaths, recorder
