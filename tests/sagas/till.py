"""A till for these tests: the session's exchange, with the payment provider running and its webhooks caught.

Tests hand the webhooks to the API themselves, so that they decide on order and repetition.
"""

from __future__ import annotations

import itertools
import json
import time
from typing import Any

import requests
import stripe

from carbonmarket.ledger.laws import broken
from carbonmarket.operations.reconcile_money import reconcile_money
from carbonmarket.records.money import CAPITAL, STRIPE_RECEIVABLE, Books, MoneyReconciliation, Transfer
from carbonmarket_adapters.wiring import chain, money, purchases
from infra.local.engines.gateway.app import AppGateway
from infra.local.engines.stripe import stripe_server
from tests.market.exchange import Exchange
from tests.money.provider import Inbox

PRICE = 20_000
"""In ticks: a gram costs 20,000 quote units, so that 50 grams cost a dollar."""
GRAMS = 50
CARD = "pm_card_visa"
SECURE_CARD = "pm_card_threeDSecureRequired"
RETIREMENT = {
    "reason": "voluntary, office electricity",
    "country": "US",
    "period_start": "2016-01-01T00:00:00Z",
    "period_end": "2017-01-01T00:00:00Z",
    "beneficiary": {"name": "Ada Lovelace-Byron"},
}
_keys = itertools.count(1)


