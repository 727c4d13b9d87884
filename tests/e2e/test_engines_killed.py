"""An engine that is killed in the middle of the work costs a moment and nothing else.

Each test kills one engine or process the hard way, starts it again, and sees that what was under way is done
once: no reading lost or counted twice, no gram minted, given or retired twice.
"""

from __future__ import annotations

import csv
import datetime
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from edge.outbox import Outbox
from infra.declarations import QUEUES
from tests.e2e.crashes import dying, processes, restart
from tests.e2e.market import (
    DAY_BUFFER_GRAMS,
    DAY_GRAMS,
    DAY_READINGS,
    Market,
    Site,
    eventually,
)

pytestmark = pytest.mark.usefixtures("lawful")

SAGAS_ENGINES = ("AWS endpoint", "DynamoDB Local", "Aptos localnet")
READINGS_ENGINES = ("MQTT broker", "topic rules", "queues and schedules", "AWS endpoint", "DynamoDB Local")


@pytest.fixture
def site(market: Market) -> Site:
    return Site(market)


@pytest.fixture(scope="module", autouse=True)
def impatient(market: Market) -> Iterator[None]:
    """What an invocation took and did not finish comes back in seconds, not after the queue's 6 minutes."""
    from carbonmarket_adapters.wiring import aws

    sqs = aws("sqs")
    url = sqs.get_queue_url(QueueName=f"carbonmarket-{market.machine.settings.stage}-readings")["QueueUrl"]
    (declared,) = (queue for queue in QUEUES if queue.name == "readings")
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "3"})
    # A poll that began before still hides what it takes for 6 minutes; none waits longer than this.
    time.sleep(2.5)
    yield
    seconds = str(declared.visibility_seconds)
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": seconds})


@pytest.mark.parametrize("engine", READINGS_ENGINES)
def test_no_reading_is_lost_or_counted_twice(market: Market, site: Site, engine: str) -> None:
    before = site.counts()
    day = site.day(site.new_day())
    site.send(day[:12])
    restart(market, engine)
    site.send(day[12:])
    after = eventually(lambda: all_accepted(site, before["accepted"] + DAY_READINGS))
    assert after["accepted"] == before["accepted"] + DAY_READINGS
    assert after["rejected"] == before["rejected"]


def all_accepted(site: Site, expected: int) -> Any:
    counts = site.counts()
    return counts if counts["accepted"] >= expected else None


def test_a_killed_ingest_function_leaves_its_messages_in_the_queue(market: Market, site: Site) -> None:
    before = site.counts()
    with dying(market, "functions.ingest_readings.handler.handler"):
        site.send(site.day(site.new_day()))
        after = eventually(lambda: all_accepted(site, before["accepted"] + DAY_READINGS))
    assert after["accepted"] == before["accepted"] + DAY_READINGS
    assert after["rejected"] == before["rejected"]


def test_a_killed_gateway_goes_on_where_it_was(market: Market, site: Site, tmp_path: Path) -> None:
    before = site.counts()
    series = written_series(tmp_path / "series.csv", hours=240)
    command = edge_command(site, series, tmp_path)
    outbox = tmp_path / "outbox.sqlite"

    first = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    eventually(lambda: outbox.exists() and signed(outbox) > 0)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    subprocess.run(command, check=True, capture_output=True)

    after = eventually(lambda: all_accepted(site, before["accepted"] + 960))
    assert after["accepted"] == before["accepted"] + 960
    assert after["rejected"] == before["rejected"]


def signed(outbox: Path) -> int:
    """How many readings the gateway has signed so far."""
    kept = Outbox(outbox)
    try:
        return kept.progress().readings
    finally:
        kept.close()


def written_series(path: Path, hours: int) -> Path:
    """Four quarters an hour of 1 kW, in a time that no other test uses."""
    begin = datetime.datetime(2016, 12, 1, tzinfo=datetime.UTC)
    quarter = datetime.timedelta(minutes=15)
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("measured_on", "ac_power"))
        rows.writerows(((begin + number * quarter).isoformat(), "1000") for number in range(hours * 4))
    return path


