"""Money: what the double-entry ledger holds, and what the payment provider says.

Amounts are integers: minor units of an ISO 4217 currency ("USD": cents), or base units of a token ("USDC":
millionths). A transfer debits one account and credits another with the same amount of the same currency.
"""

from __future__ import annotations

from typing import Literal

import msgspec

AccountKind = Literal["asset", "liability", "income", "expense"]
Ended = Literal["posted", "voided", "expired"]
HoldState = Literal["pending", "posted", "voided", "expired"]
AuthorisationState = Literal["requires_action", "authorised", "captured", "voided", "declined"]

TREASURY_FLOAT = "float:usdc"
STRIPE_RECEIVABLE = "stripe:receivable"
STRIPE_FEES = "stripe:fees"
FEES = "fees"
EXCHANGE = "exchange"
DISPUTES = "disputes"
SUSPENSE = "suspense"
CAPITAL = "capital"
BANK = "bank"


def buyer(organisation: str) -> str:
    """The account of what a buyer has paid and not yet received."""
    return f"buyer:{organisation}"


def payable(organisation: str) -> str:
    """The account of what a seller on a custodial account is owed in fiat."""
    return f"payable:{organisation}"


class Transfer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``amount`` of ``currency`` from account ``credit`` to account ``debit``; above zero.

    ``references`` name what it came from: {"purchase": "PUR…", "balance_transaction": "txn_…"}. A transfer
    that moves money at Stripe names its balance transaction, which reconciliation matches.
    """

    debit: str
    credit: str
    amount: int
    currency: str
    reason: str
    references: dict[str, str] = {}


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Transfers that were posted together under one key; appended once and never changed."""

    key: str
    transfers: tuple[Transfer, ...]
    at_us: int


