"""Marks and weights: what a trade, a review and a period's readings say of a party."""

from __future__ import annotations

import base64
import json
from typing import Any

import msgspec
import pytest

from carbonmarket import ratings, times
from carbonmarket.methodologies.report import DeviceInputs, Line, MrvReport
from carbonmarket.records.chain import Batch
from carbonmarket.records.devices import Reject
from carbonmarket.records.market import Trade
from carbonmarket.records.registry import Period, Review
from carbonmarket.reputation import BEST

START, END = (times.parse_us(f"2016-07-0{day}T00:00:00Z", "day") for day in (1, 3))
SELLER, BUYER = "0x" + "5" * 64, "0x" + "b" * 64

TRADE = Trade(
    index="00000000000000000007:0001",
    book=1,
    batch="0x1",
    asset="0x2",
    maker=SELLER,
    taker=BUYER,
    taker_is_bid=True,
    price=5_000_000,
    grams=2_000_000,
    quote=10_000_000,
    maker_fee=1,
    taker_fee=1,
    time_us=0,
    version=7,
    transaction="0x3",
)
BATCH = Batch(
    address="0x1",
    id="BAT1",
    project="PRJ1",
    period_number=1,
    period_start_s=0,
    period_end_s=1,
    developer=SELLER,
    country="US",
    methodology="M",
    methodology_version=1,
    report_hash="0x",
    serial_first=1,
    serial_last=1_000,
    issued=1_000,
    buffered=0,
    labels=0,
    uri="",
    version=1,
    transaction="0x4",
    time_us=0,
)
PERIOD = Period(
    id="PER1",
    project="PRJ1",
    organisation="ORG1",
    start_us=START,
    end_us=END,
    state="registered",
    closed_by="person",
    created_us=END,
    report_hash="aa",
)


def report(**lines: int) -> MrvReport:
    """Two days of one device that started with the second, and 100 readings."""
    device = DeviceInputs(
        device="DEV1",
        type="solar_output",
        started_us=START + (END - START) // 2,
        ended_us=None,
        interval_seconds=900,
        auxiliary_uw=0,
        error_ppm=0,
        calibrations=(),
    )
    return MrvReport(
        version=1,
        methodology="M",
        methodology_version=1,
        methodology_document="",
        project="PRJ1",
        period_start_us=START,
        period_end_us=END,
        devices=(device,),
        readings=100,
        positive_uj="0",
        negative_uj="0",
        grams="0",
        lines=tuple(
            Line(key=key, label="", value=str(value), unit="1", source="", rounding="")
            for key, value in lines.items()
        ),
    )


def reject(message: Any, received_us: int = END, count: int = 3) -> Reject:
    """A refused message of three readings."""
    content = message if isinstance(message, bytes) else json.dumps(message).encode()
    return Reject(
        id="REJ1",
        project="PRJ1",
        gateway="GW1",
        sequence=1,
        reason="bad_signature",
        detail="",
        readings=(),
        count=count,
        message=base64.b64encode(content).decode(),
        received_us=received_us,
    )


@pytest.mark.parametrize(("taker_is_bid", "sides"), [(True, (SELLER, BUYER)), (False, (BUYER, SELLER))])
def test_the_seller_delivers_and_the_buyer_pays(taker_is_bid: bool, sides: tuple[str, str]) -> None:
    trade = msgspec.structs.replace(TRADE, taker_is_bid=taker_is_bid)
    seller, buyer = sides
    delivered, paid = ratings.delivery(trade, BATCH, buyer), ratings.payment(trade, buyer)
    assert (delivered.subject, delivered.counterparty, delivered.mark) == (seller, buyer, BEST)
    assert (paid.subject, paid.counterparty, paid.mark) == (buyer, seller, BEST)


def test_what_was_reversed_was_not_delivered() -> None:
    reversed_batch = msgspec.structs.replace(BATCH, reversed=251)
    assert ratings.delivery(TRADE, reversed_batch, BUYER).mark == 7_490


@pytest.mark.parametrize(
    ("quote", "weight"), [(1, 1), (10**6, 1), (4 * 10**6, 2), (10**10, 100), (10**16, 100)]
)
def test_a_trade_weighs_the_root_of_its_dollars(quote: int, weight: int) -> None:
    assert ratings.payment(msgspec.structs.replace(TRADE, quote=quote), BUYER).weight == weight


def test_a_trade_is_named_by_its_place_within_what_the_contract_takes() -> None:
    assert ratings.payment(TRADE, BUYER).reference == "trade/00000000000000000007:0001"
    assert len(ratings.payment(TRADE, BUYER).reference) <= 64


@pytest.mark.parametrize(("vote", "mark"), [("approve", BEST), ("refuse", 0)])
def test_a_reviewers_vote_is_the_mark(vote: Any, mark: int) -> None:
    voted = Review(
        id="REV1",
        project="PRJ1",
        period="PER1",
        reviewer=BUYER,
        organisation="ORG2",
        report_hash="aa",
        grams=1,
        asked_us=0,
        vote=vote,
    )
    said = ratings.review(voted, SELLER)
    assert (said.subject, said.counterparty, said.mark) == (SELLER, BUYER, mark)


@pytest.mark.parametrize(
    ("lines", "rejected", "mark"),
    [
        ({}, 0, BEST),
        # A quarter of the day that the device was there.
        ({"gap_time": 21_600}, 0, 7_500),
        ({"stale_readings": 10, "uncalibrated_readings": 10}, 0, 8_000),
        ({}, 100, 5_000),
        ({"gap_time": 43_200, "stale_readings": 50}, 100, 1_250),
        ({"stale_readings": 80, "uncalibrated_readings": 80}, 0, 0),
    ],
)
def test_gaps_unsound_and_rejected_readings_lower_the_mark(
    lines: dict[str, int], rejected: int, mark: int
) -> None:
    said = ratings.data_quality(PERIOD, report(**lines), rejected, SELLER)
    assert (said.mark, said.weight, said.counterparty, said.reference) == (mark, 2, "", "PER1")


def test_rejects_count_where_their_readings_lie() -> None:
    inside = reject({"readings": [{"start": "2016-07-02T00:00:00Z"}]})
    after = reject({"readings": [{"start": "2016-07-03T00:00:00Z"}]}, received_us=START)
    unreadable = reject(b"\xff\x00", received_us=START)
    unreadable_later = reject(b"{", received_us=END)
    assert ratings.rejected_readings(PERIOD, [inside, after, unreadable, unreadable_later]) == 6
