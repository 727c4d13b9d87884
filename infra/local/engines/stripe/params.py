"""Parameters: Stripe's bracketed forms as nested dictionaries, and values taken out of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from infra.local.engines.stripe.refusals import invalid

Params = dict[str, Any]
_PART = re.compile(r"[^\[\]]+")


def nested(pairs: Iterable[tuple[str, str]]) -> Params:
    """``metadata[order]=1&expand[]=a&expand[0]=b`` as {"metadata": {"order": "1"}, "expand": ["a", "b"]}."""
    found: Params = {}
    for name, value in pairs:
        parts = _PART.findall(name)
        if not parts:
            raise invalid(f"Received an unnamed parameter: {name!r}")
        if name.endswith("[]"):
            parts.append(str(len(found.get(parts[0], {}))))
        place: Any = found
        for part in parts[:-1]:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise invalid(f"Invalid object: {name}", param=name)
        place[parts[-1]] = value
    return {name: _lists(value) for name, value in found.items()}


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(key.isdigit() for key in value):
        return [_lists(value[key]) for key in sorted(value, key=int)]
    return {key: _lists(each) for key, each in value.items()}


def only(params: Params, *known: str) -> None:
    """Refuse parameters that the call doesn't know."""
    for name in params:
        if name not in {*known, "expand"}:
            raise invalid(f"Received unknown parameter: {name}", param=name, code="parameter_unknown")


def text(params: Params, name: str, default: str | None = None) -> str:
    """A parameter that must be there unless a default is given."""
    value = params.get(name, default)
    if value is None or value == "":
        raise invalid(f"Missing required param: {name}.", param=name, code="parameter_missing")
    if not isinstance(value, str):
        raise invalid(f"Invalid string: {name}", param=name)
    return value


def integer(params: Params, name: str, default: int | None = None) -> int:
    """An integer parameter that must be there unless a default is given."""
    if name not in params and default is not None:
        return default
    given = text(params, name)
    if not re.fullmatch(r"-?\d{1,15}", given):
        raise invalid(f"Invalid integer: {given}", param=name, code="parameter_invalid_integer")
    return int(given)


def flag(params: Params, name: str) -> bool:
    """Whether a parameter is given as true."""
    return params.get(name) == "true"


def metadata(params: Params, before: dict[str, str] | None = None) -> dict[str, str]:
    """The metadata as they are after the call; an empty value takes a key away."""
    merged = {**(before or {}), **(params.get("metadata") or {})}
    return {key: value for key, value in merged.items() if value != ""}
