"""What is only read: one object, a page of a list, the balance; ids expanded to the objects they name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from infra.local.engines.stripe import params as take
from infra.local.engines.stripe.context import Context
from infra.local.engines.stripe.params import Params
from infra.local.engines.stripe.refusals import invalid, missing
from infra.local.engines.stripe.store import Object

_PAGE = ("created", "ending_before", "limit", "starting_after")
FILTERS = {
    "account": (),
    "balance_transaction": ("currency", "source", "type"),
    "charge": ("payment_intent", "transfer_group"),
    "dispute": ("charge", "payment_intent"),
    "event": ("type", "types"),
    "payment_intent": (),
    "payout": (),
    "refund": ("charge", "payment_intent"),
    "topup": (),
    "transfer": ("destination", "transfer_group"),
}
_COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
}


def page(context: Context, params: Params, kind: str, url: str) -> Object:
    """Objects of a kind, newest first, filtered, from a cursor on."""
    take.only(params, *_PAGE, *FILTERS[kind])
    limit = take.integer(params, "limit", 10)
    if not 1 <= limit <= 100:
        raise invalid("This value must be between 1 and 100.", param="limit")
    found = [thing for thing in context.store.find(kind) if _wanted(thing, params, FILTERS[kind])]
    for cursor in ("starting_after", "ending_before"):
        if cursor in params and params[cursor] not in {thing["id"] for thing in found}:
            raise missing(kind, params[cursor], cursor)
    if "starting_after" in params:
        found = found[_place(found, params["starting_after"]) + 1 :]
    if "ending_before" in params:
        before = found[: _place(found, params["ending_before"])]
        return _list(before[-limit:], len(before) > limit, url)
    return _list(found[:limit], len(found) > limit, url)


def _list(data: list[Object], has_more: bool, url: str) -> Object:
    return {"object": "list", "url": url, "has_more": has_more, "data": data}


def _place(found: list[Object], id: str) -> int:
    return next(place for place, thing in enumerate(found) if thing["id"] == id)


def _wanted(thing: Object, params: Params, filters: tuple[str, ...]) -> bool:
    created = params.get("created", {})
    if isinstance(created, str):
        created = {"gte": created, "lte": created}
    for name in created:
        if name not in _COMPARISONS:
            raise invalid(f"Received unknown parameter: created[{name}]", param="created")
        if not _COMPARISONS[name](thing["created"], take.integer(created, name)):
            return False
    if "types" in params and "types" in filters and thing["type"] not in params["types"]:
        return False
    return all(thing.get(name) == params[name] for name in filters if name in params and name != "types")


def balance(context: Context, params: Params) -> Object:
    """GET /v1/balance; all of it is available, nothing waits."""
    take.only(params)
    currencies = {transaction["currency"] for transaction in context.store.find("balance_transaction")}
    sums = [
        {"amount": context.store.net_of(currency), "currency": currency} for currency in sorted(currencies)
    ]
    empty = [{"amount": 0, "currency": each["currency"]} for each in sums]
    return {"object": "balance", "available": sums, "pending": empty, "livemode": False}


def expanded(context: Context, params: Params, answer: Any) -> Any:
    """The answer with what ``expand`` names put in place of its id."""
    paths = params.get("expand", [])
    for path in paths if isinstance(paths, list) else [paths]:
        answer = _expand(context, answer, path.split("."), path)
    return answer


def _expand(context: Context, thing: Any, parts: list[str], path: str) -> Any:
    if isinstance(thing, list):
        return [_expand(context, each, parts, path) for each in thing]
    if not parts or thing is None:
        return thing
    name, *rest = parts
    if not isinstance(thing, dict) or name not in thing:
        raise invalid(f"This property cannot be expanded ({path}).", param="expand")
    value = thing[name]
    if isinstance(value, str):
        value = context.store.get(value)
        if value is None:
            raise invalid(f"This property cannot be expanded ({path}).", param="expand")
    return {**thing, name: _expand(context, value, rest, path)}
