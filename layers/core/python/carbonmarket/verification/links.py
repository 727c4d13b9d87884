"""The links of a verification: what was checked, with what result."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal, TypeVar

import msgspec

from carbonmarket.errors import EngineUnavailable, MarketError

Result = TypeVar("Result")


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """One check. ``sentence`` says what held, what broke, or why it was not checked."""

    name: str
    status: Literal["passed", "failed", "not checked"]
    sentence: str


class Contradiction(MarketError):
    """Two statements of the certificate or its evidence that can't both be true."""

    status = 422
    code = "contradiction"


class LinkRecorder:
    """Collects links in their order."""

    def __init__(self) -> None:
        self.links: list[Link] = []

    def passed(self, name: str, sentence: str) -> None:
        """Note that the check held."""
        self.links.append(Link(name=name, status="passed", sentence=sentence))

    def failed(self, name: str, sentence: str) -> None:
        """Note what broke."""
        self.links.append(Link(name=name, status="failed", sentence=sentence))

    def skip(self, names: Iterable[str], because: str) -> None:
        """Note checks that could not be made."""
        for name in names:
            self.links.append(Link(name=name, status="not checked", sentence=because))

    def attempt(self, name: str, check: Callable[[], Result], holds: str) -> Result | None:
        """Run ``check``: its refusal is the failed link's sentence, ``holds`` the passed one's.

        EngineUnavailable passes through: a node that is down breaks no certificate.
        """
        try:
            result = check()
        except EngineUnavailable:
            raise
        except MarketError as error:
            self.failed(name, error.reason)
            return None
        self.passed(name, holds)
        return result
