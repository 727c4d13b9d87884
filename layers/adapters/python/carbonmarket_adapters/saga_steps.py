"""What the steps of all sagas need of their state."""

from __future__ import annotations

import json
from typing import Any

_SENTENCE_MAX = 500
# Errors that no step raised, so that no sentence came with them (an interpreter may drop a failure's cause).
_SENTENCES = {
    "States.Timeout": "the time for this step ran out",
    "ReviewRefused": "the drawn reviewers refused the report",
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