def edge_command(site: Site, series: Path, folder: Path) -> list[str]:
    """What the neighbour's gateway runs."""
    identity, endpoint = site.gateway.identity, site.gateway.endpoint
    key = folder / "signing.pem"
    key.write_bytes(site.gateway.signing_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    options = {
        "environment": identity.environment,
        "project": identity.project,
        "gateway": identity.gateway,
        "device": identity.device,
        "csv": series,
        "signing-key": key,
        "host": endpoint.host,
        "port": endpoint.port,
        "certificate": endpoint.certificate,
        "key": endpoint.key,
        "authority": endpoint.authority,
        "outbox": folder / "outbox.sqlite",
    }
    pairs = [(f"--{name}", str(value)) for name, value in options.items()]
    return [sys.executable, "-m", "edge", *(part for pair in pairs for part in pair)]


def minted(market: Market, site: Site, strike: Callable[[], None]) -> tuple[Any, int]:
    """Close and mint a day; ``strike`` once while it is quantified and once after the votes. The period
    as it ended, and what the owner holds of its batch."""
    path = site.close(site.sent_day())
    strike()
    site.until(path, "in_review", "rejected")
    eventually(lambda: site.approve(path) or True)
    strike()
    period = site.until(path, "registered", "rejected")
    held = eventually(lambda: market.holding(site.owner, period["batch"]))
    return period, held


@pytest.mark.parametrize("engine", SAGAS_ENGINES)
def test_a_day_is_minted_once(market: Market, site: Site, engine: str) -> None:
    period, held = minted(market, site, lambda: restart(market, engine))
    assert (period["state"], period["grams"]) == ("registered", str(DAY_GRAMS))
    assert held == DAY_GRAMS - DAY_BUFFER_GRAMS
    batches = [b for b in site.owner.user.nodes("/v1/batches") if b["period"] == period["id"]]
    assert [batch["id"] for batch in batches] == [period["batch"]]


@pytest.mark.parametrize("step", ["quantify", "mint"])
def test_a_day_is_minted_once_though_a_step_is_killed(market: Market, site: Site, step: str) -> None:
    with dying(market, f"functions.mint.steps.{step}"):
        period, held = minted(market, site, lambda: None)
    assert (period["state"], held) == ("registered", DAY_GRAMS - DAY_BUFFER_GRAMS)


@pytest.mark.parametrize("engine", SAGAS_ENGINES)
def test_grams_are_retired_once(market: Market, engine: str) -> None:
    retired_once(market, lambda: restart(market, engine))


@pytest.mark.parametrize("step", ["retire", "render"])
def test_grams_are_retired_once_though_a_step_is_killed(market: Market, step: str) -> None:
    with dying(market, f"functions.retire.steps.{step}"):
        retired_once(market, lambda: None)


def retired_once(market: Market, strike: Callable[[], None]) -> None:
    """The buyer's 100 g become one certificate, whatever strikes meanwhile."""
    cast = market.told.cast
    batch = market.told.batches["2016-07"]["id"]
    before = market.holding(cast.buyer, batch)
    ordered = market.retire(100)
    strike()
    path = f"/v1/certificates/{ordered['id']}"
    eventually(lambda: cast.public.ask("GET", path).status_code == 200)
    eventually(lambda: market.holding(cast.buyer, batch) != before)
    assert market.holding(cast.buyer, batch) == before - 100


def test_a_killed_watcher_is_followed_by_another(market: Market) -> None:
    cast = market.told.cast
    batch = market.told.batches["2016-08"]["id"]
    before = market.holding(cast.buyer, batch)
    watcher = "functions.watch_chain.handler.handler"
    market.invoke("watch-chain")
    eventually(lambda: processes(market, watcher))

    def seen() -> bool:
        # The schedule's part; the killed watcher's lease has to run out first.
        market.invoke("watch-chain")
        time.sleep(1)
        return market.holding(cast.buyer, batch) != before

    with dying(market, watcher, times=1):
        body = {"batch": batch, "to": cast.buyer.id, "grams": "250"}
        cast.developer.user.post("/v1/transfers", body, key=f"gift-{time.time_ns()}")
        eventually(seen)
    assert market.holding(cast.buyer, batch) == before + 250
