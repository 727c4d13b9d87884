"""Event source mappings: messages of a queue invoke a function, as Lambda's own pollers do.

Only what the function has done is deleted. The rest comes back after the queue's visibility timeout, and
SQS moves it to the dead-letter queue when it was received too often.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.declarations import QueueSource, resource_name
from infra.local.deploy import queue_url
from infra.local.settings import ACCOUNT, REGION

_LOG = logging.getLogger(__name__)
_RECEIVE_MAX = 10
_WAIT_SECONDS = 2
_RETRY_SECONDS = 1.0


class Poller:
    """Polls one queue. ``sqs`` and ``functions`` are boto3 clients of SQS and Lambda."""

    def __init__(self, source: QueueSource, sqs: Any, functions: Any, endpoint_url: str, stage: str) -> None:
        self._source = source
        self._sqs = sqs
        self._functions = functions
        self._url = queue_url(endpoint_url, stage, source.queue)
        self._queue_arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{resource_name(stage, source.queue)}"
        self._function = resource_name(stage, source.function)

    def run(self, stopping: threading.Event) -> None:
        """Poll until ``stopping``; an engine that is away is asked again."""
        while not stopping.is_set():
            try:
                self.poll_once()
            except (BotoCoreError, ClientError) as error:
                _LOG.warning("queue %s is polled again: %s", self._source.queue, error)
                stopping.wait(_RETRY_SECONDS)

    def poll_once(self) -> None:
        """Gather one batch, invoke, and delete what was done."""
        messages = self._gather()
        if not messages:
            return
        event = {"Records": [self._record(message) for message in messages]}
        answer = self._functions.invoke(FunctionName=self._function, Payload=json.dumps(event))
        payload = answer["Payload"].read()
        if "FunctionError" in answer:
            _LOG.warning("%s failed on a batch: %s", self._source.function, payload.decode()[:500])
            return
        failed = _failed(payload, {message["MessageId"] for message in messages})
        done = [message for message in messages if message["MessageId"] not in failed]
        for start in range(0, len(done), _RECEIVE_MAX):
            entries = [
                {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]}
                for index, message in enumerate(done[start : start + _RECEIVE_MAX])
            ]
            self._sqs.delete_message_batch(QueueUrl=self._url, Entries=entries)

    def _gather(self) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = []
        deadline = 0.0
        while len(messages) < self._source.batch_size:
            if messages and time.monotonic() >= deadline:
                break
            answer = self._sqs.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=min(_RECEIVE_MAX, self._source.batch_size - len(messages)),
                WaitTimeSeconds=_WAIT_SECONDS if not messages else 0,
                AttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
            found = answer.get("Messages", [])
            if not found and not messages:
                break
            if found and not messages:
                deadline = time.monotonic() + self._source.window_seconds
            messages += found
            if not found:
                time.sleep(0.05)
        return messages

    def _record(self, message: dict[str, Any]) -> dict[str, Any]:
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message.get("Attributes", {}),
            "messageAttributes": message.get("MessageAttributes", {}),
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": self._queue_arn,
            "awsRegion": REGION,
        }


def _failed(payload: bytes, sent: set[str]) -> set[str]:
    """The messages that a function reports as failed; all of them if the report makes no sense, as on AWS."""
    try:
        report = json.loads(payload or b"null") or {}
        failed = {item["itemIdentifier"] for item in report.get("batchItemFailures") or []}
    except (ValueError, KeyError, TypeError, AttributeError):
        return sent
    return failed if failed <= sent else sent
