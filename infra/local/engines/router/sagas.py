"""Step Functions over moto's interpreter, with a journal: an unfinished execution is run again at start.

A saga's steps are idempotent, so running one again from its input repeats no effect.
"""

from __future__ import annotations

import io
import json
import logging
import time
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from infra.local.engines.router.interpreter import install
from infra.local.engines.router.journal import RUNNING, Execution, Journal

_LOG = logging.getLogger(__name__)
_Start = Callable[..., Any]
TARGET = "AWSStepFunctions."


class _Refused(Exception):
    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Sagas:
    """A WSGI app for the calls of Step Functions (JSON 1.0 protocol)."""

    def __init__(self, journal: Journal, router_url: str, lambda_url: str) -> None:
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

        self._journal = journal
        self._backend = install(router_url, lambda_url, journal.finish)
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._own: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "StartExecution": self._start,
            "DescribeExecution": self._describe,
            "ListExecutions": self._list,
        }
        for machine in journal.machines():
            self._backend.create_state_machine(
                name=machine["name"],
                definition=machine["definition"],
                roleArn=machine["role"],
                sm_type=machine["type"],
            )

    def resume(self, environment_file: Path) -> None:
        """Run each unfinished execution again, once the functions' environment is there."""
        while not environment_file.exists():
            time.sleep(0.1)
        for execution in reversed(self._journal.executions(status=RUNNING)):
            if not self._journal.has_machine(execution.machine):
                self._journal.finish(execution.arn, "ABORTED", cause="its state machine was deleted")
                continue
            _LOG.warning("running %s again from its input", execution.name)
            self._backend.start_execution(execution.machine, execution.name, execution.input)

    def __call__(self, environ: dict[str, Any], start: _Start) -> Iterable[bytes]:
        action = environ["HTTP_X_AMZ_TARGET"].removeprefix(TARGET)
        raw = environ["wsgi.input"].read()
        body = json.loads(raw or b"{}")
        if action in self._own:
            try:
                return _send(start, "200 OK", self._own[action](body))
            except _Refused as error:
                return _send(start, "400 Bad Request", {"__type": error.kind, "message": str(error)})
        forwarded = {**environ, "wsgi.input": io.BytesIO(raw), "CONTENT_LENGTH": str(len(raw))}
        answer: list[bytes] = list(self._moto(forwarded, start))
        self._keep(action, body)
        return answer

    def _keep(self, action: str, body: dict[str, Any]) -> None:
        if action in {"CreateStateMachine", "UpdateStateMachine"}:
            for machine in self._backend.state_machines:
                if body.get("name", "") == machine.name or body.get("stateMachineArn", "") == machine.arn:
                    kind = machine.sm_type or "STANDARD"
                    self._journal.save_machine(
                        machine.arn, machine.name, machine.definition, machine.roleArn, kind
                    )
        elif action == "DeleteStateMachine":
            self._journal.delete_machine(body["stateMachineArn"])
        elif action == "StopExecution":
            # The interpreter notices at its next state; what waits for a token would seem to run on.
            arn, error, cause = body["executionArn"], body.get("error"), body.get("cause")
            self._journal.finish(arn, "ABORTED", error=error, cause=cause)

    def _start(self, body: dict[str, Any]) -> dict[str, Any]:
        machine = body["stateMachineArn"]
        name = body.get("name") or str(uuid.uuid4())
        given = body.get("input", "{}")
        if not self._journal.has_machine(machine):
            raise _Refused("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{machine}'")
        try:
            json.loads(given)
        except ValueError as error:
            raise _Refused(
                "InvalidExecutionInput", f"Invalid State Machine Execution Input: '{error}'"
            ) from None
        arn = f"{machine.replace(':stateMachine:', ':execution:')}:{name}"
        execution = Execution(arn, machine, name, given, RUNNING, time.time())
        if not self._journal.begin(execution):
            known = self._journal.execution(arn)
            if known is None or known.status != RUNNING or known.input != given:
                raise _Refused("ExecutionAlreadyExists", f"Execution Already Exists: '{arn}'")
            return {"executionArn": arn, "startDate": known.started}
        self._backend.start_execution(machine, name, given)
        return {"executionArn": arn, "startDate": execution.started}

    def _describe(self, body: dict[str, Any]) -> dict[str, Any]:
        execution = self._journal.execution(body["executionArn"])
        if execution is None:
            raise _Refused("ExecutionDoesNotExist", f"Execution Does Not Exist: '{body['executionArn']}'")
        described = {**_listed(execution), "input": execution.input, "inputDetails": {"included": True}}
        for key in ("output", "error", "cause"):
            if getattr(execution, key) is not None:
                described[key] = getattr(execution, key)
        return described

    def _list(self, body: dict[str, Any]) -> dict[str, Any]:
        machine, status = body["stateMachineArn"], body.get("statusFilter", "")
        first, size = int(body.get("nextToken", "0")), int(body.get("maxResults") or 100)
        found = self._journal.executions(machine=machine, status=status)
        page = {"executions": [_listed(execution) for execution in found[first : first + size]]}
        return page if first + size >= len(found) else {**page, "nextToken": str(first + size)}


def _listed(execution: Execution) -> dict[str, Any]:
    item: dict[str, Any] = {
        "executionArn": execution.arn,
        "stateMachineArn": execution.machine,
        "name": execution.name,
        "status": execution.status,
        "startDate": execution.started,
    }
    return item if execution.stopped is None else {**item, "stopDate": execution.stopped}


def _send(start: _Start, status: str, document: dict[str, Any]) -> list[bytes]:
    body = json.dumps(document).encode()
    start(status, [("Content-Type", "application/x-amz-json-1.0"), ("Content-Length", str(len(body)))])
    return [body]
