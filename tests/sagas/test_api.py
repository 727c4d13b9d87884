"""The API at its border: who may, what is refused and how it is said, and that repeating changes nothing."""

from __future__ import annotations

import hashlib
import importlib
import json
from typing import Any

import httpx
import pytest

from carbonmarket import canonical
from carbonmarket.quantities import parse_decimal
from carbonmarket.times import parse_us
from carbonmarket_adapters.wiring import chain
from infra.declarations import ROOT
from tests.sagas.test_retire import order
from tests.sagas.world import APPS, METER, PROJECT, Refused, Site, World

WRONG_ROLE = ("ORGSTRANGER", "nobody")


def routes() -> list[tuple[str, str]]:
    """(method, path) of every route that needs a login."""
    found = []
    for name in APPS:
        for path, methods in importlib.import_module(f"functions.{name}.app").app.routes.items():
            for method, entry in methods.items():
                if not entry.view_function.operation.public:
                    found.append((method, path.replace("{", "").replace("}", "")))
    return sorted(found)


@pytest.mark.parametrize(("method", "path"), routes())
def test_a_stranger_is_refused(world: World, method: str, path: str) -> None:
    answer = world.call(method, path, who=None)
    assert (answer.status_code, answer.headers["Content-Type"]) == (401, "application/problem+json")


@pytest.mark.parametrize(
    ("path", "body", "who"),
    [
        ("/v1/organisations", {"name": "X", "kind": "buyer", "country": "US"}, ("ORGX", "developer")),
        ("/v1/projects", PROJECT, ("ORGX", "buyer")),
        ("/v1/projects/{p}/submission", {}, ("ORGX", "validator")),
        ("/v1/projects/{p}/validation", {}, ("ORGX", "operator")),
        ("/v1/projects/{p}/approval", {}, ("ORGX", "validator")),
        ("/v1/projects/{p}/rejection", {}, ("ORGX", "developer")),
        ("/v1/projects/{p}/devices", METER | {"serial": "1"}, ("ORGX", "operator")),
        (
            "/v1/projects/{p}/periods",
            {"start": "2016-07-01T00:00:00Z", "end": "2016-07-02T00:00:00Z"},
            ("ORGX", "buyer"),
        ),
        (
            "/v1/projects/{p}/periods/PERX/reviews",
            {"vote": "refuse", "reviewer": "0x1"},
            ("ORGX", "developer"),
        ),
        ("/v1/retirements", order("BAT000000000000"), ("ORGX", "reviewer")),
    ],
)
def test_the_wrong_role_is_refused(
    world: World, site: Site, path: str, body: Any, who: tuple[str, ...]
) -> None:
    answer = world.call("POST", path.replace("{p}", site.project), who=who, body=body)
    assert (answer.status_code, _problem(answer)) == (403, "not-allowed")


@pytest.mark.parametrize("part", ["documents", "devices", "periods"])
def test_another_organisation_sees_no_inner_records(world: World, site: Site, part: str) -> None:
    answer = world.call("GET", f"/v1/projects/{site.project}/{part}", who=("ORGOTHER", "developer"))
    assert answer.status_code == 404


def test_anybody_can_recompute_what_a_project_commits_to_on_chain(world: World, site: Site) -> None:
    """The registered hash is over the public facts and the hashes of the validated documents."""
    shown = site.get(f"/v1/projects/{site.project}")
    assert shown["document_hashes"] == [hashlib.sha256(b"design of the array").hexdigest()]
    facts = {name: shown[name] for name in ("id", "name", "country", "technology")} | {
        "latitude_udeg": int(parse_decimal(shown["latitude"], "latitude") * 1_000_000),
        "longitude_udeg": int(parse_decimal(shown["longitude"], "longitude") * 1_000_000),
        "capacity_w": int(shown["capacity_w"]),
        "commissioned_us": parse_us(shown["commissioned"], "commissioned"),
        "documents": shown["document_hashes"],
    }
    registered = chain.chain_access().view("project_registry::project", [], [site.project])
    assert registered[5] == "0x" + canonical.digest(facts).hex()


def test_a_document_that_comes_after_validation_does_not_hold_the_approval_back(
    world: World, site: Site
) -> None:
    before = site.get(f"/v1/projects/{site.project}")["document_hashes"]
    site.upload(site.project, b"minutes of a meeting")
    approved = world.post("operator", f"/v1/projects/{site.project}/approval", {})
    assert (approved["state"], approved["document_hashes"]) == ("approved", before)


@pytest.mark.parametrize("type", ["grid_consumption", "temperature", "moonlight"])
def test_a_device_that_the_methodology_does_not_measure_is_refused(
    world: World, site: Site, type: str
) -> None:
    body = METER | {"serial": "another", "type": type}
    answer = world.call(
        "POST", f"/v1/projects/{site.project}/devices", who=(site.organisation, "developer"), body=body
    )
    problem = json.loads(answer.body)
    assert (answer.status_code, problem["field"]) == (422, "type")
    assert "solar_output, wind_generation" in problem["detail"]


