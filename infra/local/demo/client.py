"""The demo's users: each speaks to the API over HTTP with its own token, as any client would."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import requests
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

_TIMEOUT_S = 60
_TOKEN_S = 4 * 3600


class ApiRefused(Exception):
    """The API answered with a problem; the text is its detail."""

    def __init__(self, method: str, path: str, answer: requests.Response) -> None:
        try:
            problem = answer.json()
        except ValueError:
            problem = {"detail": answer.text[:300]}
        self.problem: dict[str, Any] = problem
        self.status = answer.status_code
        words = problem.get("detail") or problem
        super().__init__(f"{method} {path} answered {answer.status_code}: {words}")


def development_token(key: str, *, subject: str, organisation: str, roles: tuple[str, ...]) -> str:
    """A bearer token that this machine's development authorizer takes, good for four hours."""
    import jwt

    claims = {"sub": subject, "org": organisation, "roles": list(roles), "exp": int(time.time()) + _TOKEN_S}
    return jwt.encode(claims, key, algorithm="HS256")


@dataclass(frozen=True)
class User:
    """Somebody of an organisation with a token. Without a token: anybody on the internet."""

    url: str
    token: str = ""

    def get(self, path: str) -> Any:
        """The JSON at a path; ApiRefused for a problem."""
        return self.ask("GET", path).json()

    def post(self, path: str, body: Any = None, *, key: str) -> Any:
        """Post with an Idempotency-Key; the same key again is the same request."""
        answer = self.ask("POST", path, json=body if body is not None else {}, key=key)
        return answer.json() if answer.content else None

    def ask(self, method: str, path: str, *, json: Any = None, key: str = "") -> requests.Response:
        """One request, with this user's token; ApiRefused for a problem."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if key:
            headers["Idempotency-Key"] = key
        answer = requests.request(method, self.url + path, json=json, headers=headers, timeout=_TIMEOUT_S)
        if answer.status_code >= 400:
            raise ApiRefused(method, path, answer)
        return answer

    def nodes(self, path: str) -> Iterator[Any]:
        """Every node of a Relay list, page by page."""
        after = ""
        joint = "&" if "?" in path else "?"
        while True:
            page = self.get(f"{path}{joint}first=100{after}")
            yield from (edge["node"] for edge in page["edges"])
            if not page["pageInfo"]["hasNextPage"]:
                return
            after = f"&after={page['pageInfo']['endCursor']}"

    def until(self, path: str, states: tuple[str, ...], *, within_s: float = 120) -> Any:
        """The thing at a path once its state is one of ``states``; TimeoutError names the last one."""

        def unfinished(node: Any) -> bool:
            return node["state"] not in states

        def give_up(attempt: Any) -> Any:
            state = attempt.outcome.result()["state"]
            raise TimeoutError(f"{path} is still {state} after {within_s} s, not {' or '.join(states)}")

        retrying = Retrying(
            retry=retry_if_result(unfinished),
            wait=wait_fixed(0.2),
            stop=stop_after_delay(within_s),
            retry_error_callback=give_up,
        )
        return retrying(self.get, path)
