"""The connection to the broker: MQTT 5 over TLS with the gateway's certificate."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import msgspec
from awscrt import mqtt5  # type: ignore[import-untyped]
from awsiot import mqtt5_client_builder  # type: ignore[import-untyped]

_KEEP_ALIVE_SECONDS = 30
_RECONNECT_MS = (200, 10_000)
_ACK_SECONDS = 30
_STOP_SECONDS = 10


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Where the broker is and what the gateway shows it (paths of PEM files).

    ``authority`` is the broker's certificate authority, None for Amazon's own.
    """

    host: str
    port: int
    certificate: Path
    key: Path
    authority: Path | None


class MqttLink:
    """One gateway's connection. The SDK reconnects by itself, with backoff and jitter."""

    def __init__(self, endpoint: Endpoint, client_id: str) -> None:
        self.connected = threading.Event()
        self.last_failure = ""
        self._stopped = threading.Event()
        self._client = mqtt5_client_builder.mtls_from_path(
            cert_filepath=str(endpoint.certificate),
            pri_key_filepath=str(endpoint.key),
            ca_filepath=str(endpoint.authority) if endpoint.authority else None,
            endpoint=endpoint.host,
            port=endpoint.port,
            connect_options=mqtt5.ConnectPacket(
                client_id=client_id, keep_alive_interval_sec=_KEEP_ALIVE_SECONDS
            ),
            # The SDK's pacing for AWS IoT's quotas would hold a broker of one's own to 61 messages a second.
            extended_validation_and_flow_control_options=mqtt5.ExtendedValidationAndFlowControlOptions.NONE,
            # The outbox is the queue: what was not acknowledged is sent again from there.
            offline_queue_behavior=mqtt5.ClientOperationQueueBehaviorType.FAIL_ALL_ON_DISCONNECT,
            min_reconnect_delay_ms=_RECONNECT_MS[0],
            max_reconnect_delay_ms=_RECONNECT_MS[1],
            ack_timeout_sec=_ACK_SECONDS,
            on_lifecycle_connection_success=lambda _: self.connected.set(),
            on_lifecycle_connection_failure=self._failed,
            on_lifecycle_disconnection=lambda _: self.connected.clear(),
            on_lifecycle_stopped=lambda _: self._stopped.set(),
        )

    def start(self) -> None:
        """Begin to connect; ``connected`` is set while there is a connection."""
        self._client.start()

    def stop(self) -> None:
        """Disconnect and wait for it."""
        self._client.stop()
        self._stopped.wait(_STOP_SECONDS)

    def publish(self, topic: str, payload: bytes) -> Future[Any]:
        """Send at QoS 1. The future holds the broker's answer, or an error where none came."""
        packet = mqtt5.PublishPacket(topic=topic, payload=payload, qos=mqtt5.QoS.AT_LEAST_ONCE)
        future: Future[Any] = self._client.publish(packet)
        return future

    def _failed(self, data: Any) -> None:
        self.connected.clear()
        self.last_failure = str(data.exception)


def refusal(answer: Any) -> str:
    """Why the broker refused a message, or "" if it took it."""
    reason = answer.puback.reason_code
    # MQTT 5: below 0x80 is success; 0x10 says that nobody listens now, and the broker took it all the same.
    return "" if reason < 0x80 else str(answer.puback.reason_string or reason.name)
