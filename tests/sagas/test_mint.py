"""The saga mint, through the real interpreter, functions, contracts and stores."""

from __future__ import annotations

import json

import msgspec

from tests.sagas.world import Site


def test_a_day_of_readings_becomes_a_batch(site: Site) -> None:
    batch = site.get(f"/v1/batches/{site.mint()}")
    assert (batch["project"], batch["vintage_start"]) == (site.project, "2016-07-01T00:00:00Z")
    assert int(batch["grams"]) == int(batch["serial_last"]) - int(batch["serial_first"]) + 1 > 0


def test_a_meter_that_the_methodology_does_not_measure_holds_no_period_back(site: Site) -> None:
    from carbonmarket_adapters.wiring import devices

    meter = devices.devices().device(site.project, site.device)
    assert meter is not None
    house = msgspec.structs.replace(meter, id="DEVHOUSE", serial="house", type="grid_consumption")
    devices.devices().save_device(house)
    site.ingest(site.message(100, site.reading(device=house.id, type=house.type)))
    batch = site.get(f"/v1/batches/{site.mint()}")
    report = json.loads(
        site.world.call(
            "GET",
            f"/v1/projects/{site.project}/periods/{batch['period']}/report",
            who=(site.organisation, "developer"),
        ).body
    )
    assert [device["device"] for device in report["devices"]] == [site.device]
    assert report["readings"] == 24


def test_a_refused_report_frees_the_period(site: Site) -> None:
    site.send_day()
    period = site.close()
    site.await_period(period, "in_review")
    for reviewer, task in site.tasks(period)[:2]:
        site.vote(period, reviewer, task, "refuse")
    rejected = site.await_period(period, "rejected")
    assert rejected["reason"] == "the drawn reviewers refused the report"
    second = site.close()
    site.await_period(second, "in_review")


def test_a_period_without_a_gram_is_rejected_and_says_why(site: Site) -> None:
    period = site.close()
    assert "no gram" in site.await_period(period, "rejected")["reason"]