def test_another_organisation_changes_nothing(world: World, site: Site) -> None:
    body = {"start": "2016-07-01T00:00:00Z", "end": "2016-07-02T00:00:00Z"}
    path = f"/v1/projects/{site.project}/periods"
    answer = world.call("POST", path, who=("ORGOTHER", "developer"), body=body)
    assert answer.status_code == 403


def test_a_draft_of_another_organisation_is_not_found(world: World) -> None:
    draft = world.post("developer", "/v1/projects", PROJECT, "ORGSECRET")
    answer = world.call("GET", f"/v1/projects/{draft['id']}", who=("ORGOTHER", "developer"))
    assert answer.status_code == 404


@pytest.mark.parametrize(
    "grams",
    ['"-1"', '"0"', '"1.5"', "1.5", "5", "NaN", '"NaN"', '"123456789012345678901"', '"18446744073709551616"'],
)
def test_a_quantity_that_is_none_is_refused_by_its_field(world: World, grams: str) -> None:
    raw = json.dumps(order("BAT000000000000")).replace('"123"', grams).encode()
    answer = world.call("POST", "/v1/retirements", who=("ORGX", "buyer"), raw=raw)
    assert (answer.status_code, json.loads(answer.body)["field"].strip("/")) == (422, "grams")


def test_every_wrong_field_is_named(world: World) -> None:
    body = {**PROJECT, "latitude": 39.7, "country": "usa", "surplus": 1}
    del body["name"]
    answer = world.call("POST", "/v1/projects", who=("ORGX", "developer"), body=body)
    named = [error["pointer"] for error in json.loads(answer.body)["errors"]]
    assert named == ["/country", "/latitude", "/name", "/surplus"]


@pytest.mark.parametrize("raw", [b"{", b"[]", b'{"a":1,"a":2}', b"\xff"])
def test_a_body_that_is_no_object_is_refused(world: World, raw: bytes) -> None:
    answer = world.call("POST", "/v1/projects", who=("ORGX", "developer"), raw=raw)
    assert (answer.status_code, _problem(answer)) == (400, "malformed-body")


def test_a_write_without_a_key_is_refused(world: World) -> None:
    answer = world.call("POST", "/v1/projects", who=("ORGX", "developer"), body=PROJECT, key=" ")
    assert (answer.status_code, _problem(answer)) == (400, "idempotency-key-missing")


def test_the_same_request_gets_the_same_answer(world: World) -> None:
    first = world.post("developer", "/v1/projects", PROJECT, "ORGX", key="same")
    assert world.post("developer", "/v1/projects", PROJECT, "ORGX", key="same") == first


def test_a_key_of_another_body_is_a_conflict(world: World) -> None:
    world.post("developer", "/v1/projects", PROJECT, "ORGX", key="reused")
    with pytest.raises(Refused) as refused:
        world.post("developer", "/v1/projects", PROJECT | {"name": "Other"}, "ORGX", key="reused")
    assert (refused.value.status, refused.value.problem["title"]) == (409, "idempotency mismatch")


def test_lists_come_in_pages(world: World) -> None:
    for number in range(3):
        world.post("developer", "/v1/projects", PROJECT | {"name": f"P{number}"}, "ORGPAGES")
    first = world.get("developer", "/v1/projects?first=2", "ORGPAGES")
    after = first["pageInfo"]["endCursor"]
    rest = world.get("developer", f"/v1/projects?first=100&after={after}", "ORGPAGES")
    names = [edge["node"]["id"] for edge in (*first["edges"], *rest["edges"])]
    assert first["pageInfo"]["hasNextPage"] and len(names) == len(set(names)) >= 3


def test_the_uploaded_bytes_must_have_the_declared_hash(world: World) -> None:
    project = world.post("developer", "/v1/projects", PROJECT, "ORGX")["id"]
    base = f"/v1/projects/{project}/documents"
    body = {"name": "D", "kind": "design", "media_type": "text/plain", "sha256": "0" * 64, "size": "4"}
    declared = world.post("developer", base, body, "ORGX")
    content = {"Body": b"liar", "Bucket": world.settings.prefix + "documents"}
    world.aws.client("s3").put_object(Key=f"projects/{project}/{declared['id']}", **content)
    answer = world.call("POST", f"{base}/{declared['id']}/completion", who=("ORGX", "developer"))
    assert (answer.status_code, json.loads(answer.body)["field"]) == (422, "sha256")
    assert httpx.put(declared["upload"]["url"], content=b"liar").status_code >= 400


def test_a_project_that_is_turned_down_goes_no_further(world: World) -> None:
    project = world.post("developer", "/v1/projects", PROJECT, "ORGDOWN")["id"]
    base = f"/v1/projects/{project}"
    content = b"a design that does not hold"
    declared = world.post(
        "developer",
        f"{base}/documents",
        {
            "name": "Design",
            "kind": "design",
            "media_type": "text/plain",
            "sha256": hashlib.sha256(content).hexdigest(),
            "size": str(len(content)),
        },
        "ORGDOWN",
    )
    upload = declared["upload"]
    httpx.put(upload["url"], content=content, headers=upload["headers"]).raise_for_status()
    kept = world.post("developer", f"{base}/documents/{declared['id']}/completion", None, "ORGDOWN")
    assert kept["sha256"] == hashlib.sha256(content).hexdigest()
    world.post("developer", f"{base}/submission", {}, "ORGDOWN")
    down = world.post("validator", f"{base}/rejection", {"comment": "the roof is too small"}, "ORGVALIDATOR")
    assert down["state"] == "rejected"
    for role, step in (("validator", "validation"), ("operator", "approval")):
        with pytest.raises(Refused) as refused:
            world.post(role, f"{base}/{step}", {})
        assert refused.value.status == 409
    assert world.get("developer", base, "ORGDOWN")["state"] == "rejected"


