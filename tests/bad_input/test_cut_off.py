"""Work that is cut off before, in the middle of or after its effect, and orders that can't be carried out
any more: each ends once, and says how."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace
from typing import Any

import pytest

from carbonmarket_adapters.wiring import chain, registry
from tests.bad_input.conftest import Refusal, possessions
from tests.sagas.dying import ATTEMPTS_MAX, deadly
from tests.sagas.test_retire import order
from tests.sagas.world import Site, World

pytestmark = pytest.mark.engines

CONTEXT = SimpleNamespace(
    function_name="step", memory_limit_in_mb=128, invoked_function_arn="arn", aws_request_id="request"
)


def holding(organisation: str, batch: str) -> int:
    """The grams of a batch that an organisation's account has on chain."""
    owner, found = registry.accounts().organisation(organisation), registry.registry().batch(batch)
    assert owner is not None and found is not None
    words = [owner.account_address, found.record.address]
    return int(chain.chain_access().view("credit_batch::holding", [], words)[0])


def test_a_gift_whose_server_dies_at_any_point_is_given_once(
    world: World, minted: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    buyer = world.post("operator", "/v1/organisations", {"name": "B", "kind": "buyer", "country": "US"})["id"]
    body = {"batch": minted.batch, "to": buyer, "grams": "11"}
    before = possessions(minted)
    deaths, _ = deadly(monkeypatch)
    statuses = []
    for point in range(ATTEMPTS_MAX):
        deaths.point, deaths.calls = point, 0
        answer = world.call(
            "POST", "/v1/transfers", who=(minted.organisation, "developer"), body=body, key="dying"
        )
        statuses.append(answer.status_code)
        if answer.status_code < 400:
            break
    deaths.point = None

    assert set(statuses[:-1]) == {500} and len(statuses) > 8
    assert json.loads(answer.body)["state"] == "done"
    after = possessions(minted)
    assert int(before["held"][0]) - int(after["held"][0]) == 11
    assert len(after["transfers"]["edges"]) == len(before["transfers"]["edges"]) + 1
    assert holding(buyer, minted.batch) == 11


def frozen_order(world: World, site: Site, monkeypatch: pytest.MonkeyPatch) -> str:
    """A retirement that was taken, and whose account was frozen before its saga began."""
    site.batch = site.mint()
    with monkeypatch.context() as patch:
        deadly(patch)
        retirement = site.post("/v1/retirements", order(site.batch))["id"]
    world.freeze(site.organisation)
    return str(retirement)


def gone(world: World, retirement: str) -> Refusal:
    """Why there will be no certificate."""
    return Refusal(world.call("GET", f"/v1/certificates/{retirement}", who=None))


def test_a_retirement_that_can_not_be_is_undone_by_its_saga(
    world: World, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    retirement = frozen_order(world, site, monkeypatch)
    held = possessions(site)["held"]
    registry.sagas().start("retire", retirement, {"retirement": retirement})
    deadline = time.monotonic() + 60
    while site.get(f"/v1/retirements/{retirement}")["state"] != "failed":
        assert time.monotonic() < deadline, "the saga did not end"
        time.sleep(0.1)
    refusal = gone(world, retirement)
    assert (refusal.status, refusal.title) == (410, "retirement failed")
    assert "nothing was retired" in refusal.reason and "frozen" in refusal.reason
    assert possessions(site)["held"] == held


def test_an_undo_that_dies_at_any_point_fails_the_retirement_once(
    world: World, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    from functions.retire import steps

    retirement = frozen_order(world, site, monkeypatch)
    before = possessions(site)
    deaths, _ = deadly(monkeypatch)
    state: dict[str, Any] = {"retirement": retirement, "error": {"Error": "AccountFrozen", "Cause": "{}"}}
    deaths.run(lambda: steps.fail_retirement(state, CONTEXT))
    assert steps.fail_retirement(state, CONTEXT) == {"retirement": retirement}
    assert site.get(f"/v1/retirements/{retirement}")["state"] == "failed"
    after = possessions(site)
    assert {name: after[name] for name in ("held", "batch")} == {
        name: before[name] for name in ("held", "batch")
    }
