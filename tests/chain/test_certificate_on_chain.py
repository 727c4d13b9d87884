"""The true world put on a real chain by the real contracts, and verified against a real node."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from carbonmarket.certificate import bundle, credential
from carbonmarket.chain import calls
from carbonmarket.chain.addresses import canonical
from carbonmarket.cli.node import NodeView
from carbonmarket.methodologies.report import report_hash
from carbonmarket.ports.chain import Fate
from carbonmarket.times import format_us
from carbonmarket.verification import VerificationReport, verify_certificate
from infra.local.chain.process import running
from tests.chain.market import DAY_S, DEVELOPERS, REVIEWERS, START_S, Market
from tests.unit.evidence import world

pytestmark = [pytest.mark.chain, pytest.mark.engines]
BATCH = "BAT1"
YEAR_2016 = (1_451_606_400, 1_483_228_800)


class Certified(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate whose every statement stands on ``node``."""

    certificate: bytes
    evidence: bytes
    subject: credential.Subject
    node: str

    def verify(self, certificate: bytes | None = None) -> VerificationReport:
        data = self.certificate if certificate is None else certificate
        return verify_certificate(data, [world.platform_key()], self.evidence, NodeView(self.node))

    def broken_after(self, **changes: object) -> list[str]:
        """The links that break in a certificate the platform signed with these lies."""
        subject = msgspec.structs.replace(self.subject, **changes)
        lie = world.certified(subject, issued=self.subject.chain.time)
        return [link.name for link in self.verify(lie).broken]


@pytest.fixture(scope="module")
def on_chain(dynamodb_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Certified]:
    with pytest.MonkeyPatch.context() as environment:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            environment.setenv(name, "test")
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        folder = tmp_path_factory.mktemp("evidence")
        with running(folder / "state.db") as localnet:
            market = Market(localnet, dynamodb_url, Path(folder), "evidence")
            yield _certify(market, localnet.node)


def _certify(market: Market, node: str) -> Certified:
    true = world.build()
    market.publish()
    _register(market)
    _anchor(market, true)
    issued, block = _issue(market, true)
    batch_address = canonical(_event(issued, "BatchIssued")["batch"])
    commitment = bytes.fromhex(true.subject.beneficiary_commitment)
    retired = market.do(
        "developer",
        calls.retire(
            batch_address, world.RETIRED, true.subject.retirement, commitment,
            true.subject.reason, true.subject.country, *YEAR_2016,
        ),
    )  # fmt: skip
    first, last = (int(_event(retired, "CreditsRetired")[name]) for name in ("serial_first", "serial_last"))
    transactions = {"issuance": {"hash": issued.hash}, "retirement": {"hash": retired.hash}}
    archive = bundle.write(msgspec.structs.replace(true.parts, transactions=transactions))
    prefix = f"CM-US-{world.PROJECT}-2016-{BATCH}"
    time = format_us(retired.timestamp_us or 0)
    subject = msgspec.structs.replace(
        true.subject,
        serials=f"{prefix}-{first}-{last}",
        batch=credential.Batch(
            id=BATCH,
            address=batch_address,
            serials=f"{prefix}-{block[0]}-{block[1]}",
            issuance_transaction=issued.hash or "",
        ),
        chain=credential.Chain(
            chain_id="4",
            module_address=canonical(market.address_of_market),
            transaction=retired.hash or "",
            version=str(retired.version),
            holder=canonical(market.address("developer")),
            time=time,
        ),
        evidence=msgspec.structs.replace(true.subject.evidence, manifest=bundle.manifest_hash(archive).hex()),
    )
    certificate = world.certified(subject, issued=time)
    return Certified(certificate=certificate, evidence=archive, subject=subject, node=node)


def _register(market: Market) -> None:
    methodology = world.METHODOLOGY
    market.do(
        "admin",
        calls.register_methodology(
            methodology.id, methodology.version, calls.FORMULA_LINEAR, methodology.numerator,
            methodology.denominator, methodology.buffer_bps, methodology.document_hash,
        ),
    )  # fmt: skip
    developer = market.address("developer")
    market.do(
        "issuer",
        calls.register_project(
            world.PROJECT, developer, DEVELOPERS, "US", methodology.id, methodology.version, bytes(32)
        ),
    )


def _anchor(market: Market, true: world.World) -> None:
    for start in range(0, len(true.parts.anchors), 12):
        some = true.parts.anchors[start : start + 12]
        market.do(
            "oracle",
            calls.anchor(
                world.PROJECT,
                [anchor.hour for anchor in some],
                [anchor.part for anchor in some],
                [bytes.fromhex(anchor.root) for anchor in some],
                [anchor.count for anchor in some],
                [int(anchor.positive_uj) for anchor in some],
                [int(anchor.negative_uj) for anchor in some],
                [anchor.uri for anchor in some],
            ),
        )


def _issue(market: Market, true: world.World) -> tuple[Fate, tuple[int, int]]:
    market.do("oracle", calls.close_period(world.PROJECT, START_S, START_S + DAY_S))
    grams, hash_bytes = int(true.report.grams), report_hash(true.report)
    words = [world.PROJECT, str(START_S), str(START_S + DAY_S), str(grams), "0x" + hash_bytes.hex()]
    message = bytes.fromhex(market.outbox.view("reviews::approval_bytes", [], words)[0][2:])
    issued = market.do(
        "issuer",
        calls.issue(
            world.PROJECT, 1, BATCH, grams, hash_bytes,
            [market.address(name) for name in REVIEWERS[:2]],
            [market.signer.sign(name, message) for name in REVIEWERS[:2]],
            0, "https://market.example/batches/1",
        ),
    )  # fmt: skip
    event = _event(issued, "BatchIssued")
    return issued, (int(event["serial_first"]), int(event["serial_last"]))


def _event(fate: Fate, name: str) -> dict[str, str]:
    found: dict[str, str] = next(e["data"] for e in fate.events if e["type"].endswith("::" + name))
    return found


def test_every_link_holds_down_to_the_chain(on_chain: Certified) -> None:
    report = on_chain.verify()
    assert [link for link in report.links if link.status != "passed"] == []


def test_a_retirement_for_somebody_else_is_not_the_chains(on_chain: Certified) -> None:
    assert on_chain.broken_after(beneficiary_commitment="00" * 32) == ["retirement on chain"]
    assert on_chain.broken_after(reason="compliance") == ["retirement on chain"]


def test_a_retirement_that_never_happened_is_not_on_chain(on_chain: Certified) -> None:
    assert on_chain.broken_after(retirement="RETNEVER") == ["retirement on chain"]


def test_another_batch_is_not_the_chains(on_chain: Certified) -> None:
    elsewhere = msgspec.structs.replace(on_chain.subject.batch, address="0x" + "0e" * 32)
    assert on_chain.broken_after(batch=elsewhere) == ["retirement on chain", "batch on chain"]


def test_a_node_of_another_market_knows_nothing_of_it(on_chain: Certified) -> None:
    chain = msgspec.structs.replace(on_chain.subject.chain, module_address="0x" + "0f" * 32)
    assert on_chain.broken_after(chain=chain) == ["retirement on chain", "batch on chain", "anchors on chain"]
