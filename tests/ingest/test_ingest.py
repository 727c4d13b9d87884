"""Ingestion over real engines: DynamoDB Local, S3 with object lock, SQLite."""

from __future__ import annotations

from typing import Any

import pytest

from carbonmarket.errors import Conflict, EngineUnavailable, NotFound
from carbonmarket.operations.ingest_readings import Intake, ingest_readings
from carbonmarket.ports.readings import Point
from carbonmarket.records.devices import MessageRef
from carbonmarket_adapters.dynamo.devices import DynamoDevices
from carbonmarket_adapters.dynamo.ingest import DynamoIngest
from carbonmarket_adapters.evidence_store import S3Evidence
from carbonmarket_adapters.readings import open_store
from carbonmarket_adapters.readings.sqlite import SqliteReadings
from tests.fixtures.machine import AwsEndpoint
from tests.ingest.story import HOUR_US, NOON_US, Site

pytestmark = pytest.mark.engines


@pytest.fixture
def installed(site: Site, devices: DynamoDevices) -> Site:
    """The site with its gateway and meter registered."""
    devices.save_gateway(site.gateway)
    devices.save_device(site.meter)
    return site


def test_good_and_bad_readings_end_where_they_belong(
    installed: Site, intake: Intake, store: DynamoIngest, readings: SqliteReadings
) -> None:
    bad = installed.reading(NOON_US + 900_000_000, power_uw=7_000_000_000)
    result = ingest_readings([installed.deliver(installed.message(1, installed.reading(), bad))], intake)
    assert result.failures == {}
    stored = list(readings.range(installed.project, from_us=0, to_us=NOON_US + HOUR_US))
    assert [point.start_us for point in stored] == [NOON_US]
    ((_, reject),) = store.rejects(installed.project)
    assert reject.reason == "above_nameplate"
    counts = store.counts(installed.project)
    assert (counts.received, counts.accepted, counts.rejected) == (2, 1, {"above_nameplate": 1})


def test_the_evidence_holds_the_very_bytes_that_were_signed(
    installed: Site, intake: Intake, store: DynamoIngest, evidence: S3Evidence
) -> None:
    data = installed.message(1)
    ingest_readings([installed.deliver(data)], intake)
    hour = store.hours([(installed.project, NOON_US)])[(installed.project, NOON_US)]
    (ref,) = hour.record.pending
    assert evidence.messages(installed.project, [ref]) == {(ref.gateway, 1, ref.hash): data}


def test_delivered_ten_times_it_counts_once(installed: Site, intake: Intake, store: DynamoIngest) -> None:
    delivery = installed.deliver(installed.message(1))
    for _ in range(10):
        ingest_readings([delivery], intake)
    counts = store.counts(installed.project)
    assert (counts.accepted, counts.redelivered, counts.rejected) == (1, 9, {})


@pytest.mark.parametrize("url", ["influx+https://host/bucket", "none", "", "sqlite://relative/path"])
def test_a_readings_store_that_does_not_exist_is_refused_with_its_setting_named(url: str) -> None:
    with pytest.raises(EngineUnavailable, match="CARBONMARKET_READINGS_STORE must be sqlite"):
        open_store(url)


