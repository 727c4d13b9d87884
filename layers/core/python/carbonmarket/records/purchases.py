"""Purchases by card: quotes, purchases with their fills, payouts to sellers, cases, and the events of Stripe.

Units are quote base units (millionths of a USDC), cents minor units of the currency that cards pay in; grams
and prices (quote units per tonne) as everywhere. One USDC counts as one US dollar.
"""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

from carbonmarket.records.credits import Sealed
from carbonmarket.records.money import PaymentEvent

Deliver = Literal["hold", "retire"]
Reached = Literal[
    "accepted",
    "screened",
    "requires_action",
    "authorised",
    "ordered",
    "filled",
    "captured",
    "held",
    "delivered",
    "completed",
]
PurchaseState = Literal[Reached, "failed"]
PURCHASE_ORDER: tuple[Reached, ...] = get_args(Reached)
"""In the order in which a purchase goes through them; ``requires_action`` only where the bank asks for 3-D
Secure, ``held`` only where it did not take the liability. One that failed is in none of them."""

MoneyState = Literal["none", "authorised", "captured", "voided", "refunded"]
PayoutState = Literal["due", "waiting", "paid", "paid_on_chain"]
CaseKind = Literal["kept_credits", "dispute", "refund", "self_trade"]
EventState = Literal["received", "handled", "failed"]


class PlannedRetirement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A retirement as it will be ordered once the credits are there; ``id`` is its and its certificate's."""

    id: str
    reason: str
    country: str
    start_us: int
    end_us: int
    beneficiary: str
    sealed: Sealed
    name_is_public: bool


class QuoteLeg(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Grams to take from one book. ``batch`` is the id, ``address`` the asset on chain."""

    book: int
    batch: str
    address: str
    grams: int
    retirement: PlannedRetirement | None = None


class AskedCriteria(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the contract checks every fill against; empty lists and no label bits ask for nothing."""

    methodologies: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    vintages: tuple[int, ...] = ()
    labels: int = 0


class Quote(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What grams cost by card now, until ``expires_us``; used once.

    ``price_cap`` is the worst price paid and ``fee_cap_bps`` the taker's fee as it was. ``escrow_units`` is
    what the order brings at that price, fees included, so that no fill can cost more; ``amount_max_cents``
    is that, rounded up, which is held on the card. ``expected_cents`` is what the book's offers cost when
    it was made. ``criteria`` is None where one batch was asked for. ``purchase`` is the one that used it.
    """

    id: str
    organisation: str
    legs: tuple[QuoteLeg, ...]
    criteria: AskedCriteria | None
    deliver: Deliver
    grams: int
    price_cap: int
    fee_cap_bps: int
    escrow_units: int
    amount_max_cents: int
    expected_cents: int
    currency: str
    created_us: int
    expires_us: int
    purchase: str = ""


class Fill(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was bought of one batch: ``units`` went to the sellers, ``fee_units`` to the market. ``refusal``:
    why the chain will never give it to the buyer, so that it stays with the treasury; "" where it may."""

    book: int
    batch: str
    address: str
    grams: int
    units: int
    fee_units: int
    refusal: str = ""


class CardPurchase(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A purchase by card and how far it is. Its saga's execution has its id.

    ``payment_method`` and ``intent`` are the payment provider's ids. ``money`` says where the buyer's money
    is: ``amount_cents`` were captured, ``undelivered_cents`` of them for credits that the chain refused to
    give while it gave others: those go back. ``release_us`` ends the risk period of a purchase that is held.
    ``bring_units`` come out of the treasury's wallet before the order. ``retirements`` are those that
    followed. ``disputed``: the cardholder's bank has taken the money back. ``stopped``: a person gave money
    back before the credits went to the buyer, so they won't. ``delivering``: they have begun to go, and
    nothing stops them any more. ``failure`` says why it failed.
    """

    id: str
    organisation: str
    quote: str
    payment_method: str
    state: PurchaseState
    created_us: int
    money: MoneyState = "none"
    intent: str = ""
    liability_shifted: bool = False
    bring_units: int = 0
    fills: tuple[Fill, ...] = ()
    transaction: str = ""
    amount_cents: int = 0
    fee_cents: int = 0
    undelivered_cents: int = 0
    charge: str = ""
    release_us: int = 0
    released_by: str = ""
    retirements: tuple[str, ...] = ()
    disputed: bool = False
    stopped: bool = False
    delivering: bool = False
    failure: str = ""

    @property
    def grams(self) -> int:
        """What was bought."""
        return sum(fill.grams for fill in self.fills)

    @property
    def due_fills(self) -> tuple[Fill, ...]:
        """What is or becomes the buyer's unless the purchase fails: all that the chain did not refuse."""
        return tuple(fill for fill in self.fills if not fill.refusal)

    @property
    def spent_units(self) -> int:
        """What it cost the float, fees included."""
        return sum(fill.units + fill.fee_units for fill in self.fills)


class PurchaseOf(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The purchase of a payment intent, or of the transaction in which its order was filled."""

    purchase: str


class PurchaseTask(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The task token under which a purchase's saga waits: for the bank, or for its risk period to end.

    Secret, as :class:`carbonmarket.records.sagas.ReviewTask` is.
    """

    purchase: str
    wait: Literal["authentication", "release"]
    token: str
    created_us: int


class PayoutChoice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a seller on a custodial account wants what it earns from card purchases: ``account`` is its
    connected account at the payment provider, "" for ``onchain``. ``opened`` is the account that was opened
    for it there, "" where none was: the only one that it can be paid to. Who never chose is paid on chain,
    and ``changed_us`` is 0."""

    organisation: str
    payout: Literal["onchain", "fiat"] = "onchain"
    account: str = ""
    changed_us: int = 0
    opened: str = ""


class Payout(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a seller who chose fiat earned by one purchase.

    ``units`` move from the seller's account on chain to the treasury's, and ``cents`` to the seller's account
    at the payment provider. ``due``: not answered yet; ``waiting``: refused ``attempts`` times, and
    ``reason`` says what is lacking; ``refused`` counts those among them in which the provider was asked for
    the transfer itself. ``paid_on_chain``: the proceeds stay with the seller on chain, and
    ``reason`` says why they could not be brought to the treasury.
    """

    id: str
    purchase: str
    organisation: str
    account: str
    units: int
    cents: int
    currency: str
    state: PayoutState
    created_us: int
    attempts: int = 0
    refused: int = 0
    reason: str = ""
    transfer: str = ""

    @property
    def has_ended(self) -> bool:
        """Whether the seller has its proceeds, so that nothing is left to pay."""
        return self.state in ("paid", "paid_on_chain")


class CaseOf(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A case that is open."""

    case: str


class PayoutOf(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A payout of a purchase, or one that is not paid yet."""

    payout: str


class Case(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that a person must look after; ``text`` says what has happened, without personal data."""

    id: str
    kind: CaseKind
    purchase: str
    amount_cents: int
    text: str
    opened_us: int
    closed_us: int = 0
    closed_by: str = ""


class ReceivedEvent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An event of the payment provider, once by its id, as it was verified (it names ids and amounts, no card
    and no person), so that a failed one can be handled again; ``reason`` says why it failed."""

    id: str
    kind: str
    purchase: str
    event: PaymentEvent
    state: EventState
    received_us: int
    reason: str = ""
