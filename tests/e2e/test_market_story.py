"""From 10,005 readings to a retired gram: the numbers, the API behind them, and what the demo leaves."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from carbonmarket import canonical, ids, merkle, times
from carbonmarket.quantities import format_wh
from infra.local.demo.client import ApiRefused
from infra.local.demo.project import CAPACITY_W, INTERVAL_S, START_UP
from tests.e2e.market import HOUR_US, Market, Site, eventually

MONTHS = ("2016-07", "2016-08", "2016-09")
REASONS = ("above_nameplate", "bad_signature", "other_projects_gateway", "sequence_reused", "unknown_device")


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("readings_sent", 10_005),
        ("readings_accepted", 10_000),
        ("readings_rejected", dict.fromkeys(REASONS, 1)),
        ("readings_anchored", 10_000),
        ("energy_wh", {"2016-07": "857525.8901", "2016-08": "862496.1847", "2016-09": "869155.4708"}),
        ("grams_quantified", {"2016-07": 519_646, "2016-08": 522_658, "2016-09": 526_693}),
        ("grams_minted", {"2016-07": 519_646, "2016-08": 522_658, "2016-09": 526_693}),
        # 2 % of each batch, rounded up: 10,393 + 10,454 + 10,534.
        ("grams_buffered", 31_381),
        ("grams_transferred", 250_000),
        ("grams_retired", 123_456),
        ("certificate_verified", {"offline": True, "on_chain": True}),
    ],
)
def test_the_demo_ends_with_these_numbers(market: Market, key: str, expected: Any) -> None:
    assert market.summary[key] == expected


def test_the_summary_has_the_keys_that_are_promised(market: Market) -> None:
    assert set(market.summary) == {
        "readings_sent",
        "readings_accepted",
        "readings_redelivered",
        "readings_rejected",
        "readings_anchored",
        "energy_wh",
        "grams_quantified",
        "grams_minted",
        "grams_buffered",
        "grams_transferred",
        "grams_retired",
        "market",
        "laws",
        "certificate_verified",
    }


def test_every_law_holds_at_the_end_of_the_demo(market: Market) -> None:
    assert market.summary["laws"] == {
        "grams_are_conserved": True,
        "serials_are_disjoint": True,
        "serials_cover_retired": True,
        "retired_never_shrinks": True,
        "the_vault_holds_what_it_owes": True,
        "orders_add_up": True,
        "books_are_as_on_chain": True,
        "money_is_booked_twice": True,
        "rebuilt_projection_is_equal": True,
        "each_effect_happens_once": True,
        "no_personal_data_on_chain": True,
    }


def test_the_demo_ends_with_a_table_and_each_law(market: Market) -> None:
    table = market.printed.partition("What happened")[2]
    for row in ("readings accepted", "readings rejected, bad_signature", "grams minted, 2016-07"):
        assert row in table
    assert "123,456" in table
    for law in market.summary["laws"]:
        assert f"holds  {law.replace('_', ' ')}" in table


def test_the_last_line_of_the_demo_verifies_the_certificate(market: Market) -> None:
    certificate, evidence, verify = market.printed.strip().splitlines()[-3:]
    assert str(market.certificate) in certificate
    assert str(market.out / "evidence.zip") in evidence
    program, *arguments = verify.removeprefix("Verify it").split()
    assert program == ".venv/bin/carbonmarket"
    # This environment need not stand where the README has it.
    command = [str(Path(sys.executable).with_name("carbonmarket")), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_summary_is_left_as_a_file(market: Market) -> None:
    assert json.loads((market.out / "summary.json").read_text()) == market.summary


@pytest.mark.parametrize(
    ("name", "begins"),
    [("certificate.json", b'{"@context"'), ("certificate.pdf", b"%PDF"), ("evidence.zip", b"PK")],
)
def test_the_certificate_and_its_evidence_are_left_as_files(market: Market, name: str, begins: bytes) -> None:
    assert (market.out / name).read_bytes().startswith(begins)


def test_the_printed_certificate_says_how_much_was_retired(market: Market) -> None:
    from pypdf import PdfReader

    text = "".join(page.extract_text() for page in PdfReader(market.out / "certificate.pdf").pages)
    assert "0.123456" in text


def test_july_can_be_added_up_from_the_readings_that_the_api_lists(market: Market) -> None:
    path = f"/v1/projects/{market.told.project}/readings?from=2016-07-01T00:00:00Z&to=2016-08-01T00:00:00Z"
    found = list(market.told.cast.developer.user.nodes(path))
    assert len(found) == 2_948
    energy_uj = sum(int(node["values"]["power_uw"]) * node["seconds"] for node in found)
    assert format_wh(energy_uj) == "857525.8901"


def test_the_report_keeps_the_lines_that_lead_to_the_grams(market: Market) -> None:
    lines = {line["key"]: line["value"] for line in market.told.reports["2016-07"]["lines"]}
    assert lines["energy_wh"] == "857525.8901"
    assert market.told.reports["2016-07"]["grams"] == "519646"


@pytest.mark.parametrize("month", MONTHS)
def test_each_month_is_registered_with_its_batch(market: Market, month: str) -> None:
    period = market.told.periods[month]
    batch = market.told.cast.developer.user.get(f"/v1/batches/{period['batch']}")
    assert (period["state"], batch["period"], batch["grams"]) == ("registered", period["id"], period["grams"])


def test_a_certificate_answers_from_the_first_second_and_never_404(market: Market) -> None:
    public = market.told.cast.public
    path = f"/v1/certificates/{market.retire(1_000)['id']}"
    answer = public.ask("GET", path)
    # How far it has come hangs on who is faster. A problem, such as 404, would be raised.
    while answer.status_code == 202:
        assert answer.json()["state"]
        answer = public.ask("GET", path)
    assert answer.status_code == 200
    assert answer.json()["credentialSubject"]["grams"] == "1000"


def test_a_certificate_that_was_never_ordered_is_404(market: Market) -> None:
    with pytest.raises(ApiRefused) as refused:
        market.told.cast.public.get("/v1/certificates/RET000000000000")
    assert refused.value.status == 404


def rejects(market: Market) -> dict[str, Any]:
    """The five messages of the demo, by their reason."""
    told, cast = market.told, market.told.cast
    solar = list(cast.developer.user.nodes(f"/v1/projects/{told.project}/rejects"))
    theirs = list(cast.neighbour.user.nodes(f"{Site(market).path}/rejects"))
    found = {node["reason"]: node for node in solar}
    return found | {node["reason"]: node for node in theirs if node["reason"] == "other_projects_gateway"}


@pytest.mark.parametrize("reason", REASONS)
def test_what_was_refused_is_listed_with_its_reason_and_its_bytes(market: Market, reason: str) -> None:
    reject = rejects(market)[reason]
    assert (reject["state"], reject["count"]) == ("open", 1)
    assert reject["detail"]
    assert b'"readings":[' in base64.b64decode(reject["message"])


def test_nothing_else_of_the_solar_project_was_refused(market: Market) -> None:
    found = list(market.told.cast.developer.user.nodes(f"/v1/projects/{market.told.project}/rejects"))
    assert sorted(node["reason"] for node in found) == sorted({*REASONS} - {"other_projects_gateway"})


@pytest.mark.parametrize("reason", REASONS)
def test_a_message_that_is_still_wrong_is_refused_again(market: Market, reason: str) -> None:
    reject = rejects(market)[reason]
    owner = market.told.cast.neighbour if reason == "other_projects_gateway" else market.told.cast.developer
    path = f"/v1/projects/{reject['project']}/rejects/{reject['id']}/replay"
    with pytest.raises(ApiRefused, match="still refused") as refused:
        owner.user.post(path, key=f"replay-{reason}")
    assert refused.value.status == 409


def test_a_refused_message_is_taken_once_what_was_wrong_is_put_right(market: Market) -> None:
    site = Site(market)
    owner, project = site.owner, site.gateway.identity.project
    key = "second-meter"
    device = ids.derive("DEV", project, owner.id, key)
    start_us = site.new_day()
    site.send([site.message(start_us // HOUR_US, start_us, device, readings_count=1)])
    unknown = f"{site.path}/rejects"
    reject = eventually(
        lambda: next((n for n in owner.user.nodes(unknown) if n["reason"] == "unknown_device"), None)
    )

    registered = owner.user.post(f"{site.path}/devices", second_meter(), key=key)
    assert registered["id"] == device
    before = site.counts()
    replayed = owner.user.post(f"{site.path}/rejects/{reject['id']}/replay", key="replay-second-meter")

    assert replayed["state"] == "replayed"
    after = site.counts()
    assert after["accepted"] == before["accepted"] + 1
    assert after["rejected"].get("unknown_device", 0) == before["rejected"]["unknown_device"] - 1


def second_meter() -> dict[str, Any]:
    """Another meter on the neighbour's roof."""
    return {
        "type": "solar_output",
        "name": "second meter",
        "manufacturer": "NREL",
        "model": "SERF West AC power",
        "serial": "MESA-WEST-AC-1",
        "nameplate": str(CAPACITY_W * 1_000_000),
        "standby": "7000000",
        "interval_seconds": INTERVAL_S,
        "error_ppm": 5_000,
        "reports_from": START_UP,
    }


@pytest.mark.parametrize("day", ["2016-07-04", "2016-08-15", "2016-09-30"])
def test_a_reading_is_proven_to_be_under_the_root_that_stands_on_chain(market: Market, day: str) -> None:
    from carbonmarket_adapters.wiring import chain

    user, project = market.told.cast.developer.user, market.told.project
    base = f"/v1/projects/{project}/readings"
    noon = next(user.nodes(f"{base}?from={day}T19:00:00Z&to={day}T19:15:00Z"))
    proof = user.get(f"{base}/{noon['id']}/proof")

    salted = bytes.fromhex(proof["salt"]) + canonical.dumps(proof["leaf_data"])
    leaf = merkle.leaf_hash(salted)
    assert leaf.hex() == proof["leaf"] == noon["leaf"]
    root = bytes.fromhex(proof["root"])
    path = [bytes.fromhex(node) for node in proof["path"]]
    assert merkle.verify_inclusion(leaf, proof["index"], proof["size"], path, root)
    hour_s = str(times.parse_us(proof["hour"], "hour") // 1_000_000)
    anchored = chain.chain_access().view("data_anchor::anchor_of", [], [project, hour_s, str(proof["part"])])
    assert anchored[0] == "0x" + proof["root"]
