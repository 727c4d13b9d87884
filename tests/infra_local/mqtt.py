"""A small MQTT 5 client for tests: connect with an identity, publish, say what the broker answered."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Any

from awscrt import mqtt5
from awsiot import mqtt5_client_builder

from infra.local.engines.mqtt.authority import Identity
from infra.local.settings import LOOPBACK


class Device:
    """A connected client, as a context manager."""

    def __init__(self, identity: Identity, port: int, client_id: str) -> None:
        self._connected = threading.Event()
        self.failure: Any = None
        self._client = mqtt5_client_builder.mtls_from_path(
            endpoint=LOOPBACK,
            port=port,
            cert_filepath=str(identity.certificate),
            pri_key_filepath=str(identity.key),
            ca_filepath=str(identity.authority),
            extended_validation_and_flow_control_options=mqtt5.ExtendedValidationAndFlowControlOptions.NONE,
            min_reconnect_delay_ms=100,
            max_reconnect_delay_ms=1000,
            connect_options=mqtt5.ConnectPacket(client_id=client_id, keep_alive_interval_sec=30),
            on_lifecycle_connection_success=lambda _: self._connected.set(),
            on_lifecycle_connection_failure=self._fail,
        )

    def _fail(self, data: Any) -> None:
        self.failure = data.exception
        self._connected.set()

    def __enter__(self) -> Device:
        self._client.start()
        assert self._connected.wait(20), "the broker did not answer"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.stop()

    def publish(self, topic: str, payload: bytes) -> mqtt5.PubackReasonCode:
        """Publish with QoS 1 and return the broker's reason code."""
        packet = mqtt5.PublishPacket(topic=topic, payload=payload, qos=mqtt5.QoS.AT_LEAST_ONCE)
        return self._client.publish(packet).result(20).puback.reason_code

    def publish_all(self, topic: str, payloads: list[bytes]) -> None:
        """Publish many with QoS 1 and wait for every acknowledgement."""
        packets = [mqtt5.PublishPacket(topic=topic, payload=p, qos=mqtt5.QoS.AT_LEAST_ONCE) for p in payloads]
        for future in [self._client.publish(packet) for packet in packets]:
            assert future.result(30).puback.reason_code == mqtt5.PubackReasonCode.SUCCESS
