"""An AWS endpoint that runs the sample functions."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest

from infra.declarations import Bucket, Declarations, Key, Queue
from tests.fixtures.machine import AwsEndpoint, start_aws, stop_aws

T = TypeVar("T")

DECLARED = Declarations(
    tables=(),
    queues=(
        Queue("work-dlq"),
        Queue("work", dlq="work-dlq", visibility_seconds=2, receives_max=2),
        Queue("kept"),
        Queue("told"),
        Queue("rules"),
        Queue("rules-dlq"),
    ),
    buckets=(Bucket("locked", object_lock=True),),
    keys=(Key("signer", "sign-ed25519"),),
    secrets=(),
    functions=(),
    http_apps=(),
    queue_sources=(),
    schedules=(),
    state_machines=(),
)


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsEndpoint]:
    """An endpoint with queues work (and its DLQ), kept, rules; a locked bucket; a key; sample functions."""
    endpoint = start_aws(tmp_path_factory.mktemp("samples"), DECLARED, "tests.infra_local.samples")
    yield endpoint
    stop_aws(endpoint)


def eventually(ask: Callable[[], T | None], seconds_max: float = 30) -> T:
    """The first truthy answer; the time limit only ends a test that would wait for ever."""
    deadline = time.monotonic() + seconds_max
    while not (answer := ask()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
    return answer


def invoke(endpoint: AwsEndpoint, name: str, event: Any, **options: Any) -> tuple[Any, str | None]:
    """A function's answer and its kind of failure, if it failed."""
    answer = endpoint.client("lambda").invoke(
        FunctionName=endpoint.name(name), Payload=json.dumps(event), **options
    )
    payload = answer["Payload"].read()
    return json.loads(payload) if payload else None, answer.get("FunctionError")
