"""What the steps of all sagas need of their state."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any, TypeVar

from carbonmarket.errors import EngineUnavailable, MarketError
from carbonmarket_adapters.counting import count
from carbonmarket_adapters.wiring import settings

Answer = TypeVar("Answer")

REFUSALS = "Refusals"
"""The metric of what steps refuse, by ``service``: the function's full name."""
_SENTENCE_MAX = 500
# Errors that no step raised, so that no sentence came with them (an interpreter may drop a failure's cause).
_SENTENCES = {
    "States.Timeout": "the time for this step ran out",
    "ReviewRefused": "the drawn reviewers refused the report",
    "Disputed": "the cardholder's bank has taken the money back",
    "GivenBack": "the money was given back before the credits were delivered",
}


def cause_of(state: dict[str, Any]) -> str:
    """Why the saga came to its undo: the sentence of the error that was caught.

    Lambda puts {"errorMessage", "errorType", …} as JSON into ``Cause``.
    """
    error = state.get("error", {})
    name, cause = error.get("Error", ""), error.get("Cause", "")
    if name in _SENTENCES:
        return _SENTENCES[name]
    try:
        sentence = json.loads(cause)["errorMessage"]
    except (ValueError, KeyError, TypeError):
        sentence = cause or name or "the saga was ended"
    return str(sentence)[:_SENTENCE_MAX]


def names_what_is_away(
    step: Callable[[dict[str, Any], object], Answer],
) -> Callable[[dict[str, Any], object], Answer]:
    """A step that fails with EngineUnavailable while a store doesn't answer, whatever its client calls that.

    The saga tries that again by its name; any other failure goes the way of the undo. A refusal, which is an
    answer to the saga and no fault of the function, is counted, so that the function's alarm knows it.
    """

    @functools.wraps(step)
    def named(state: dict[str, Any], context: object) -> Answer:
        try:
            return step(state, context)
        except EngineUnavailable:
            # It says already who is away.
            raise
        except MarketError:
            count(name=REFUSALS, service=str(getattr(context, "function_name", "")))
            raise
        except Exception as error:
            # Only a step that fails pays for the import.
            from carbonmarket_adapters.http.problems import engine_unavailable

            away = engine_unavailable(error, settings().aws_endpoint_url)
            if away is None:
                raise
            raise away from error

    return named
