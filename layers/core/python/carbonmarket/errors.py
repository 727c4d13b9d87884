"""Errors a caller can act on.

Each error is a sentence about what the caller did, names the field where there is one, and carries
the HTTP status and the problem type (RFC 9457) that the border turns it into. Codes never change
once published: clients branch on ``type``.
"""

from __future__ import annotations

from typing import ClassVar

PROBLEM_BASE = "https://carbonmarket.dev/problems/"


class MarketError(Exception):
    """Base of every refusal the market gives.

    ``reason`` is the sentence for people; ``field`` is a JSON pointer or a field's name, or None
    where the refusal is about no single field.
    """

    status: ClassVar[int] = 400
    code: ClassVar[str] = "bad-request"

    def __init__(self, reason: str, *, field: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.field = field

    @property
    def problem_type(self) -> str:
        """The URI of the problem's type."""
        return PROBLEM_BASE + self.code

    def problem(self, instance: str | None = None) -> dict[str, object]:
        """The error as an RFC 9457 problem object."""
        body: dict[str, object] = {
            "type": self.problem_type,
            "title": self.code.replace("-", " "),
            "status": self.status,
            "detail": self.reason,
        }
        if self.field is not None:
            body["field"] = self.field
        if instance is not None:
            body["instance"] = instance
        return body


class InvalidInput(MarketError):
    """The request's form or values are wrong."""

    status = 422
    code = "invalid-input"


class NotAuthenticated(MarketError):
    """No identity, or one that can't be checked."""

    status = 401
    code = "not-authenticated"


class NotAllowed(MarketError):
    """The caller is known and lacks the role or is of another organisation."""

    status = 403
    code = "not-allowed"


class BudgetSpent(NotAllowed):
    """A budget of the sponsor's is used up until it is renewed; ``reason`` names which, and when that is."""

    status = 429
    code = "budget-spent"


class NotFound(MarketError):
    """No such thing, or none that the caller may see."""

    status = 404
    code = "not-found"


class Conflict(MarketError):
    """The thing's present state refuses the request."""

    status = 409
    code = "conflict"


class IdempotencyMismatch(Conflict):
    """The Idempotency-Key was used before with another body."""

    code = "idempotency-mismatch"


class NotPayable(Conflict):
    """The payment provider was not asked to pay, since the account can't be paid out yet."""

    code = "not-payable"


class StaleWrite(Conflict):
    """Another writer changed the record first; load it again and decide anew."""

    code = "stale-write"


class InsufficientHolding(Conflict):
    """More grams than the account holds."""

    code = "insufficient-holding"


class AccountFrozen(Conflict):
    """The account is frozen and can't withdraw, give, retire or place."""

    code = "account-frozen"


class ChainRefused(Conflict):
    """The contract refused the transaction; ``abort`` names the module's error."""

    code = "chain-refused"

    def __init__(self, reason: str, *, abort: str | None = None, field: str | None = None) -> None:
        super().__init__(reason, field=field)
        self.abort = abort

    def problem(self, instance: str | None = None) -> dict[str, object]:
        """The problem with the contract's own name for it."""
        body = super().problem(instance)
        return body if self.abort is None else {**body, "abort": self.abort}


class PaymentDeclined(MarketError):
    """The card's bank refused the payment; ``reason`` says why in its words."""

    status = 402
    code = "payment-declined"


class NotYetFinal(MarketError):
    """The transaction's fate isn't known yet; ask again later. Sagas retry on it."""

    status = 409
    code = "not-yet-final"


class EngineUnavailable(MarketError):
    """A service the market stands on doesn't answer. ``reason`` says which and how to start it."""

    status = 503
    code = "engine-unavailable"
