"""A node's REST API, as far as the market uses it.

aptos-sdk's own client is asynchronous and offers no ledger headers; each answer's headers say which
ledger state it was read from, which is what makes "absent" mean something.
"""

from __future__ import annotations

from typing import Any

import httpx
import msgspec
import orjson

from carbonmarket.errors import EngineUnavailable

_TIMEOUT_S = 10.0
_BCS = {"content-type": "application/x.aptos.signed_transaction+bcs"}


class NodeRefused(Exception):
    """The node answered with an error: HTTP status, Aptos' error code and message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


class Answer(msgspec.Struct, frozen=True):
    """An answer's JSON (None where the thing is absent) and the ledger state it was read from."""

    body: Any
    chain_id: int
    version: int
    timestamp_us: int


class NodeClient:
    """Calls of one node. Safe for use by several threads."""

    def __init__(self, node_url: str) -> None:
        """``node_url`` ends in /v1."""
        self._url = node_url.rstrip("/")
        self._http = httpx.Client(timeout=_TIMEOUT_S)

    def ledger(self) -> Answer:
        """The node's ledger information."""
        return self._ask("GET", "")

    def account(self, address: str) -> Answer:
        """An account's sequence number and authentication key; body None if it has none yet."""
        return self._ask("GET", f"/accounts/{address}", absent="account_not_found")

    def transaction(self, transaction_hash: str) -> Answer:
        """A transaction, committed or pending; body None if the node doesn't know it."""
        return self._ask("GET", f"/transactions/by_hash/{transaction_hash}", absent="transaction_not_found")

    def wait(self, transaction_hash: str) -> Answer:
        """As :meth:`transaction`; the node holds the answer back up to a second until it is committed."""
        return self._ask(
            "GET", f"/transactions/wait_by_hash/{transaction_hash}", absent="transaction_not_found"
        )

    def transaction_at(self, version: int) -> Answer:
        """The transaction at a version; body None if the ledger hasn't come to it or went back."""
        return self._ask("GET", f"/transactions/by_version/{version}", absent="version_not_found")

    def transactions(self, start: int, limit: int) -> Answer:
        """At most ``limit`` committed transactions from version ``start`` on, in order."""
        return self._ask("GET", f"/transactions?start={start}&limit={limit}")

    def gas_price(self) -> int:
        """The node's estimate of a gas unit's price, in octas."""
        return int(self._ask("GET", "/estimate_gas_price").body["gas_estimate"])

    def submit(self, signed: bytes) -> None:
        """Hand over a signed transaction in BCS; bytes the node already holds are no error."""
        self._ask("POST", "/transactions", content=signed, headers=_BCS)

    def view(self, function: str, type_args: list[str], args: list[Any]) -> list[Any]:
        """Call a view function by its full name."""
        body = {"function": function, "type_arguments": type_args, "arguments": args}
        json = {"content-type": "application/json"}
        result: list[Any] = self._ask("POST", "/view", content=orjson.dumps(body), headers=json).body
        return result

    def _ask(
        self,
        method: str,
        path: str,
        *,
        absent: str | None = None,
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        try:
            response = self._http.request(method, self._url + path, content=content, headers=headers)
        except httpx.TransportError as error:
            raise EngineUnavailable(
                f"the Aptos node at {self._url} doesn't answer ({type(error).__name__}); on one machine "
                "`carbonmarket up` starts it, or set APTOS_NODE_URL"
            ) from error
        if response.is_success:
            return _answer(response, orjson.loads(response.content))
        refused = self._refusal(response)
        if absent is not None and refused.code == absent:
            return _answer(response, None)
        raise refused

    def _refusal(self, response: httpx.Response) -> NodeRefused:
        try:
            body = orjson.loads(response.content)
            refused = NodeRefused(response.status_code, body["error_code"], body["message"])
        except (orjson.JSONDecodeError, KeyError, TypeError):
            refused = NodeRefused(response.status_code, "unreadable", response.text[:200])
        if response.status_code == httpx.codes.TOO_MANY_REQUESTS or response.is_server_error:
            raise EngineUnavailable(
                f"the Aptos node at {self._url} can't serve now ({response.status_code}): {refused.message}"
            )
        return refused


def _answer(response: httpx.Response, body: Any) -> Answer:
    headers = response.headers
    return Answer(
        body,
        int(headers["x-aptos-chain-id"]),
        int(headers["x-aptos-ledger-version"]),
        int(headers["x-aptos-ledger-timestampusec"]),
    )
