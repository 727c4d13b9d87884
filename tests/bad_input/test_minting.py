"""Periods and votes that must not mint: refused by name, and the period stays as it was."""

from __future__ import annotations

from typing import Any

import pytest

from tests.bad_input.conftest import Refusal, records, refused
from tests.sagas.world import JULY, Site, World

pytestmark = pytest.mark.engines


def periods(site: Site) -> str:
    return f"/v1/projects/{site.project}/periods"


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (JULY[0], JULY[1]),
        ("2016-06-30T00:00:00Z", "2016-07-02T00:00:00Z"),
        ("2016-07-01T00:00:00Z", "2016-07-03T00:00:00Z"),
        ("2016-06-30T00:00:00Z", "2016-07-03T00:00:00Z"),
    ],
)
def test_a_day_is_minted_once(world: World, minted: Site, start: str, end: str) -> None:
    before = records(minted)
    refusal = refused(minted, periods(minted), {"start": start, "end": end})
    assert (refusal.status, refusal.field) == (409, "start")
    assert "overlaps period" in refusal.reason and "registered" in refusal.reason
    assert records(minted) == before


@pytest.mark.parametrize(
    ("start", "end", "field", "word"),
    [
        ("2016-07-02T00:00:00Z", "2199-07-03T00:00:00Z", "end", "at most 366 days"),
        ("2199-07-02T00:00:00Z", "2199-07-03T00:00:00Z", "end", "not over yet"),
        ("2016-07-02T00:00:01Z", "2016-07-03T00:00:00Z", "start", "midnight"),
        ("2016-07-03T00:00:00Z", "2016-07-02T00:00:00Z", "end", "later than"),
        ("2016-07-32T00:00:00Z", "2016-08-02T00:00:00Z", "start", "start"),
    ],
)
def test_a_period_that_is_none_closes_nothing(
    world: World, minted: Site, start: str, end: str, field: str, word: str
) -> None:
    before = records(minted)
    refusal = refused(minted, periods(minted), {"start": start, "end": end})
    assert (refusal.status, refusal.field) == (422, field)
    assert word in refusal.reason
    assert records(minted) == before


def test_hours_without_readings_are_deducted_and_the_rest_is_minted(world: World, site: Site) -> None:
    site.send_day(hours=20)
    period = site.close()
    site.await_period(period, "in_review")
    lines = {line["key"]: line["value"] for line in site.get(f"{periods(site)}/{period}/report")["lines"]}
    standby_uw, gap_seconds = 10_000_000, 4 * 3_600
    assert (lines["gap_time"], lines["gap"]) == (str(gap_seconds), str(gap_seconds * standby_uw))
    site.approve(period)
    assert site.await_period(period, "registered")["grams"] == site.period(period)["grams"] != "0"


@pytest.fixture
def in_review(world: World, site: Site) -> tuple[Site, str]:
    """A site and its period, which the drawn reviewers have before them."""
    site.send_day()
    period = site.close()
    site.await_period(period, "in_review")
    return site, period


def cast(site: Site, period: str, who: tuple[str, ...], body: dict[str, Any]) -> Refusal:
    """A vote that is refused."""
    path = f"{periods(site)}/{period}/reviews"
    return Refusal(site.world.call("POST", path, who=who, body=body))


def test_one_approval_mints_nothing(in_review: tuple[Site, str]) -> None:
    from carbonmarket_adapters.wiring import chain

    site, period = in_review
    serial = chain.chain_access().view("credit_batch::next_serial", [], [])
    site.approve(period, votes=1)
    assert site.period(period)["state"] == "in_review"
    assert chain.chain_access().view("credit_batch::next_serial", [], []) == serial


def test_votes_of_others_change_nothing(world: World, in_review: tuple[Site, str]) -> None:
    site, period = in_review
    (reviewer, task), (other, _), *_ = site.tasks(period)
    approval = bytes.fromhex(task["approval"]["bytes"])
    own = world.reviewers[reviewer].sign(approval).hex()
    strangers = world.reviewers[other].sign(approval).hex()
    vote = {"vote": "approve", "reviewer": reviewer}
    before = (site.period(period), site.tasks(period))

    theirs = (world.organisations[reviewer], "reviewer")
    forged = cast(site, period, theirs, {**vote, "signature": strangers})
    assert (forged.status, forged.field) == (422, "signature")
    assert "signature" in forged.reason

    developers = cast(site, period, (site.organisation, "reviewer"), {**vote, "signature": own})
    assert developers.status == 403
    nobodys = cast(site, period, ("ORGSTRANGER", "reviewer"), {**vote, "signature": own})
    assert nobodys.status == 403
    undrawn = cast(site, period, theirs, {**vote, "reviewer": "0x" + "ab" * 32, "signature": own})
    assert undrawn.status in (403, 404)
    assert (site.period(period), site.tasks(period)) == before
