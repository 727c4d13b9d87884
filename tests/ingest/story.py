"""The people and things of these tests: a project with a gateway and a solar meter, and what they send."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from carbonmarket import readings, times
from carbonmarket.intake.opening import Delivery
from carbonmarket.records.devices import Device, Gateway

ENVIRONMENT = "test"
NOON_US = times.parse_us("2016-07-01T19:00:00Z", "noon")
LATER_US = times.parse_us("2016-07-01T21:00:00Z", "later")
HOUR_US = 3_600_000_000


class Site:
    """One project's gateway and meter; names differ by ``name`` so that tests share a table."""

    def __init__(self, name: str) -> None:
        self.project = f"PRJ{name}"
        self.key = Ed25519PrivateKey.generate()
        self.gateway = Gateway(
            id=f"GW{name}",
            project=self.project,
            organisation="ORG1",
            name="roof",
            public_key=self.key.public_key().public_bytes_raw().hex(),
            certificate_fingerprint="00" * 32,
            created_us=0,
        )
        self.meter = self.device(f"DEV{name}")

    def device(self, identifier: str, **changes: Any) -> Device:
        """A 6 kW solar meter of this project."""
        told: dict[str, Any] = {
            "id": identifier,
            "project": self.project,
            "organisation": "ORG1",
            "type": "solar_output",
            "name": "inverter",
            "manufacturer": "Maker",
            "model": "M1",
            "serial": identifier,
            "nameplate": 6_000_000_000,
            "standby": 10_000_000,
            "interval_seconds": 900,
            "error_ppm": 10_000,
            "from_us": 0,
            "created_us": 0,
        }
        return Device(**{**told, **changes})

    def reading(
        self, start_us: int = NOON_US, power_uw: int = 1_000_000_000, **changes: Any
    ) -> dict[str, Any]:
        """A quarter of an hour of the meter."""
        reading = {
            "device": self.meter.id,
            "type": "solar_output",
            "start": times.format_us(start_us),
            "seconds": 900,
            "power_uw": power_uw,
        }
        return reading | changes

    def message(self, sequence: int, *sent: dict[str, Any], **changes: Any) -> bytes:
        """The signed bytes of a message; without readings it holds the one of noon."""
        told: dict[str, Any] = {
            "environment": ENVIRONMENT,
            "project": self.project,
            "gateway": self.gateway.id,
            "sequence": sequence,
            "sent_at": times.format_us(NOON_US + HOUR_US),
            "readings": sent or (self.reading(),),
            "key": self.key,
        }
        return readings.sign_message(**{**told, **changes})

    def deliver(self, data: bytes, key: str = "m1", received_us: int = LATER_US) -> Delivery:
        """The bytes as they come out of the queue, from this gateway's topic."""
        return Delivery(key=key, gateway=self.gateway.id, received_us=received_us, data=data)
