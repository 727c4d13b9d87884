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
    AuthorisationState,
    BalanceTransaction,
    Captured,
    Dispute,
    PaidOut,
    PaymentEvent,
    PayoutAccount,
    Refunded,
)

_Object = dict[str, Any]

_SECOND_US = 1_000_000
_CHARGE = ["latest_charge"]
_CHARGE_MOVED = ["latest_charge.balance_transaction"]
_STATES: dict[str, AuthorisationState] = {
    "requires_action": "requires_action",
    "requires_capture": "authorised",
    "processing": "requires_action",
    "succeeded": "captured",
    "canceled": "voided",
    "requires_payment_method": "declined",
    "requires_confirmation": "requires_action",
}
# Since its version 2025-03-31 Stripe says the latter.
_EXPIRED = {"automatic", "expired"}
# Stripe's bank says so, and its rules move the liability for fraud away from us.
_SHIFTED = {"authenticated", "attempt_acknowledged"}
# In a refund's metadata: the digest of the key that made it.
_OURS = "carbonmarket_key"
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
                intent = _intent_of(declined)
            return _authorisation(intent)

    def status(self, intent: str) -> Authorisation:
        with self._errors():
            return _authorisation(self._intent(intent, _CHARGE))

    def capture(self, intent: str, amount: int) -> Captured:
        asked = {"amount_to_capture": amount, "expand": _CHARGE_MOVED}
        with self._errors("amount_to_capture"):
            try:
                taken = _plain(self._api.payment_intents.capture(intent, asked))
            except stripe.InvalidRequestError as refused:
                if refused.code != "payment_intent_unexpected_state":
                    raise
                taken = self._captured_before(intent, amount, refused)
            return _captured(taken)

    def _captured_before(self, intent: str, amount: int, refused: Exception) -> _Object:
        found = self._intent(intent, _CHARGE_MOVED)
        if found["status"] == "succeeded" and found["amount_received"] == amount:
            return found
        if found["status"] == "succeeded":
            raise Conflict(
                f"{found['amount_received']} of payment {intent} were captured already; {amount} can't be",
                field="amount",
            ) from refused
        state = _authorisation(found)
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
            return _authorisation(ended)

    def refund(self, key: str, intent: str, amount: int | None = None) -> Refunded:
        asked: _Object = {"metadata": {_OURS: _digest(key)}, "payment_intent": intent}
        if amount is not None:
            asked["amount"] = amount
        with self._errors("amount", "payment_intent"):
            self._intent(intent, [])
            ours = [each for each in self._refunds(intent) if _key_of(each) == _digest(key)]
            made = ours[0] if ours else _plain(self._api.refunds.create(asked, _once("refund", key)))
        if amount is not None and made["amount"] != amount:
            raise IdempotencyMismatch(
                f"the refund's key has given back {made['amount']} of payment {intent} before", field="key"
            )
        found = _refunded(made)
        if found.failure:
            raise Conflict(f"refund {found.refund} has failed: {found.failure}", field="intent")
        return found

    def refunds(self, intent: str) -> list[Refunded]:
        with self._errors():
            return [_refunded(each) for each in self._refunds(intent)]

    def _refunds(self, intent: str) -> list[_Object]:
        """All refunds of a payment as Stripe has them, oldest first."""
        pages = self._api.refunds.list({"payment_intent": intent, "limit": 100})
        return [_plain(each) for each in pages.auto_paging_iter()][::-1]

    def dispute(self, dispute: str) -> Dispute:
        with self._errors():
            return _dispute(_plain(self._api.disputes.retrieve(dispute)))

    def disputes(self, intent: str) -> list[Dispute]:
        with self._errors():
            pages = self._api.disputes.list({"payment_intent": intent, "limit": 100})
            return [_dispute(_plain(each)) for each in pages.auto_paging_iter()]

    def open_payout_account(self, key: str, organisation: str, country: str) -> PayoutAccount:
        asked = {
            "capabilities": {"transfers": {"requested": True}},
            "country": country,
            "metadata": {"organisation": organisation},
            "type": "express",
        }
        try:
            with self._errors():
                return _payout_account(_plain(self._api.accounts.create(asked, _once("account", key))))
        except InvalidInput as refused:
            # Of a country that it does not serve Stripe names no parameter; nothing else is the seller's.
            raise InvalidInput(refused.reason, field="country") from refused

    def payout_account(self, account: str) -> PayoutAccount:
        with self._errors():
            return _payout_account(_plain(self._api.accounts.retrieve(account)))

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
                return _paid_out(before[0], amount)
            if not self._api.accounts.retrieve(account).payouts_enabled:
                raise NotPayable(
                    f"account {account} can't be paid out yet: its owner has to complete the provider's "
                    "onboarding first",
                    field="account",
                )
            made = _plain(self._api.transfers.create(asked, _once("payout", f"{key}/{attempt}")))
            return _paid_out(made, amount)

    def balance_transactions(self, since_us: int, until_us: int) -> list[BalanceTransaction]:
        created = {"gte": -(-since_us // _SECOND_US), "lt": -(-until_us // _SECOND_US)}
        with self._errors():
            pages = self._api.balance_transactions.list({"created": created, "limit": 100})
            found = [_movement(_plain(each)) for each in pages.auto_paging_iter()]
        return found[::-1]

    def balance(self, currency: str) -> int:
        with self._errors():
            found = _plain(self._api.balance.retrieve())
        parts = [*found["available"], *found["pending"]]
        return sum(part["amount"] for part in parts if part["currency"] == currency.lower())

    def read_webhook(self, payload: bytes, signature: str) -> PaymentEvent:
        try:
            self._verify(payload, signature)
            return _event(msgspec.json.decode(payload))
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

    def _intent(self, id: str, expand: list[str]) -> _Object:
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
                return PaymentDeclined(_decline(body.get("error", {})), field="payment_method")
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


def _plain(thing: Any) -> _Object:
    """Stripe's object as dictionaries and lists."""
    found: _Object = thing.to_dict()
    return found


def _payout_account(account: _Object) -> PayoutAccount:
    lacking = account.get("requirements") or {}
    return PayoutAccount(
        account=account["id"],
        payouts_enabled=account["payouts_enabled"],
        requirements=tuple(lacking.get("currently_due") or ()),
        disabled_reason=lacking.get("disabled_reason") or "",
    )


def _paid_out(transfer: _Object, amount: int) -> PaidOut:
    if transfer["amount"] != amount:
        raise IdempotencyMismatch(
            f"the payout's key has moved {transfer['amount']} to {transfer['destination']} before",
            field="key",
        )
    return PaidOut(
        transfer=transfer["id"],
        account=transfer["destination"],
        amount=amount,
        currency=transfer["currency"].upper(),
        balance_transaction=transfer["balance_transaction"],
    )


def _intent_of(declined: Any) -> _Object:
    """The payment that a decline comes with."""
    intent = (declined.json_body or {}).get("error", {}).get("payment_intent")
    if intent is None:
        raise declined
    found: _Object = intent
    return found


def _authorisation(intent: _Object) -> Authorisation:
    charge = intent["latest_charge"]
    # A declined payment comes within its error, where nothing is expanded.
    is_whole = isinstance(charge, dict)
    reason, code = _why(intent)
    return Authorisation(
        intent=intent["id"],
        state=_STATES[intent["status"]],
        amount=intent["amount"],
        currency=intent["currency"].upper(),
        captured=intent["amount_received"],
        charge=_id_of(charge),
        client_secret=intent["client_secret"] or "",
        liability_shifted=is_whole and _is_shifted(charge),
        reason=reason,
        decline_code=code,
    )


def _is_shifted(charge: _Object) -> bool:
    card = (charge["payment_method_details"] or {}).get("card") or {}
    secure = card.get("three_d_secure") or {}
    # A bank that was asked for an exemption, and accepts it, answers for nothing.
    return secure.get("result") in _SHIFTED and not secure.get("exemption_indicator_applied")


def _why(intent: _Object) -> tuple[str, str]:
    if intent["status"] == "canceled":
        if intent["cancellation_reason"] in _EXPIRED:
            return "the time in which it could be captured has passed", ""
        return "it was voided", ""
    error = intent["last_payment_error"]
    if intent["status"] != "requires_payment_method" or error is None:
        return "", ""
    return _decline(error), error.get("decline_code") or error.get("code") or ""


def _decline(error: _Object) -> str:
    named = error.get("decline_code") or error.get("code") or "declined"
    return f"the card was declined ({named}): {error.get('message', '')}"


def _captured(intent: _Object) -> Captured:
    charge = intent["latest_charge"]
    moved = charge["balance_transaction"]
    return Captured(
        intent=intent["id"],
        charge=charge["id"],
        amount=intent["amount_received"],
        fee=moved["fee"],
        currency=intent["currency"].upper(),
        balance_transaction=moved["id"],
    )


def _key_of(refund: _Object) -> str:
    """The digest of our key that made a refund; "" where a person made it."""
    return str((refund["metadata"] or {}).get(_OURS, ""))


def _refunded(refund: _Object) -> Refunded:
    has_failed = refund["status"] in {"failed", "canceled"}
    return Refunded(
        refund=refund["id"],
        charge=refund["charge"],
        amount=refund["amount"],
        currency=refund["currency"].upper(),
        balance_transaction=_id_of(refund["balance_transaction"]),
        is_ours=bool(_key_of(refund)),
        failure=(refund.get("failure_reason") or refund["status"]) if has_failed else "",
        reversal=_id_of(refund.get("failure_balance_transaction")),
    )


def _dispute(found: _Object) -> Dispute:
    moved = tuple(_movement(each) for each in found["balance_transactions"])
    return Dispute(id=found["id"], state=found["status"], balance_transactions=moved)


def _movement(transaction: _Object) -> BalanceTransaction:
    return BalanceTransaction(
        id=transaction["id"],
        kind=transaction["type"],
        amount=transaction["amount"],
        fee=transaction["fee"],
        net=transaction["net"],
        currency=transaction["currency"].upper(),
        source=_id_of(transaction.get("source")),
        created_us=transaction["created"] * _SECOND_US,
    )


def _event(event: _Object) -> PaymentEvent:
    thing = event["data"]["object"]
    kind = thing.get("object", "")
    named = thing.get("id", "")
    is_refund = event["type"] == "charge.refunded"
    why = ("reason", "cancellation_reason", "failure_message")
    return PaymentEvent(
        id=event["id"],
        kind=event["type"],
        created_us=event["created"] * _SECOND_US,
        object_id=named,
        intent=named if kind == "payment_intent" else _id_of(thing.get("payment_intent")),
        charge=named if kind == "charge" else _id_of(thing.get("charge") or thing.get("latest_charge")),
        amount=thing.get("amount_refunded" if is_refund else "amount") or 0,
        currency=(thing.get("currency") or "").upper(),
        state=thing.get("status") or "",
        reason=next((thing[name] for name in why if thing.get(name)), ""),
        balance_transactions=tuple(_movement(each) for each in thing.get("balance_transactions") or []),
        metadata=thing.get("metadata") or {},
    )


def _id_of(named: Any) -> str:
    """The id of what may be expanded; "" where there is none."""
    return named if isinstance(named, str) else (named or {}).get("id", "")
