"""Small functions for the engines' tests; FUNCTIONS declares them."""

from __future__ import annotations

import itertools
import os
import time
from pathlib import Path
from typing import Any

from infra.declarations import Function, Grant

_CALLS = itertools.count(1)


class TransientError(Exception):
    pass


class NotYetFinal(Exception):
    pass


def echo(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return {
        "event": event,
        "pid": os.getpid(),
        "calls": next(_CALLS),
        "name": context.function_name,
        "stage": os.environ.get("CARBONMARKET_STAGE"),
        "marker": os.environ.get("MARKER"),
    }


def fail_until(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Fails with the named error until it was called ``times`` times (counted in a file)."""
    path = Path(event["file"])
    seen = len(path.read_text()) if path.exists() else 0
    path.write_text("x" * (seen + 1))
    if seen < event["times"]:
        raise {"TransientError": TransientError, "NotYetFinal": NotYetFinal}[event["error"]](
            f"call {seen + 1}"
        )
    return {"calls": seen + 1}


def sleep(event: dict[str, Any], context: Any) -> dict[str, Any]:
    time.sleep(event["seconds"])
    return {"pid": os.getpid()}


def die(event: dict[str, Any], context: Any) -> None:
    os._exit(3)


def keep_token(event: dict[str, Any], context: Any) -> None:
    """Appends the task token to a file, as a review waits for people."""
    with Path(event["file"]).open("a") as file:
        file.write(event["token"] + "\n")


def take_batch(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Appends each body to a file; bodies that begin with "bad" are reported as failed."""
    failures = []
    for record in event["Records"]:
        if record["body"].startswith("bad"):
            failures.append({"itemIdentifier": record["messageId"]})
            continue
        folder, _, text = record["body"].partition("|")
        with Path(folder, "taken").open("a") as file:
            file.write(text + "\n")
    return {"batchItemFailures": failures}


def send(event: dict[str, Any], context: Any) -> None:
    """Sends a message to the queue of a URL."""
    # Made when it is called, as functions make their clients.
    import boto3

    boto3.client("sqs").send_message(QueueUrl=event["queue"], MessageBody="sent")


FUNCTIONS = (
    Function("echo", "tests.infra_local.samples.echo", concurrency=1),
    Function("fail-until", "tests.infra_local.samples.fail_until"),
    Function("sleep", "tests.infra_local.samples.sleep", timeout_seconds=2, concurrency=2),
    Function("die", "tests.infra_local.samples.die"),
    Function("absent", "tests.infra_local.no_such_module.handler"),
    Function("keep-token", "tests.infra_local.samples.keep_token"),
    Function("take-batch", "tests.infra_local.samples.take_batch"),
    Function("send", "tests.infra_local.samples.send", (Grant("queue", "kept", "send"),)),
)
