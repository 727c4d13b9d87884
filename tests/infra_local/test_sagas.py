"""Sagas run in the router: retries and catches by name, task tokens, and a journal that outlives it."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.local.deploy import function_arn
from tests.fixtures.machine import AwsEndpoint
from tests.infra_local.conftest import eventually

pytestmark = pytest.mark.engines


def arn(name: str) -> str:
    return function_arn("test", name)


def make(samples: AwsEndpoint, states: dict[str, Any], **more: Any) -> str:
    definition = json.dumps({"StartAt": next(iter(states)), "States": states, **more})
    made: dict[str, str] = samples.client("stepfunctions").create_state_machine(
        name=f"saga-{uuid.uuid4().hex[:8]}", definition=definition, roleArn="arn:aws:iam::000000000000:role/r"
    )
    return made["stateMachineArn"]


def start(samples: AwsEndpoint, machine: str, given: dict[str, Any], name: str = "") -> str:
    started: dict[str, str] = samples.client("stepfunctions").start_execution(
        stateMachineArn=machine, name=name or uuid.uuid4().hex, input=json.dumps(given)
    )
    return started["executionArn"]


def end(samples: AwsEndpoint, execution: str) -> dict[str, Any]:
    states = samples.client("stepfunctions")

    def ended() -> dict[str, Any] | None:
        described: dict[str, Any] = states.describe_execution(executionArn=execution)
        return described if described["status"] != "RUNNING" else None

    return eventually(ended)


FLAKY = {
    "Try": {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": arn("fail-until"), "Payload.$": "$"},
        "ResultSelector": {"calls.$": "$.Payload.calls"},
        "Retry": [{"ErrorEquals": ["TransientError"], "IntervalSeconds": 1, "MaxAttempts": 2}],
        "Catch": [{"ErrorEquals": ["NotYetFinal"], "ResultPath": "$.error", "Next": "Undo"}],
        "End": True,
    },
    "Undo": {"Type": "Pass", "Result": {"undone": True}, "End": True},
}

WAITING = {
    "Ask": {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "Parameters": {
            "FunctionName": arn("keep-token"),
            "Payload": {"token.$": "$$.Task.Token", "file.$": "$.file"},
        },
        "End": True,
    }
}


def test_a_named_error_is_retried(samples: AwsEndpoint, tmp_path: Path) -> None:
    given = {"file": str(tmp_path / "calls"), "times": 2, "error": "TransientError"}
    ended = end(samples, start(samples, make(samples, FLAKY), given))
    assert ended["status"] == "SUCCEEDED"
    assert json.loads(ended["output"]) == {"calls": 3}


def test_a_named_error_is_caught_and_undone(samples: AwsEndpoint, tmp_path: Path) -> None:
    given = {"file": str(tmp_path / "calls"), "times": 9, "error": "NotYetFinal"}
    ended = end(samples, start(samples, make(samples, FLAKY), given))
    assert json.loads(ended["output"]) == {"undone": True}


def test_an_error_that_outlasts_its_retries_fails_the_saga(samples: AwsEndpoint, tmp_path: Path) -> None:
    given = {"file": str(tmp_path / "calls"), "times": 9, "error": "TransientError"}
    ended = end(samples, start(samples, make(samples, FLAKY), given))
    assert (ended["status"], ended["error"]) == ("FAILED", "TransientError")


def test_a_step_that_overruns_its_timeout_is_caught(samples: AwsEndpoint) -> None:
    states = {
        "Slow": {
            "Type": "Task",
            "Resource": arn("sleep"),
            "TimeoutSeconds": 1,
            "Catch": [{"ErrorEquals": ["States.Timeout"], "Next": "Undo"}],
            "End": True,
        },
        "Undo": {"Type": "Pass", "Result": {"undone": True}, "End": True},
    }
    ended = end(samples, start(samples, make(samples, states), {"seconds": 1.8}))
    assert json.loads(ended["output"]) == {"undone": True}


def test_jsonata_is_understood(samples: AwsEndpoint) -> None:
    states = {"Sum": {"Type": "Pass", "Output": {"sum": "{% $sum($states.input.grams) %}"}, "End": True}}
    machine = make(samples, states, QueryLanguage="JSONata")
    ended = end(samples, start(samples, machine, {"grams": [1, 2, 39]}))
    assert json.loads(ended["output"]) == {"sum": 42}


def test_a_message_can_be_sent_by_a_step(samples: AwsEndpoint) -> None:
    url = samples.client("sqs").get_queue_url(QueueName=samples.name("told"))["QueueUrl"]
    states = {
        "Tell": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage",
            "Parameters": {"QueueUrl": url, "MessageBody.$": "$.text"},
            "End": True,
        }
    }
    assert end(samples, start(samples, make(samples, states), {"text": "told"}))["status"] == "SUCCEEDED"
    messages = samples.client("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"]
    assert [message["Body"] for message in messages] == ["told"]


def tokens(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


def test_a_saga_waits_for_its_token(samples: AwsEndpoint, tmp_path: Path) -> None:
    kept = tmp_path / "tokens"
    execution = start(samples, make(samples, WAITING), {"file": str(kept)})
    (token,) = eventually(lambda: tokens(kept))
    samples.client("stepfunctions").send_task_success(taskToken=token, output='{"votes": 2}')
    assert json.loads(end(samples, execution)["output"]) == {"votes": 2}


def test_a_token_can_fail_its_saga_by_name(samples: AwsEndpoint, tmp_path: Path) -> None:
    kept = tmp_path / "tokens"
    execution = start(samples, make(samples, WAITING), {"file": str(kept)})
    (token,) = eventually(lambda: tokens(kept))
    samples.client("stepfunctions").send_task_failure(
        taskToken=token, error="QuorumImpossible", cause="2 of 3"
    )
    ended = end(samples, execution)
    assert (ended["status"], ended["error"]) == ("FAILED", "QuorumImpossible")


def test_a_name_is_used_once(samples: AwsEndpoint, tmp_path: Path) -> None:
    machine, given = make(samples, WAITING), {"file": str(tmp_path / "tokens")}
    first = start(samples, machine, given, name="mint-1")
    assert start(samples, machine, given, name="mint-1") == first
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        start(samples, machine, {"file": "another"}, name="mint-1")


def test_a_stopped_saga_is_aborted(samples: AwsEndpoint, tmp_path: Path) -> None:
    execution = start(samples, make(samples, WAITING), {"file": str(tmp_path / "tokens")})
    samples.client("stepfunctions").stop_execution(executionArn=execution)
    assert end(samples, execution)["status"] == "ABORTED"


def test_executions_are_listed_the_newest_first(samples: AwsEndpoint) -> None:
    machine = make(samples, {"Done": {"Type": "Pass", "End": True}})
    executions = [start(samples, machine, {"n": n}) for n in range(3)]
    for execution in executions:
        end(samples, execution)
    pages = samples.client("stepfunctions").get_paginator("list_executions")
    listed = [
        item["executionArn"]
        for page in pages.paginate(stateMachineArn=machine, PaginationConfig={"PageSize": 2})
        for item in page["executions"]
    ]
    assert listed == executions[::-1]


def test_a_saga_cut_off_by_a_killed_router_runs_again(samples: AwsEndpoint, tmp_path: Path) -> None:
    kept = tmp_path / "tokens"
    done = start(samples, make(samples, {"Done": {"Type": "Pass", "End": True}}), {"kept": True})
    end(samples, done)
    execution = start(samples, make(samples, WAITING), {"file": str(kept)})
    eventually(lambda: len(tokens(kept)) == 1)

    samples.router.kill()
    samples.router.start()

    eventually(lambda: len(tokens(kept)) == 2)
    samples.client("stepfunctions").send_task_success(taskToken=tokens(kept)[1], output='{"votes": 2}')
    assert json.loads(end(samples, execution)["output"]) == {"votes": 2}
    assert json.loads(end(samples, done)["output"]) == {"kept": True}
