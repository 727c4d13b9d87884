"""From a meter to a root on chain, through every real part there is: the edge agent, the broker, the topic
rule, the queue, the two functions and the contracts."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from carbonmarket import times
from carbonmarket_adapters.dynamo.devices import DynamoDevices
from carbonmarket_adapters.dynamo.ingest import DynamoIngest
from edge.agent import EdgeAgent, Identity
from edge.link import Endpoint, MqttLink
from edge.outbox import Outbox
from edge.sources import read_csv
from infra.declarations import QUEUE_SOURCES
from infra.local.engines.events.poller import Poller
from infra.local.engines.mqtt.broker import Broker, RuleBridge
from tests.fixtures.machine import AwsEndpoint
from tests.infra_local.conftest import eventually
from tests.infra_local.conftest import invoke as invoke_any
from tests.ingest.story import LATER_US
from tests.ingest.story import Site as Stranger
from tests.sagas.world import Site, World

pytestmark = pytest.mark.engines
HOURS = 6


@pytest.fixture
def bridge(aws: AwsEndpoint, broker: Broker) -> Iterator[RuleBridge]:
    """The market's own topic rules between the broker and the queues."""
    state = broker.ca_path.parent.parent
    engine = RuleBridge(state, aws.stage, broker.port, aws.url, state / "bridge.log")
    engine.start()
    yield engine
    engine.stop()


@pytest.fixture
def site(world: World) -> Site:
    """An approved project of its own."""
    return Site(world)


def invoke(aws: AwsEndpoint, name: str, event: dict[str, Any]) -> Any:
    """What a function answers; it must not fail."""
    answer, failure = invoke_any(aws, name, event)
    assert failure is None, answer
    return answer


def send_by_mqtt(site: Site, broker: Broker, folder: Path) -> None:
    """Let the site's gateway sign and deliver hours of a series, each of 1.5 W more."""
    rows = [f"2016-07-01 {hour:02d}:00:00+00:00,{hour * 1.5}" for hour in range(HOURS)]
    series = folder / "series.csv"
    series.write_text("\n".join(["measured_on,ac_power", *rows]) + "\n")
    who = broker.issue_gateway_certificate(site.gateway)
    endpoint = Endpoint(
        host="127.0.0.1",
        port=broker.port,
        certificate=who.certificate,
        key=who.key,
        authority=who.authority,
    )
    identity = Identity(
        environment=site.world.settings.stage,
        project=site.project,
        gateway=site.gateway,
        device=site.device,
        type="solar_output",
        interval_seconds=3600,
    )
    link = MqttLink(endpoint, site.gateway)
    EdgeAgent(identity, site.key, Outbox(folder / "outbox.sqlite"), link).run(read_csv(series))


def test_what_a_meter_says_comes_to_stand_on_chain(
    world: World, site: Site, aws: AwsEndpoint, broker: Broker, bridge: RuleBridge, tmp_path: Path
) -> None:
    from carbonmarket_adapters.wiring import chain

    send_by_mqtt(site, broker, tmp_path)
    (source,) = QUEUE_SOURCES
    poller = Poller(source, aws.client("sqs"), aws.client("lambda"), aws.url, aws.stage)
    base = f"/v1/projects/{site.project}"

    def accepted() -> bool:
        poller.poll_once()
        return bool(site.get(f"{base}/readings/counts")["accepted"] == HOURS)

    eventually(accepted)
    report = invoke(aws, "anchor-readings", {"project": site.project})["projects"][site.project]
    assert report == {"parts": HOURS, "readings": HOURS, "waiting": 0, "refusals": []}

    last = site.get(f"{base}/readings?first=100")["edges"][-1]["node"]
    assert last["values"] == {"power_uw": "7500000"}
    proof = site.get(f"{base}/readings/{last['id']}/proof")
    hour_s = str(times.parse_us(proof["hour"], "hour") // 1_000_000)
    stored = chain.chain_access().view("data_anchor::anchor_of", [], [site.project, hour_s, "0"])
    assert (stored[0], stored[2]) == ("0x" + proof["root"], str(7_500_000 * 3600))


def test_a_message_whose_rule_failed_counts_once_it_is_moved_back(world: World, aws: AwsEndpoint) -> None:
    stranger = Stranger("RULEFAILED")
    devices = DynamoDevices(world.settings)
    devices.save_gateway(stranger.gateway)
    devices.save_device(stranger.meter)
    body = {
        "ruleName": "readings",
        "topic": f"carbonmarket/{aws.stage}/gateways/{stranger.gateway.id}/messages",
        "base64OriginalPayload": base64.b64encode(stranger.message(1)).decode(),
        "failures": [{"failedAction": "SqsAction", "failedResource": "", "errorMessage": "not there"}],
    }
    records = [
        {"messageId": name, "eventSource": "aws:sqs", "body": json.dumps(told)}
        for name, told in (("m1", body), ("m2", {**body, "topic": "elsewhere"}))
    ]
    answer = invoke(aws, "ingest-readings", {"Records": records})
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m2"}]}
    assert DynamoIngest(world.settings).counts(stranger.project).accepted == 1


def test_readings_of_a_project_that_nobody_registered_wait_and_say_why(
    world: World, aws: AwsEndpoint
) -> None:
    stranger = Stranger("NOTONCHAIN")
    devices = DynamoDevices(world.settings)
    devices.save_gateway(stranger.gateway)
    devices.save_device(stranger.meter)
    body = {
        "message": base64.b64encode(stranger.message(1)).decode(),
        "gateway": stranger.gateway.id,
        "received": LATER_US // 1_000,
    }
    record = {"messageId": "m1", "eventSource": "aws:sqs", "body": json.dumps(body)}
    assert invoke(aws, "ingest-readings", {"Records": [record]}) == {"batchItemFailures": []}
    for _ in range(2):
        told = invoke(aws, "anchor-readings", {"project": stranger.project})
        assert (told["projects"], list(told["failed"])) == ({}, [stranger.project])
        assert "there is no project" in told["failed"][stranger.project]
    counts = DynamoIngest(world.settings).counts(stranger.project)
    assert (counts.accepted, counts.anchored) == (1, 0)
