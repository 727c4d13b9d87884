"""Functions run in AWS's own runtime client, warm, one process per concurrent call."""

from __future__ import annotations

import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from infra.local.engines.lambdas.worker import Worker
from tests.fixtures.machine import AwsEndpoint
from tests.infra_local.conftest import eventually, invoke
from tests.infra_local.samples import FUNCTIONS

pytestmark = pytest.mark.engines


def test_a_function_sees_its_event_its_name_and_the_settings(samples: AwsEndpoint) -> None:
    answer, failure = invoke(samples, "echo", {"a": 1})
    assert failure is None
    assert answer["event"] == {"a": 1}
    assert answer["name"] == samples.name("echo")
    assert answer["stage"] == samples.stage


def test_a_process_stays_warm_between_calls(samples: AwsEndpoint) -> None:
    first, _ = invoke(samples, "echo", {})
    second, _ = invoke(samples, "echo", {})
    assert second["pid"] == first["pid"]
    assert second["calls"] == first["calls"] + 1


def test_a_killed_process_is_replaced(samples: AwsEndpoint) -> None:
    first, _ = invoke(samples, "echo", {})
    os.kill(first["pid"], signal.SIGKILL)
    eventually(lambda: not _runs(first["pid"]))
    second, failure = invoke(samples, "echo", {})
    assert failure is None
    assert second["pid"] != first["pid"]


def test_a_process_is_known_to_be_dead_as_soon_as_it_is(tmp_path: Path) -> None:
    workers = [Worker(FUNCTIONS[0], "carbonmarket-test-echo", {}, tmp_path / "log") for _ in range(10)]
    alive = []
    for worker in workers:
        os.kill(worker.pid, signal.SIGKILL)
        while _runs(worker.pid):
            pass
        alive.append(worker.alive())
        worker.stop()
    assert alive == [False] * len(workers)


def test_an_error_has_its_python_class_as_type(samples: AwsEndpoint, tmp_path: Path) -> None:
    answer, failure = invoke(
        samples, "fail-until", {"file": f"{tmp_path}/calls", "times": 1, "error": "NotYetFinal"}
    )
    assert failure == "Unhandled"
    assert answer["errorType"] == "NotYetFinal"


def test_a_call_over_its_timeout_fails_and_the_next_one_works(samples: AwsEndpoint) -> None:
    answer, failure = invoke(samples, "sleep", {"seconds": 30})
    assert failure == "Unhandled"
    assert answer["errorType"] == "Sandbox.Timedout"
    assert invoke(samples, "sleep", {"seconds": 0})[1] is None


def test_a_process_that_ends_in_a_call_is_reported(samples: AwsEndpoint) -> None:
    answer, failure = invoke(samples, "die", {})
    assert failure == "Unhandled"
    assert answer["errorType"] == "Runtime.ExitError"


def test_a_handler_that_cannot_be_imported_is_reported(samples: AwsEndpoint) -> None:
    answer, failure = invoke(samples, "absent", {})
    assert failure == "Unhandled"
    assert answer["errorType"] == "Runtime.ImportModuleError"


def test_an_unknown_function_is_refused(samples: AwsEndpoint) -> None:
    with pytest.raises(ClientError) as refused:
        invoke(samples, "nobody", {})
    assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_no_more_processes_than_the_concurrency(samples: AwsEndpoint) -> None:
    with ThreadPoolExecutor(6) as callers:
        answers = list(callers.map(lambda _: invoke(samples, "sleep", {"seconds": 0.1})[0], range(6)))
    assert 1 <= len({answer["pid"] for answer in answers}) <= 2


def test_an_event_call_returns_at_once_and_runs_later(samples: AwsEndpoint, tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    payload, _ = invoke(
        samples,
        "fail-until",
        {"file": str(calls), "times": 1, "error": "TransientError"},
        InvocationType="Event",
    )
    assert payload is None
    # The first call fails; the second is the retry.
    eventually(lambda: calls.exists() and len(calls.read_text()) == 2)


def test_new_settings_reach_a_function_at_its_next_call(samples: AwsEndpoint) -> None:
    path = samples.machine.environment_file
    environment = json.loads(path.read_text())
    path.write_text(json.dumps({**environment, "MARKER": "new"}))
    try:
        assert invoke(samples, "echo", {})[0]["marker"] == "new"
    finally:
        path.write_text(json.dumps(environment))


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
