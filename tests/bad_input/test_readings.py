"""Readings that are not to be believed: each is kept with its reason, and the good ones stay as they were."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.bad_input.conftest import records
from tests.sagas.world import JULY, Site, World

pytestmark = pytest.mark.engines

NOON = "2016-07-01T12:00:00Z"
NINE_AND_A_BIT_BEFORE = "2016-07-01T23:49:59Z"
"""Ten minutes and a second before the messages say that they were sent."""

Bad = tuple[str, str, Callable[[Site], bytes], dict[str, Any]]


def reading(**changes: Any) -> Callable[[Site], bytes]:
    """A message of one reading with something wrong in it."""
    return lambda site: site.message(25, site.reading(NOON, **changes))


def instead(old: bytes, new: bytes) -> Callable[[Site], bytes]:
    """A message whose bytes were changed after it was signed."""
    return lambda site: site.message(25, site.reading(NOON)).replace(old, new)


STRANGERS_KEY = Ed25519PrivateKey.generate()
BAD: dict[str, Bad] = {
    "unknown device": ("unknown_device", "no device DEVUNKNOWN", reading(device="DEVUNKNOWN"), {}),
    "clock over ten minutes ahead": (
        "clock_ahead",
        "sent_at 2016-07-02T00:00:00Z is over 10 minutes ahead",
        reading(),
        {"received": NINE_AND_A_BIT_BEFORE},
    ),
    "another device's signature": (
        "bad_signature",
        "the signature of message 25",
        lambda site: site.message(25, site.reading(NOON), key=STRANGERS_KEY),
        {},
    ),
    "power above the nameplate": (
        "above_nameplate",
        "power_uw 6000000001",
        reading(power_uw=6_000_000_001),
        {},
    ),
    "consumption beyond standby": ("below_standby", "power_uw -10000001", reading(power_uw=-10_000_001), {}),
    "more than any such meter measures": (
        "invalid_schema",
        "power_uw",
        reading(power_uw=5_000_000_000_000_001),
        {},
    ),
    "a fraction of a microwatt": (
        "not_canonical",
        "power_uw is a fraction",
        instead(b":1000000000", b":1000000000.5"),
        {},
    ),
    "a power that is no number": ("not_canonical", "not JSON", instead(b":1000000000", b":NaN"), {}),
    "a power as text": ("invalid_schema", "power_uw", reading(power_uw="1000000000"), {}),
    "an interval counted before": (
        "interval_already_reported",
        NOON,
        reading(),
        {},
    ),
    "a used sequence with other bytes": (
        "sequence_reused",
        "sequence 1",
        lambda site: site.message(1, site.reading(NOON, power_uw=5)),
        {},
    ),
    "another project's name": (
        "other_projects_gateway",
        "does not report to PRJ000000000000",
        lambda site: site.message(25, site.reading(NOON), project="PRJ000000000000"),
        {},
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_reading_is_kept_with_its_reason_and_changes_nothing(
    world: World, site: Site, what: str
) -> None:
    reason, named, make, told = BAD[what]
    site.send_day(hours=13 if what == "an interval counted before" else 1)
    before = records(site)

    message = make(site)
    site.ingest(message, **told)

    after = records(site)
    (reject,) = [edge["node"] for edge in after["rejects"]["edges"]]
    assert (reject["reason"], reject["state"]) == (reason, "open")
    assert named in reject["detail"]
    assert base64.b64decode(reject["message"]) == message
    assert after["readings"] == before["readings"]
    assert after["readings/counts"]["accepted"] == before["readings/counts"]["accepted"]
    assert after["readings/counts"]["rejected"] == {reason: 1}


def test_a_clock_ten_minutes_ahead_is_borne(world: World, site: Site) -> None:
    site.ingest(site.message(1, site.reading(NOON)), received="2016-07-01T23:50:00Z")
    counts = site.get(f"/v1/projects/{site.project}/readings/counts")
    assert (counts["accepted"], counts["rejected"]) == (1, {})


def test_a_bad_reading_takes_no_good_one_with_it(world: World, site: Site) -> None:
    bad = site.reading(NOON, power_uw=7_000_000_000)
    site.ingest(site.message(1, site.reading(JULY[0]), bad))
    found = records(site)
    assert [edge["node"]["start"] for edge in found["readings"]["edges"]] == [JULY[0]]
    assert found["readings/counts"]["rejected"] == {"above_nameplate": 1}
