"""The payment provider: Stripe through its own package, or a server that speaks Stripe's API.

The package takes half a second to import, so this module is imported by those alone who are about to pay. A
key of ours becomes Stripe's Idempotency-Key, which Stripe keeps for a day; refunds and transfers that come
again after that are found by what they left behind. Who authorises keeps the intent. A payment is captured or
voided but once, so that these go without a key: under one Stripe answers a fault of its own again all day.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
from collections.abc import Callable, Container, Iterator, Mapping
from typing import Any

import msgspec
import stripe

from carbonmarket.errors import (
    Conflict,
    EngineUnavailable,
    IdempotencyMismatch,
    InvalidInput,
    MarketError,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    NotPayable,
    PaymentDeclined,
)
from carbonmarket.records.money import (
    Authorisation,
    BalanceTransaction,
    Captured,
    Dispute,
    PaidOut,
    PaymentEvent,
    PayoutAccount,
    Refunded,
)
from carbonmarket.times import MICROSECONDS
from carbonmarket_adapters import stripe_objects as told
from carbonmarket_adapters.stripe_objects import Object

_CHARGE = ["latest_charge"]
_CHARGE_MOVED = ["latest_charge.balance_transaction"]
_FIELDS = {"amount_to_capture": "amount", "destination": "account", "refresh_url": "return_url"}


class StripePayments:
    """The :class:`carbonmarket.ports.money.Payments` over Stripe.

    ``secret`` and ``webhook_secret`` are asked for when they are first needed. ``webhook_secret`` may be
    several with blanks between: Stripe tells of our sellers' accounts by an endpoint of its own, whose
    secret is another. ``api_base`` "" is Stripe.
    """

    def __init__(
        self, *, secret: Callable[[], str], webhook_secret: Callable[[], str], api_base: str = ""
    ) -> None:
        self._secret = secret
        self._webhook_secret = webhook_secret
        self._api_base = api_base

    @functools.cached_property
    def _api(self) -> Any:
        return stripe.StripeClient(
            self._secret(),
            base_addresses={"api": self._api_base} if self._api_base else None,
            # Repeated under the same idempotency key.
            max_network_retries=2,
            http_client=stripe.RequestsClient(timeout=20),
        ).v1

    def authorise(
        self, key: str, amount: int, currency: str, payment_method: str, metadata: Mapping[str, str]
    ) -> Authorisation:
        asked = {
            "amount": amount,
            "capture_method": "manual",
            "confirm": True,
            "currency": currency.lower(),
            "expand": _CHARGE,
            "metadata": dict(metadata),
            "payment_method": payment_method,
            "payment_method_types": ["card"],
            # The buyer's app completes 3-D Secure, with Stripe's package for it.
            "use_stripe_sdk": True,
        }
        with self._errors():
            try:
                intent = _plain(self._api.payment_intents.create(asked, _once("authorise", key)))
            except stripe.CardError as declined:
                intent = told.intent_of(declined)
            return told.authorisation(intent)

    def status(self, intent: str) -> Authorisation:
        with self._errors():
            return told.authorisation(self._intent(intent, _CHARGE))

    def capture(self, intent: str, amount: int) -> Captured:
        asked = {"amount_to_capture": amount, "expand": _CHARGE_MOVED}
        with self._errors("amount_to_capture"):
            try:
                taken = _plain(self._api.payment_intents.capture(intent, asked))
            except stripe.InvalidRequestError as refused:
                if refused.code != "payment_intent_unexpected_state":
                    raise
                taken = self._captured_before(intent, amount, refused)
            return told.captured(taken)

    def _captured_before(self, intent: str, amount: int, refused: Exception) -> Object:
        found = self._intent(intent, _CHARGE_MOVED)
        if found["status"] == "succeeded" and found["amount_received"] == amount:
            return found
        if found["status"] == "succeeded":
            raise Conflict(
                f"{found['amount_received']} of payment {intent} were captured already; {amount} can't be",
                field="amount",
            ) from refused
        state = told.authorisation(found)
        reason = state.reason or f"it is {state.state}"
        raise Conflict(f"payment {intent} can't be captured: {reason}", field="intent") from refused

    def void(self, intent: str) -> Authorisation:
        with self._errors():
            try:
                asked = {"expand": _CHARGE}
                ended = _plain(self._api.payment_intents.cancel(intent, asked))
            except stripe.InvalidRequestError as refused:
                if refused.code != "payment_intent_unexpected_state":
                    raise
                ended = self._intent(intent, _CHARGE)
                if ended["status"] != "canceled":
                    raise Conflict(
                        f"payment {intent} was captured and can't be voided; refund it", field="intent"
                    ) from refused
            return told.authorisation(ended)

    def refund(self, key: str, intent: str, amount: int | None = None) -> Refunded:
        asked: Object = {"metadata": {told.OURS: _digest(key)}, "payment_intent": intent}
        if amount is not None:
            asked["amount"] = amount
        with self._errors("amount", "payment_intent"):
            self._intent(intent, [])
            ours = [each for each in self._refunds(intent) if told.key_of(each) == _digest(key)]
            made = ours[0] if ours else _plain(self._api.refunds.create(asked, _once("refund", key)))
        if amount is not None and made["amount"] != amount:
            raise IdempotencyMismatch(
                f"the refund's key has given back {made['amount']} of payment {intent} before", field="key"
            )
        found = told.refunded(made)
        if found.failure:
            raise Conflict(f"refund {found.refund} has failed: {found.failure}", field="intent")
        return found

    def refunds(self, intent: str) -> list[Refunded]:
        with self._errors():
            return [told.refunded(each) for each in self._refunds(intent)]

    def _refunds(self, intent: str) -> list[Object]:
        """All refunds of a payment as Stripe has them, oldest first."""
        pages = self._api.refunds.list({"payment_intent": intent, "limit": 100})
        return [_plain(each) for each in pages.auto_paging_iter()][::-1]

    def dispute(self, dispute: str) -> Dispute:
        with self._errors():
            return told.dispute(_plain(self._api.disputes.retrieve(dispute)))

    def disputes(self, intent: str) -> list[Dispute]:
        with self._errors():
            pages = self._api.disputes.list({"payment_intent": intent, "limit": 100})
            return [told.dispute(_plain(each)) for each in pages.auto_paging_iter()]

    def open_payout_account(self, key: str, organisation: str, country: str) -> PayoutAccount:
        asked = {
            "capabilities": {"transfers": {"requested": True}},
            "country": country,
            "metadata": {"organisation": organisation},
            "type": "express",
        }
        try:
            with self._errors():
                return told.payout_account(_plain(self._api.accounts.create(asked, _once("account", key))))
        except InvalidInput as refused:
            # Of a country that it does not serve Stripe names no parameter; nothing else is the seller's.
            raise InvalidInput(refused.reason, field="country") from refused

    def payout_account(self, account: str) -> PayoutAccount:
        with self._errors():
            return told.payout_account(_plain(self._api.accounts.retrieve(account)))

    def onboarding(self, account: str, return_url: str) -> str:
        asked = {
            "account": account,
            "refresh_url": return_url,
            "return_url": return_url,
            "type": "account_onboarding",
        }
        with self._errors():
            # Every visit needs a new one, so it has no key.
            return str(self._api.account_links.create(asked).url)

    def payout(
        self,
        key: str,
        account: str,
        amount: int,
        currency: str,
        metadata: Mapping[str, str],
        attempt: int = 0,
    ) -> PaidOut:
        asked = {
            "amount": amount,
            "currency": currency.lower(),
            "destination": account,
            "metadata": dict(metadata),
            "transfer_group": _digest(key),
        }
        with self._errors():
            before = _plain(self._api.transfers.list({"transfer_group": _digest(key)}))["data"]
            if before:
                return told.paid_out(before[0], amount)
            if not self._api.accounts.retrieve(account).payouts_enabled:
                raise NotPayable(
                    f"account {account} can't be paid out yet: its owner has to complete the provider's "
                    "onboarding first",
                    field="account",
                )
            made = _plain(self._api.transfers.create(asked, _once("payout", f"{key}/{attempt}")))
            return told.paid_out(made, amount)

    def balance_transactions(self, since_us: int, until_us: int) -> list[BalanceTransaction]:
        created = {"gte": -(-since_us // MICROSECONDS), "lt": -(-until_us // MICROSECONDS)}
        with self._errors():
            pages = self._api.balance_transactions.list({"created": created, "limit": 100})
            found = [told.movement(_plain(each)) for each in pages.auto_paging_iter()]
        return found[::-1]

    def balance(self, currency: str) -> int:
        with self._errors():
            found = _plain(self._api.balance.retrieve())
        parts = [*found["available"], *found["pending"]]
        return sum(part["amount"] for part in parts if part["currency"] == currency.lower())

    def read_webhook(self, payload: bytes, signature: str) -> PaymentEvent:
        try:
            self._verify(payload, signature)
            return told.event(msgspec.json.decode(payload))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidInput("the webhook's body is no event", field="body") from error

    def _verify(self, payload: bytes, signature: str) -> None:
        refused = NotAuthenticated("the market has no secret to check the webhook's signature with")
        for secret in self._webhook_secret().split():
            try:
                stripe.WebhookSignature.verify_header(
                    payload, signature, secret, stripe.Webhook.DEFAULT_TOLERANCE
                )
            except stripe.SignatureVerificationError as error:
                refused = NotAuthenticated(f"the webhook's signature does not hold: {error.user_message}")
            else:
                return
        raise refused

    def _intent(self, id: str, expand: list[str]) -> Object:
        return _plain(self._api.payment_intents.retrieve(id, {"expand": expand}))

    @contextlib.contextmanager
    def _errors(self, *of_state: str) -> Iterator[None]:
        """Stripe's errors as the market's; ``of_state`` as in :func:`_refusal`."""
        try:
            yield
        except stripe.StripeError as error:
            raise self._as_ours(error, of_state) from error

    def _as_ours(self, error: stripe.StripeError, of_state: Container[str]) -> MarketError:
        said = error.user_message or type(error).__name__
        match error:
            case stripe.CardError():
                body: Any = error.json_body or {}
                return PaymentDeclined(told.decline(body.get("error", {})), field="payment_method")
            case stripe.IdempotencyError():
                return IdempotencyMismatch("the key stands for another request to the payment provider")
            case stripe.PermissionError():
                return NotFound(said, field="account")
            case stripe.AuthenticationError():
                # Whoever puts another key there waits for no process to end.
                self.__dict__.pop("_api", None)
                return NotAllowed(
                    f"the payment provider refuses our key ({said}); check the secret it is kept in"
                )
            case stripe.InvalidRequestError():
                return _refusal(error, said, of_state)
        return EngineUnavailable(
            f"the payment provider at {self._api_base or stripe.DEFAULT_API_BASE} doesn't answer "
            f"({type(error).__name__}); on one machine start it with `carbonmarket up`, otherwise try again"
        )


_CONFLICTS = {
    "balance_insufficient": "amount",
    "charge_already_refunded": "amount",
    "charge_disputed": "intent",
    "insufficient_capabilities_for_transfer": "account",
    "payment_intent_unexpected_state": "intent",
}


def _refusal(error: Any, said: str, of_state: Container[str]) -> MarketError:
    """What Stripe refused: ``of_state`` are the parameters that are wrong only because of what was before."""
    field = _FIELDS.get(error.param, error.param)
    if error.code in _CONFLICTS:
        return Conflict(said, field=_CONFLICTS[error.code])
    if error.param in of_state:
        return Conflict(said, field=field)
    if error.code == "resource_missing" and error.param != "payment_method":
        return NotFound(said, field=field)
    return InvalidInput(said, field=field)


def _digest(key: str) -> str:
    # Stripe's keys have 255 characters at most, ours may be longer.
    return hashlib.sha256(key.encode()).hexdigest()


def _once(verb: str, key: str) -> Any:
    return {"idempotency_key": f"{verb}-{_digest(key)}"}


def _plain(thing: Any) -> Object:
    """Stripe's object as dictionaries and lists."""
    found: Object = thing.to_dict()
    return found
