"""A step may die at any point, before or after any effect: repeated, it ends with one effect."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from carbonmarket.operations.quantify import NothingToIssue
from carbonmarket_adapters import wiring
from carbonmarket_adapters.wiring import chain, registry
from tests.sagas.dying import deadly
from tests.sagas.test_retire import order
from tests.sagas.world import Site, World

CONTEXT = SimpleNamespace(
    function_name="step", memory_limit_in_mb=128, invoked_function_arn="arn", aws_request_id="request"
)


def next_serial() -> int:
    """One more than the grams ever issued."""
    return int(chain.chain_access().view("credit_batch::next_serial", [], [])[0])


def test_mint_dying_at_every_point_issues_one_batch(
    world: World, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    from functions.mint import steps

    site.send_day()
    deaths, recorder = deadly(monkeypatch)
    period = site.close()
    before = next_serial()
    state: dict[str, Any] = {"project": site.project, "period": period}

    quantified = deaths.run(lambda: steps.quantify(state, CONTEXT))
    deaths.run(lambda: steps.review({**state, "task_token": "token"}, CONTEXT))
    site.approve(period)
    assert recorder.told[-1] == ("succeed", "token")
    for name in ("mint", "await_finality", "register", "notify"):
        deaths.run(lambda name=name: getattr(steps, name)(state, CONTEXT))

    found = site.period(period)
    assert found["state"] == "registered"
    assert next_serial() - before == int(quantified["grams"]) == int(found["grams"])


def test_retire_dying_at_every_point_retires_once(
    world: World, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    from functions.retire import steps

    batch = site.mint()
    deaths, _ = deadly(monkeypatch)
    retirement = site.post("/v1/retirements", order(batch))["id"]
    kept = registry.registry().batch(batch)
    state = {"retirement": retirement}
    for name in ("check_holding", "retire", "await_finality", "render", "notify"):
        deaths.run(lambda name=name: getattr(steps, name)(state, CONTEXT))

    seen = chain.chain_access().view("credit_batch::batch", [], [kept.record.address])[0]
    assert (seen["retired"], site.get(f"/v1/retirements/{retirement}")["state"]) == ("123", "certified")


def test_another_public_url_changes_neither_the_issuance_nor_the_certificate(
    world: World, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    from functions.mint import steps as mint
    from functions.retire import steps as retire

    site.send_day()
    with monkeypatch.context() as patch:
        deadly(patch)
        period = site.close()
        state = {"project": site.project, "period": period}
        mint.quantify(state, CONTEXT)
        mint.review({**state, "task_token": "token"}, CONTEXT)
        site.approve(period)
        issued = mint.mint(state, CONTEXT)
        move_to("http://127.0.0.1:1", patch)
        assert mint.mint(state, CONTEXT) == issued
        mint.await_finality(state, CONTEXT)
        batch = mint.register(state, CONTEXT)["batch"]

        retirement = {"retirement": site.post("/v1/retirements", order(batch))["id"]}
        for name in ("check_holding", "retire", "await_finality"):
            getattr(retire, name)(retirement, CONTEXT)
        certified = retire.render(retirement, CONTEXT)
        move_to("http://127.0.0.1:2", patch)
        assert retire.render(retirement, CONTEXT) == certified


def move_to(url: str, patch: pytest.MonkeyPatch) -> None:
    """Let the market be reached at another address from now on."""
    patch.setenv("CARBONMARKET_PUBLIC_URL", url)
    wiring.settings.cache_clear()


def test_undo_dying_at_every_point_frees_the_period_once(
    world: World, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    from functions.mint import steps

    site.send_day()
    with monkeypatch.context() as patch:
        deaths, _ = deadly(patch)
        period = site.close()
        state = {"project": site.project, "period": period}
        steps.quantify(state, CONTEXT)
        deaths.run(lambda: steps.reject_period({**state, "error": {"Error": "ReviewRefused"}}, CONTEXT))
    assert site.period(period)["reason"] == "the drawn reviewers refused the report"
    again = site.close()
    assert site.await_period(again, "in_review")["grams"] == site.period(period)["grams"]


def test_a_report_of_no_gram_is_never_reviewed_wherever_its_step_died(
    world: World, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    from functions.mint import steps

    deaths, _ = deadly(monkeypatch)
    period = site.close()
    with pytest.raises(NothingToIssue):
        deaths.run(lambda: steps.quantify({"project": site.project, "period": period}, CONTEXT))


def test_an_execution_that_is_run_again_keeps_the_votes_under_its_new_token(
    world: World, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    from functions.mint import steps

    site.send_day()
    _, recorder = deadly(monkeypatch)
    period = site.close()
    state = {"project": site.project, "period": period}
    steps.quantify(state, CONTEXT)
    first = steps.review({**state, "task_token": "lost"}, CONTEXT)
    site.approve(period)
    again = steps.review({**state, "task_token": "new"}, CONTEXT)
    assert (first, recorder.told[-2:]) == (again, [("succeed", "lost"), ("succeed", "new")])
