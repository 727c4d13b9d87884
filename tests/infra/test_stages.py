"""Stages: what synth refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from carbonmarket.screening import ScreenedOut, ThresholdAndList
from carbonmarket.settings import Settings
from infra.declarations import ROOT
from infra.stages import DEVELOPMENT_AUTHORIZER, STAGES, StageRefused, stage_named


@pytest.mark.parametrize("stage", [config.stage for config in STAGES if config.stage != "local"])
def test_the_development_authorizer_is_refused(stage: str) -> None:
    with pytest.raises(StageRefused, match="development authorizer"):
        stage_named(stage, authorizer=DEVELOPMENT_AUTHORIZER)


def test_synth_ends_with_the_refusal(tmp_path: Path) -> None:
    context = {"stage": "dev", "authorizer": DEVELOPMENT_AUTHORIZER}
    done = subprocess.run(
        [sys.executable, "-m", "infra.app"],
        cwd=ROOT,
        env={**os.environ, "CDK_CONTEXT_JSON": json.dumps(context), "CDK_OUTDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "refused: stage dev asks for the development authorizer" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_machines_stage_may_have_it_and_belongs_to_no_account() -> None:
    config = stage_named("local")
    assert (config.authorizer, config.account) == (DEVELOPMENT_AUTHORIZER, "000000000000")


def test_a_stage_cannot_become_another_with_the_development_authorizer() -> None:
    with pytest.raises(StageRefused):
        replace(stage_named("local"), stage="prod")


def test_an_unknown_stage_or_authorizer_is_refused_by_name() -> None:
    with pytest.raises(StageRefused, match="'staging'"):
        stage_named("staging")
    with pytest.raises(StageRefused, match="'none'"):
        stage_named("dev", authorizer="none")


def test_a_stage_says_what_the_sponsor_pays_for_and_no_organisation_may_take_most_of_it() -> None:
    for config in STAGES:
        settings = config.settings(market_address="0x1", readings_store="sqlite:///unused")
        assert settings.sponsor_daily_gas_budget == config.sponsor_gas_units
        assert settings.sponsor_account_gas_budget == config.sponsor_gas_units_an_account
        assert 10 * settings.sponsor_account_gas_budget <= settings.sponsor_daily_gas_budget


def test_a_stage_says_who_may_not_buy_by_card_and_how_much_a_purchase_may_cost() -> None:
    told = {"card_denied": ("ORGFRAUD", "ORGOTHER"), "card_cents_max": 5_000, "card_risk_s": 86_400}
    config = replace(stage_named("dev"), **told)
    settings = Settings.from_env(config.settings(market_address="0x1", readings_store="sqlite:///x").to_env())
    screening = ThresholdAndList(
        amount_max_cents=settings.card_cents_max, denied=frozenset(settings.card_denied.split(","))
    )
    for organisation, cents in (("ORGFRAUD", 100), ("ORGOTHER", 100), ("ORGBUYER", 5_001)):
        with pytest.raises(ScreenedOut):
            screening.screen(organisation, cents)
    screening.screen("ORGBUYER", 5_000)
    assert settings.card_risk_s == 86_400
