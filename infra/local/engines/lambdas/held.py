"""Holds calls of AWS to what is granted, as a function's policy does there: what no grant allows is refused.

``python -m infra.local.engines.lambdas.held GRANTED HANDLER`` is AWS's runtime client in such a process;
GRANTED is the JSON of the full names that each action is granted on. Services that no grant is about are let
through. The platform's own keys are files on one machine, so that grants of them are not seen here.
"""

from __future__ import annotations

import contextlib
import json
import runpy
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any

import botocore
from botocore.exceptions import ClientError

from infra.actions import granted
from infra.resources import Grant

Granted = Mapping[str, list[str]]
_HELD: ContextVar[Granted | None] = ContextVar("granted", default=None)
# The service's name in actions, and the parameter that names what it is about.
_SERVICES = {
    "dynamodb": ("dynamodb", "TableName"),
    "kms": ("kms", "KeyId"),
    "s3": ("s3", "Bucket"),
    "secrets-manager": ("secretsmanager", "SecretId"),
    "sfn": ("states", "stateMachineArn"),
    "sqs": ("sqs", "QueueUrl"),
}
_ITEMS = {
    "ConditionCheck": "ConditionCheckItem",
    "Delete": "DeleteItem",
    "Put": "PutItem",
    "Update": "UpdateItem",
}


def full_names(grants: Iterable[Grant], prefix: str) -> Granted:
    """What is granted, by the names that calls use."""
    return {action: [prefix + name for name in names] for action, names in granted(grants).items()}


@contextlib.contextmanager
def held_to(allowed: Granted | None) -> Iterator[None]:
    """Hold this thread's calls to what is allowed, None for anything, once :func:`install` was called."""
    token = _HELD.set(allowed)
    try:
        yield
    finally:
        _HELD.reset(token)


def install(of_process: Granted | None = None) -> None:
    """Check the calls of every client made from now on; ``of_process`` holds where a thread has nothing."""

    def check(params: dict[str, Any], model: Any, **_: object) -> None:
        allowed = of_process if _HELD.get() is None else _HELD.get()
        if allowed is None:
            return
        for action, name in asked(model.service_model.service_id.hyphenize(), model.name, params):
            if action not in allowed or (name and name not in allowed[action]):
                refusal = f"{action} on {name or 'its machine'} is not granted: see infra/declarations.py"
                raise ClientError(
                    {"Error": {"Code": "AccessDeniedException", "Message": refusal}}, model.name
                )

    botocore.register_initializer(lambda session: session.register("before-parameter-build", check))


def asked(service: str, operation: str, params: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The actions that a call takes, each with the name of its resource ("" where only a token says it)."""
    if service not in _SERVICES:
        return
    prefix, named_by = _SERVICES[service]
    if operation == "TransactWriteItems":
        for item in params["TransactItems"]:
            for kind, request in item.items():
                yield f"{prefix}:{_ITEMS[kind]}", request["TableName"]
    elif operation == "BatchGetItem":
        for table in params["RequestItems"]:
            yield f"{prefix}:{operation}", table
    else:
        name = str(params.get(named_by) or params.get("QueueName") or "")
        yield f"{prefix}:{operation}", name.rpartition("/")[2].rpartition(":")[2]
        if "ObjectLockMode" in params:
            yield f"{prefix}:PutObjectRetention", name


def main() -> None:
    """Run a function's process."""
    allowed, handler = sys.argv[1:]
    install(json.loads(allowed))
    sys.argv = ["awslambdaric", handler]
    runpy.run_module("awslambdaric", run_name="__main__")


if __name__ == "__main__":
    main()
