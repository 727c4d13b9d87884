"""What all steps of sagas have in common."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from carbonmarket.errors import EngineUnavailable, MarketError, NotYetFinal
from carbonmarket_adapters.saga_steps import REFUSALS, names_what_is_away

CONTEXT = SimpleNamespace(function_name="carbonmarket-test-settle_trade-deliver")


@pytest.mark.parametrize(("error", "times"), [(NotYetFinal("held"), 1), (EngineUnavailable("away"), 0)])
def test_what_a_step_refuses_is_counted_and_no_fault_is(
    error: MarketError, times: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # As each function has it on AWS.
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "settle_trade-deliver")

    @names_what_is_away
    def deliver(state: dict[str, Any], context: object) -> None:
        raise error

    with pytest.raises(type(error)):
        deliver({}, CONTEXT)
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [metric[REFUSALS] for metric in told] == [[1.0]] * times
    # The alarm names these dimensions, and no metric with another one beside is its metric.
    for metric in told:
        assert metric["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["service"]]
        assert metric["service"] == CONTEXT.function_name
