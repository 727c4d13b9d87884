"""Runs the topic rules: MQTT in, SQS out, at least once.

A message is acknowledged to the broker only after SQS has taken what the rule made of it. Until then it
stays in the broker's persistent session, so neither a stopped bridge nor a stopped SQS loses one.
"""

from __future__ import annotations

import base64
import contextlib
import json
import logging
import queue
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from awscrt import mqtt5
from awsiot import mqtt5_client_builder
from botocore.exceptions import BotoCoreError, ClientError

from infra.declarations import TopicRule
from infra.local.deploy import queue_url
from infra.local.engines.mqtt.authority import Identity
from infra.local.engines.mqtt.broker import BRIDGE_USER
from infra.local.engines.mqtt.rules import Arrived, Rule, parse
from infra.local.settings import LOOPBACK

_LOG = logging.getLogger(__name__)
_IN_FLIGHT_MAX = 200
_SESSION_SECONDS = 7 * 86_400
_BATCH_MAX = 10
_BATCH_BYTES_MAX = 250_000
_RETRY_SECONDS = 1.0


@dataclass(frozen=True)
class _Received:
    arrived: Arrived
    handle: Any


@dataclass(frozen=True)
class _Outgoing:
    queue: str
    body: str


class Rules:
    """The rules of a stage, read; :class:`~infra.local.engines.mqtt.rules.RuleError` if one is not in the
    subset."""

    def __init__(self, declared: Iterable[TopicRule]) -> None:
        self._rules: list[tuple[TopicRule, Rule]] = [(rule, parse(rule.sql)) for rule in declared]

    def filters(self) -> list[str]:
        """The topic filters to subscribe to, each once."""
        return sorted({rule.filter for _, rule in self._rules})

    def outcomes(self, arrived: Arrived) -> Iterator[_Outgoing]:
        """What is to be sent for a message: a rule's result, or its error where there is an error queue."""
        for declared, rule in self._rules:
            if not rule.matches(arrived.topic):
                continue
            try:
                result = rule.apply(arrived)
            except ValueError as error:
                _LOG.warning("rule %s failed on %s: %s", declared.name, arrived.topic, error)
                if declared.error_queue:
                    yield _Outgoing(declared.error_queue, _error_document(declared, arrived, error))
                continue
            if result is not None:
                yield _Outgoing(declared.queue, json.dumps(result, separators=(",", ":")))


def _error_document(rule: TopicRule, arrived: Arrived, error: Exception) -> str:
    """The form that AWS IoT gives to an error action."""
    return json.dumps(
        {
            "ruleName": rule.name,
            "topic": arrived.topic,
            "base64OriginalPayload": base64.b64encode(arrived.payload).decode(),
            "failures": [{"failedAction": "RunRule", "failedResource": rule.sql, "errorMessage": str(error)}],
        }
    )


class Bridge:
    """Subscribes as the user "bridge" and sends to queues of ``stage`` through ``sqs``, a boto3 client."""

    def __init__(self, rules: Rules, sqs: Any, endpoint_url: str, stage: str) -> None:
        self._rules = rules
        self._sqs = sqs
        self._endpoint_url = endpoint_url
        self._stage = stage
        self._received: queue.SimpleQueue[_Received] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._subscribed = threading.Event()
        self._client: mqtt5.Client | None = None

    def run(self, identity: Identity, port: int) -> None:
        """Work until :meth:`stop`; reconnects by itself when the broker was away."""
        self._client = mqtt5_client_builder.mtls_from_path(
            endpoint=LOOPBACK,
            port=port,
            cert_filepath=str(identity.certificate),
            pri_key_filepath=str(identity.key),
            ca_filepath=str(identity.authority),
            session_behavior=mqtt5.ClientSessionBehaviorType.REJOIN_ALWAYS,
            extended_validation_and_flow_control_options=(mqtt5.ExtendedValidationAndFlowControlOptions.NONE),
            retry_jitter_mode=mqtt5.ExponentialBackoffJitterMode.NONE,
            min_reconnect_delay_ms=200,
            max_reconnect_delay_ms=2000,
            connect_options=mqtt5.ConnectPacket(
                client_id=f"{BRIDGE_USER}-{self._stage}",
                keep_alive_interval_sec=30,
                session_expiry_interval_sec=_SESSION_SECONDS,
                receive_maximum=_IN_FLIGHT_MAX,
            ),
            on_publish_received=self._keep,
            on_lifecycle_connection_success=self._subscribe,
        )
        self._client.start()
        try:
            while not self._stopping.is_set():
                batch = self._take()
                if batch:
                    self._forward(batch)
        finally:
            self._client.stop()

    def stop(self) -> None:
        """End :meth:`run` after the batch at hand."""
        self._stopping.set()

    def wait_until_subscribed(self) -> None:
        """Return when the broker has taken the subscriptions."""
        self._subscribed.wait()

    def _subscribe(self, _data: Any) -> None:
        subscriptions = [
            mqtt5.Subscription(topic_filter, mqtt5.QoS.AT_LEAST_ONCE)
            for topic_filter in self._rules.filters()
        ]
        if subscriptions and self._client is not None:
            future = self._client.subscribe(mqtt5.SubscribePacket(subscriptions))
            future.add_done_callback(lambda done: None if done.exception() else self._subscribed.set())
        else:
            self._subscribed.set()

    def _keep(self, data: Any) -> None:
        packet = data.publish_packet
        handle = None
        if packet.qos == mqtt5.QoS.AT_LEAST_ONCE:
            handle = data.acquire_publish_acknowledgement_control()
        arrived = Arrived(packet.topic, bytes(packet.payload or b""), int(time.time() * 1000))
        self._received.put(_Received(arrived, handle))

    def _take(self) -> list[_Received]:
        batch: list[_Received] = []
        with contextlib.suppress(queue.Empty):
            batch.append(self._received.get(timeout=0.2))
            while len(batch) < _BATCH_MAX:
                batch.append(self._received.get_nowait())
        return batch

    def _forward(self, batch: list[_Received]) -> None:
        by_queue: dict[str, list[str]] = {}
        for received in batch:
            for outgoing in self._rules.outcomes(received.arrived):
                by_queue.setdefault(outgoing.queue, []).append(outgoing.body)
        for name, bodies in by_queue.items():
            for part in _parts(bodies):
                if not self._send(name, part):
                    return
        for received in batch:
            if received.handle is not None and self._client is not None:
                self._client.invoke_publish_acknowledgement(received.handle)

    def _send(self, name: str, bodies: list[str]) -> bool:
        """Send until SQS has taken all; False if the bridge is stopped before."""
        waiting = {str(index): body for index, body in enumerate(bodies)}
        url = queue_url(self._endpoint_url, self._stage, name)
        while waiting:
            entries = [{"Id": key, "MessageBody": body} for key, body in waiting.items()]
            try:
                answer = self._sqs.send_message_batch(QueueUrl=url, Entries=entries)
            except (BotoCoreError, ClientError) as error:
                _LOG.warning("SQS did not take messages for %s, trying again: %s", name, error)
                if self._stopping.wait(_RETRY_SECONDS):
                    return False
                continue
            for taken in answer.get("Successful", []):
                waiting.pop(taken["Id"], None)
        return True


def _parts(bodies: list[str]) -> Iterator[list[str]]:
    """Batches that SQS takes: at most ten messages and 256 KiB together."""
    part: list[str] = []
    size = 0
    for body in bodies:
        length = len(body.encode())
        if part and (len(part) == _BATCH_MAX or size + length > _BATCH_BYTES_MAX):
            yield part
            part, size = [], 0
        part.append(body)
        size += length
    if part:
        yield part
