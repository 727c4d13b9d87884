"""What the market needs to keep its books and to move money: the ledger, and the payment provider."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Protocol

from carbonmarket.records.money import (
    Authorisation,
    Balance,
    BalanceTransaction,
    Books,
    Captured,
    Dispute,
    Entry,
    HeldTransfer,
    Hold,
    KeptBalance,
    Line,
    MoneyReconciliation,
    PaidOut,
    PaymentEvent,
    PayoutAccount,
    Refunded,
    Resolution,
    Transfer,
)

TRANSFERS_MAX = 16
"""Transfers of one entry: with their balances and statements they fit one DynamoDB transaction."""


class Ledger(Protocol):
    """Double entry per currency, append-only. Every write is all or nothing.

    Repeating a write under its key returns what the first one did; the same key with another content is
    IdempotencyMismatch. A transfer between unknown accounts, of no amount, or to itself is InvalidInput; one
    that would break an account's limit is Conflict and says which account lacks how much. Many writers may
    meet on one account (the float, the fees): the loser gets StaleWrite with nothing written and tries again
    from the start, as sagas do by their ``Retry``.
    """

    def post(self, key: str, transfers: Sequence[Transfer], now_us: int) -> Entry:
        """Post transfers together under ``key``, 1 to :data:`TRANSFERS_MAX`."""
        ...

    def pend(self, key: str, transfer: Transfer, now_us: int, expires_us: int) -> Hold:
        """Set ``transfer`` aside under ``key`` until ``expires_us``: it counts against limits at once."""
        ...

    def post_pending(
        self,
        key: str,
        amount: int,
        now_us: int,
        *,
        references: Mapping[str, str] | None = None,
        also: Sequence[Transfer] = (),
    ) -> Resolution:
        """Post ``amount`` of the hold ``key``, from 1 up to what it holds, and return the rest.

        ``references`` are added to the hold's; ``also`` is posted in the same transaction (the fee, the other
        currency's side). NotFound without a hold; Conflict if it was voided or its time has passed.
        """
        ...

    def void(self, key: str, now_us: int) -> Resolution:
        """Return all that the hold ``key`` holds; NotFound without a hold, Conflict if it was posted.

        One that expired stays expired, and that is no error."""
        ...

    def expire(self, now_us: int) -> list[Resolution]:
        """End every hold whose time has passed; what it held is returned."""
        ...

    def entry(self, key: str) -> Entry | None:
        """What was posted under ``key`` by :meth:`post`."""
        ...

    def hold(self, key: str) -> HeldTransfer | None:
        """The hold ``key`` with its end."""
        ...

    def balances(self, account: str) -> list[Balance]:
        """The account's sums, one for each currency it has met."""
        ...

    def statement(self, account: str, currency: str, since_us: int, until_us: int) -> list[Line]:
        """The account's posted transfers of since_us <= at_us < until_us, in order of time."""
        ...

    def books(self) -> Books:
        """All of a small ledger that stands still, for its laws; it is held in memory."""
        ...

    def kept(
        self, accounts: Collection[tuple[str, str]] | None = None
    ) -> Mapping[tuple[str, str], KeptBalance]:
        """The balances of (account, currency), of all that there are where none is named, as they are now."""
        ...

    def journal(self) -> Iterator[Entry | Hold | Resolution]:
        """All that was ever appended, in no order; what is written meanwhile may be read or not."""
        ...

    def publish(self, result: MoneyReconciliation) -> None:
        """Keep a reconciliation's result."""
        ...

    def published(self, first: int = 30, before_us: int | None = None) -> list[MoneyReconciliation]:
        """Results of reconciliations, newest first; those of at_us < before_us where it is given."""
        ...


class Payments(Protocol):
    """The payment provider. ``key`` makes a write happen once, whatever is repeated; captures and voids need
    none, since a payment has only one of the two.

    EngineUnavailable if the provider doesn't answer (what was asked may have happened: ask again under the
    same key). IdempotencyMismatch if a key stands for another request.
    """

    def authorise(
        self, key: str, amount: int, currency: str, payment_method: str, metadata: Mapping[str, str]
    ) -> Authorisation:
        """Hold ``amount`` on a card without taking it.

        A refusal by the card's bank is the answer's state ``declined``, with its reason. InvalidInput (field
        ``payment_method`` or ``amount``) where there is no such method or the amount is outside the
        provider's bounds.
        """
        ...

    def status(self, intent: str) -> Authorisation:
        """The payment as it is now; NotFound if there is none."""
        ...

    def capture(self, intent: str, amount: int) -> Captured:
        """Take ``amount`` of what is held and release the rest.

        The same again returns what was taken. Conflict where it can't be taken any more (voided, expired,
        another amount taken) or more is asked than is held; PaymentDeclined where the bank refuses now.
        """
        ...

    def void(self, intent: str) -> Authorisation:
        """Release what is held; voided already is no error. Conflict if it was captured: refund then."""
        ...

    def refund(self, key: str, intent: str, amount: int | None = None) -> Refunded:
        """Give back ``amount`` of what was captured, or without one all that is left of it.

        Conflict if less than that is left to give back, nothing is, or the refund has failed.
        """
        ...

    def refunds(self, intent: str) -> list[Refunded]:
        """All refunds of a payment as they are now, whoever made them, oldest first. What a capture released
        of the hold is none."""
        ...

    def dispute(self, dispute: str) -> Dispute:
        """The dispute as it is now, with what it has moved; NotFound if there is none."""
        ...

    def disputes(self, intent: str) -> list[Dispute]:
        """All disputes of a payment as they are now, inquiries too."""
        ...

    def open_payout_account(self, key: str, organisation: str, country: str) -> PayoutAccount:
        """Open an account for a seller of ``country`` (ISO 3166-1), whose events will name ``organisation``.

        It can't be paid out before its owner has been through onboarding. InvalidInput (field ``country``)
        where the provider opens none.
        """
        ...

    def payout_account(self, account: str) -> PayoutAccount:
        """The account as it is now; NotFound if there is none."""
        ...

    def onboarding(self, account: str, return_url: str) -> str:
        """A new address where the owner tells the provider what it asks, for one visit within minutes.

        The provider sends the owner to ``return_url`` then, and from an address that is out of date.
        InvalidInput (field ``return_url``) where it sends nobody there; NotFound without the account.
        """
        ...

    def payout(
        self,
        key: str,
        account: str,
        amount: int,
        currency: str,
        metadata: Mapping[str, str],
        attempt: int = 0,
    ) -> PaidOut:
        """Move ``amount`` from our balance to a seller's account, once for a ``key`` whatever the attempt.

        What was moved before is answered, with the account it went to. A refusal stays with its ``attempt``:
        who was refused counts it up. NotPayable (field ``account``), which no attempt is used up by, while
        that account can't be paid out; Conflict (field ``amount``) where our balance has less.
        IdempotencyMismatch where the key has moved another amount, or its attempt asked for something else.
        """
        ...

    def balance_transactions(self, since_us: int, until_us: int) -> list[BalanceTransaction]:
        """Movements of our balance created in since_us <= t < until_us, oldest first; whole seconds count."""
        ...

    def balance(self, currency: str) -> int:
        """Our balance at the provider, available and pending together; a dispute can take it below 0."""
        ...

    def read_webhook(self, payload: bytes, signature: str) -> PaymentEvent:
        """The event of a webhook's body, as it came, and its signature header.

        NotAuthenticated if the signature is missing, is another's or is too old; InvalidInput if the body is
        no event.
        """
        ...
