"""The story of the demo, told as it happens."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

import requests
from rich.console import Console

from edge.agent import EdgeAgent, Status
from edge.link import MqttLink
from edge.outbox import Outbox
from edge.sources import read_csv
from infra.local.demo.cast import assemble
from infra.local.demo.client import User
from infra.local.demo.intruders import send_all
from infra.local.demo.market import tell_market
from infra.local.demo.project import register
from infra.local.demo.results import conclude
from infra.local.demo.told import Told
from infra.local.machine import Machine
from infra.local.narrator import Narrator
from infra.local.run import prepare
from infra.local.settings import MachineSettings

READINGS = 10_000
MONTHS = ("2016-07", "2016-08", "2016-09")
GIVEN_G = 250_000
RETIRED_G = 123_456
BENEFICIARY = "Alpine Bakery, Boulder"
_SERIES = "pvanalytics/data/serf_east_15min_ac_power.csv"
# The broker goes away once so many readings were signed.
_OUTAGE_AFTER = READINGS * 2 // 5
_OUTAGE_S = 3


def run_demo(out: Path, ports: dict[str, Any]) -> None:
    """Start a fresh machine, tell the story, leave its results in ``out``, and print what happened."""
    console = Console()
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    settings = replace(MachineSettings(state=out / "machine"), **ports)
    console.print("[bold]The machine[/bold]")
    with Machine(settings, prepare, console) as machine:
        console.print("\n[bold]The story[/bold]")
        told = tell(machine, out, Narrator(console))
        conclude(machine, told, out, console)


def tell(machine: Machine, out: Path, narrator: Narrator) -> Told:
    """From the first organisation to the certificate."""
    settings = machine.settings
    with narrator.chapter("Organisations, reviewers, a solar project: drafted, validated, approved"):
        cast = assemble(settings.gateway_url, settings.market_settings("0x0").development_key)
        keys = out / "keys"
        told = Told(
            cast=cast,
            solar=register(cast, cast.developer, "SERF East", "SERF-EAST-AC-1", keys, settings.stage),
            neighbour=register(cast, cast.neighbour, "Mesa East", "MESA-EAST-AC-1", keys, settings.stage),
        )
    with narrator.chapter(
        "Readings: signed on the roof, sent by MQTT, a broker outage in the middle", READINGS
    ) as at:
        _send_readings(machine, told, out, at)
    with narrator.chapter("Five messages that must be refused"):
        told.sent = READINGS + send_all(told.solar, told.neighbour, time.time_ns() // 1_000)
        _await_counts(told)
    with narrator.chapter("Hourly roots anchored on chain", READINGS) as at:
        _anchor(machine, told, at)
    with narrator.chapter("July, August, September: quantified, reviewed, minted", len(MONTHS)) as at:
        for number, month in enumerate(MONTHS, 1):
            _mint(told, month)
            at(number)
    with narrator.chapter("The developer gives the buyer a part of July"):
        _give(told)
    with narrator.chapter(f"The buyer retires {RETIRED_G:,} g"):
        _retire(told)
    told.market = tell_market(machine, told, narrator)
    return told


def _send_readings(machine: Machine, told: Told, out: Path, at: Callable[[int], None]) -> None:
    """The gateway works in a thread of its own; this one takes the broker away and brings it back."""
    outbox = Outbox(out / "gateway-outbox.sqlite")
    gateway = told.solar
    agent = EdgeAgent(
        gateway.identity, gateway.signing_key, outbox, MqttLink(gateway.endpoint, gateway.identity.gateway)
    )
    due = threading.Event()

    def progress(status: Status) -> None:
        at(status.readings)
        if status.readings >= _OUTAGE_AFTER:
            due.set()

    with ThreadPoolExecutor(1) as executor:
        sending = executor.submit(agent.run, read_csv(series()), progress)
        while not due.wait(0.1) and not sending.done():
            pass
        machine.broker.stop()
        time.sleep(_OUTAGE_S)
        machine.broker.start()
        sending.result()


def series() -> Path:
    """NREL's SERF East array: 10,000 readings of 15 minutes in W, from the package pvanalytics."""
    for file in metadata.files("pvanalytics") or ():
        if str(file) == _SERIES:
            return Path(str(file.locate()))
    raise FileNotFoundError(f"{_SERIES} is not installed; run: make setup")


