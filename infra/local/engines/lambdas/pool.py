"""Warm processes of all functions: started at the first call, kept, restarted, and let go when idle."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from infra.declarations import Function, resource_name
from infra.local.engines.lambdas.worker import Answer, Worker

_LOG = logging.getLogger(__name__)
# A warm function takes 60 to 150 MB; this many stay below 3 GB together.
_WORKERS_MAX = 20
_IDLE_SECONDS_MAX = 600
_RETRY_AFTER_SECONDS = (1, 5)


class UnknownFunction(Exception):
    """No function of that name is declared."""


class Pool:
    """Runs declared functions. ``environment_file`` holds what they find in their environment; when it
    changes, processes with the old one are replaced at their next call."""

    def __init__(
        self, functions: Iterable[Function], *, stage: str, environment_file: Path, logs: Path
    ) -> None:
        self._stage = stage
        self._environment_file = environment_file
        self._logs = logs
        self._functions = {resource_name(stage, function.name): function for function in functions}
        self._idle: dict[str, list[Worker]] = {name: [] for name in self._functions}
        self._busy: dict[str, set[Worker]] = {name: set() for name in self._functions}
        self._changed = threading.Condition()
        self._later = ThreadPoolExecutor(max_workers=32, thread_name_prefix="event")
        self._stopped = False
        logs.mkdir(parents=True, exist_ok=True)
        threading.Thread(target=self._let_go_for_ever, daemon=True, name="reaper").start()

    def resolve(self, name_or_arn: str) -> str:
        """The full name behind a short name, a full name or an ARN; :class:`UnknownFunction` if none."""
        name = name_or_arn.rsplit(":function:", maxsplit=1)[-1].split(":", maxsplit=1)[0]
        for candidate in (name, resource_name(self._stage, name)):
            if candidate in self._functions:
                return candidate
        raise UnknownFunction(f"Function not found: {name_or_arn}")

    def invoke(self, name_or_arn: str, event: bytes) -> Answer:
        """Run a function and wait for its answer; waits for a free process at its concurrency."""
        name = self.resolve(name_or_arn)
        worker = self._take(name)
        try:
            return worker.call(event)
        finally:
            self._give_back(name, worker)

    def invoke_event(self, name_or_arn: str, event: bytes) -> None:
        """Run a function later; a failure is tried again twice, as AWS does, and then logged."""
        name = self.resolve(name_or_arn)
        self._later.submit(self._run_event, name, event)

    def pids(self, name_or_arn: str) -> list[int]:
        """The processes of a function now."""
        name = self.resolve(name_or_arn)
        with self._changed:
            return [worker.pid for worker in [*self._idle[name], *self._busy[name]]]

    def stop(self) -> None:
        """End every process."""
        self._later.shutdown(wait=False, cancel_futures=True)
        with self._changed:
            self._stopped = True
            workers = [w for group in (self._idle, self._busy) for ws in group.values() for w in ws]
            self._changed.notify_all()
        for worker in workers:
            worker.stop()

    def _run_event(self, name: str, event: bytes) -> None:
        answer = self.invoke(name, event)
        for pause in _RETRY_AFTER_SECONDS:
            if not answer.failed or self._stopped:
                return
            time.sleep(pause)
            answer = self.invoke(name, event)
        if answer.failed:
            _LOG.error("%s failed three times: %s", name, answer.body.decode(errors="replace")[:500])

    def _take(self, name: str) -> Worker:
        function = self._functions[name]
        environment = self._environment()
        with self._changed:
            while not self._stopped:
                while self._idle[name]:
                    worker = self._idle[name].pop()
                    if worker.alive() and worker.environment == environment:
                        self._busy[name].add(worker)
                        return worker
                    worker.stop()
                if len(self._busy[name]) < function.concurrency:
                    worker = Worker(function, name, environment, self._logs / f"{function.name}.log")
                    self._busy[name].add(worker)
                    self._make_room()
                    return worker
                self._changed.wait()
        raise UnknownFunction(f"{name} cannot run: the machine is stopping")

    def _give_back(self, name: str, worker: Worker) -> None:
        with self._changed:
            self._busy[name].discard(worker)
            if worker.alive():
                self._idle[name].append(worker)
            self._changed.notify_all()

    def _environment(self) -> dict[str, str]:
        if not self._environment_file.exists():
            return {}
        environment: dict[str, str] = json.loads(self._environment_file.read_text())
        return environment

    def _make_room(self) -> None:
        idle = sorted((w for ws in self._idle.values() for w in ws), key=lambda worker: worker.used_at)
        running = len(idle) + sum(len(workers) for workers in self._busy.values())
        for worker in idle[: max(0, running - _WORKERS_MAX)]:
            self._let_go(worker)

    def _let_go_for_ever(self) -> None:
        while not self._stopped:
            time.sleep(10)
            with self._changed:
                oldest = time.monotonic() - _IDLE_SECONDS_MAX
                for worker in [w for ws in self._idle.values() for w in ws if w.used_at < oldest]:
                    self._let_go(worker)

    def _let_go(self, worker: Worker) -> None:
        for workers in self._idle.values():
            if worker in workers:
                workers.remove(worker)
        worker.stop()
