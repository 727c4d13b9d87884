"""Anchoring: parts are decided once, late readings get the next part, and a death anywhere is repaired."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from carbonmarket import canonical, merkle, readings
from carbonmarket.chain.calls import EntryCall
from carbonmarket.errors import EngineUnavailable, NotFound, NotYetFinal
from carbonmarket.operations.anchor_readings import Anchoring, AnchorResult, anchor_readings
from carbonmarket.operations.ingest_readings import Intake, ingest_readings
from carbonmarket.ports.chain import Fate
from carbonmarket_adapters.dynamo.anchors import DynamoAnchors
from carbonmarket_adapters.dynamo.devices import DynamoDevices
from carbonmarket_adapters.dynamo.ingest import DynamoIngest
from carbonmarket_adapters.evidence_store import S3Evidence
from tests.fixtures.machine import AwsEndpoint
from tests.ingest.story import HOUR_US, LATER_US, NOON_US, Site

pytestmark = pytest.mark.engines
END_US = LATER_US + 100 * HOUR_US


class Chain:
    """A chain that keeps the calls it took; ``mood`` says what goes wrong with it."""

    def __init__(self) -> None:
        self.calls: dict[str, EntryCall] = {}
        self.mood = "well"

    def submit(self, key: str, sender: str, call: EntryCall, sponsored: bool = True) -> str:
        if self.mood == "away":
            raise EngineUnavailable("the chain does not answer")
        assert self.calls.setdefault(key, call) == call
        if self.mood == "answer lost":
            raise EngineUnavailable("the chain took it and the answer was lost")
        return "0x" + "1" * 64

    def await_fate(self, key: str, timeout_s: float = 30) -> Fate:
        if self.mood == "slow":
            raise NotYetFinal("the transaction is not final yet")
        if self.mood == "refusing":
            return Fate(state="committed", hash="0x2", abort="data_anchor::E_NO_PROJECT")
        return Fate(state="committed", hash="0x" + "1" * 64, success=True, version=len(self.calls))

    def anchored(self) -> list[tuple[int, int]]:
        """(hour, part) of every call."""
        found: list[tuple[int, int]] = []
        for call in self.calls.values():
            _, (_, hours), (_, parts), *_ = call.args
            found += zip(hours, parts, strict=True)
        return found


@pytest.fixture
def chain() -> Chain:
    return Chain()


@pytest.fixture
def anchoring(anchors: DynamoAnchors, evidence: S3Evidence, intake: Intake, chain: Any) -> Anchoring:
    return Anchoring(
        store=anchors,
        evidence=evidence,
        salts=intake.salts,
        chain=chain,
        oracle="oracle",
        measured=lambda project: frozenset({"solar_output"}),
    )


@pytest.fixture
def reporting(site: Site, devices: DynamoDevices, intake: Intake) -> Site:
    """A site that has reported two hours: one of 1 kW, one of minus 2 W."""
    devices.save_gateway(site.gateway)
    devices.save_device(site.meter)
    report(site, intake, 1, site.reading())
    report(site, intake, 2, site.reading(NOON_US - HOUR_US, -2_000_000))
    return site


def report(site: Site, intake: Intake, sequence: int, *sent: dict[str, Any]) -> None:
    result = ingest_readings([site.deliver(site.message(sequence, *sent))], intake)
    assert result.failures == {}


def test_hours_become_parts_with_roots_and_sums(
    reporting: Site, anchoring: Anchoring, anchors: DynamoAnchors, store: DynamoIngest
) -> None:
    result = anchor_readings(reporting.project, anchoring, now_us=END_US)
    assert result == AnchorResult(parts=2, readings=2, waiting=0, refusals=())
    night, noon = (part for _, part in anchors.parts(reporting.project, from_us=0, to_us=END_US))
    assert (night.positive_uj, night.negative_uj) == ("0", str(2_000_000 * 900))
    assert (noon.positive_uj, noon.negative_uj) == (str(1_000_000_000 * 900), "0")
    assert {night.state, noon.state} == {"anchored"}
    assert store.counts(reporting.project).anchored == 2
    assert reporting.project not in anchors.dirty_projects()


def test_the_root_is_that_of_the_leaves_in_the_evidence(
    reporting: Site, anchoring: Anchoring, anchors: DynamoAnchors, evidence: S3Evidence
) -> None:
    anchor_readings(reporting.project, anchoring, now_us=END_US)
    content = canonical.loads(evidence.part(reporting.project, NOON_US, 0) or b"")
    secret = anchoring.salts.of(reporting.project)
    expected = readings.leaf_hashes(readings.parse_message(reporting.message(1)), secret)
    stored = anchors.part(reporting.project, NOON_US, 0)
    assert stored is not None
    assert content["root"] == stored.root == merkle.root(expected).hex()


def test_an_hour_that_is_not_over_is_left(reporting: Site, anchoring: Anchoring, chain: Chain) -> None:
    anchor_readings(reporting.project, anchoring, now_us=NOON_US + HOUR_US)
    assert chain.anchored() == [((NOON_US - HOUR_US) // 1_000_000, 0)]


def test_energy_that_the_methodology_does_not_measure_is_a_leaf_and_in_no_sum(
    site: Site, devices: DynamoDevices, intake: Intake, anchoring: Anchoring, anchors: DynamoAnchors
) -> None:
    devices.save_gateway(site.gateway)
    devices.save_device(site.meter)
    house = site.device("DEVHOUSE", type="grid_consumption", serial=f"house of {site.project}")
    devices.save_device(house)
    report(site, intake, 1, site.reading(), site.reading(device=house.id, type=house.type))
    anchor_readings(site.project, anchoring, now_us=END_US)
    part = anchors.part(site.project, NOON_US, 0)
    assert part is not None and (part.count, part.positive_uj) == (2, str(1_000_000_000 * 900))


def test_a_message_that_the_evidence_lost_is_written_again_by_its_redelivery_and_anchored(
    site: Site, devices: DynamoDevices, intake: Intake, anchoring: Anchoring, aws: AwsEndpoint
) -> None:
    devices.save_gateway(site.gateway)
    devices.save_device(site.meter)
    report(site, intake, 1)
    s3, bucket = aws.client("s3"), aws.name("evidence")
    (lost,) = s3.list_objects_v2(Bucket=bucket, Prefix=f"messages/{site.project}/")["Contents"]
    s3.delete_object(Bucket=bucket, Key=lost["Key"])
    with pytest.raises(NotFound, match="lacks message 1"):
        anchor_readings(site.project, anchoring, now_us=END_US)
    report(site, intake, 1)
    assert anchor_readings(site.project, anchoring, now_us=END_US).readings == 1


def test_a_second_run_finds_nothing_to_do(reporting: Site, anchoring: Anchoring, chain: Chain) -> None:
    anchor_readings(reporting.project, anchoring, now_us=END_US)
    calls = dict(chain.calls)
    assert anchor_readings(reporting.project, anchoring, now_us=END_US).parts == 0
    assert chain.calls == calls


def test_late_readings_become_the_next_part(
    reporting: Site, intake: Intake, anchoring: Anchoring, chain: Chain
) -> None:
    anchor_readings(reporting.project, anchoring, now_us=END_US)
    report(reporting, intake, 3, reporting.reading(NOON_US + 900_000_000))
    assert anchor_readings(reporting.project, anchoring, now_us=END_US).readings == 1
    assert chain.anchored()[-1] == (NOON_US // 1_000_000, 1)


@pytest.mark.parametrize("mood", ["away", "answer lost"])
def test_a_run_that_dies_at_submission_is_finished_by_the_next(
    mood: str, reporting: Site, anchoring: Anchoring, chain: Chain, store: DynamoIngest
) -> None:
    chain.mood = mood
    with pytest.raises(EngineUnavailable):
        anchor_readings(reporting.project, anchoring, now_us=END_US)
    chain.mood = "well"
    assert anchor_readings(reporting.project, anchoring, now_us=END_US + 1).parts == 2
    assert len(chain.calls) == 1
    assert store.counts(reporting.project).anchored == 2


class DyingAnchors(DynamoAnchors):
    """A store that dies right before, or right after, one of its writes."""

    step = ""
    when = "before"

    def _die(self, step: str, when: str) -> None:
        if (self.step, self.when) == (step, when):
            self.step = ""
            raise KeyboardInterrupt

    def decide_parts(self, *told: Any) -> None:
        self._die("decide", "before")
        super().decide_parts(*told)
        self._die("decide", "after")

    def open_batch(self, *told: Any) -> None:
        self._die("open", "before")
        super().open_batch(*told)
        self._die("open", "after")

    def finish_batch(self, *told: Any) -> None:
        self._die("finish", "before")
        super().finish_batch(*told)
        self._die("finish", "after")


@pytest.mark.parametrize("step", ["decide", "open", "finish"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_death_around_any_write_leaves_each_reading_anchored_once(
    step: str,
    when: str,
    aws: Any,
    reporting: Site,
    anchoring: Anchoring,
    chain: Chain,
    store: DynamoIngest,
) -> None:
    dying = DyingAnchors(aws.settings)
    dying.step, dying.when = step, when
    mortal = msgspec.structs.replace(anchoring, store=dying)
    with pytest.raises(KeyboardInterrupt):
        anchor_readings(reporting.project, mortal, now_us=END_US)
    anchor_readings(reporting.project, mortal, now_us=END_US + 1)
    assert len(chain.anchored()) == len(set(chain.anchored())) == 2
    assert store.counts(reporting.project).anchored == 2


def test_a_fate_that_is_not_known_yet_is_asked_again(
    reporting: Site, anchoring: Anchoring, chain: Chain
) -> None:
    chain.mood = "slow"
    assert anchor_readings(reporting.project, anchoring, now_us=END_US).waiting == 2
    chain.mood = "well"
    assert anchor_readings(reporting.project, anchoring, now_us=END_US).parts == 2
    assert len(chain.calls) == 1


def test_refused_parts_are_tried_again_one_by_one(
    reporting: Site, anchoring: Anchoring, anchors: DynamoAnchors, chain: Chain
) -> None:
    chain.mood = "refusing"
    refused = anchor_readings(reporting.project, anchoring, now_us=END_US)
    assert refused.refusals == ("data_anchor::E_NO_PROJECT",)
    assert [part.record.state for part in anchors.open_parts(reporting.project)] == ["decided", "decided"]
    chain.mood = "well"
    assert anchor_readings(reporting.project, anchoring, now_us=END_US).parts == 2
    assert len(chain.calls) == 3
