"""Devices reach the queue through the broker and the rules, and no other way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from awscrt import mqtt5
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding

from infra.local.engines.mqtt.authority import Authority, Identity
from infra.local.engines.mqtt.broker import Broker, RuleBridge, topic
from infra.local.engines.process import Engine, EngineError
from tests.fixtures.machine import STAGE, AwsEndpoint
from tests.infra_local.conftest import eventually
from tests.infra_local.mqtt import Device

pytestmark = pytest.mark.engines

RULE = {
    "sql": "SELECT *, topic(4) AS gateway FROM 'carbonmarket/${stage}/gateways/+/messages' WHERE n >= 0",
    "actions": [{"sqs": {"queue": "rules"}}],
    "errorAction": {"sqs": {"queue": "rules-dlq"}},
}


def bridge_of(samples: AwsEndpoint, broker: Broker, rules: Path) -> Engine:
    state = broker.authority.certificate_path.parent.parent
    return RuleBridge(state, STAGE, broker.port, samples.url, state / "bridge.log", rules)


@pytest.fixture
def bridge(samples: AwsEndpoint, broker: Broker, tmp_path: Path) -> Iterator[Engine]:
    (tmp_path / "numbers.json").write_text(json.dumps(RULE))
    engine = bridge_of(samples, broker, tmp_path)
    engine.start()
    yield engine
    engine.stop()


def publish(broker: Broker, gateway: str, *documents: Any) -> None:
    payloads = [d if isinstance(d, bytes) else json.dumps(d).encode() for d in documents]
    with Device(broker.issue_gateway_certificate(gateway), broker.port, gateway) as device:
        device.publish_all(topic(STAGE, gateway), payloads)


def received(samples: AwsEndpoint, count: int, queue: str = "rules") -> list[Any]:
    """Take messages off a queue until there are ``count`` different ones."""
    sqs, found = samples.client("sqs"), {}
    url = sqs.get_queue_url(QueueName=samples.name(queue))["QueueUrl"]

    def enough() -> bool:
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        for message in answer.get("Messages", []):
            found[message["Body"]] = json.loads(message["Body"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return len(found) >= count

    eventually(enough)
    return list(found.values())


def test_a_message_reaches_the_queue_as_the_rule_says(
    samples: AwsEndpoint, broker: Broker, bridge: Engine
) -> None:
    publish(broker, "GW1", {"n": 1}, {"n": -1}, {"n": 2})
    assert sorted(received(samples, 2), key=lambda found: found["n"]) == [
        {"n": 1, "gateway": "GW1"},
        {"n": 2, "gateway": "GW1"},
    ]


def test_a_message_the_rule_cannot_read_goes_to_the_error_queue(
    samples: AwsEndpoint, broker: Broker, bridge: Engine
) -> None:
    publish(broker, "GW1", b"\xff")
    (failed,) = received(samples, 1, "rules-dlq")
    assert failed["ruleName"] == "numbers"
    assert failed["base64OriginalPayload"] == "/w=="


def test_nothing_is_lost_while_the_queue_is_away(
    samples: AwsEndpoint, broker: Broker, bridge: Engine
) -> None:
    samples.ministack.kill()
    publish(broker, "GW2", *[{"n": n} for n in range(30)])
    samples.ministack.start()
    assert {found["n"] for found in received(samples, 30)} == set(range(30))


def test_nothing_is_lost_while_the_bridge_is_away(
    samples: AwsEndpoint, broker: Broker, bridge: Engine
) -> None:
    bridge.kill()
    publish(broker, "GW3", *[{"n": n} for n in range(30)])
    bridge.start()
    assert {found["n"] for found in received(samples, 30)} == set(range(30))


def test_messages_kept_for_the_bridge_outlive_the_broker(
    samples: AwsEndpoint, broker: Broker, bridge: Engine
) -> None:
    bridge.kill()
    publish(broker, "GW4", *[{"n": n} for n in range(5)])
    broker.stop()
    broker.start()
    bridge.start()
    assert {found["n"] for found in received(samples, 5)} == set(range(5))


def test_a_gateway_publishes_to_its_own_topic_alone(broker: Broker) -> None:
    with Device(broker.issue_gateway_certificate("GW5"), broker.port, "GW5") as device:
        assert device.publish(topic(STAGE, "GW5"), b"{}") in (
            mqtt5.PubackReasonCode.SUCCESS,
            mqtt5.PubackReasonCode.NO_MATCHING_SUBSCRIBERS,
        )
        for foreign in (topic(STAGE, "GW6"), "anything", topic("other", "GW5")):
            assert device.publish(foreign, b"{}") == mqtt5.PubackReasonCode.NOT_AUTHORIZED


def test_a_stranger_does_not_connect(broker: Broker, tmp_path: Path) -> None:
    stranger = Authority(tmp_path).issue("GW1")
    trusting = Identity(stranger.certificate, stranger.key, broker.ca_path)
    with Device(trusting, broker.port, "GW1") as device:
        assert device.failure is not None


def test_a_signing_request_gets_a_certificate_in_our_name_not_its_own(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "bridge")])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    signed = Authority(tmp_path).sign(request.public_bytes(Encoding.PEM), "GW7")
    certificate = x509.load_pem_x509_certificate(signed)
    assert certificate.subject.rfc4514_string() == "CN=GW7"
    assert certificate.public_key() == key.public_key()


def test_a_signing_request_with_a_key_the_broker_cannot_use_is_refused(tmp_path: Path) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, None)
    with pytest.raises(ValueError, match="elliptic curve"):
        Authority(tmp_path).sign(request.public_bytes(Encoding.PEM), "GW8")


def test_a_rule_that_cannot_be_read_keeps_the_bridge_from_starting(
    samples: AwsEndpoint, broker: Broker, tmp_path: Path
) -> None:
    (tmp_path / "bad.json").write_text(json.dumps({**RULE, "sql": "SELECT clientid() AS c FROM 'a'"}))
    with pytest.raises(EngineError, match=r"clientid\(\) is not understood"):
        bridge_of(samples, broker, tmp_path).start()


def test_without_its_rule_a_message_reaches_no_queue(
    samples: AwsEndpoint, broker: Broker, tmp_path: Path
) -> None:
    (tmp_path / "other.json").write_text(
        json.dumps({**RULE, "sql": RULE["sql"].replace(" WHERE n >= 0", " WHERE n >= 100")})
    )
    engine = bridge_of(samples, broker, tmp_path)
    engine.start()
    try:
        publish(broker, "GW9", {"n": 1}, {"n": 100})
        assert [found["n"] for found in received(samples, 1)] == [100]
    finally:
        engine.stop()