class Till:
    """Quotes and purchases of the exchange's buyer, and what the provider and the operator do."""

    def __init__(self, exchange: Exchange, inbox: Inbox) -> None:
        self.exchange = exchange
        self.world = exchange.world
        self.inbox = inbox
        machine = self.world.aws.machine
        self.url = machine.stripe_url
        settings = self.world.settings
        self.webhook_secret = self._secret(settings.stripe_webhook_secret)
        self.engine = stripe_server(
            machine.stripe_port,
            machine.state / "stripe.sqlite",
            machine.state / "logs" / "stripe.log",
            webhook_url=inbox.url,
            webhook_secret=self.webhook_secret,
        )

    def _secret(self, name: str) -> str:
        found = self.world.aws.client("secretsmanager").get_secret_value(SecretId=name)
        return str(found["SecretString"])

    def stripe(self) -> stripe.StripeClient:
        """The stripe package, as a person's dashboard would use it."""
        key = self._secret(self.world.settings.stripe_secret)
        return stripe.StripeClient(key, base_addresses={"api": self.url}, max_network_retries=0)

    def test(self, path: str, **form: Any) -> None:
        """What a cardholder or a seller does on the provider's pages."""
        requests.post(f"{self.url}/_test/{path}", data=form, timeout=10).raise_for_status()

    def fund(self) -> None:
        """The operator puts 100 dollars into the provider's balance, out of which disputes and sellers are
        paid."""
        paid = self.stripe().v1.payment_intents.create(
            {
                "amount": 10_000,
                "currency": "usd",
                "payment_method": CARD,
                "confirm": True,
                "expand": ["latest_charge.balance_transaction"],
            }
        )
        moved = paid.latest_charge.balance_transaction
        put_in = Transfer(
            debit=STRIPE_RECEIVABLE,
            credit=CAPITAL,
            amount=moved.net,
            currency="USD",
            reason="the operator's own money",
            references={"balance_transaction": moved.id},
        )
        money.ledger().post(f"story/fund/{moved.id}", [put_in], time.time_ns() // 1_000)

    def empty(self) -> None:
        """All of the provider's balance goes to the operator's bank, which the next reconciliation books."""
        left = money.payments().balance("USD")
        self.stripe().v1.payouts.create({"amount": left, "currency": "usd"})

    # People

    def offer(self, grams: int = GRAMS, price: int = PRICE) -> Any:
        """The seller offers grams in the first book, and the projection has seen it."""
        placed = self.exchange.place(self.exchange.seller, "sell", price, grams)
        self.exchange.watch()
        return placed

    def payout_account(self, outcome: str) -> str:
        """The seller's account at the provider, after onboarding with that outcome ("complete" or
        "restricted"): all stories of the session have the same one."""
        back = {"return_url": "https://app.example/payouts"}
        account = self.exchange.post(self.exchange.seller, "/v1/payout-account", back)["account"]
        self.test(f"accounts/{account}/onboarding", outcome=outcome)
        return str(account)

    def withdraw(self, placed: Any) -> None:
        """The seller takes an offer back."""
        path = f"/v1/orders/{placed['book']}/{placed['id']}/cancellation"
        self.exchange.post(self.exchange.seller, path)

    def quote(self, grams: int = GRAMS, **changes: Any) -> Any:
        """The buyer's quote for the first batch."""
        body = {"batch": self.exchange.batches[0], "grams": str(grams), "deliver": "hold"} | changes
        body = {name: value for name, value in body.items() if value is not None}
        return self.exchange.post(self.exchange.buyer, "/v1/quotes", body)

    def buy(self, quote: Any, card: str = CARD, key: str | None = None) -> str:
        """The buyer takes a quote; the purchase's id."""
        body = {"quote": quote["id"], "payment_method": card}
        return str(self.exchange.post(self.exchange.buyer, "/v1/purchases", body, key)["id"])

    def purchase(self, purchase: str) -> Any:
        """The purchase as its buyer sees it."""
        return self.exchange.get(self.exchange.buyer, f"/v1/purchases/{purchase}")

    def await_purchase(self, purchase: str, *states: str, seconds: int = 60) -> Any:
        """The purchase once it is in one of the states."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = self.purchase(purchase)
            if found["state"] in states:
                return found
            assert found["state"] not in ("failed", "completed"), found
            time.sleep(0.1)
        raise AssertionError(f"purchase {purchase} is {found}, not {states}")

    def authenticate(self, purchase: str, outcome: str = "succeeded") -> None:
        """The cardholder answers its bank, and the provider tells the market."""
        intent = self.intent(purchase)
        self.test(f"payment_intents/{intent}/authentication", outcome=outcome)
        kind = "amount_capturable_updated" if outcome == "succeeded" else "payment_failed"
        self.deliver_webhook(f"payment_intent.{kind}", intent)

    def operator(self, path: str, body: Any = None) -> Any:
        """A write of the operator that must succeed."""
        return self.world.post("operator", path, body)

    def listed(self, path: str) -> list[Any]:
        """All that an operator's list shows."""
        return [edge["node"] for edge in self.world.get("operator", f"{path}?first=100")["edges"]]

    def cases(self, purchase: str) -> list[Any]:
        """The cases of a purchase."""
        return [case for case in self.listed("/v1/cases") if case["purchase"] == purchase]

    # Webhooks

    def deliver_webhook(self, *needles: str) -> tuple[int, str]:
        """Hand the first webhook with the needles to the API."""
        body, signature = self.inbox.wait_for(*needles)
        return self.post_webhook(body, signature)

    def post_webhook(self, body: bytes, signature: str) -> tuple[int, str]:
        """The API's answer to a webhook that comes through the gateway: its status, and the event's state or
        the problem's kind."""
        from functions.api_purchases.app import app

        headers = {"content-type": "application/json; charset=utf-8", "stripe-signature": signature}
        gateway = AppGateway(app, "api-purchases", 29)
        answer = gateway.handle_request("POST", "/v1/webhooks/stripe", headers, body)
        told = json.loads(answer["body"])
        return answer["statusCode"], told.get("state") or told["type"].rsplit("/", 1)[-1]

    # What is where

    def intent(self, purchase: str) -> str:
        """The purchase's payment intent."""
        kept = purchases.purchases().purchase(purchase)
        assert kept is not None
        return kept.record.intent

    def books(self) -> Books:
        """The ledger, which keeps its laws."""
        found = money.ledger().books()
        assert broken(found) == []
        return found

    def reconciled(self) -> MoneyReconciliation:
        """Ledger, provider and treasury compared, as once a day."""
        return reconcile_money(
            ledger=money.ledger(),
            payments=money.payments(),
            chain=chain.chain_access(),
            treasury=purchases.treasury(),
            quote_asset=self.exchange.quote,
            currency="USD",
            catch_up=lambda: None,
            now_us=time.time_ns() // 1_000,
        )

    def balances(self) -> dict[tuple[str, str], tuple[int, int, int]]:
        """What each account has, as (debits - credits, pending debits, pending credits); nothing of zeros."""
        found = {
            (each.account, each.currency): (
                each.debits - each.credits,
                each.debits_pending,
                each.credits_pending,
            )
            for each in self.books().balances
        }
        return {name: sums for name, sums in found.items() if any(sums)}

    def balance(self, account: str, currency: str = "USD") -> int:
        """What an account has, posted: debits - credits. Stories share the till, so compare with before."""
        return self.balances().get((account, currency), (0, 0, 0))[0]

    def paid(self) -> int:
        """What the buyer has paid and not received, in cents."""
        return -self.balance(f"buyer:{self.exchange.buyer}")

    def moved(self, before: dict[tuple[str, str], tuple[int, int, int]]) -> dict[tuple[str, str], int]:
        """By how much each account has changed; nothing of those that have not."""
        now, none = self.balances(), (0, 0, 0)
        changes = {name: now.get(name, none)[0] - before.get(name, none)[0] for name in before | now}
        return {name: change for name, change in changes.items() if change}

    def treasury(self) -> tuple[int, int]:
        """(quote units, grams of the first batch) of the treasury's account, in wallet and claimable."""
        account = purchases.treasury()
        assets = (self.exchange.quote, self.exchange.batch(self.exchange.batches[0]).address)
        units, grams = (self._owned(account, asset) for asset in assets)
        return units, grams

    def seller_units(self) -> tuple[int, int]:
        """Quote units of the seller's account: (in its wallet, claimable)."""
        account, quote = self.exchange.account(self.exchange.seller), self.exchange.quote
        return self.wallet(account, quote), self.exchange.claimable_at(account)

    def held(self) -> int:
        """Grams of the first batch in the buyer's wallet."""
        address = self.exchange.batch(self.exchange.batches[0]).address
        return self.wallet(self.exchange.account(self.exchange.buyer), address)

    def _owned(self, account: str, asset: str) -> int:
        claimable = chain.chain_access().view("market_vault::balance", [], [account, asset])[0]
        return self.wallet(account, asset) + int(claimable)

    @staticmethod
    def wallet(account: str, asset: str) -> int:
        """What of an asset an account's wallet holds."""
        kind = "0x1::fungible_asset::Metadata"
        view = chain.chain_access().view("0x1::primary_fungible_store::balance", [kind], [account, asset])
        return int(view[0])

    def state(self) -> Any:
        """All that a purchase which fails without a fill must leave as it was."""
        return self.balances(), self.treasury(), self.held(), self.exchange.state()

    def money_at(self, intent: str) -> tuple[str, int]:
        """(status, captured) as the provider has it."""
        found = self.stripe().v1.payment_intents.retrieve(intent)
        return found.status, found.amount_received


def execution(till: Till, purchase: str) -> Any:
    """The purchase's execution: its status, output and error."""
    account = till.world.aws.client("sts").get_caller_identity()["Account"]
    arn = f"arn:aws:states:us-east-1:{account}:execution:{till.world.aws.name('settle_trade')}:{purchase}"
    return till.world.aws.client("stepfunctions").describe_execution(executionArn=arn)


def start(till: Till, purchase: str) -> None:
    """Start the purchase's execution, as it is run again after it was lost."""
    states = till.world.aws.client("stepfunctions")
    arn = next(
        machine["stateMachineArn"]
        for machine in states.list_state_machines()["stateMachines"]
        if machine["name"] == till.world.aws.name("settle_trade")
    )
    states.start_execution(stateMachineArn=arn, name=purchase, input=json.dumps({"purchase": purchase}))


def changed(payload: bytes, **values: Any) -> bytes:
    """A webhook's body with other values, which its signature does not cover."""
    return json.dumps(json.loads(payload) | values).encode()
