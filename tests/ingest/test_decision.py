"""What becomes of messages: each reason of refusal, redeliveries, and laws that hold for any order."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbonmarket.intake.checking import claim
from carbonmarket.intake.deciding import Decision, Draft, Known, Outcome
from carbonmarket.intake.opening import Delivery, Refused, open_delivery
from carbonmarket.ports.devices import Versioned
from carbonmarket.records.devices import Device, Gateway
from tests.ingest.story import ENVIRONMENT, HOUR_US, LATER_US, NOON_US, Site

SITE = Site("1")
NEIGHBOUR = Site("2")
NOTHING = Known(devices={}, sequences={}, hours={}, rejects={})


def decide(
    *deliveries: Delivery, known: Known | None = None, gateways: list[Gateway] | None = None
) -> Decision:
    """The decision where only the site's meter is known."""
    by_id = {g.id: g for g in (gateways if gateways is not None else [SITE.gateway, NEIGHBOUR.gateway])}
    draft = Draft(known or knowing(SITE.meter), lambda project: project.encode())
    for delivery in deliveries:
        draft.add(open_delivery(delivery, by_id.get(delivery.gateway), ENVIRONMENT))
    return draft.decision()


def knowing(*devices: Device) -> Known:
    return msgspec.structs.replace(NOTHING, devices={(d.project, d.id): d for d in devices})


def after(decision: Decision, known: Known) -> Known:
    """What is known once a decision was committed."""
    commit = decision.commit
    later: dict[str, dict[Any, Any]] = {
        "sequences": {(v.record.gateway, v.record.sequence): v for v in commit.sequences},
        "hours": {(v.record.project, v.record.hour_us): v for v in commit.hours},
        "rejects": {(v.record.project, v.record.id): v for v in commit.rejects},
    }
    return msgspec.structs.replace(
        known, **{name: {**getattr(known, name), **new} for name, new in later.items()}
    )


def only(decision: Decision) -> Outcome:
    (outcome,) = decision.outcomes.values()
    return outcome


def test_a_good_message_is_taken_and_waits_for_its_anchor() -> None:
    decision = decide(SITE.deliver(SITE.message(1)))
    assert only(decision) == Outcome(state="taken", accepted=1)
    (hour,) = decision.commit.hours
    assert hour.record.hour_us == NOON_US
    assert [ref.readings for ref in hour.record.pending] == [(0,)]
    assert decision.commit.counts == {(SITE.project, "accepted"): 1}
    assert [(p.device, p.start_us, p.values) for p in decision.points] == [
        (SITE.meter.id, NOON_US, {"power_uw": 1_000_000_000})
    ]


def from_topic(gateway: str, data: bytes) -> Delivery:
    return Delivery(key="m1", gateway=gateway, received_us=LATER_US, data=data)


def _break_signature(data: bytes) -> bytes:
    at = data.index(b'"signature":"') + 13
    return data[:at] + (b"1" if data[at : at + 1] == b"0" else b"0") + data[at + 1 :]


