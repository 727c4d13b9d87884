"""Sagas in Step Functions. Every execution is named, and the name is its idempotency key."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from carbonmarket.settings import Settings


class StepFunctionsSagas:
    """The :class:`carbonmarket.ports.sagas.Sagas` over AWS Step Functions."""

    def __init__(self, settings: Settings, stepfunctions: Any, account: str) -> None:
        self._client = stepfunctions
        self._arn = f"arn:aws:states:{settings.aws_region}:{account}:stateMachine:{settings.prefix}"

    def start(self, machine: str, execution: str, data: dict[str, str]) -> None:
        with contextlib.suppress(self._client.exceptions.ExecutionAlreadyExists):
            self._client.start_execution(
                stateMachineArn=self._arn + machine, name=execution, input=json.dumps(data)
            )

    def succeed(self, token: str, output: dict[str, object]) -> None:
        with contextlib.suppress(*self._no_longer_waiting):
            self._client.send_task_success(taskToken=token, output=json.dumps(output))

    def fail(self, token: str, error: str, cause: str) -> None:
        with contextlib.suppress(*self._no_longer_waiting):
            self._client.send_task_failure(taskToken=token, error=error, cause=cause)

    @property
    def _no_longer_waiting(self) -> tuple[type[Exception], ...]:
        # An execution that was run again waits under a new token, and settles itself by the votes there are.
        known = self._client.exceptions
        return known.TaskTimedOut, known.TaskDoesNotExist, known.InvalidToken
