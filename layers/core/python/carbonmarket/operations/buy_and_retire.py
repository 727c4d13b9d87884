"""An organisation buys grams in a batch's book and retires them in one transaction, or nothing happens."""

from __future__ import annotations

import msgspec

from carbonmarket.operations.acts import Desk, Source, batch_of, named_book, parse_number, parse_price
from carbonmarket.operations.create_retirement import (
    Beneficiary,
    CreateRetirement,
    create_retirement,
    retirement_id,
)
from carbonmarket.operations.place_order import PlaceOrder, decide_call, require_possible
from carbonmarket.ports.personal import SubjectKeys
from carbonmarket.ports.registry import RegistryStore
from carbonmarket.ports.sagas import Sagas
from carbonmarket.records.credits import Purchase, Retirement
from carbonmarket.records.principal import Principal


class BuyAndRetire(msgspec.Struct, frozen=True, kw_only=True):
    """``price`` is the worst that is paid, in quote units per tonne; the rest is as in a retirement."""

    book: str
    price: str
    grams: str
    fee_cap_bps: int
    reason: str
    country: str
    period_start: str
    period_end: str
    beneficiary: Beneficiary
    source: Source = "wallet"


def buy_and_retire(
    request: BuyAndRetire,
    *,
    caller: Principal,
    key: str,
    desk: Desk,
    registry: RegistryStore,
    subjects: SubjectKeys,
    sagas: Sagas,
    public_url: str,
    salt: bytes,
) -> Retirement:
    """Take the order and start the saga that buys, retires and certifies; ``salt`` is 32 random bytes.

    The retirement fails, and nothing is bought, if the book can't fill it whole at the price.
    """
    book = named_book(parse_number(request.book, "book"), desk)
    order = PlaceOrder(
        book=request.book,
        side="buy",
        kind="fok",
        price=request.price,
        grams=request.grams,
        fee_cap_bps=request.fee_cap_bps,
    )
    batch = batch_of(book.batch, desk)
    decide_call(order, book)
    # What was taken under this key is gone on with, also where the batch has lost a label since.
    if registry.retirement(retirement_id(caller, key)) is None:
        require_possible(order, book, batch_labels=batch.labels, now_us=desk.now_us)
    retirement = CreateRetirement(
        batch=batch.id,
        grams=request.grams,
        reason=request.reason,
        country=request.country,
        period_start=request.period_start,
        period_end=request.period_end,
        beneficiary=request.beneficiary,
    )
    return create_retirement(
        retirement,
        caller=caller,
        key=key,
        registry=registry,
        accounts=desk.accounts,
        chain=desk.chain,
        subjects=subjects,
        sagas=sagas,
        public_url=public_url,
        salt=salt,
        now_us=desk.now_us,
        purchase=Purchase(
            book=book.number,
            price=parse_price(request.price),
            fee_cap_bps=request.fee_cap_bps,
            from_wallet=request.source == "wallet",
        ),
    )