def _await_counts(told: Told) -> None:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        counts = told.counts()
        rejected = sum(counts["rejected"].values()) + sum(told.neighbour_counts()["rejected"].values())
        if counts["accepted"] + rejected >= told.sent:
            return
        time.sleep(0.5)
    raise TimeoutError(f"of {told.sent} readings sent, {counts} came within five minutes")


def _anchor(machine: Machine, told: Told, at: Callable[[int], None]) -> None:
    """What the hourly schedule does, asked for now."""
    from carbonmarket_adapters.wiring import aws
    from infra.declarations import resource_name

    name = resource_name(machine.settings.stage, "anchor-readings")
    answer = aws("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=b"{}")
    if answer["StatusCode"] >= 300:
        raise RuntimeError(f"anchor-readings answered {answer['StatusCode']}")
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        counts = told.counts()
        at(counts["anchored"])
        if counts["anchored"] >= counts["accepted"]:
            return
        time.sleep(0.5)
    raise TimeoutError(f"{counts['anchored']} of {counts['accepted']} readings are anchored after 5 minutes")


def _mint(told: Told, month: str) -> None:
    developer = told.cast.developer.user
    base = f"/v1/projects/{told.project}/periods"
    start, end = _month(month)
    opened = developer.post(base, {"start": start, "end": end}, key=f"period-{month}")
    path = f"{base}/{opened['id']}"
    developer.until(path, ("in_review", "rejected"))
    _review(told, opened["id"])
    period = developer.until(path, ("registered", "rejected"))
    if period["state"] == "rejected":
        raise RuntimeError(f"the period {month} was rejected: {period['reason']}")
    told.periods[month] = period
    told.reports[month] = developer.get(f"{path}/report")
    told.batches[month] = developer.get(f"/v1/batches/{period['batch']}")


def _month(month: str) -> tuple[str, str]:
    year, number = (int(part) for part in month.split("-"))
    following = f"{year + number // 12}-{number % 12 + 1:02}"
    return f"{month}-01T00:00:00Z", f"{following}-01T00:00:00Z"


def _review(told: Told, period: str) -> None:
    """The drawn reviewers read the report and sign the number, until the quorum is reached."""
    signed = 0
    for reviewer in told.cast.reviewers:
        for task in list(reviewer.party.user.nodes("/v1/reviews")):
            if task["period"] != period or task["vote"] is not None or signed == 2:
                continue
            signature = reviewer.key.sign(bytes.fromhex(task["approval"]["bytes"]))
            reviewer.party.user.post(
                f"/v1/projects/{told.project}/periods/{period}/reviews",
                {"vote": "approve", "reviewer": task["reviewer"], "signature": signature.hex()},
                key=f"{period}-{reviewer.party.id}",
            )
            signed += 1


def _give(told: Told) -> None:
    batch = told.batches[MONTHS[0]]["id"]
    body = {"batch": batch, "to": told.cast.buyer.id, "grams": str(GIVEN_G)}
    told.transfer = told.cast.developer.user.post("/v1/transfers", body, key="gift-of-july")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for node in told.cast.buyer.user.nodes("/v1/holdings"):
            if node["batch"] == batch and int(node["grams"]) >= GIVEN_G:
                return
        time.sleep(0.2)
    raise TimeoutError("the buyer's holding was not seen within a minute")


def _retire(told: Told) -> None:
    from carbonmarket_adapters.snapshots import retired_by_batch
    from carbonmarket_adapters.wiring import chain

    buyer = told.cast.buyer.user
    body = {
        "batch": told.batches[MONTHS[0]]["id"],
        "grams": str(RETIRED_G),
        "reason": "voluntary",
        "country": "US",
        "period_start": "2016-07-01T00:00:00Z",
        "period_end": "2016-08-01T00:00:00Z",
        "beneficiary": {"name": BENEFICIARY, "name_is_public": True},
    }
    ordered = buyer.post("/v1/retirements", body, key="bread-of-july")
    _watch_certificate(told.cast.public, ordered["id"])
    told.retirement = buyer.until(f"/v1/retirements/{ordered['id']}", ("certified", "failed"))
    told.retired_before = retired_by_batch(chain.projection().everything())
    told.personal = (BENEFICIARY,)


def _watch_certificate(public: User, id: str) -> None:
    """The certificate's URL answers from the first second: 202 with the state, then 200, never 404."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        answer: requests.Response = public.ask("GET", f"/v1/certificates/{id}")
        if answer.status_code == 200:
            return
        time.sleep(0.1)
    raise TimeoutError(f"the certificate is still {answer.json()['state']} after two minutes")