TOO_EARLY_US = NOON_US + HOUR_US - 600_000_001
DOUBLED = b'"sequence":1,"sequence":1'
MESSAGE_FAULTS: dict[str, tuple[str, Delivery]] = {
    "spaces": ("not_canonical", SITE.deliver(SITE.message(1).replace(b'":', b'": '))),
    "no JSON": ("not_canonical", SITE.deliver(b"\xff\x00")),
    "fraction": ("not_canonical", SITE.deliver(SITE.message(1).replace(b":1000000000", b":1000000000.5"))),
    "key twice": ("not_canonical", SITE.deliver(SITE.message(1).replace(b'"sequence":1', DOUBLED))),
    "sequence 0": ("invalid_schema", SITE.deliver(SITE.message(0))),
    "no such day": ("invalid_schema", SITE.deliver(SITE.message(1, sent_at="2016-02-30T00:00:00Z"))),
    "stranger": ("unknown_gateway", from_topic("GWX", SITE.message(1))),
    "broken signature": ("bad_signature", SITE.deliver(_break_signature(SITE.message(1)))),
    "another's key": ("bad_signature", SITE.deliver(SITE.message(1, key=NEIGHBOUR.key))),
    "another's message": ("other_gateway", SITE.deliver(NEIGHBOUR.message(1))),
    "another environment": ("other_environment", SITE.deliver(SITE.message(1, environment="prod"))),
    "another project": (
        "other_projects_gateway",
        NEIGHBOUR.deliver(NEIGHBOUR.message(1, project=SITE.project)),
    ),
    "clock ahead": ("clock_ahead", SITE.deliver(SITE.message(1), received_us=TOO_EARLY_US)),
    "too many hours": (
        "too_many_hours",
        SITE.deliver(SITE.message(1, *(SITE.reading(NOON_US - h * HOUR_US) for h in range(25)))),
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", MESSAGE_FAULTS)
def test_a_bad_message_is_kept_with_its_reason_and_changes_nothing_else(fault: str) -> None:
    reason, delivery = MESSAGE_FAULTS[fault]
    commit = decide(delivery).commit
    (reject,) = (v.record for v in commit.rejects)
    assert reject.reason == reason
    assert reject.detail
    assert (commit.sequences, commit.hours) == ((), ())


def test_a_clock_ten_minutes_ahead_is_taken() -> None:
    delivery = SITE.deliver(SITE.message(1), received_us=NOON_US + HOUR_US - 600_000_000)
    assert only(decide(delivery)).state == "taken"


def test_a_revoked_gateway_is_unknown() -> None:
    revoked = msgspec.structs.replace(SITE.gateway, revoked_us=LATER_US)
    assert only(decide(SITE.deliver(SITE.message(1)), gateways=[revoked])).rejected == {"unknown_gateway": 1}


READING_FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "above nameplate": ("above_nameplate", SITE.reading(power_uw=6_000_000_001)),
    "below standby": ("below_standby", SITE.reading(power_uw=-10_000_001)),
    "another type": ("other_type", SITE.reading(type="grid_consumption")),
    "beyond the schema": ("invalid_schema", SITE.reading(power_uw=5_000_000_000_000_001)),
    "a field too many": ("invalid_schema", SITE.reading(colour=1)),
    "no such type": ("invalid_schema", SITE.reading(type="magic")),
    "no such day": ("invalid_schema", SITE.reading(start="2016-06-31T19:00:00Z")),
    "crosses the hour": ("crosses_hour", SITE.reading(NOON_US + 1_000_000 * 2_701)),
    "not over yet": ("clock_ahead", SITE.reading(LATER_US)),
    "unknown device": ("unknown_device", SITE.reading(device="DEVX")),
}


@pytest.mark.parametrize("fault", READING_FAULTS)
def test_a_bad_reading_is_refused_alone(fault: str) -> None:
    reason, bad = READING_FAULTS[fault]
    good = SITE.reading(NOON_US - HOUR_US)
    decision = decide(SITE.deliver(SITE.message(1, bad, good)))
    assert only(decision) == Outcome(state="taken", accepted=1, rejected={reason: 1})
    (reject,) = (v.record for v in decision.commit.rejects)
    assert [(reject.reason, r.index) for r in reject.readings] == [(reason, 0)]
    assert [p.start_us for p in decision.points] == [NOON_US - HOUR_US]


@pytest.mark.parametrize("time", [{"from_us": NOON_US + 1}, {"to_us": NOON_US + 1}])
def test_a_device_outside_its_time_with_the_project_is_unknown(time: dict[str, int]) -> None:
    known = knowing(msgspec.structs.replace(SITE.meter, **time))
    outcome = only(decide(SITE.deliver(SITE.message(1)), known=known))
    assert outcome.rejected == {"unknown_device": 1}


def test_plates_bounds_are_taken() -> None:
    ends = (SITE.reading(NOON_US, 6_000_000_000), SITE.reading(NOON_US + 900_000_000, -10_000_000))
    assert only(decide(SITE.deliver(SITE.message(1, *ends)))).accepted == 2


@pytest.mark.parametrize("start_us", [NOON_US, NOON_US + 450_000_000])
def test_an_interval_counts_once_even_where_two_only_overlap(start_us: int) -> None:
    first = decide(SITE.deliver(SITE.message(1)))
    known = after(first, knowing(SITE.meter))
    second = decide(SITE.deliver(SITE.message(2, SITE.reading(start_us))), known=known)
    assert only(second).rejected == {"interval_already_reported": 1}


def test_the_same_bytes_again_are_redelivered_and_their_evidence_and_points_written_again() -> None:
    data = SITE.message(1)
    first = decide(SITE.deliver(data))
    again = decide(SITE.deliver(data), known=after(first, knowing(SITE.meter)))
    assert only(again) == Outcome(state="redelivered")
    assert again.commit.counts == {(SITE.project, "redelivered"): 1}
    assert (again.evidence, again.points) == (first.evidence, first.points)
    assert (again.commit.sequences, again.commit.hours, again.commit.rejects) == ((), (), ())


def test_a_used_sequence_with_other_bytes_is_a_reject_once() -> None:
    first = decide(SITE.deliver(SITE.message(1)))
    known = after(first, knowing(SITE.meter))
    other = SITE.deliver(SITE.message(1, SITE.reading(NOON_US - HOUR_US)))
    second = decide(other, known=known)
    assert only(second).rejected == {"sequence_reused": 1}
    assert second.points == []
    assert only(decide(other, known=after(second, known))).state == "redelivered"


def test_both_copies_in_one_batch_are_told_apart() -> None:
    data = SITE.message(1)
    decision = decide(SITE.deliver(data, "m1"), SITE.deliver(data, "m2"))
    assert [decision.outcomes[key].state for key in ("m1", "m2")] == ["taken", "redelivered"]
    assert len(decision.commit.sequences) == 1


def test_a_bad_message_again_is_one_reject() -> None:
    delivery = SITE.deliver(SITE.message(1, key=NEIGHBOUR.key))
    first = decide(delivery)
    again = decide(delivery, known=after(first, knowing(SITE.meter)))
    assert only(again).state == "redelivered"
    assert again.commit.rejects == ()


def test_an_hour_that_waits_already_is_not_marked_again() -> None:
    first = decide(SITE.deliver(SITE.message(1)))
    assert first.commit.dirty == ((SITE.project, NOON_US),)
    more = SITE.deliver(SITE.message(2, SITE.reading(NOON_US + 900_000_000)))
    assert decide(more, known=after(first, knowing(SITE.meter))).commit.dirty == ()


def _replay(known: Known, delivery: Delivery, reject_of: Decision) -> tuple[bool, Decision]:
    (reject,) = reject_of.commit.rejects
    item = open_delivery(delivery, SITE.gateway, ENVIRONMENT)
    assert not isinstance(item, Refused)
    draft = Draft(known, lambda project: project.encode())
    return draft.replay(item, Versioned(reject.record, 1), LATER_US), draft.decision()


def test_a_replay_after_the_device_is_registered_takes_the_refused_readings_only() -> None:
    unknown = SITE.reading(device="DEVNEW")
    delivery = SITE.deliver(SITE.message(1, SITE.reading(), unknown))
    first = decide(delivery)
    known = after(first, knowing(SITE.meter, SITE.device("DEVNEW")))
    taken, decision = _replay(known, delivery, first)
    assert taken
    assert [p.device for p in decision.points] == ["DEVNEW"]
    assert decision.commit.counts == {
        (SITE.project, "accepted"): 1,
        (SITE.project, "rejected#unknown_device"): -1,
    }
    assert [v.record.state for v in decision.commit.rejects] == ["replayed"]
    assert [v.record.accepted for v in decision.commit.sequences] == [(0, 1)]


def test_a_replay_before_the_fix_changes_nothing() -> None:
    delivery = SITE.deliver(SITE.message(1, SITE.reading(device="DEVNEW")))
    first = decide(delivery)
    taken, decision = _replay(after(first, knowing(SITE.meter)), delivery, first)
    assert not taken
    assert decision.commit.items == 0


def test_a_replay_of_one_that_came_again_by_itself_counts_it_once() -> None:
    late = SITE.deliver(SITE.message(1), received_us=NOON_US)
    refused = decide(late)
    assert only(refused).rejected == {"clock_ahead": 1}
    resent = decide(SITE.deliver(SITE.message(1)), known=after(refused, knowing(SITE.meter)))
    known = after(resent, after(refused, knowing(SITE.meter)))
    taken, decision = _replay(known, SITE.deliver(SITE.message(1)), refused)
    assert taken
    assert decision.points == []
    assert decision.commit.counts == {
        (SITE.project, "redelivered"): 1,
        (SITE.project, "rejected#clock_ahead"): -1,
    }


quarters = st.integers(0, 7).map(lambda n: NOON_US - HOUR_US + n * 900_000_000)
sent = st.lists(
    st.tuples(st.integers(1, 4), st.lists(quarters, min_size=1, max_size=4)), min_size=1, max_size=8
)


@settings(max_examples=60, deadline=None)
@given(sent, st.data())
def test_however_messages_come_each_reading_is_counted_once_and_each_interval_too(
    sent: list[tuple[int, list[int]]], data: st.DataObject
) -> None:
    """received = accepted + redelivered + rejected, and no quarter of an hour is accepted twice."""
    messages = [SITE.message(number, *(SITE.reading(start) for start in starts)) for number, starts in sent]
    order = data.draw(st.permutations(messages + messages))
    known, counted, starts = knowing(SITE.meter), 0, []
    for index, one in enumerate(order):
        decision = decide(SITE.deliver(one, str(index)), known=known)
        known = after(decision, known)
        counted += sum(decision.commit.counts.values())
        if only(decision).state == "taken":
            starts += [point.start_us for point in decision.points]
    assert counted == sum(len(starts) for _, starts in sent) * 2
    assert len(starts) == len(set(starts))


spans = st.lists(st.tuples(st.integers(0, 3599), st.integers(1, 900)), max_size=30)


@given(spans)
def test_claims_are_the_union_of_what_was_taken(spans: list[tuple[int, int]]) -> None:
    """Against the plainest model there is: a set of seconds."""
    claims: tuple[tuple[int, int], ...] = ()
    seconds: set[int] = set()
    for start, length in spans:
        wanted = set(range(start, start + length))
        merged = claim(claims, start, start + length)
        assert (merged is None) == bool(wanted & seconds)
        if merged is not None:
            claims, seconds = merged, seconds | wanted
    assert {second for first, last in claims for second in range(first, last)} == seconds
    assert all(a[1] < b[0] for a, b in itertools.pairwise(claims))
