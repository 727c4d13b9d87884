"""A seller's account at the payment provider: opened once, ready after onboarding, and then paid."""

from __future__ import annotations

from typing import Any

import pytest

from carbonmarket_adapters.wiring import purchases
from tests.bad_input.conftest import Refusal
from tests.sagas.settling import Settling
from tests.sagas.till import SECURE_CARD, Till

BACK = {"return_url": "https://app.example/payouts"}


def refusal(till: Till, path: str, body: Any, who: tuple[str, str]) -> Refusal:
    """What somebody is told who asks for that."""
    return Refusal(till.world.call("POST", path, who=who, body=body))


def test_an_account_is_opened_once_and_is_its_own_organisation_s(till: Till) -> None:
    seller, rival = till.exchange.seller, till.exchange.rival
    opened = till.exchange.post(seller, "/v1/payout-account", BACK)
    again = till.exchange.post(seller, "/v1/payout-account", BACK)
    assert again == opened
    assert opened["account"] in opened["onboarding_url"]
    assert till.exchange.get(seller, "/v1/payout-account") == opened | {"onboarding_url": None}

    none = Refusal(till.world.call("GET", "/v1/payout-account", who=(rival, "buyer")))
    assert (none.status, "POST /v1/payout-account" in none.reason) == (404, True)
    theirs = till.exchange.post(rival, "/v1/payout-account", BACK)["account"]
    assert theirs != opened["account"]
    fiat = {"payout": "fiat", "account": theirs}
    refused = refusal(till, "/v1/payout-choice", fiat, (seller, "developer"))
    assert (refused.status, refused.field) == (422, "account")
    kept = purchases.purchases().payout_choice(seller)
    assert kept is not None
    assert (kept.record.payout, kept.record.opened) == ("onchain", opened["account"])


def test_a_seller_reads_how_it_is_paid_and_on_chain_is_the_default(till: Till) -> None:
    seller, path = till.exchange.seller, "/v1/payout-choice"
    unchosen = {"organisation": till.exchange.rival, "payout": "onchain", "account": None, "changed": None}
    assert till.exchange.get(till.exchange.rival, path) == unchosen
    chosen = till.exchange.post(seller, path, {"payout": "onchain"})
    assert chosen["changed"] and till.exchange.get(seller, path) == chosen
    assert Refusal(till.world.call("GET", path, who=(seller, "operator"))).status == 403
    assert Refusal(till.world.call("GET", path, who=("ORGUNKNOWN0000", "buyer"))).status == 403


@pytest.mark.parametrize(
    ("role", "url", "status", "field"),
    [
        ("verifier", "https://app.example", 403, ""),
        ("developer", "javascript:alert(1)", 422, "return_url"),
        ("developer", "http://app.example", 422, "return_url"),
        ("developer", "https://", 422, "return_url"),
    ],
)
def test_an_account_is_not_opened_for_anybody_or_to_anywhere(
    till: Till, role: str, url: str, status: int, field: str
) -> None:
    refused = refusal(till, "/v1/payout-account", {"return_url": url}, (till.exchange.seller, role))
    assert (refused.status, refused.field) == (status, field)


def test_what_a_seller_waits_for_is_paid_when_its_account_becomes_ready(settling: Settling) -> None:
    till, seller = settling.till, settling.till.exchange.seller
    account = till.payout_account("restricted")
    told = ('"account.updated"', account)
    till.exchange.post(seller, "/v1/payout-choice", {"payout": "fiat", "account": account})
    try:
        purchase = settling.bought("pay_sellers", SECURE_CARD)
    finally:
        till.exchange.post(seller, "/v1/payout-choice", {"payout": "onchain"})
    # The provider tells that the account has changed, but not that it is ready.
    assert till.deliver_webhook(*told, '"payouts_enabled": false') == (200, "handled")
    [waiting] = payouts(till, purchase)
    assert (waiting["state"], waiting["account"]) == ("waiting", account)

    till.test(f"accounts/{account}/onboarding", outcome="complete")
    for _ in range(2):
        assert till.deliver_webhook(*told, '"payouts_enabled": true') == (200, "handled")
    [paid] = payouts(till, purchase)
    assert (paid["state"], paid["reason"]) == ("paid", None)
    assert till.stripe().v1.transfers.retrieve(paid["transfer"]).destination == account
    assert (f"payable:{seller}", "USD") not in till.balances()
    assert purchase not in {each.record.purchase for each in purchases.purchases().unpaid_payouts(seller)}


def payouts(till: Till, purchase: str) -> list[Any]:
    """The payouts of a purchase."""
    return [each for each in till.listed("/v1/payouts") if each["purchase"] == purchase]
