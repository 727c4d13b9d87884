"""Readings, rejects, anchors and proofs over HTTP, from the real stores and the real chain."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from carbonmarket import canonical, merkle, times
from tests.sagas.world import JULY, Site, World

pytestmark = pytest.mark.engines
DAY = f"from={JULY[0]}&to={JULY[1]}"
LISTS = ("readings", "rejects", "anchors")


@pytest.fixture(scope="module")
def sunny(opened_world: World) -> Site:
    """A site whose day of 24 readings was ingested and anchored by the contracts, and one message that
    tells of a device nobody registered."""
    from carbonmarket.operations.anchor_readings import anchor_readings
    from carbonmarket_adapters.wiring.anchors import anchoring

    with pytest.MonkeyPatch.context() as patch:
        opened_world.wire(patch)
        made = Site(opened_world)
        made.send_day()
        made.ingest(made.message(25, made.reading(device="DEVNOBODYS0001")))
        result = anchor_readings(
            made.project, anchoring(), now_us=times.parse_us("2016-07-03T00:00:00Z", "now")
        )
        assert (result.readings, result.refusals) == (24, ())
        return made


@pytest.fixture
def site(world: World) -> Site:
    """An approved project of its own."""
    return Site(world)


def url(site: Site, part: str) -> str:
    return f"/v1/projects/{site.project}/{part}"


def nodes(site: Site, part: str) -> list[Any]:
    """Everything in a list of the developer's."""
    return [edge["node"] for edge in site.get(url(site, part) + "?first=100")["edges"]]


def pages(site: Site, path: str, first: int) -> Iterator[list[Any]]:
    """The pages of a list, followed by their cursors."""
    after = ""
    while True:
        page = site.get(f"{path}{'&' if '?' in path else '?'}first={first}{after}")
        yield [edge["node"] for edge in page["edges"]]
        if not page["pageInfo"]["hasNextPage"]:
            return
        after = f"&after={page['pageInfo']['endCursor']}"


def problem(answer: Any, status: int) -> Any:
    """The problem document of an answer with that status."""
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
    return json.loads(answer.body)


def test_readings_come_in_pages_in_the_order_of_time(world: World, sunny: Site) -> None:
    found = list(pages(sunny, url(sunny, "readings"), 10))
    assert [len(page) for page in found] == [10, 10, 4]
    starts = [reading["start"] for page in found for reading in page]
    assert starts == sorted(set(starts))


def test_a_reading_is_shown_with_exact_values_as_text(world: World, sunny: Site) -> None:
    reading = nodes(sunny, "readings")[3]
    assert (reading["device"], reading["sequence"]) == (sunny.device, 4)
    assert (reading["start"], reading["seconds"]) == ("2016-07-01T03:00:00Z", 3600)
    assert reading["values"] == {"power_uw": "1000000003"}


def test_a_range_and_a_device_narrow_the_list(world: World, sunny: Site) -> None:
    some = sunny.get(url(sunny, "readings") + "?from=2016-07-01T05:00:00Z&to=2016-07-01T07:00:00Z")
    assert [edge["node"]["start"][11:13] for edge in some["edges"]] == ["05", "06"]
    other = sunny.get(url(sunny, "readings") + "?device=DEVOTHER")
    assert other["edges"] == []


