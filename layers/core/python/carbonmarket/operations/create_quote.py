"""A buyer asks what grams cost by card: a price from the books that stands for some minutes, used once."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from carbonmarket import canonical, ids
from carbonmarket.authorise import require_organisation, require_role
from carbonmarket.border import parse_span, require_chain_text
from carbonmarket.chain import market_calls
from carbonmarket.errors import Conflict, IdempotencyMismatch, InvalidInput, NotFound
from carbonmarket.labels import label_bits, label_names
from carbonmarket.operations.acts import Desk, cost, open_orders, parse_lots, traded_batch
from carbonmarket.operations.create_retirement import Beneficiary, KnownBeneficiary, commitment_of
from carbonmarket.operations.find_credits import own_organisation
from carbonmarket.operations.route_order import Criteria, RouteOrder, route_order
from carbonmarket.ports.personal import SubjectKeys
from carbonmarket.ports.purchases import PurchasesStore
from carbonmarket.ports.registry import NEW
from carbonmarket.quantities import U64_MAX, parse_grams
from carbonmarket.records.audit import told
from carbonmarket.records.market import Level
from carbonmarket.records.principal import BUYER, DEVELOPER, Principal
from carbonmarket.records.purchases import AskedCriteria, Deliver, PlannedRetirement, Quote, QuoteLeg
from carbonmarket.times import MICROSECONDS

QUOTE_S = 300
"""How long a quote stands."""
_UNTAKEN_KEPT_US = 86_400 * MICROSECONDS
UNITS_PER_CENT = 10_000
"""Quote base units (millionths of a USDC) in a cent: one USDC counts as one US dollar."""
CHARGE_MIN_CENTS = 50
"""The payment provider takes no smaller payments."""
CHARGE_MAX_CENTS = 99_999_999
_WHOLE_BPS = 10_000


class RetireFor(msgspec.Struct, frozen=True, kw_only=True):
    """The retirement that follows at once: as :class:`CreateRetirement` says it, batch and grams left out."""

    reason: str
    country: str
    period_start: str
    period_end: str
    beneficiary: Beneficiary


class CreateQuote(msgspec.Struct, frozen=True, kw_only=True):
    """``batch`` names one batch, or ``criteria`` asks for any that meet them; ``retirement`` is needed with
    ``deliver`` "retire", and with that alone."""

    grams: str
    deliver: Deliver
    batch: str = ""
    criteria: Criteria | None = None
    retirement: RetireFor | None = None


class Priced(msgspec.Struct, frozen=True, kw_only=True):
    """Legs with what the offers cost (``units``, fees left out) and the worst price among them."""

    legs: tuple[QuoteLeg, ...]
    units: int
    price_cap: int


def cents(units: int) -> int:
    """Quote base units in cents, rounded up."""
    return -(-units // UNITS_PER_CENT)


def with_fee(units: int, bps: int) -> int:
    """Units and the fee on them, rounded up as the contract does it."""
    return units + -(-units * bps // _WHOLE_BPS)


def create_quote(
    request: CreateQuote,
    *,
    caller: Principal,
    key: str,
    desk: Desk,
    store: PurchasesStore,
    subjects: SubjectKeys,
    currency: str,
    salts: Sequence[bytes],
) -> Quote:
    """Price the request from the books as they are now; ``salts`` are 32 random bytes for each leg.

    Conflict where the books don't sell so much. Nothing is set aside: what a purchase buys is decided when
    its order meets the book, within the quote's price.
    """
    require_role(caller, BUYER, DEVELOPER)
    buyer = own_organisation(caller, desk.accounts)
    id = ids.derive("QUO", caller.organisation, key)
    kept = store.quote(id)
    if kept is not None:
        if not (_is_same(kept.record, request) and _retires_same(kept.record, request.retirement, subjects)):
            raise IdempotencyMismatch("this Idempotency-Key quoted something else")
        return kept.record
    _check_form(request)
    priced = _by_criteria(request, desk) if request.criteria is not None else _by_batch(request, desk)
    _refuse_own(priced, buyer.account_address, desk)
    fees = desk.market.fees()
    # Until an order rests the contract escrows for the higher of both.
    fee_bps = max(fees.maker_bps, fees.taker_bps)
    escrow = sum(with_fee(cost(priced.price_cap, leg.grams), fee_bps) for leg in priced.legs)
    _check_charge(cents(escrow))
    expires_us = desk.now_us + QUOTE_S * MICROSECONDS
    quote = Quote(
        id=id,
        organisation=caller.organisation,
        legs=_planned(id, priced.legs, request.retirement, subjects, salts, expires_us + _UNTAKEN_KEPT_US),
        criteria=_asked(request.criteria),
        deliver=request.deliver,
        grams=sum(leg.grams for leg in priced.legs),
        price_cap=priced.price_cap,
        fee_cap_bps=fee_bps,
        escrow_units=escrow,
        amount_max_cents=cents(escrow),
        expected_cents=cents(with_fee(priced.units, fees.taker_bps)),
        currency=currency,
        created_us=desk.now_us,
        expires_us=expires_us,
    )
    store.save_quote(quote, NEW, told(caller, "create_quote", id, "quoted", desk.now_us))
    return quote


def get_quote(quote: str, *, caller: Principal, store: PurchasesStore) -> Quote:
    """A quote of the caller's organisation."""
    kept = store.quote(quote)
    if kept is None:
        raise NotFound("there is no quote with this id", field="quote")
    require_organisation(caller, kept.record.organisation, "quote")
    return kept.record