def test_the_api_describes_itself_as_the_documents_do(world: World) -> None:
    answer = world.call("GET", "/v1/openapi.json", who=None)
    assert json.loads(answer.body) == json.loads((ROOT / "docs" / "openapi.json").read_text())


def test_a_devices_calibrations_are_its_log(site: Site) -> None:
    log = f"/v1/projects/{site.project}/devices/{site.device}/calibrations"
    (first,) = site.get(log)["edges"]
    entry = {
        "performed": "2018-05-02T00:00:00Z",
        "valid_until": "2019-05-02T00:00:00Z",
        "laboratory": "Office of Metres",
        "error_ppm": 75,
    }
    entered = site.post(log, entry, key="second-look")
    assert {name: entered[name] for name in entry} == entry
    assert site.post(log, entry, key="second-look") == entered
    listed = [edge["node"] for edge in site.get(log)["edges"]]
    # Nothing is written over: what was entered first stands as it stood.
    assert listed == [first["node"], entered]
    assert first["node"]["laboratory"] == "Bureau of Scales"


def test_a_calibration_that_ends_before_it_begins_is_not_entered(site: Site) -> None:
    log = f"/v1/projects/{site.project}/devices/{site.device}/calibrations"
    before = site.get(log)
    entry = {
        "performed": "2018-05-02T00:00:00Z",
        "valid_until": "2018-05-01T00:00:00Z",
        "laboratory": "Office of Metres",
        "error_ppm": 75,
    }
    with pytest.raises(Refused) as refused:
        site.post(log, entry)
    assert (refused.value.status, refused.value.problem["field"]) == (422, "valid_until")
    assert site.get(log) == before


def test_a_draft_without_a_document_is_not_submitted(world: World) -> None:
    project = world.post("developer", "/v1/projects", PROJECT, "ORGX")["id"]
    answer = world.call("POST", f"/v1/projects/{project}/submission", who=("ORGX", "developer"), body={})
    assert answer.status_code == 409


def test_give_and_retire_more_than_held_are_refused(world: World, site: Site) -> None:
    batch = site.mint()
    buyer = world.post("operator", "/v1/organisations", {"name": "B", "kind": "buyer", "country": "US"})["id"]
    held = int(site.get(f"/v1/batches/{batch}")["grams"])
    too_much = str(held + 1)
    for path, body in (
        ("/v1/transfers", {"batch": batch, "to": buyer, "grams": too_much}),
        ("/v1/retirements", order(batch, too_much)),
    ):
        with pytest.raises(Refused) as refused:
            site.post(path, body)
        assert refused.value.problem["field"] == "grams"
    given = site.post("/v1/transfers", {"batch": batch, "to": buyer, "grams": "1000"})
    assert (given["state"], given["from"], given["to"]) == ("done", site.organisation, buyer)
    received = world.get("buyer", "/v1/transfers?direction=received", buyer)["edges"]
    assert [edge["node"]["id"] for edge in received] == [given["id"]]


def test_a_frozen_account_neither_gives_nor_retires(world: World, site: Site) -> None:
    batch = site.mint()
    world.freeze(site.organisation)
    for path, body in (
        (
            "/v1/transfers",
            {"batch": batch, "to": world.organisations[next(iter(world.reviewers))], "grams": "1"},
        ),
        ("/v1/retirements", order(batch)),
    ):
        with pytest.raises(Refused) as refused:
            site.post(path, body)
        assert refused.value.problem["title"] == "account frozen"


def test_votes_that_do_not_count_are_refused(world: World, site: Site) -> None:
    site.send_day()
    period = site.close()
    site.await_period(period, "in_review")
    (reviewer, task), (other, _) = site.tasks(period)[:2]
    with pytest.raises(Refused) as stranger:
        site.vote(period, reviewer, task, signature=world.reviewers[other].sign(b"x").hex())
    assert stranger.value.problem["field"] == "signature"
    with pytest.raises(Refused) as twice:
        site.vote(period, reviewer, task)
        site.vote(period, reviewer, task, "refuse")
    assert twice.value.status == 409
    path = f"/v1/projects/{site.project}/periods/{period}/reviews"
    body = {"vote": "refuse", "reviewer": reviewer}
    with pytest.raises(Refused) as foreign:
        world.post("reviewer", path, body, world.organisations[other])
    assert foreign.value.status == 403


def _problem(answer: Any) -> str:
    return str(json.loads(answer.body)["type"]).rsplit("/", 1)[-1]
