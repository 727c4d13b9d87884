"""One warm process of a function, and the Lambda Runtime API it talks to.

Each process has a Runtime API of its own, as each sandbox has on AWS, so a call is answered by the
process that took it and by no other.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import SimpleQueue

from infra.declarations import ROOT, Function
from infra.local.engines.lambdas import held
from infra.local.settings import ACCOUNT, LOOPBACK, REGION, base_environment

_API = "/2018-06-01/runtime/"


@dataclass(frozen=True)
class Answer:
    """What a function answered: its JSON, and whether it is an error."""

    body: bytes
    failed: bool


@dataclass(frozen=True)
class _Call:
    request_id: str
    event: bytes
    deadline_ms: int


def error_answer(kind: str, message: str) -> Answer:
    """A failure that the function itself could not report."""
    return Answer(json.dumps({"errorType": kind, "errorMessage": message}).encode(), failed=True)


class Worker:
    """A process that runs one function, one event at a time."""

    def __init__(self, function: Function, name: str, environment: Mapping[str, str], log: Path) -> None:
        self.function = function
        self.environment = environment
        self.used_at = time.monotonic()
        self._spent = False
        self._arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        self._answers: SimpleQueue[Answer] = SimpleQueue()
        self._server = _RuntimeServer(self)
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.2}, daemon=True
        ).start()
        granted = held.full_names(function.grants, name.removesuffix(function.name))
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - a declared handler
                [sys.executable, "-m", held.__name__, json.dumps(granted), function.handler],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._environment(name, environment),
            )
        threading.Thread(target=self._report_death, daemon=True).start()

    def _environment(self, name: str, environment: Mapping[str, str]) -> dict[str, str]:
        return {
            **base_environment(),
            # X-Ray has no daemon here; the code that traces stays the same.
            "POWERTOOLS_TRACE_DISABLED": "true",
            "POWERTOOLS_METRICS_NAMESPACE": "CarbonMarket",
            "POWERTOOLS_SERVICE_NAME": self.function.name,
            **environment,
            "AWS_LAMBDA_RUNTIME_API": f"{LOOPBACK}:{self._server.server_address[1]}",
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.function.memory_mb),
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": "local",
            "LAMBDA_TASK_ROOT": str(ROOT),
            "_HANDLER": self.function.handler,
        }

    def alive(self) -> bool:
        """Whether the process still runs and may take another event."""
        return not self._spent and not self._has_ended()

    def _has_ended(self) -> bool:
        if not hasattr(os, "waitid"):
            # macOS, before Python 3.13.
            return self._process.poll() is not None
        # Popen's own poll says that a process runs while the thread that waits for its end has the turn.
        try:
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:
            return True

    @property
    def pid(self) -> int:
        """The process' id."""
        return self._process.pid

    def call(self, event: bytes) -> Answer:
        """Run one event. A function that overruns its timeout is killed, as on AWS."""
        seconds = self.function.timeout_seconds
        deadline_ms = int((time.time() + seconds) * 1000)
        self._calls.put(_Call(str(uuid.uuid4()), event, deadline_ms))
        watchdog = threading.Timer(seconds, self._time_out)
        watchdog.daemon = True
        watchdog.start()
        try:
            return self._answers.get()
        finally:
            watchdog.cancel()
            self.used_at = time.monotonic()

    def stop(self) -> None:
        """End the process."""
        self._calls.put(None)
        self._process.kill()
        self._process.wait()

    def _time_out(self) -> None:
        seconds = self.function.timeout_seconds
        self._spent = True
        self._answers.put(error_answer("Sandbox.Timedout", f"Task timed out after {seconds}.00 seconds"))
        self._process.kill()

    def _report_death(self) -> None:
        code = self._process.wait()
        self._server.shutdown()
        self._server.server_close()
        self._answers.put(
            error_answer(
                "Runtime.ExitError", f"{self.function.name} ended with code {code} before it answered"
            )
        )

    def next_call(self) -> _Call | None:
        """The next event for the process; blocks until there is one; None when it is to end."""
        return self._calls.get()

    def answer(self, answer: Answer, *, at_init: bool) -> None:
        """Hand an answer to who called; a process that failed at its init takes no further event."""
        self._spent = self._spent or at_init
        self._answers.put(answer)

    @property
    def arn(self) -> str:
        """The function's ARN."""
        return self._arn


class _RuntimeServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        super().__init__((LOOPBACK, 0), _RuntimeApi)


class _RuntimeApi(BaseHTTPRequestHandler):
    """AWS's Lambda Runtime API, version 2018-06-01."""

    server: _RuntimeServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65536

    def do_GET(self) -> None:
        call = self.server.worker.next_call()
        if call is None:
            self._send(410, b"", {})
            return
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": call.request_id,
            "Lambda-Runtime-Deadline-Ms": str(call.deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": self.server.worker.arn,
        }
        self._send(200, call.event, headers)

    def do_POST(self) -> None:
        body = self._body()
        # invocation/{id}/response, invocation/{id}/error or init/error
        stage, _, outcome = self.path.removeprefix(_API).partition("/")
        failed = outcome.endswith("error")
        self.server.worker.answer(Answer(body, failed), at_init=stage == "init")
        self._send(202, b'{"status":"OK"}', {"Content-Type": "application/json"})

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        """Requests are not logged; the function's own output is."""
