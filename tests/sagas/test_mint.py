"""The saga mint, through the real interpreter, functions, contracts and stores."""

from __future__ import annotations

from tests.sagas.world import Site


def test_a_day_of_readings_becomes_a_batch(site: Site) -> None:
    batch = site.get(f"/v1/batches/{site.mint()}")
    assert (batch["project"], batch["vintage_start"]) == (site.project, "2016-07-01T00:00:00Z")
    assert int(batch["grams"]) == int(batch["serial_last"]) - int(batch["serial_first"]) + 1 > 0