class DyingStore(SqliteReadings):
    """A readings store that is away for one write, as after a kill between commit and points."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.away = True

    def write(self, points: Any) -> None:
        if self.away:
            raise EngineUnavailable("the readings store does not answer")
        super().write(points)


def test_a_death_between_commit_and_points_is_healed_by_the_redelivery(
    installed: Site, intake: Intake, store: DynamoIngest, tmp_path: Any
) -> None:
    dying = DyingStore(str(tmp_path / "dying.sqlite"))
    delivery = installed.deliver(installed.message(1))
    broken = Intake(
        environment=intake.environment,
        devices=intake.devices,
        store=intake.store,
        readings=dying,
        evidence=intake.evidence,
        salts=intake.salts,
    )
    assert list(ingest_readings([delivery], broken).failures) == ["m1"]
    dying.away = False
    assert ingest_readings([delivery], broken).failures == {}
    assert len(list(dying.range(installed.project, from_us=0, to_us=NOON_US + 1))) == 1
    assert store.counts(installed.project).accepted == 1


def test_two_gateways_messages_of_one_hour_both_count(
    installed: Site, intake: Intake, store: DynamoIngest
) -> None:
    first = installed.deliver(installed.message(1), "m1")
    second = installed.deliver(installed.message(2, installed.reading(NOON_US + 900_000_000)), "m2")
    assert ingest_readings([first, second], intake).failures == {}
    hour = store.hours([(installed.project, NOON_US)])[(installed.project, NOON_US)].record
    assert hour.claims == {installed.meter.id: ((0, 1800),)}


def test_a_batch_beyond_one_transaction_is_split(
    installed: Site, intake: Intake, store: DynamoIngest
) -> None:
    deliveries = [
        installed.deliver(installed.message(n, installed.reading(NOON_US - n * HOUR_US)), f"m{n}")
        for n in range(1, 61)
    ]
    assert ingest_readings(deliveries, intake).failures == {}
    assert store.counts(installed.project).accepted == 60


def test_a_new_device_reports_at_once(installed: Site, intake: Intake, devices: DynamoDevices) -> None:
    before = ingest_readings([installed.deliver(installed.message(1))], intake)
    assert before.outcomes["m1"].accepted == 1
    devices.save_device(installed.device("DEVLATER"))
    reading = installed.reading(device="DEVLATER")
    after = ingest_readings([installed.deliver(installed.message(2, reading))], intake)
    assert after.outcomes["m1"].accepted == 1


def test_a_meter_reports_to_one_project_at_a_time(site: Site, devices: DynamoDevices) -> None:
    devices.save_device(site.meter)
    other = Site(site.project[3:] + "X")
    again = other.device("DEVOTHER", serial=site.meter.serial, from_us=NOON_US)
    with pytest.raises(Conflict, match="reports to another project"):
        devices.save_device(again)
    devices.end_device(site.project, site.meter.id, NOON_US)
    devices.save_device(again)
    assert devices.devices(other.project) == [again]


def test_evidence_is_never_written_over(aws: AwsEndpoint, evidence: S3Evidence, site: Site) -> None:
    evidence.put_parts(site.project, {(NOON_US, 0): b"{}"})
    evidence.put_parts(site.project, {(NOON_US, 0): b"{}"})
    with pytest.raises(Conflict, match="written before"):
        evidence.put_parts(site.project, {(NOON_US, 0): b"[]"})
    assert evidence.part(site.project, NOON_US, 0) == b"{}"


def test_missing_evidence_is_named(evidence: S3Evidence, site: Site) -> None:
    ref = MessageRef(gateway="GW1", sequence=7, hash="ab" * 32, hour_us=NOON_US, readings=(0,))
    with pytest.raises(NotFound, match="message 7 of gateway GW1"):
        evidence.messages(site.project, [ref])


def test_energy_is_exact_beyond_64_bits(readings: SqliteReadings) -> None:
    power = 2**53 - 1
    points = [
        Point(
            project="PRJ",
            gateway="GW",
            sequence=1,
            index=n,
            device="DEV",
            type="solar_output",
            start_us=n * HOUR_US,
            seconds=3600,
            values={"power_uw": power if n % 2 else -power},
            leaf="00" * 32,
            received_us=0,
        )
        for n in range(2_000)
    ]
    readings.write(points)
    readings.write(points)
    sums = readings.energy("PRJ", from_us=0, to_us=2_000 * HOUR_US)
    assert (sums.count, sums.positive_uj, sums.negative_uj) == (2_000, 3_600_000 * power, 3_600_000 * power)
    assert sums.net_uj == 0


def test_a_range_goes_on_after_a_cursor(readings: SqliteReadings) -> None:
    points = [
        Point(
            project="PRJ",
            gateway="GW",
            sequence=1,
            index=n,
            device=f"DEV{n % 3}",
            type="solar_output",
            start_us=n // 3,
            seconds=1,
            values={"power_uw": n},
            leaf="00" * 32,
            received_us=0,
        )
        for n in range(9)
    ]
    readings.write(points)
    first = list(readings.range("PRJ", from_us=0, to_us=3, limit=4))
    rest = readings.range("PRJ", from_us=0, to_us=3, after=(first[-1].start_us, first[-1].device))
    assert [*first, *rest] == points
    assert [p.index for p in readings.range("PRJ", device="DEV1", from_us=1, to_us=3)] == [4, 7]
