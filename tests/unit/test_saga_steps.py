"""What all steps of sagas have in common."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from carbonmarket.errors import EngineUnavailable, MarketError, NotYetFinal
from carbonmarket_adapters.saga_steps import REFUSALS, names_what_is_away

CONTEXT = SimpleNamespace(function_name="carbonmarket-test-settle_trade-deliver")


@pytest.mark.parametrize(("error", "times"), [(NotYetFinal("held"), 1), (EngineUnavailable("away"), 0)])
def test_what_a_step_refuses_is_counted_and_no_fault_is(
    error: MarketError, times: int, capsys: pytest.CaptureFixture[str]
) -> None:
    @names_what_is_away
    def deliver(state: dict[str, Any], context: object) -> None:
        raise error

    with pytest.raises(type(error)):
        deliver({}, CONTEXT)
    told = capsys.readouterr().out
    assert told.count(f'"{REFUSALS}":[1.0]') == times
    assert told.count(f'"function":"{CONTEXT.function_name}"') == times
