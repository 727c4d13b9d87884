"""The real contracts on a real chain: one project with one issued batch, and the watcher over them."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import pytest

from carbonmarket.chain import calls
from carbonmarket.chain.aborts import refused
from carbonmarket.chain.addresses import canonical
from carbonmarket.chain.calls import EntryCall
from carbonmarket.ports.chain import Fate
from carbonmarket.projection.watch import advance
from carbonmarket.records.chain import Batch
from carbonmarket_adapters.aptos.client import NodeClient
from carbonmarket_adapters.aptos.source import NodeSource
from carbonmarket_adapters.dynamo.chain import ChainTable
from carbonmarket_adapters.dynamo.chain_writer import ChainWriter
from infra.local.chain import compiler
from infra.local.chain.process import Running
from tests.chain.world import OCTAS, World
from tests.fixtures.machine import forget_wiring

MOVE = Path(__file__).resolve().parent.parent.parent / "move"
PROJECT, BATCH_ID, METHODOLOGY = "PRJSERFEAST", "BATJULY", "AMSID"
DAY_S = 86_400
START_S = 1_467_331_200  # 2016-07-01
JOULES = 10**6
ISSUED = 500_000
REVIEWERS = ("reviewer1", "reviewer2", "reviewer3")
DEVELOPERS, REVIEWERS_ORGANISATION = b"\x01" * 32, b"\x02" * 32
REPORT = hashlib.sha256(b"report").digest()


class Market(World):
    """The contracts published by "admin", a project of "developer", reviewers, and a watcher."""

    def __init__(self, localnet: Running, dynamodb_url: str, folder: Path, stage: str) -> None:
        super().__init__(localnet, dynamodb_url, folder, stage)
        # Publishing is longer than what an Ed25519 key of KMS signs.
        self.signer.create("admin", "secp256k1")
        for name in ("issuer", "oracle", "developer", "buyer", *REVIEWERS):
            self.signer.create(name)
        self.address_of_market = self.address("admin")
        self.settings = dataclasses.replace(self.settings, market_address=self.address_of_market)
        self.fund("admin", 100 * OCTAS)
        self.projection = ChainTable(self.settings)
        self.writer = ChainWriter(self.settings)
        self.connect(localnet)

    def connect(self, localnet: Running) -> None:
        """Go on with the node of ``localnet``."""
        self.localnet = localnet
        self.settings = dataclasses.replace(self.settings, aptos_node_url=localnet.node)
        self.node = NodeClient(localnet.node)
        self.source = NodeSource(self.node)
        self.outbox = self.make_outbox(allowed=calls.sponsored_names(self.address_of_market))

    def wire(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let functions find this market in their environment, and forget what they were wired to."""
        for name, value in self.settings.to_env().items():
            monkeypatch.setenv(name, value)
        forget_wiring()

    def do(self, sender: str, call: EntryCall, key: str = "") -> Fate:
        """Submit and wait; raises what the contract said if it refused."""
        digest = hashlib.sha256(repr((call, key)).encode()).hexdigest()[:16]
        name = key or f"{call.name}/{digest}"
        self.outbox.submit(name, sender, call, sponsored=sender != "admin")
        fate = self.outbox.await_fate(name)
        if not fate.success:
            raise refused(fate)
        return fate

    def publish(self) -> None:
        """Publish the contracts and hand out the roles."""
        built = compiler.build(MOVE, {"carbon_market": self.address_of_market})
        arguments = (("vector<u8>", built.metadata), ("vector<vector<u8>>", tuple(built.codes)))
        publish = EntryCall(module="0x1::code", function="publish_package_txn", args=arguments)
        self.do("admin", publish)
        for role, name in ((calls.ROLE_ISSUER, "issuer"), (calls.ROLE_ORACLE, "oracle")):
            self.do("admin", calls.grant_role(role, self.address(name)))
        self.do("admin", calls.grant_role(calls.ROLE_PAUSER, self.address_of_market))
        for name in REVIEWERS:
            key = self.signer.public_key(name).key
            self.do("admin", calls.register_verifier(self.address(name), key, REVIEWERS_ORGANISATION))
        document = hashlib.sha256(b"methodology").digest()
        self.do(
            "admin",
            calls.register_methodology(METHODOLOGY, 1, calls.FORMULA_LINEAR, 1, JOULES, 1_000, document),
        )

    def register(self, project: str = PROJECT) -> None:
        """Register a project of "developer"."""
        developer = self.address("developer")
        metadata = hashlib.sha256(b"project").digest()
        self.do(
            "issuer",
            calls.register_project(project, developer, DEVELOPERS, "US", METHODOLOGY, 1, metadata),
        )

    def anchor(self, hours: int = 24) -> None:
        """Anchor the first hours of the period, enough for a million grams each."""
        at = [START_S + 3_600 * hour for hour in range(hours)]
        roots = [hashlib.sha256(str(hour).encode()).digest() for hour in at]
        for first in range(0, hours, 20):
            some = slice(first, min(first + 20, hours))
            count = len(at[some])
            self.do(
                "oracle",
                calls.anchor(
                    PROJECT,
                    at[some],
                    [0] * count,
                    roots[some],
                    [4] * count,
                    [10**6 * JOULES] * count,
                    [JOULES] * count,
                    [f"s3://evidence/{hour}" for hour in at[some]],
                ),
            )

    def issue(self, batch_id: str = BATCH_ID, grams: int = ISSUED, day: int = 0) -> Batch:
        """Close one day and issue ``grams`` on it; returns the batch as projected."""
        start = START_S + day * DAY_S
        closed = self.do("oracle", calls.close_period(PROJECT, start, start + DAY_S))
        number = next(
            int(event["data"]["number"])
            for event in closed.events
            if event["type"].endswith("::data_anchor::PeriodClosed")
        )
        words = [PROJECT, str(start), str(start + DAY_S), str(grams), "0x" + REPORT.hex()]
        message = bytes.fromhex(self.outbox.view("reviews::approval_bytes", [], words)[0][2:])
        signers = REVIEWERS[:2]
        self.do(
            "issuer",
            calls.issue(
                PROJECT,
                number,
                batch_id,
                grams,
                REPORT,
                [self.address(name) for name in signers],
                [self.signer.sign(name, message) for name in signers],
                0,
                "https://carbonmarket.dev/batches/" + batch_id,
            ),
        )
        self.watch()
        batch = self.projection.batch(batch_id)
        assert batch is not None
        return batch

    def watch(self) -> int:
        """Watch until nothing is left to see; versions folded."""
        folded = 0
        while True:
            progress = advance(self.source, self.writer, canonical(self.address_of_market))
            folded += progress.versions
            if progress.versions == progress.undone == 0:
                return folded

    def held(self, name: str, batch: Batch) -> int:
        return self.projection.holding(self.address(name), batch.address)
