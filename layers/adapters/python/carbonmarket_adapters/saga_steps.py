"""What the steps of all sagas need of their state."""

from __future__ import annotations

import json
from typing import Any

_SENTENCE_MAX = 500


def cause_of(state: dict[str, Any]) -> str:
    """Why the saga came to its undo: the sentence of the error that was caught.

    Lambda puts {"errorMessage", "errorType", …} as JSON into ``Cause``; a timeout has a bare name.
    """
    error = state.get("error", {})
    try:
        cause = json.loads(error.get("Cause") or "")
        sentence = cause["errorMessage"]
    except (ValueError, KeyError, TypeError):
        sentence = error.get("Cause") or error.get("Error") or "the saga was ended"
    if error.get("Error") == "States.Timeout":
        sentence = "the time for this step ran out"
    return str(sentence)[:_SENTENCE_MAX]
