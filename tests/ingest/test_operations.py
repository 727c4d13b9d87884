"""The function at the queue, proofs, replays, and who may see what."""

from __future__ import annotations

import base64
import json
from types import SimpleNamespace
from typing import Any

import pytest

from carbonmarket import canonical, merkle
from carbonmarket.errors import Conflict, NotFound, NotYetFinal
from carbonmarket.operations.anchor_readings import Anchoring, anchor_readings
from carbonmarket.operations.ingest_readings import Intake, ingest_readings
from carbonmarket.operations.list_readings import list_readings
from carbonmarket.operations.list_rejects import NO_PROJECT, list_rejects
from carbonmarket.operations.prove_reading import prove_reading
from carbonmarket.operations.replay_reject import replay_reject
from carbonmarket.ports.registry import Kept
from carbonmarket.records.principal import DEVELOPER, OPERATOR, Principal
from carbonmarket_adapters.dynamo.anchors import DynamoAnchors
from carbonmarket_adapters.dynamo.devices import DynamoDevices
from carbonmarket_adapters.dynamo.ingest import DynamoIngest
from carbonmarket_adapters.evidence_store import S3Evidence
from tests.ingest.story import HOUR_US, LATER_US, NOON_US, Site
from tests.ingest.test_anchor import Chain

pytestmark = pytest.mark.engines

OWNER = Principal(subject="u1", organisation="ORG1", roles=frozenset({DEVELOPER}))
STRANGER = Principal(subject="u2", organisation="ORG2", roles=frozenset({DEVELOPER}))
REGISTRAR = Principal(subject="u3", organisation="ORG3", roles=frozenset({OPERATOR}))


class Registry:
    """A registry in which every project is a draft of ORG1."""

    def project(self, project: str) -> Kept[Any]:
        return Kept(SimpleNamespace(id=project, organisation="ORG1", state="draft"), 1)


REGISTRY: Any = Registry()


@pytest.fixture
def installed(site: Site, devices: DynamoDevices) -> Site:
    devices.save_gateway(site.gateway)
    devices.save_device(site.meter)
    return site


def test_a_proof_leads_from_the_reading_to_the_anchored_root(
    installed: Site, intake: Intake, anchors: DynamoAnchors, evidence: S3Evidence
) -> None:
    quarters = [installed.reading(NOON_US + n * 900_000_000, n) for n in range(3)]
    ingest_readings([installed.deliver(installed.message(1, *quarters))], intake)
    told: dict[str, Any] = {
        "caller": OWNER,
        "registry": REGISTRY,
        "store": intake.readings,
        "anchors": anchors,
        "evidence": evidence,
    }
    name = f"{installed.gateway.id}:1:{installed.meter.id}:{NOON_US + 900_000_000}"
    with pytest.raises(NotYetFinal):
        prove_reading(installed.project, name, **told)
    chain: Any = Chain()
    anchoring = Anchoring(
        store=anchors,
        evidence=evidence,
        salts=intake.salts,
        chain=chain,
        oracle="oracle",
        measured=lambda project: frozenset({"solar_output"}),
    )
    anchor_readings(installed.project, anchoring, now_us=LATER_US + HOUR_US)
    proof = prove_reading(installed.project, name, **told)
    leaf = merkle.leaf_hash(bytes.fromhex(proof.salt) + canonical.dumps(proof.leaf_data))
    path = [bytes.fromhex(node) for node in proof.path]
    assert merkle.verify_inclusion(leaf, proof.index, proof.size, path, bytes.fromhex(proof.root))
    stored = anchors.part(installed.project, NOON_US, 0)
    assert stored is not None
    assert (proof.root, proof.size, proof.transaction) == (stored.root, 3, stored.transaction)
    with pytest.raises(NotFound):
        prove_reading(installed.project, name.replace(":1:", ":2:"), **told)


def test_a_reject_is_replayed_once_the_device_is_registered(
    installed: Site, intake: Intake, store: DynamoIngest, devices: DynamoDevices
) -> None:
    ingest_readings([installed.deliver(installed.message(1, installed.reading(device="DEVLATE")))], intake)
    ((_, reject),) = list_rejects(
        installed.project, after=None, first=10, caller=OWNER, registry=REGISTRY, store=store
    )
    told: dict[str, Any] = {"caller": OWNER, "registry": REGISTRY, "intake": intake, "now_us": LATER_US}
    with pytest.raises(Conflict, match="still refused"):
        replay_reject(installed.project, reject.id, **told)
    devices.save_device(installed.device("DEVLATE", serial=f"{installed.project}-late"))
    assert replay_reject(installed.project, reject.id, **told).state == "replayed"
    assert replay_reject(installed.project, reject.id, **told).state == "replayed"
    counts = store.counts(installed.project)
    assert (counts.received, counts.accepted, counts.rejected) == (1, 1, {})


def test_strangers_see_no_rejects_and_only_operators_those_of_no_gateway(store: DynamoIngest) -> None:
    told: dict[str, Any] = {"after": None, "first": 10, "registry": REGISTRY, "store": store}
    with pytest.raises(NotFound):
        list_rejects("PRJ1", caller=STRANGER, **told)
    with pytest.raises(Exception, match="you need the role operator"):
        list_rejects(NO_PROJECT, caller=OWNER, **told)
    assert isinstance(list_rejects(NO_PROJECT, caller=REGISTRAR, **told), list)


def test_readings_are_listed_in_pages(installed: Site, intake: Intake) -> None:
    quarters = [installed.reading(NOON_US + n * 900_000_000, n) for n in range(3)]
    ingest_readings([installed.deliver(installed.message(1, *quarters))], intake)
    told: dict[str, Any] = {
        "device": None,
        "from_us": 0,
        "to_us": LATER_US,
        "first": 1,
        "caller": OWNER,
        "registry": REGISTRY,
        "readings": intake.readings,
    }
    first = list_readings(installed.project, after=None, **told)
    assert len(first) == 2
    rest = list_readings(installed.project, after=first[0][0], **told)
    assert [p.values["power_uw"] for _, p in [first[0], *rest]] == [0, 1, 2]


def test_the_function_reports_only_the_message_it_could_not_read(
    installed: Site, intake: Intake, store: DynamoIngest, monkeypatch: pytest.MonkeyPatch
) -> None:
    from functions.ingest_readings import handler as function

    monkeypatch.setattr(function, "intake", lambda: intake)
    monkeypatch.setenv("POWERTOOLS_TRACE_DISABLED", "true")
    body = {
        "message": base64.b64encode(installed.message(1)).decode(),
        "gateway": installed.gateway.id,
        "received": LATER_US // 1_000,
    }
    records = [
        {"messageId": name, "eventSource": "aws:sqs", "body": text}
        for name, text in (("good", json.dumps(body)), ("bad", "not what the rule sends"))
    ]
    context = SimpleNamespace(
        function_name="ingest", memory_limit_in_mb=1, invoked_function_arn="arn", aws_request_id="1"
    )
    answer = function.handler({"Records": records}, context)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "bad"}]}
    assert store.counts(installed.project).accepted == 1