@pytest.mark.parametrize("part", ["readings", "anchors"])
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=yesterday", "from"),
        ("to=2016-07-01", "to"),
        ("from=2016-07-02T00:00:00Z&to=2016-07-01T00:00:00Z", "from"),
        ("first=0", "first"),
        ("after=nonsense", "after"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_by_its_field(
    world: World, sunny: Site, part: str, query: str, field: str
) -> None:
    answer = world.call("GET", f"{url(sunny, part)}?{query}", who=(sunny.organisation, "developer"))
    assert problem(answer, 422)["field"] == field


@pytest.mark.parametrize("part", [*LISTS, "readings/counts", "readings/GW:1:DEV:0/proof"])
def test_another_organisation_finds_nothing(world: World, sunny: Site, part: str) -> None:
    answer = world.call("GET", url(sunny, part), who=("ORGOTHER", "developer"))
    assert problem(answer, 404)["field"] == "project"


@pytest.mark.parametrize("part", LISTS)
def test_a_validator_sees_the_records_of_every_project(world: World, sunny: Site, part: str) -> None:
    assert world.get("validator", url(sunny, part), "ORGVALIDATOR")["edges"]


@pytest.mark.parametrize(
    ("who", "word"),
    [(("ORGOTHER", "developer"), "another organisation"), (("ORGX", "validator"), "role developer")],
)
def test_only_the_developers_own_people_replay(
    world: World, sunny: Site, who: tuple[str, ...], word: str
) -> None:
    (reject,) = nodes(sunny, "rejects")
    answer = world.call("POST", url(sunny, f"rejects/{reject['id']}/replay"), who=who)
    assert word in problem(answer, 403)["detail"]
    assert nodes(sunny, "rejects") == [reject]


def test_what_came_from_no_known_gateway_is_for_operators(world: World) -> None:
    answer = world.call("GET", "/v1/projects/unassigned/rejects", who=("ORGX", "developer"))
    assert "role operator" in problem(answer, 403)["detail"]
    assert "edges" in world.get("operator", "/v1/projects/unassigned/rejects")


def test_what_came_is_counted_by_what_became_of_it(world: World, sunny: Site) -> None:
    counts = sunny.get(url(sunny, "readings/counts"))
    assert (counts["received"], counts["accepted"], counts["anchored"]) == (25, 24, 24)
    assert counts["rejected"] == {"unknown_device": 1}


def test_a_reject_names_its_reason_and_its_readings(world: World, sunny: Site) -> None:
    (reject,) = nodes(sunny, "rejects")
    assert (reject["reason"], reject["sequence"], reject["state"]) == ("unknown_device", 25, "open")
    assert "DEVNOBODYS0001" in reject["detail"]


def test_a_reject_is_replayed_once_what_was_wrong_is_right(world: World, site: Site) -> None:
    site.ingest(site.message(1, site.reading()), received=JULY[0])
    (reject,) = nodes(site, "rejects")
    assert (reject["reason"], nodes(site, "readings")) == ("clock_ahead", [])
    for _ in range(2):
        replayed = site.post(url(site, f"rejects/{reject['id']}/replay"))
        assert replayed["state"] == "replayed"
    assert [reading["start"] for reading in nodes(site, "readings")] == [JULY[0]]
    counts = site.get(url(site, "readings/counts"))
    assert (counts["received"], counts["accepted"], counts["rejected"]) == (1, 1, {})


def test_a_reject_that_is_still_wrong_stays_one(world: World, site: Site) -> None:
    site.ingest(site.message(1, site.reading(power_uw=7_000_000_000)))
    (reject,) = nodes(site, "rejects")
    path = url(site, f"rejects/{reject['id']}/replay")
    answer = world.call("POST", path, who=(site.organisation, "developer"))
    assert "still refused" in problem(answer, 409)["detail"]
    assert (nodes(site, "rejects"), nodes(site, "readings")) == ([reject], [])


def test_anchors_tell_the_hours_the_sums_and_the_transactions(world: World, sunny: Site) -> None:
    parts = [part for page in pages(sunny, f"{url(sunny, 'anchors')}?{DAY}", 20) for part in page]
    assert [part["hour"][11:13] for part in parts] == [f"{hour:02d}" for hour in range(24)]
    assert {(part["state"], part["part"], part["count"]) for part in parts} == {("anchored", 0, 1)}
    assert parts[2]["positive_uj"] == str(1_000_000_002 * 3600)
    assert all(part["transaction"].startswith("0x") for part in parts)


def test_a_proof_leads_from_a_reading_to_the_root_on_chain(world: World, sunny: Site) -> None:
    from carbonmarket_adapters.wiring import chain

    reading = nodes(sunny, "readings")[7]
    proof = sunny.get(url(sunny, f"readings/{reading['id']}/proof"))
    leaf = merkle.leaf_hash(bytes.fromhex(proof["salt"]) + canonical.dumps(proof["leaf_data"]))
    path = [bytes.fromhex(node) for node in proof["path"]]
    assert merkle.verify_inclusion(leaf, proof["index"], proof["size"], path, bytes.fromhex(proof["root"]))
    hour_s = times.parse_us(proof["hour"], "hour") // 1_000_000
    stored = chain.chain_access().view(
        "data_anchor::anchor_of", [], [sunny.project, str(hour_s), str(proof["part"])]
    )
    assert stored[0] == "0x" + proof["root"]


@pytest.mark.parametrize(
    ("reading", "status"), [("nonsense", 422), ("GW1:1:DEV1:1467331200000000", 404), ("GW1:x:DEV1:0", 422)]
)
def test_what_is_no_reading_has_no_proof(world: World, sunny: Site, reading: str, status: int) -> None:
    answer = world.call("GET", url(sunny, f"readings/{reading}/proof"), who=(sunny.organisation, "developer"))
    assert problem(answer, status)["field"] == "reading"


def test_a_reading_whose_hour_is_not_anchored_has_no_proof_yet(world: World, site: Site) -> None:
    site.ingest(site.message(1, site.reading()))
    (reading,) = nodes(site, "readings")
    answer = world.call(
        "GET", url(site, f"readings/{reading['id']}/proof"), who=(site.organisation, "developer")
    )
    assert "not anchored yet" in problem(answer, 409)["detail"]
