"""Errors in the form of Stripe's API."""

from __future__ import annotations

from typing import Any


class Refusal(Exception):
    """An answer of ``status`` with the body {"error": {"type", "message", …}}.

    What a refused card has left behind (its failed charge) is kept; every other refusal leaves nothing.
    """

    def __init__(self, status: int, kind: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.error = {
            "type": kind,
            "message": message,
            **{name: value for name, value in more.items() if value is not None},
        }

    @property
    def is_kept(self) -> bool:
        """Whether what was done before the refusal stands."""
        return self.kind == "card_error"


def invalid(message: str, *, param: str | None = None, code: str | None = None, **more: Any) -> Refusal:
    """400: the request makes no sense now."""
    return Refusal(400, "invalid_request_error", message, param=param, code=code, **more)


def missing(kind: str, id: str, param: str = "") -> Refusal:
    """404, or 400 where a parameter named the thing: there is none. An account that isn't there is one that
    the key has no access to."""
    if kind == "account" and not param:
        message = f"The provided key does not have access to account '{id}' (or that account does not exist)."
        return Refusal(403, "invalid_request_error", message, code="account_invalid")
    return Refusal(
        400 if param else 404,
        "invalid_request_error",
        f"No such {kind}: '{id}'",
        param=param or ("intent" if kind == "payment_intent" else "id"),
        code="resource_missing",
    )


def card_error(message: str, *, code: str, decline_code: str | None = None, **more: Any) -> Refusal:
    """402: the card's bank refuses."""
    return Refusal(402, "card_error", message, code=code, decline_code=decline_code, **more)
