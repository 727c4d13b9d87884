"""The device side: exact values, and nothing lost through outages and kills."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from awscrt import mqtt5  # type: ignore[import-untyped]
from awsiot import mqtt5_client_builder  # type: ignore[import-untyped]
from cryptography.hazmat.primitives import serialization

from carbonmarket import readings
from edge.agent import BrokerRefused, EdgeAgent, Identity
from edge.link import Endpoint, MqttLink
from edge.outbox import Outbox
from edge.sources import Measurement, microwatts, read_csv
from infra.local.engines.mqtt.broker import Broker
from tests.ingest.story import Site

WAIT_SECONDS = 60


class Listener:
    """A subscriber that keeps what the gateways published."""

    def __init__(self, broker: Broker) -> None:
        self.messages: list[bytes] = []
        self._ready = threading.Event()
        identity = broker.issue_gateway_certificate("bridge")
        self._client = mqtt5_client_builder.mtls_from_path(
            cert_filepath=str(identity.certificate),
            pri_key_filepath=str(identity.key),
            ca_filepath=str(identity.authority),
            endpoint="127.0.0.1",
            port=broker.port,
            connect_options=mqtt5.ConnectPacket(client_id="listener", session_expiry_interval_sec=3600),
            session_behavior=mqtt5.ClientSessionBehaviorType.REJOIN_ALWAYS,
            min_reconnect_delay_ms=100,
            max_reconnect_delay_ms=500,
            on_publish_received=lambda data: self.messages.append(data.publish_packet.payload),
            on_lifecycle_connection_success=lambda _: self._ready.set(),
        )
        self._client.start()
        assert self._ready.wait(WAIT_SECONDS)
        topic = mqtt5.Subscription(topic_filter="carbonmarket/test/#", qos=mqtt5.QoS.AT_LEAST_ONCE)
        self._client.subscribe(mqtt5.SubscribePacket(subscriptions=[topic])).result(WAIT_SECONDS)

    def sequences(self, site: Site) -> set[int]:
        """Those of a gateway that came, each signed by it."""
        found = set()
        for data in list(self.messages):
            message = readings.parse_message(data)
            if message.gateway == site.gateway.id:
                readings.verify_message(message, bytes.fromhex(site.gateway.public_key))
                found.add(message.sequence)
        return found

    def stop(self) -> None:
        self._client.stop()


@pytest.fixture
def listener(broker: Broker) -> Iterator[Listener]:
    listening = Listener(broker)
    yield listening
    listening.stop()


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that is to come."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.02)


def series(path: Path, hours: int) -> Path:
    """Four quarters an hour, from 2016-07-01."""
    rows = ["measured_on,ac_power"]
    for quarter in range(hours * 4):
        day, rest = divmod(quarter, 96)
        rows.append(f"2016-07-{day + 1:02d} {rest // 4:02d}:{rest % 4 * 15:02d}:00-07:00,{quarter}.5")
    path.write_text("\n".join(rows) + "\n\n\n")
    return path


def endpoint(broker: Broker, name: str) -> Endpoint:
    identity = broker.issue_gateway_certificate(name)
    return Endpoint(
        host="127.0.0.1",
        port=broker.port,
        certificate=identity.certificate,
        key=identity.key,
        authority=identity.authority,
    )


def agent(site: Site, broker: Broker, outbox: Outbox, certificate: str | None = None) -> EdgeAgent:
    identity = Identity(
        environment="test",
        project=site.project,
        gateway=site.gateway.id,
        device=site.meter.id,
        type="solar_output",
        interval_seconds=900,
    )
    name = certificate or site.gateway.id
    return EdgeAgent(identity, site.key, outbox, MqttLink(endpoint(broker, name), name))


@pytest.mark.parametrize(
    ("text", "value"), [("-2.8601", -2_860_100), ("0", 0), ("5391.12345", 5_391_123_450), ("1e3", 10**9)]
)
def test_watts_become_exact_microwatts(text: str, value: int) -> None:
    assert microwatts(text) == value


@pytest.mark.parametrize("text", ["", "nan", "Infinity", "1.0000001", "one"])
def test_what_is_not_exact_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        microwatts(text)


def test_a_row_that_cannot_be_read_is_kept_as_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "series.csv"
    path.write_text(
        "t,w\n2016-07-01 00:00:00-07:00,1\n2016-07-01 00:15:00,2\n2016-07-01 00:30:00-07:00,x\n\n"
    )
    rows = list(read_csv(path))
    assert [(row.line, row.power_uw is None) for row in rows] == [(1, False), (2, True), (3, True)]
    assert "offset" in rows[1].fault
    assert rows[2].raw == "2016-07-01 00:30:00-07:00,x"


@pytest.mark.engines
def test_each_hour_is_one_signed_message_of_four_readings(
    site: Site, broker: Broker, listener: Listener, tmp_path: Path
) -> None:
    outbox = Outbox(tmp_path / "outbox.sqlite")
    agent(site, broker, outbox).run(read_csv(series(tmp_path / "s.csv", 30)))
    until(lambda: listener.sequences(site) == set(range(1, 31)))
    assert outbox.count() == 0
    first = min(map(readings.parse_message, listener.messages), key=lambda m: m.sequence)
    assert [(r["start"], r["power_uw"]) for r in first.readings] == [
        ("2016-07-01T07:00:00Z", 500_000),
        ("2016-07-01T07:15:00Z", 1_500_000),
        ("2016-07-01T07:30:00Z", 2_500_000),
        ("2016-07-01T07:45:00Z", 3_500_000),
    ]


@pytest.mark.engines
def test_an_outage_in_the_middle_loses_nothing(
    site: Site, broker: Broker, listener: Listener, tmp_path: Path
) -> None:
    outbox = Outbox(tmp_path / "outbox.sqlite")
    down, back = threading.Event(), threading.Event()

    def rows() -> Iterator[Measurement]:
        for row in read_csv(series(tmp_path / "s.csv", 400)):
            if row.line == 600:
                down.wait(WAIT_SECONDS)
            if row.line == 1_200:
                back.wait(WAIT_SECONDS)
            yield row

    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(agent(site, broker, outbox).run, rows())
        until(lambda: len(listener.sequences(site)) > 20)
        broker.stop()
        down.set()
        until(lambda: outbox.count() > 100)
        broker.start()
        back.set()
        running.result(WAIT_SECONDS)
    until(lambda: listener.sequences(site) == set(range(1, 401)))
    assert outbox.count() == 0


@pytest.mark.engines
def test_a_killed_agent_goes_on_and_never_uses_a_sequence_twice(
    site: Site, broker: Broker, listener: Listener, tmp_path: Path
) -> None:
    command = _command(site, broker, series(tmp_path / "s.csv", 700), tmp_path)
    killed = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    until(lambda: len(listener.sequences(site)) > 20)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    assert subprocess.run(command, stderr=subprocess.PIPE, check=False, timeout=WAIT_SECONDS).returncode == 0
    until(lambda: listener.sequences(site) == set(range(1, 701)))
    assert _bytes_by_sequence(listener, site) == 700


@pytest.mark.engines
def test_a_broker_that_is_not_running_is_named_and_waited_for(
    site: Site, broker: Broker, listener: Listener, tmp_path: Path
) -> None:
    command = _command(site, broker, series(tmp_path / "s.csv", 3), tmp_path)
    broker.stop()
    agent_process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert agent_process.stderr is not None
    said = agent_process.stderr.readline()
    broker.start()
    assert f"the MQTT broker at 127.0.0.1:{broker.port} does not answer" in said
    assert "`carbonmarket up` starts it" in said
    assert agent_process.wait(WAIT_SECONDS) == 0
    until(lambda: listener.sequences(site) == {1, 2, 3})


@pytest.mark.engines
def test_a_gateway_that_may_not_publish_is_told_so(site: Site, broker: Broker, tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.sqlite")
    with pytest.raises(BrokerRefused, match="refused message 1"):
        agent(site, broker, outbox, "GWSTRANGER").run(read_csv(series(tmp_path / "s.csv", 1)))
    assert outbox.count() == 1


def _command(site: Site, broker: Broker, source: Path, folder: Path) -> list[str]:
    key = folder / "signing.pem"
    key.write_bytes(
        site.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    where = endpoint(broker, site.gateway.id)
    told = {
        "environment": "test",
        "project": site.project,
        "gateway": site.gateway.id,
        "device": site.meter.id,
        "csv": source,
        "signing-key": key,
        "host": where.host,
        "port": where.port,
        "certificate": where.certificate,
        "key": where.key,
        "authority": where.authority,
        "outbox": folder / "outbox.sqlite",
    }
    return [sys.executable, "-m", "edge", *(f"--{name}={value}" for name, value in told.items())]


def _bytes_by_sequence(listener: Listener, site: Site) -> int:
    """How many different messages came; two under one sequence would make more of them."""
    mine = {data for data in listener.messages if json.loads(data)["gateway"] == site.gateway.id}
    return len(mine)
