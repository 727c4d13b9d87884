"""The real series: NREL's SERF East array, July to October 2016, as the package pvanalytics ships it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from carbonmarket import quantities, times
from carbonmarket.intake.opening import Delivery
from carbonmarket.operations.ingest_readings import Intake, ingest_readings
from carbonmarket_adapters.dynamo.devices import DynamoDevices
from carbonmarket_adapters.dynamo.ingest import DynamoIngest
from edge.sources import Measurement, read_csv
from tests.ingest.story import LATER_US, Site

MONTHS = {
    ("2016-07-01", "2016-08-01"): "857525.8901",
    ("2016-08-01", "2016-09-01"): "862496.1847",
    ("2016-09-01", "2016-10-01"): "869155.4708",
}
AFTERWARDS_US = times.parse_us("2016-11-01T00:00:00Z", "afterwards")


@pytest.fixture(scope="module")
def series() -> list[Measurement]:
    """The 10,000 rows; the package is found, not imported, since importing it needs NumPy."""
    package = importlib.util.find_spec("pvanalytics")
    if package is None or package.origin is None:
        pytest.skip("pvanalytics, which ships the series, is not installed")
    return list(read_csv(Path(package.origin).parent / "data" / "serf_east_15min_ac_power.csv"))


def test_every_row_is_read_exactly(series: list[Measurement]) -> None:
    powers = [row.power_uw for row in series if row.power_uw is not None]
    assert (len(series), len(powers)) == (10_000, 10_000)
    assert min(powers) == -6_353_300
    assert times.format_s(series[0].start_s) == "2016-07-01T07:00:00Z"


@pytest.mark.engines
def test_all_ten_thousand_are_accepted_and_the_months_sum_up(
    series: list[Measurement], site: Site, intake: Intake, devices: DynamoDevices, store: DynamoIngest
) -> None:
    devices.save_gateway(site.gateway)
    devices.save_device(site.meter)
    deliveries = [_message(site, number, series[number * 4 : number * 4 + 4]) for number in range(2_500)]
    for at in range(0, len(deliveries), 40):
        assert ingest_readings(deliveries[at : at + 40], intake).failures == {}
    counts = store.counts(site.project)
    assert (counts.accepted, counts.received) == (10_000, 10_000)
    for (first, last), expected in MONTHS.items():
        bounds = [times.parse_us(f"{day}T00:00:00Z", "day") for day in (first, last)]
        sums = intake.readings.energy(site.project, from_us=bounds[0], to_us=bounds[1])
        assert quantities.format_wh(sums.net_uj) == expected


def _message(site: Site, number: int, rows: list[Measurement]) -> Delivery:
    sent = [site.reading(row.start_s * times.MICROSECONDS, row.power_uw or 0) for row in rows]
    data = site.message(number + 1, *sent, sent_at=times.format_us(LATER_US))
    return site.deliver(data, str(number), AFTERWARDS_US)
