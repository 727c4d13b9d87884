"""How long the sagas mint and retire take on a whole machine, without the reviewers' thinking."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from carbonmarket import readings, times
from carbonmarket.intake.opening import Delivery
from infra.benchmarks.figures import RUNS
from infra.local.demo.cast import Cast, assemble
from infra.local.demo.client import User, development_token
from infra.local.demo.project import Gateway, register
from infra.local.settings import MachineSettings

_FIRST_DAY_US = times.parse_us("2016-07-02T00:00:00Z", "day")
_DAY_US = 86_400 * times.MICROSECONDS
_INTERVAL_US = 900 * times.MICROSECONDS
_POLL_S = 0.02
_WITHIN_S = 60
_GRAMS = "1000"


def bench_sagas(machine: MachineSettings, folder: Path) -> dict[str, list[float]]:
    """Seconds of RUNS mints and RUNS retirements, from the POST to the last state, after one of each that
    starts the functions' processes.

    Each mints one day of a small project (96 readings, anchored before). A mint's time is that from the
    POST to the reviewers' tasks and from the deciding vote's answer to the registered batch.
    """
    cast = assemble(machine.gateway_url, machine.market_settings("0x0").development_key)
    gateway = register(cast, cast.developer, "Bench", "BENCH-1", folder / "keys", machine.stage)
    _anchor_days(gateway, RUNS + 1)
    holder = User(
        machine.gateway_url,
        development_token(
            machine.market_settings("0x0").development_key,
            subject="buyer-1",
            organisation=cast.developer.id,
            roles=("buyer",),
        ),
    )
    mints, retirements = [], []
    for day in range(RUNS + 1):
        seconds, batch = _mint(cast, gateway.identity.project, day)
        mints.append(seconds)
        retirements.append(_retire(holder, batch, day))
    return {"mint_s": mints[1:], "retire_s": retirements[1:]}


def mint_one(machine: MachineSettings, folder: Path) -> str:
    """Mint one day of a small project; the batch, which its developer holds."""
    cast = assemble(machine.gateway_url, machine.market_settings("0x0").development_key)
    gateway = register(cast, cast.developer, "Bench", "BENCH-1", folder / "keys", machine.stage)
    _anchor_days(gateway, 1)
    return _mint(cast, gateway.identity.project, 0)[1]


def _anchor_days(gateway: Gateway, days: int) -> None:
    from carbonmarket.operations.anchor_readings import anchor_readings
    from carbonmarket.operations.ingest_readings import ingest_readings
    from carbonmarket_adapters.wiring import devices
    from carbonmarket_adapters.wiring.anchors import anchoring

    result = ingest_readings([_day(gateway, number) for number in range(days)], devices.intake())
    accepted = sum(outcome.accepted for outcome in result.outcomes.values())
    if accepted != days * _DAY_US // _INTERVAL_US:
        raise AssertionError(f"{accepted} readings of {days} days were accepted: {result.failures}")
    anchor_readings(gateway.identity.project, anchoring(), now_us=time.time_ns() // 1_000)


def _day(gateway: Gateway, number: int) -> Delivery:
    """A day of about 2 kW, in one message. No two powers are the same: a meter that stands still is stale."""
    start_us = _FIRST_DAY_US + number * _DAY_US
    identity = gateway.identity
    data = readings.sign_message(
        environment=identity.environment,
        project=identity.project,
        gateway=identity.gateway,
        sequence=number + 1,
        sent_at=times.format_us(start_us + _DAY_US),
        readings=[
            {
                "device": identity.device,
                "type": identity.type,
                "start": times.format_us(at_us),
                "seconds": identity.interval_seconds,
                "power_uw": 2_000_000_000 + index,
            }
            for index, at_us in enumerate(range(start_us, start_us + _DAY_US, _INTERVAL_US))
        ],
        key=gateway.signing_key,
    )
    return Delivery(key=str(number), gateway=identity.gateway, received_us=start_us + _DAY_US, data=data)


def _mint(cast: Cast, project: str, day: int) -> tuple[float, str]:
    """Seconds, and the batch."""
    developer = cast.developer.user
    base = f"/v1/projects/{project}/periods"
    start_us = _FIRST_DAY_US + day * _DAY_US
    span = {"start": times.format_us(start_us), "end": times.format_us(start_us + _DAY_US)}
    began = time.perf_counter()
    period = developer.post(base, span, key=f"day-{day}")["id"]
    _await(developer, f"{base}/{period}", "in_review")
    asked = time.perf_counter()
    _vote(cast, project, period)
    decided = time.perf_counter()
    registered = _await(developer, f"{base}/{period}", "registered")
    return round(asked - began + time.perf_counter() - decided, 3), registered["batch"]


def _vote(cast: Cast, project: str, period: str) -> None:
    """Two of the drawn reviewers approve."""
    votes = 0
    for reviewer in cast.reviewers:
        for task in reviewer.party.user.nodes("/v1/reviews"):
            if task["period"] == period and votes < 2:
                signature = reviewer.key.sign(bytes.fromhex(task["approval"]["bytes"]))
                reviewer.party.user.post(
                    f"/v1/projects/{project}/periods/{period}/reviews",
                    {"vote": "approve", "reviewer": task["reviewer"], "signature": signature.hex()},
                    key=f"{period}-{reviewer.party.id}",
                )
                votes += 1


def _retire(holder: User, batch: str, day: int) -> float:
    order = {
        "batch": batch,
        "grams": _GRAMS,
        "reason": "voluntary",
        "country": "US",
        "period_start": "2016-07-01T00:00:00Z",
        "period_end": "2016-08-01T00:00:00Z",
        "beneficiary": {"name": "Benchmark"},
    }
    began = time.perf_counter()
    ordered = holder.post("/v1/retirements", order, key=f"retire-{day}")
    _await(holder, f"/v1/retirements/{ordered['id']}", "certified")
    return round(time.perf_counter() - began, 3)


def _await(user: User, path: str, state: str) -> Any:
    deadline = time.monotonic() + _WITHIN_S
    while time.monotonic() < deadline:
        found = user.get(path)
        if found["state"] == state:
            return found
        if found["state"] in ("rejected", "failed"):
            raise RuntimeError(f"{path} is {found['state']}: {found.get('reason')}")
        time.sleep(_POLL_S)
    raise TimeoutError(f"{path} is {found['state']} after {_WITHIN_S} s, not {state}")