def _is_same(quote: Quote, request: CreateQuote) -> bool:
    before = (str(quote.grams), quote.deliver, quote.criteria)
    now = (request.grams, request.deliver, _asked(request.criteria))
    return before == now and request.batch in ("", quote.legs[0].batch)


def _retires_same(quote: Quote, wanted: RetireFor | None, subjects: SubjectKeys) -> bool:
    """Whether a quote plans this retirement; an erased beneficiary may be anybody."""
    planned = quote.legs[0].retirement
    if wanted is None or planned is None:
        return wanted is None and planned is None
    span = parse_span(wanted.period_start, wanted.period_end, "period_")
    opened = subjects.open(planned.sealed)
    known = None if opened is None else msgspec.json.decode(opened, type=KnownBeneficiary)
    before = (planned.reason, planned.country, (planned.start_us, planned.end_us), planned.name_is_public)
    now = (wanted.reason, wanted.country, span, wanted.beneficiary.name_is_public)
    return before == now and (known is None or known.name == wanted.beneficiary.name)


def _check_form(request: CreateQuote) -> None:
    if bool(request.batch) == (request.criteria is not None):
        raise InvalidInput("name a batch or criteria, and not both", field="batch")
    if (request.deliver == "retire") != (request.retirement is not None):
        raise InvalidInput('retirement is needed with deliver "retire", and only then', field="retirement")


def _check_charge(amount: int) -> None:
    if not CHARGE_MIN_CENTS <= amount <= CHARGE_MAX_CENTS:
        raise InvalidInput(
            f"this costs {amount} cents; a card takes from {CHARGE_MIN_CENTS} to {CHARGE_MAX_CENTS}",
            field="grams",
        )


def _refuse_own(priced: Priced, account: str, desk: Desk) -> None:
    """Refuse what might take the buyer's own offers: on chain the treasury takes, so that the contract's rule
    against trades with oneself doesn't see whose card pays."""
    books = {leg.book for leg in priced.legs}
    for order in open_orders(account, desk):
        if not order.is_bid and order.book in books and order.price <= priced.price_cap:
            raise Conflict(
                f"your organisation sells at this price itself: cancel its order {order.id} in book "
                f"{order.book} first, or ask for less",
                field="grams",
            )


