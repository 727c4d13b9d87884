"""What an operator reads of the daily reconciliations of money."""

from __future__ import annotations

from typing import Any

import pytest

from carbonmarket.records.money import MoneyReconciliation
from carbonmarket_adapters.http.cursors import cursor_of
from carbonmarket_adapters.wiring import money
from tests.bad_input.conftest import Refusal
from tests.sagas.till import Till

PATH = "/v1/reconciliations/money"


def result(at_us: int, *differences: str) -> MoneyReconciliation:
    """What a run at that time published."""
    return MoneyReconciliation(
        at_us=at_us,
        since_us=0,
        currency="USD",
        ledger_receivable=9_000,
        provider_balance=9_146,
        in_flight=146,
        ledger_float=5,
        chain_float=5,
        matched=2,
        differences=differences,
    )


def times(page: Any) -> list[str]:
    """When the page's runs were."""
    return [edge["node"]["at"] for edge in page["edges"]]


def test_an_operator_reads_the_reconciliations_newest_first_in_pages(till: Till) -> None:
    for at_us in (1, 3, 2):
        money.ledger().publish(result(at_us, f"difference {at_us}"))
    page = till.world.get("operator", f"{PATH}?first=2&after={cursor_of('4')}")
    assert times(page) == ["1970-01-01T00:00:00.000003Z", "1970-01-01T00:00:00.000002Z"]
    assert page["edges"][0]["node"] == {
        "at": "1970-01-01T00:00:00.000003Z",
        "since": "1970-01-01T00:00:00Z",
        "currency": "USD",
        "ledger_receivable_cents": "9000",
        "provider_balance_cents": "9146",
        "in_flight_cents": "146",
        "ledger_float_units": "5",
        "chain_float_units": "5",
        "matched": 2,
        "differences": ["difference 3"],
    }
    assert page["pageInfo"]["hasNextPage"]
    rest = till.world.get("operator", f"{PATH}?first=2&after={page['pageInfo']['endCursor']}")
    assert (times(rest), rest["pageInfo"]["hasNextPage"]) == (["1970-01-01T00:00:00.000001Z"], False)


@pytest.mark.parametrize(
    ("who", "query", "status", "field"),
    [
        ("buyer", "", 403, ""),
        ("operator", f"?after={cursor_of('yesterday')}", 422, "after"),
        ("operator", f"?after={cursor_of('9' * 30)}", 422, "after"),
        ("operator", "?after=%C3%A9", 422, "after"),
    ],
)
def test_others_and_foreign_cursors_are_refused(
    till: Till, who: str, query: str, status: int, field: str
) -> None:
    refused = Refusal(till.world.call("GET", PATH + query, who=("ORGPLATFORM", who)))
    assert (refused.status, refused.field) == (status, field)
