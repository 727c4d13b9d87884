"""What the plain market keeps: orders, books, listings, gifts, and what became of a batch's grams."""

from __future__ import annotations

from dataclasses import dataclass, field

TONNE = 1_000_000


def up(amount: int, divisor: int) -> int:
    """Divided, rounded up."""
    return -(-amount // divisor)


@dataclass
class Order:
    """``purse`` is what it still holds: grams for an ask, quote units for a bid."""

    id: int
    owner: str
    is_bid: bool
    price: int
    open: int
    maker_bps: int
    taker_bps: int
    labels: int
    expires_at: int
    purse: int = 0
    fee_owed: int = 0
    """In 1/10,000 of a quote unit, by all fills so far."""

    def charge(self, quote: int, bps: int) -> int:
        """The fee of one more fill: fees round up once over the whole order."""
        before = up(self.fee_owed, 10_000)
        self.fee_owed += quote * bps
        return up(self.fee_owed, 10_000) - before

    def need(self, bps: int) -> int:
        """What the open grams may still cost."""
        if not self.is_bid:
            return self.open
        quote = up(self.price * self.open, TONNE)
        return quote + up(self.fee_owed + quote * bps, 10_000) - up(self.fee_owed, 10_000)

    @property
    def worst_bps(self) -> int:
        return max(self.maker_bps, self.taker_bps)


@dataclass
class Book:
    """The book of a batch, ``asset``: lots of ``lot`` grams, ``tick`` quote units per tonne, the labels that
    the batch must have, and those that it has."""

    number: int
    asset: str
    tick: int
    lot: int
    minimum: int
    required: int
    labels: int
    bids: list[Order] = field(default_factory=list)
    asks: list[Order] = field(default_factory=list)
    pending: Order | None = None
    sequence: int = 1

    def orders(self) -> list[Order]:
        """All that are open."""
        return [*self.bids, *self.asks, *([self.pending] if self.pending else [])]

    def find(self, number: int) -> Order | None:
        return next((each for each in self.orders() if each.id == number), None)


@dataclass
class Listing:
    """Grams held out at a price, in whole lots; ``labels`` are those that the batch had then."""

    seller: str
    book: int
    price: int
    lot: int
    grams: int
    maker_bps: int
    taker_bps: int
    labels: int
    sold_for: int = 0


@dataclass
class Gift:
    """Grams that wait for their recipient."""

    giver: str
    recipient: str
    asset: str
    grams: int


@dataclass
class Supply:
    """What became of a batch's grams. Burns of any kind take its next serials."""

    issued: int
    buffer: int
    serial_next: int
    cancelled: int = 0
    reversed: int = 0


@dataclass
class State:
    """Everything that an act can change."""

    wallets: dict[tuple[str, str], int]
    books: dict[int, Book]
    claimable: dict[tuple[str, str], int] = field(default_factory=dict)
    listings: dict[int, Listing] = field(default_factory=dict)
    listed: int = 0
    gifts: dict[int, Gift] = field(default_factory=dict)
    given: int = 0
    supplies: dict[str, Supply] = field(default_factory=dict)
    """By batch."""
    debt: int = 0
    """Of the batches' project: what reversals found nowhere."""
    frozen: set[str] = field(default_factory=set)
    blocked: set[str] = field(default_factory=set)
    paused: bool = False
    usdc_paused: bool = False
    maker_bps: int = 0
    taker_bps: int = 0
    shares: tuple[tuple[str, int], ...] = ()