def _by_batch(request: CreateQuote, desk: Desk) -> Priced:
    batch = traded_batch(request.batch, desk)
    book = desk.market.book_of(batch.address, desk.quote)
    if book is None:
        raise Conflict("nobody trades this batch yet: it has no book", field="batch")
    if missing := book.labels & ~batch.labels:
        lost = ", ".join(label_names(missing))
        raise Conflict(
            f"the batch has lost {lost}, which its book requires; nothing can be bought", field="batch"
        )
    if desk.credits.is_frozen(batch.address):
        raise Conflict("the batch is frozen; nothing of it can be bought until the thaw", field="batch")
    grams = parse_lots(request.grams, book.lot, "book")
    levels = desk.market.levels(book.number, False, first=market_calls.STEPS_MAX)
    units, worst = walk(levels, grams)
    if cost(worst, grams) < book.min_notional:
        raise InvalidInput(
            f"this is worth {cost(worst, grams)} quote units, and the book takes nothing below "
            f"{book.min_notional}",
            field="grams",
        )
    leg = QuoteLeg(book=book.number, batch=batch.id, address=batch.address, grams=grams)
    return Priced(legs=(leg,), units=units, price_cap=worst)


def walk(levels: Sequence[Level], grams: int) -> tuple[int, int]:
    """(units, worst price) of taking grams from a book's asks, the best first.

    Conflict where they hold less, or are so many that one transaction can't take them all.
    """
    units, left, orders, worst = 0, grams, 0, 0
    for level in levels:
        taken = min(left, level.grams)
        # Of a level that is not emptied nobody knows how many orders it takes: one at least.
        orders += level.orders if taken == level.grams else 1
        if orders > market_calls.STEPS_MAX:
            raise Conflict(
                f"the cheapest {grams - left} grams lie in so many small orders that one purchase can't take "
                "more; ask for less",
                field="grams",
            )
        units, worst, left = units + cost(level.price, taken), level.price, left - taken
        if left == 0:
            return units, worst
    raise Conflict(f"the book sells {grams - left} grams now, not {grams}", field="grams")


def _by_criteria(request: CreateQuote, desk: Desk) -> Priced:
    assert request.criteria is not None
    grams = parse_grams(request.grams, "grams")
    # The highest price at which so many grams still fit an asset: any offer is taken.
    limit = min(market_calls.PRICE_MAX, U64_MAX * 1_000_000 // grams)
    order = RouteOrder(criteria=request.criteria, price=str(limit), grams=request.grams)
    route = route_order(order, desk=desk)
    if route.grams != grams:
        raise Conflict(
            f"one purchase can take {route.grams} grams that meet the criteria now, not {grams}: the books "
            "hold no more, or the rest is worth less than a book takes; ask for less",
            field="grams",
        )
    legs = tuple(
        QuoteLeg(
            book=leg.book,
            batch=leg.batch,
            address=traded_batch(leg.batch, desk).address,
            grams=leg.grams,
        )
        for leg in route.legs
    )
    worst = max(leg.worst_price for leg in route.legs)
    return Priced(legs=legs, units=route.quote, price_cap=worst)


def _asked(criteria: Criteria | None) -> AskedCriteria | None:
    if criteria is None:
        return None
    return AskedCriteria(
        methodologies=criteria.methodologies,
        countries=criteria.countries,
        vintages=criteria.vintages,
        labels=label_bits(criteria.labels),
    )


def _planned(
    quote: str,
    legs: tuple[QuoteLeg, ...],
    wanted: RetireFor | None,
    subjects: SubjectKeys,
    salts: Sequence[bytes],
    until_us: int,
) -> tuple[QuoteLeg, ...]:
    """The legs, each with the retirement that will follow; a batch has a certificate of its own. For whom it
    is nobody can read after ``until_us`` unless a purchase begins."""
    if wanted is None:
        return legs
    reason = require_chain_text(wanted.reason, "retirement/reason")
    start_us, end_us = parse_span(wanted.period_start, wanted.period_end, "period_")
    planned = []
    for leg, salt in zip(legs, salts[: len(legs)], strict=True):
        id = ids.derive("RET", quote, leg.batch)
        known = KnownBeneficiary(name=wanted.beneficiary.name, salt=salt.hex())
        retirement = PlannedRetirement(
            id=id,
            reason=reason,
            country=wanted.country,
            start_us=start_us,
            end_us=end_us,
            beneficiary=commitment_of(known),
            sealed=subjects.seal(id, canonical.dumps(msgspec.to_builtins(known)), until_us),
            name_is_public=wanted.beneficiary.name_is_public,
        )
        planned.append(msgspec.structs.replace(leg, retirement=retirement))
    return tuple(planned)
