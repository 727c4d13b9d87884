"""Invokes functions by the clock, as EventBridge Scheduler does."""

from __future__ import annotations

import datetime
import json
import logging
import threading
import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.declarations import Schedule, resource_name
from infra.local.engines.events.schedule import Rate, parse

_LOG = logging.getLogger(__name__)


class Scheduler:
    """Runs one schedule. ``functions`` is a boto3 client of Lambda."""

    def __init__(self, schedule: Schedule, functions: Any, stage: str) -> None:
        self._schedule = schedule
        self._when = parse(schedule.expression)
        self._functions = functions
        self._function = resource_name(stage, schedule.function)

    def run(self, stopping: threading.Event) -> None:
        """Invoke at the times due until ``stopping``; a time that was missed is not made up for."""
        if isinstance(self._when, Rate):
            due = time.monotonic()
            while not stopping.wait(max(0.0, due - time.monotonic())):
                self._invoke()
                due = max(due + self._when.seconds, time.monotonic())
            return
        while not stopping.wait(60 - time.time() % 60):
            if self._when.holds(datetime.datetime.now(datetime.UTC)):
                self._invoke()

    def _invoke(self) -> None:
        now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        event = {"source": "aws.scheduler", "time": now, "detail-type": "Scheduled Event", "detail": {}}
        try:
            self._functions.invoke(
                FunctionName=self._function, InvocationType="Event", Payload=json.dumps(event)
            )
        except (BotoCoreError, ClientError) as error:
            _LOG.warning("schedule %s could not invoke its function: %s", self._schedule.name, error)
