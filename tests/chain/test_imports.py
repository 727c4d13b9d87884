"""Credits of another registry on the real chain: seen with their origin, traded, retired, and verified."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec import UNSET

from carbonmarket.certificate import credential
from carbonmarket.chain import calls, market_calls
from carbonmarket.chain.addresses import canonical
from carbonmarket.chain.calls import EntryCall
from carbonmarket.cli.node import NodeView
from carbonmarket.errors import ChainRefused
from carbonmarket.labels import label_names
from carbonmarket.operations.find_credits import imported_batch
from carbonmarket.projection.watch import differences, rebuilt
from carbonmarket.records.chain import Batch, Origin
from carbonmarket.times import format_us
from carbonmarket.verification import verify_certificate
from tests.chain.exchange import FEE_CAP_BPS, TICK, Exchange
from tests.unit.evidence import world as evidence

pytestmark = [pytest.mark.chain, pytest.mark.engines]

YEAR_2016 = (1_451_606_400, 1_483_228_800)
GRAMS = 5_000_000
SERIAL = "ACR-US-102-2016-1 to 5"


def bringing(exchange: Exchange, batch_id: str, serial: str) -> EntryCall:
    return calls.import_batch(
        owner=exchange.address("developer"),
        batch_id=batch_id,
        registry="ACR",
        registry_serial=serial,
        project="ACR102",
        project_name="Air Bag Gas Substitution",
        country="US",
        methodology="Industrial Gas Substitution",
        vintage_start=YEAR_2016[0],
        vintage_end=YEAR_2016[1],
        grams=GRAMS,
        labels=1,
        uri="",
    )


@pytest.fixture(scope="module")
def imported(open_exchange: Exchange) -> Batch:
    """A batch of another registry."""
    open_exchange.do("issuer", bringing(open_exchange, "IMP1", SERIAL))
    open_exchange.watch()
    batch = open_exchange.projection.batch("IMP1")
    assert batch is not None
    return batch


def test_an_import_is_seen_with_its_origin_and_its_owner(exchange: Exchange, imported: Batch) -> None:
    origin = Origin(registry="ACR", serial=SERIAL, project_name="Air Bag Gas Substitution")
    assert imported.origin == origin
    assert label_names(imported.labels) == ["ccp", "not-measured-here"]
    assert exchange.held("developer", imported) == GRAMS
    told = imported_batch("IMP1", exchange.outbox)
    assert told is not None
    assert (told.address, told.origin, told.grams) == (imported.address, origin, GRAMS)
    assert imported_batch(exchange.batch.id, exchange.outbox) is None
    assert imported_batch("IMP9", exchange.outbox) is None


def test_a_serial_comes_in_once(exchange: Exchange, imported: Batch) -> None:
    with pytest.raises(ChainRefused, match="This serial of this registry was imported before"):
        exchange.do("issuer", bringing(exchange, "IMP2", SERIAL))


def test_it_trades_like_others_and_its_retirement_is_verified_as_not_measured(
    exchange: Exchange, imported: Batch
) -> None:
    exchange.do("issuer", market_calls.open_book(imported.address, exchange.quote, TICK, 1, 5, 64))
    exchange.watch()
    book = exchange.trading.book_of(imported.address)
    assert book is not None
    for owner, is_bid in (("developer", False), ("buyer", True)):
        call = market_calls.place_order(
            book.number, is_bid, market_calls.GTC, TICK, 1000, FEE_CAP_BPS, 0, 0, True
        )
        exchange.act(owner, call)
    assert exchange.claimable("buyer", imported.address) == 1000
    true = evidence.build().subject
    commitment = bytes.fromhex(true.beneficiary_commitment)
    retired = exchange.do(
        "buyer",
        market_calls.retire_claimable(
            imported.address, 123, "RETIMPORT", commitment, true.reason, true.country, *YEAR_2016
        ),
    )
    exchange.watch()
    [event] = [each["data"] for each in retired.events if each["type"].endswith("::CreditsRetired")]
    prefix = "CM-US-ACR102-2016-IMP1"
    subject = msgspec.structs.replace(
        true,
        retirement="RETIMPORT",
        serials=f"{prefix}-{event['serial_first']}-{event['serial_last']}",
        batch=credential.Batch(
            id="IMP1",
            address=imported.address,
            serials=f"{prefix}-{imported.serial_first}-{imported.serial_last}",
        ),
        project=credential.Project(id="ACR102", name="Air Bag Gas Substitution", country="US"),
        vintage=credential.Span(start="2016-01-01T00:00:00Z", end="2017-01-01T00:00:00Z"),
        methodology=credential.Methodology(id="Industrial Gas Substitution", version="0"),
        gateways=(),
        evidence=UNSET,
        origin=credential.Origin(registry="ACR", serial=SERIAL),
        chain=credential.Chain(
            chain_id="4",
            module_address=canonical(exchange.address_of_market),
            transaction=retired.hash or "",
            version=str(retired.version),
            holder=exchange.address("buyer"),
            time=format_us(retired.timestamp_us or 0),
        ),
    )

    def broken(**changes: Any) -> list[str]:
        said = evidence.certified(msgspec.structs.replace(subject, **changes), issued=subject.chain.time)
        report = verify_certificate(said, [evidence.platform_key()], chain=NodeView(exchange.localnet.node))
        return [link.name for link in report.broken]

    assert broken() == []
    assert broken(origin=credential.Origin(registry="ACR", serial="ACR-1")) == ["batch on chain"]
    measured = {
        "batch": msgspec.structs.replace(subject.batch, issuance_transaction=retired.hash),
        "methodology": true.methodology,
        "gateways": true.gateways,
        "evidence": true.evidence,
        "origin": UNSET,
    }
    assert broken(**measured) == ["batch on chain"]


def test_the_projection_of_imports_is_the_same_when_folded_afresh(
    exchange: Exchange, imported: Batch
) -> None:
    cursor = exchange.projection.cursor()
    assert cursor is not None
    anew = rebuilt(exchange.source, exchange.address_of_market, cursor.version)
    assert differences(exchange.projection.everything(), anew) == []
