"""A whole market for these tests: the real chain with the contracts, the AWS engines running the steps as
functions, and the HTTP apps called in this process. ``World`` plays its people."""

from __future__ import annotations

import importlib
import itertools
import json
import time
from dataclasses import replace
from typing import Any

import httpx
import jwt
import pytest
from chalice.test import Client
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from carbonmarket import readings, times
from carbonmarket.chain import calls
from carbonmarket.intake.opening import Delivery
from carbonmarket.operations.ingest_readings import ingest_readings
from carbonmarket.settings import Settings
from carbonmarket_adapters.aptos.signers import FileSigner
from infra.bootstrap import PAUSER, admin_address, admit_verifier, bootstrap, test_usdc_address
from infra.local.chain.process import Running
from infra.local.engines.mqtt.authority import Authority
from tests.fixtures.machine import AwsEndpoint, forget_wiring

APPS = ("api_registry", "api_credits", "api_public", "api_readings", "api_market", "api_purchases")
JULY = ("2016-07-01T00:00:00Z", "2016-07-02T00:00:00Z")
_keys = itertools.count(1)


class Refused(AssertionError):
    """The API answered a problem; ``problem`` is its document."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(f"{status}: {problem}")
        self.status = status
        self.problem = problem


class World:
    """The market, its operator and three verifiers."""

    def __init__(self, aws: AwsEndpoint, localnet: Running) -> None:
        self.aws = aws
        self.localnet = localnet
        self.settings = self._settings(aws, localnet)
        aws.machine.environment_file.write_text(json.dumps(self.settings.to_env()))
        self.reviewers: dict[str, Ed25519PrivateKey] = {}
        self.organisations: dict[str, str] = {}

    def _settings(self, aws: AwsEndpoint, localnet: Running) -> Settings:
        keys = FileSigner(aws.machine.state / "keys")
        Authority(aws.machine.state / "ca")
        return replace(
            aws.machine.market_settings(admin_address(keys), test_usdc_address(keys)),
            aptos_node_url=localnet.node,
            chain_id=httpx.get(localnet.node).json()["chain_id"],
            device_authority=str(aws.machine.state / "ca"),
            device_endpoint="127.0.0.1:8883",
        )

    def wire(self, patch: pytest.MonkeyPatch) -> None:
        """Let this process' apps and operations find the market in their environment."""
        for name, value in self.settings.to_env().items():
            patch.setenv(name, value)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "test")
        patch.setenv("POWERTOOLS_TRACE_DISABLED", "true")
        forget_wiring()

    def bootstrap(self) -> None:
        """Publish the contracts, and all that goes with them."""
        from carbonmarket_adapters.wiring import chain, money

        bootstrap(
            chain=chain.chain_access(),
            signer=chain.signer(),
            settings=self.settings,
            ledger=money.ledger(),
            fund=self._fund,
        )

    def open(self) -> None:
        """Publish the contracts, admit three verifiers."""
        from carbonmarket_adapters.wiring import chain

        self.bootstrap()
        for name in ("Rhea", "Rigel", "Rosa"):
            key = Ed25519PrivateKey.generate()
            body = {"name": name, "kind": "verifier", "country": "US"}
            made = self.post(
                "operator",
                "/v1/organisations",
                {**body, "reviewer_key": key.public_key().public_bytes_raw().hex()},
            )
            self.reviewers[made["account_address"]] = key
            self.organisations[made["account_address"]] = made["id"]
            from carbonmarket_adapters.wiring import registry

            organisation = registry.accounts().organisation(made["id"])
            assert organisation is not None
            admit_verifier(chain.chain_access(), organisation)

    def _fund(self, address: str, octas: int) -> None:
        query = {"address": address, "amount": octas}
        httpx.post(self.localnet.faucet + "/mint", params=query, timeout=30).raise_for_status()

    def freeze(self, organisation: str) -> None:
        """The pauser freezes the organisation's account on chain."""
        from carbonmarket_adapters.wiring import chain, registry

        found = registry.accounts().organisation(organisation)
        assert found is not None
        self._fund(chain.signer().address(PAUSER), 10**8)
        key = f"freeze/{organisation}"
        chain.chain_access().submit(
            key, PAUSER, calls.freeze_account(found.account_address, "a test"), sponsored=False
        )
        assert chain.chain_access().await_fate(key).success

    def token(self, organisation: str, *roles: str) -> str:
        """A development token."""
        claims = {
            "sub": f"person-{roles}",
            "org": organisation,
            "roles": list(roles),
            "exp": time.time() + 900,
        }
        return jwt.encode(claims, self.settings.development_key, "HS256")

    def call(
        self,
        method: str,
        path: str,
        *,
        who: tuple[str, ...] | None,
        body: Any = None,
        key: str | None = None,
        raw: bytes | None = None,
    ) -> Any:
        """The HTTP answer; ``who`` is (organisation, role, …), None for a stranger."""
        headers = {"Accept": "application/json"}
        if who is not None:
            headers["Authorization"] = f"Bearer {self.token(*who)}"
        if method == "POST":
            headers["Idempotency-Key"] = key or f"key-{next(_keys)}"
            headers["Content-Type"] = "application/json"
        content = raw if raw is not None else (b"" if body is None else json.dumps(body).encode())
        with Client(self._app(path)) as client:
            return client.http.request(method, path, headers=headers, body=content)

    def post(
        self,
        role: str,
        path: str,
        body: Any = None,
        organisation: str = "ORGPLATFORM",
        key: str | None = None,
    ) -> Any:
        """The JSON of a write that must succeed."""
        return _json(self.call("POST", path, who=(organisation, role), body=body, key=key))

    def get(self, role: str, path: str, organisation: str = "ORGPLATFORM") -> Any:
        """The JSON of a read that must succeed."""
        return _json(self.call("GET", path, who=(organisation, role)))

    def _app(self, path: str) -> Any:
        from chalice.local import RouteMatcher

        for name in APPS:
            app = importlib.import_module(f"functions.{name}.app").app
            try:
                RouteMatcher(list(app.routes)).match_route(path)
            except ValueError:
                continue
            return app
        raise AssertionError(f"no app has a route for {path}")


