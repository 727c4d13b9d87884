"""A node of the chain for ``verify --node``: the Aptos REST API's view calls, by the standard library.

The auditor's command needs no other dependency, and without ``--node`` this module is not imported.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from carbonmarket.errors import ChainRefused, EngineUnavailable, InvalidInput

TIMEOUT_S = 20
MAX_ANSWER_BYTES = 1_048_576


class NodeView:
    """The node at ``url`` (with or without the trailing ``/v1``)."""

    def __init__(self, url: str) -> None:
        if not url.startswith(("http://", "https://")):
            raise InvalidInput(f"--node must be an http or https address, not {url!r}", field="node")
        base = url.rstrip("/")
        self._url = base if base.endswith("/v1") else base + "/v1"

    def chain_id(self) -> int:
        """The id of the node's chain."""
        identity = self._ask("", None).get("chain_id")
        if not isinstance(identity, int):
            raise EngineUnavailable(f"{self._url} is no Aptos node: it names no chain id")
        return identity

    def view(self, function: str, arguments: list[Any]) -> list[Any]:
        """Call a view; ChainRefused with the node's sentence where it aborts."""
        values = self._ask("/view", {"function": function, "type_arguments": [], "arguments": arguments})
        if not isinstance(values, list):
            raise EngineUnavailable(f"{self._url} answered a view with something else than values")
        return values

    def _ask(self, path: str, body: dict[str, Any] | None) -> Any:
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked above
            self._url + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Accept": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
                return json.loads(answer.read(MAX_ANSWER_BYTES))
        except urllib.error.HTTPError as error:
            raise ChainRefused(f"the node refused {path or '/'}: {_sentence(error)}") from None
        except (OSError, ValueError) as error:
            raise EngineUnavailable(
                f"the node at {self._url} does not answer ({error}); "
                "on one machine `carbonmarket up` starts it"
            ) from None


def _sentence(error: urllib.error.HTTPError) -> str:
    try:
        message = json.loads(error.read(MAX_ANSWER_BYTES)).get("message")
    except (ValueError, AttributeError, OSError):
        message = None
    return str(message or error)