class Hold(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A transfer that is pending until ``expires_us`` at most; its key is its id."""

    key: str
    transfer: Transfer
    created_us: int
    expires_us: int


class Resolution(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The end of a hold: ``amount`` was posted and the rest returned; 0 where voided or expired.

    ``entry`` is what was posted: the hold's transfer first, then what was posted with it.
    """

    key: str
    state: Ended
    amount: int
    at_us: int
    entry: Entry | None = None


class HeldTransfer(msgspec.Struct, frozen=True, kw_only=True):
    """A hold with its end, None while it is pending."""

    hold: Hold
    resolution: Resolution | None = None

    @property
    def state(self) -> HoldState:
        """pending, posted, voided or expired."""
        return "pending" if self.resolution is None else self.resolution.state


class Balance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sums of an account in one currency since its beginning; each only grows but the pending ones."""

    account: str
    currency: str
    debits: int = 0
    credits: int = 0
    debits_pending: int = 0
    credits_pending: int = 0


class KeptBalance(msgspec.Struct, frozen=True, kw_only=True):
    """A balance, and how often it was written."""

    balance: Balance
    revision: int


class Books(msgspec.Struct, frozen=True, kw_only=True):
    """All of a ledger at one moment: its journal (entries, and holds with their ends), and the balances kept
    beside it."""

    entries: tuple[Entry, ...] = ()
    holds: tuple[HeldTransfer, ...] = ()
    balances: tuple[Balance, ...] = ()


class Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One posted transfer as its account's statement shows it. ``delta`` is debit minus credit."""

    account: str
    currency: str
    delta: int
    counterpart: str
    reason: str
    references: dict[str, str]
    entry: str
    at_us: int


class Authorisation(msgspec.Struct, frozen=True, kw_only=True):
    """A card payment as the provider has it now.

    ``requires_action``: the buyer's bank asks for 3-D Secure; the buyer's app completes it with
    ``client_secret``, which is for that buyer alone and never logged. ``authorised``: ``amount`` is held on
    the card until it is captured or voided. ``captured``: ``captured`` of it was taken. ``declined`` and
    ``voided`` say why in ``reason``; ``decline_code`` is the provider's ("insufficient_funds").
    ``liability_shifted``: 3-D Secure made the card's bank answer for fraud. ``charge`` is "" until there
    is one.
    """

    intent: str
    state: AuthorisationState
    amount: int
    currency: str
    captured: int = 0
    charge: str = ""
    client_secret: str = ""
    liability_shifted: bool = False
    reason: str = ""
    decline_code: str = ""


class Captured(msgspec.Struct, frozen=True, kw_only=True):
    """Money taken from a card. ``fee`` is the provider's; amount - fee reaches the balance."""

    intent: str
    charge: str
    amount: int
    fee: int
    currency: str
    balance_transaction: str


class Refunded(msgspec.Struct, frozen=True, kw_only=True):
    """Money given back to a card, in full or in part.

    ``balance_transaction`` is "" until the money has moved. ``failure`` says why the refund failed, "" where
    it did not; ``reversal`` is then the balance transaction by which its money came back to us. ``is_ours``:
    the market made it, not a person at the provider.
    """

    refund: str
    charge: str
    amount: int
    currency: str
    balance_transaction: str
    is_ours: bool = False
    failure: str = ""
    reversal: str = ""


class PaidOut(msgspec.Struct, frozen=True, kw_only=True):
    """Money moved to a seller's account at the provider."""

    transfer: str
    account: str
    amount: int
    currency: str
    balance_transaction: str


class PayoutAccount(msgspec.Struct, frozen=True, kw_only=True):
    """A seller's account at the provider, which keeps its owner's personal data; none of it comes here.

    ``requirements`` are the provider's names of what the owner still has to give ("external_account"), and
    ``disabled_reason`` is why it is not paid out ("under_review"); "" where nothing stands against it.
    ``onboarding_url`` is where the owner gives it: secret, good for minutes, "" unless it was asked for.
    """

    account: str
    payouts_enabled: bool
    requirements: tuple[str, ...] = ()
    disabled_reason: str = ""
    onboarding_url: str = ""


class BalanceTransaction(msgspec.Struct, frozen=True, kw_only=True):
    """One movement of the platform's balance at the provider; ``net`` = ``amount`` - ``fee``, with sign.

    ``kind`` is the provider's: charge, refund, transfer, adjustment …; ``source`` the object it came from.
    """

    id: str
    kind: str
    amount: int
    fee: int
    net: int
    currency: str
    source: str
    created_us: int


class Dispute(msgspec.Struct, frozen=True, kw_only=True):
    """A dispute of a card payment as the provider has it now; ``state`` is the provider's. An inquiry, and a
    dispute that was won, have taken nothing."""

    id: str
    state: str
    balance_transactions: tuple[BalanceTransaction, ...]

    @property
    def taken(self) -> int:
        """What the bank has taken of the payment and not given back, the provider's fee aside."""
        return -sum(moved.amount for moved in self.balance_transactions)


class PaymentEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A verified webhook event. Events come repeated, late and in any order: ``id`` tells repetitions apart.

    ``kind`` is the provider's: payment_intent.amount_capturable_updated, payment_intent.payment_failed,
    payment_intent.canceled, charge.captured, charge.refunded, charge.dispute.created, charge.dispute.closed …
    ``object_id`` is the object's own id; ``intent`` and ``charge`` are "" where the event is about none.
    ``amount`` is the object's: disputed for a dispute, refunded in all for charge.refunded, else the
    payment's. ``balance_transactions`` are those that a dispute has made so far. ``metadata`` is what we gave
    the object.
    """

    id: str
    kind: str
    created_us: int
    object_id: str
    intent: str = ""
    charge: str = ""
    amount: int = 0
    currency: str = ""
    state: str = ""
    reason: str = ""
    balance_transactions: tuple[BalanceTransaction, ...] = ()
    metadata: dict[str, str] = {}


class MoneyReconciliation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Ledger, provider and chain compared at one moment; ``differences`` are sentences, none where all agree.

    ``ledger_receivable`` and ``provider_balance`` are minor units of ``currency``; ``ledger_float`` and
    ``chain_float`` base units of the quote token. ``matched`` counts the provider's balance transactions that
    the ledger has as they are there.
    """

    at_us: int
    since_us: int
    currency: str
    ledger_receivable: int
    provider_balance: int
    in_flight: int
    ledger_float: int
    chain_float: int
    matched: int
    differences: tuple[str, ...]