class Site:
    """A developer's approved project with one gateway and one meter, and its readings of a day."""

    def __init__(self, world: World) -> None:
        self.world = world
        body = {"name": "Sun & Sons", "kind": "developer", "country": "US"}
        self.batch = ""
        self.organisation = world.post("operator", "/v1/organisations", body)["id"]
        self.project = self._project()
        self.key = Ed25519PrivateKey.generate()
        base = f"/v1/projects/{self.project}"
        self.gateway = self.post(
            f"{base}/gateways",
            {"name": "roof", "public_key": self.key.public_key().public_bytes_raw().hex(), "csr": request()},
        )["id"]
        self.device = self.post(f"{base}/devices", METER | {"serial": f"S{self.project}"})["id"]
        self.post(
            f"{base}/devices/{self.device}/calibrations",
            {
                "performed": "2016-06-01T00:00:00Z",
                "valid_until": "2018-06-01T00:00:00Z",
                "laboratory": "Bureau of Scales",
                "error_ppm": -120,
            },
        )

    def post(self, path: str, body: Any = None, key: str | None = None) -> Any:
        """A write of the developer."""
        return self.world.post("developer", path, body, self.organisation, key)

    def get(self, path: str) -> Any:
        """A read of the developer."""
        return self.world.get("developer", path, self.organisation)

    def _project(self) -> str:
        project = self.post("/v1/projects", PROJECT)["id"]
        base = f"/v1/projects/{project}"
        self.upload(project, b"design of the array")
        self.post(f"{base}/submission", {})
        self.world.post("validator", f"{base}/validation", {"comment": "sound"}, "ORGVALIDATOR")
        self.world.post("operator", f"{base}/approval", {})
        return str(project)

    def upload(self, project: str, content: bytes) -> None:
        """Declare a document, upload it and have it kept."""
        documents = f"/v1/projects/{project}/documents"
        declared = self.post(
            documents,
            {
                "name": "Design",
                "kind": "design",
                "media_type": "text/plain",
                "sha256": hashlib_sha256(content),
                "size": str(len(content)),
            },
        )
        upload = declared["upload"]
        httpx.put(upload["url"], content=content, headers=upload["headers"]).raise_for_status()
        self.post(f"{documents}/{declared['id']}/completion")

    def reading(self, start: str = JULY[0], **changes: Any) -> dict[str, Any]:
        """An hour of 1 kW."""
        told = {"device": self.device, "type": "solar_output", "seconds": 3600, "power_uw": 1_000_000_000}
        return {**told, "start": start, **changes}

    def message(self, sequence: int, *sent: dict[str, Any], **changes: Any) -> bytes:
        """The signed bytes of a message of the gateway."""
        told: dict[str, Any] = {
            "environment": self.world.settings.stage,
            "project": self.project,
            "gateway": self.gateway,
            "sequence": sequence,
            "sent_at": JULY[1],
            "readings": sent,
            "key": self.key,
        }
        return readings.sign_message(**{**told, **changes})

    def ingest(self, *messages: bytes, received: str = JULY[1]) -> None:
        """Let the market take messages as the queue would deliver them; each must be decided."""
        from carbonmarket_adapters.wiring import devices

        received_us = times.parse_us(received, "received")
        deliveries = [
            Delivery(key=str(number), gateway=self.gateway, received_us=received_us, data=message)
            for number, message in enumerate(messages)
        ]
        result = ingest_readings(deliveries, devices.intake())
        assert not result.failures, result.failures

    def send_day(self, hours: int = 24, kilowatts: int = 1) -> None:
        """The first hours of a day, each of so many kW and a little more."""
        start_us = times.parse_us(JULY[0], "start")
        self.ingest(
            *(
                self.message(
                    hour + 1,
                    self.reading(
                        times.format_us(start_us + hour * 3_600_000_000),
                        power_uw=kilowatts * 1_000_000_000 + hour,
                    ),
                )
                for hour in range(hours)
            )
        )

    def close(self, key: str | None = None) -> str:
        """Close the day."""
        period = self.post(f"/v1/projects/{self.project}/periods", {"start": JULY[0], "end": JULY[1]}, key)
        return str(period["id"])

    def period(self, period: str) -> Any:
        """The period as the API shows it."""
        return self.get(f"/v1/projects/{self.project}/periods/{period}")

    def await_period(self, period: str, *states: str, seconds: int = 60) -> Any:
        """The period once it is in one of the states."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = self.period(period)
            if found["state"] in states:
                return found
            time.sleep(0.1)
        raise AssertionError(f"period {period} is {found}, not {states}")

    def approve(self, period: str, votes: int = 2) -> None:
        """Let that many of the drawn reviewers approve."""
        for reviewer, task in self.tasks(period)[:votes]:
            self.vote(period, reviewer, task)

    def tasks(self, period: str) -> list[tuple[str, Any]]:
        """(reviewer's address, task) of the drawn reviewers."""
        found = []
        for address, organisation in self.world.organisations.items():
            edges = self.world.get("reviewer", "/v1/reviews?first=100", organisation)["edges"]
            found += [(address, e["node"]) for e in edges if e["node"]["period"] == period]
        return found

    def vote(self, period: str, reviewer: str, task: Any, vote: str = "approve", **changes: Any) -> Any:
        """One reviewer's vote, signed."""
        body = {"vote": vote, "reviewer": reviewer}
        if vote == "approve":
            body["signature"] = (
                self.world.reviewers[reviewer].sign(bytes.fromhex(task["approval"]["bytes"])).hex()
            )
        path = f"/v1/projects/{self.project}/periods/{period}/reviews"
        return self.world.post("reviewer", path, {**body, **changes}, self.world.organisations[reviewer])

    def mint(self, kilowatts: int = 1) -> str:
        """A day of readings all the way to a registered batch; its id."""
        self.send_day(kilowatts=kilowatts)
        period = self.close()
        self.await_period(period, "in_review")
        self.approve(period)
        return str(self.await_period(period, "registered")["batch"])


PROJECT = {
    "name": "East array",
    "description": "6 kW on a roof",
    "country": "US",
    "latitude": "39.742",
    "longitude": "-105.172",
    "technology": "solar",
    "capacity_w": "6000",
    "commissioned": "2016-06-30T00:00:00Z",
    "methodology": "GRID-RENEWABLES-US-RMPA",
    "methodology_version": 1,
}
METER = {
    "type": "solar_output",
    "name": "inverter",
    "manufacturer": "Maker",
    "model": "M1",
    "nameplate": "6000000000",
    "standby": "10000000",
    "interval_seconds": 3600,
    "error_ppm": 10000,
    "reports_from": "2016-07-01T00:00:00Z",
}


def request() -> str:
    """A certificate request of a fresh key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "gateway")])
    made = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM).decode()


def hashlib_sha256(content: bytes) -> str:
    """SHA-256 in hex."""
    import hashlib

    return hashlib.sha256(content).hexdigest()


def _json(response: Any) -> Any:
    document = json.loads(response.body)
    if response.status_code >= 400:
        raise Refused(response.status_code, document)
    return document
