"""The grants that functions have in common, and how a saga's step is declared."""

from __future__ import annotations

from infra.resources import Function, Grant, Kind


def read(name: str, kind: Kind = "table") -> Grant:
    """A grant to read."""
    return Grant(kind, name, "read")


def change(name: str, kind: Kind = "table") -> Grant:
    """A grant to read and write."""
    return Grant(kind, name, "readwrite")


def append(name: str, kind: Kind = "table") -> Grant:
    """A grant to put what is never changed again."""
    return Grant(kind, name, "append")


def erase(name: str) -> Grant:
    """A grant to delete, and neither to read nor to write."""
    return Grant("table", name, "erase")


def sends_as(*keys: str) -> tuple[Grant, ...]:
    """What sending a call takes: leases and stored bytes, the sender's key, and the sponsor's for the fee.

    Asking for a call's fate takes the same: the account's number of a call that died is filled by another.
    """
    signers = (*keys, "sponsor")
    return (change("signing"), *(Grant("key", key, "sign") for key in signers))


AUDITED = (append("audit"), change("idempotency"))
PERSONAL = (change("subject_keys"), Grant("key", "subjects", "crypt"))
CUSTODY = "custody"
"""The table of organisations' sealed keys and the KMS key that wraps their data keys: both have this name."""
FOR_ORGANISATIONS = (*sends_as(), Grant("custody", CUSTODY, "sign"))
NOTIFY = Grant("queue", "notifications", "send")
SALT = Grant("secret", "evidence-salt", "read")
STRIPE = Grant("secret", "stripe-secret", "read")
TASKS = change("sagas")
"""The tokens of waits. Each is a secret that ends one, so only who keeps them or answers them sees them."""


def step(saga: str, name: str, *grants: Grant, timeout_seconds: int = 30) -> Function:
    """A step of a saga: the function of its name in ``functions/<saga>/steps.py``.

    One process each on one machine, which has a few; on AWS as many as there are executions.
    """
    return Function(
        f"{saga}-{name.replace('_', '-')}",
        f"functions.{saga}.steps.{name}",
        (append("audit"), *grants),
        timeout_seconds=timeout_seconds,
        concurrency=1,
    )
