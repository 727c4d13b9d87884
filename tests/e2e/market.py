"""The market of these tests, and its neighbour's site, on which anything may be tried: the demo's numbers
are those of the solar project alone."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from carbonmarket import readings, times
from infra.declarations import resource_name
from infra.local.demo.cast import Party
from infra.local.demo.client import ApiRefused
from infra.local.demo.intruders import publish
from infra.local.demo.project import INTERVAL_S, Gateway
from infra.local.demo.told import Told
from infra.local.machine import Machine

T = TypeVar("T")
HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
DAY_READINGS = 96
# A kilowatt all day is 24 kWh, times 0.605983 kg/kWh, in whole grams; the contract keeps 2 % as a buffer.
DAY_GRAMS = 14_543
DAY_BUFFER_GRAMS = 291
_FIRST_DAY_US = times.parse_us("2016-07-02T00:00:00Z", "first day")
_POWER_UW = 1_000_000_000
_INTERVAL_US = INTERVAL_S * 1_000_000
_days = itertools.count()
_orders = itertools.count(1)


@dataclass(frozen=True)
class Market:
    """The machine after the demo, what was told, its summary, the folder of its results, what it printed."""

    machine: Machine
    told: Told
    summary: dict[str, Any]
    out: Path
    printed: str

    @property
    def certificate(self) -> Path:
        """The demo's certificate, with its evidence beside it."""
        return self.out / "certificate.json"

    def invoke(self, function: str) -> None:
        """What a schedule does: invoke and not wait."""
        from carbonmarket_adapters.wiring import aws

        name = resource_name(self.machine.settings.stage, function)
        aws("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=b"{}")

    def retire(self, grams: int, **changes: Any) -> Any:
        """The buyer orders a retirement of some grams of the demo's July batch."""
        body = {
            "batch": self.told.batches["2016-07"]["id"],
            "grams": str(grams),
            "reason": "voluntary",
            "country": "US",
            "period_start": "2016-07-01T00:00:00Z",
            "period_end": "2016-08-01T00:00:00Z",
            "beneficiary": {"name": "Alpine Bakery, Boulder", "name_is_public": False},
        }
        key = f"order-{next(_orders)}"
        return self.told.cast.buyer.user.post("/v1/retirements", body | changes, key=key)

    def holding(self, owner: Party, batch: str) -> int:
        """What an organisation holds of a batch, in grams, as the API says it."""
        return sum(int(n["grams"]) for n in owner.user.nodes("/v1/holdings") if n["batch"] == batch)


class Site:
    """The neighbour's roof: its gateway, and days of readings that nobody has used yet."""

    def __init__(self, market: Market) -> None:
        self.owner = market.told.cast.neighbour
        self.gateway: Gateway = market.told.neighbour
        self.reviewers = market.told.cast.reviewers
        self.path = f"/v1/projects/{self.gateway.identity.project}"

    def counts(self) -> Any:
        """What became of the project's readings."""
        return self.owner.user.get(f"{self.path}/readings/counts")

    def new_day(self) -> int:
        """The start in µs of a day of which nothing was sent."""
        return _FIRST_DAY_US + next(_days) * DAY_US

    def message(self, sequence: int, start_us: int, device: str = "", readings_count: int = 4) -> bytes:
        """The signed quarters of an hour. Each has its own value, since equal ones count as stale."""
        identity = self.gateway.identity
        starts_us = [start_us + quarter * _INTERVAL_US for quarter in range(readings_count)]
        return readings.sign_message(
            environment=identity.environment,
            project=identity.project,
            gateway=identity.gateway,
            sequence=sequence,
            sent_at=times.format_us(time.time_ns() // 1_000),
            readings=[
                {
                    "device": device or identity.device,
                    "type": identity.type,
                    "start": times.format_us(at),
                    "seconds": INTERVAL_S,
                    "power_uw": _POWER_UW + at % DAY_US // _INTERVAL_US,
                }
                for at in starts_us
            ],
            key=self.gateway.signing_key,
        )

    def day(self, start_us: int) -> list[bytes]:
        """A day's messages. A sequence number is its hour's, so that no two days share one."""
        return [self.message(at // HOUR_US, at) for at in range(start_us, start_us + DAY_US, HOUR_US)]

    def send(self, messages: list[bytes]) -> None:
        """Publish on the gateway's topic."""
        publish(self.gateway, messages)

    def sent_day(self) -> int:
        """A day whose readings have all been accepted; its start in µs."""
        start_us = self.new_day()
        expected = self.counts()["accepted"] + DAY_READINGS
        self.send(self.day(start_us))
        eventually(lambda: self.counts()["accepted"] >= expected)
        return start_us

    def close(self, start_us: int) -> str:
        """Close a day; the path of its period."""
        body = {"start": times.format_us(start_us), "end": times.format_us(start_us + DAY_US)}
        period = self.owner.user.post(f"{self.path}/periods", body, key=f"day-{start_us}")
        return f"{self.path}/periods/{period['id']}"

    def approve(self, period: str) -> None:
        """Two of the drawn reviewers sign the number."""
        id, signed = period.rsplit("/", 1)[-1], 0
        for reviewer in self.reviewers:
            for task in list(reviewer.party.user.nodes("/v1/reviews")):
                if task["period"] != id or signed == 2:
                    continue
                signature = reviewer.key.sign(bytes.fromhex(task["approval"]["bytes"])).hex()
                body = {"vote": "approve", "reviewer": task["reviewer"], "signature": signature}
                reviewer.party.user.post(f"{period}/reviews", body, key=f"{id}-{reviewer.party.id}")
                signed += 1

    def until(self, path: str, *states: str) -> Any:
        """The thing at a path once it is in one of the states. An engine may be on its way back."""

        def reached() -> Any:
            found = self.owner.user.get(path)
            return found if found["state"] in states else None

        return eventually(reached)


def eventually(ask: Callable[[], T | None], seconds_max: float = 120) -> T:
    """The first truthy answer, through engines that restart; the limit only ends a wait for ever."""
    deadline = time.monotonic() + seconds_max
    last: object = "nothing"
    while time.monotonic() < deadline:
        try:
            answer = ask()
            if answer:
                return answer
            last = answer
        except ApiRefused as error:
            if error.status < 500:
                raise
            last = error
        except (BotoCoreError, ClientError, OSError) as error:
            last = error
        time.sleep(0.1)
    raise AssertionError(f"waited in vain; the last answer was {last}")


@contextmanager
def unwatched(market: Market) -> Iterator[None]:
    """Hold the watcher's lease, so that the projection stands still unless the test moves it."""
    from carbonmarket_adapters.dynamo.chain_writer import Lease
    from carbonmarket_adapters.dynamo.table import DocumentTable, Kind, Write
    from carbonmarket_adapters.wiring import chain, settings
    from functions.watch_chain.handler import RENEW_S

    far = time.time_ns() // 1_000 + DAY_US
    lease = Lease(holder="the test", until_us=far)
    DocumentTable(settings(), "chain").put(Write(Kind("lease", Lease), "LEASE", "LEASE", lease))
    # The watcher that had it asks for it again by then.
    time.sleep(RENEW_S + 1)
    watch()
    try:
        yield
    finally:
        chain.chain_writer().release("the test")
        market.invoke("watch-chain")


def watch() -> None:
    """Fold what the chain has, as the watcher would; through a step that another watcher still ends."""
    from carbonmarket.chain.addresses import canonical
    from carbonmarket.errors import StaleWrite
    from carbonmarket.projection.watch import Progress, advance
    from carbonmarket_adapters.wiring import chain, settings

    while True:
        try:
            done = advance(chain.chain_source(), chain.chain_writer(), canonical(settings().market_address))
        except StaleWrite:
            continue
        if done == Progress(0, 0, 0):
            return
