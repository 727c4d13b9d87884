"""Each law holds on a sound snapshot and says where it is broken on a spoilt one."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from carbonmarket import laws
from carbonmarket.custody import Vaulted
from carbonmarket.laws import LAWS, Burn, Snapshot, judge
from carbonmarket.ports.projection import Key
from carbonmarket.records.chain import Anchor, Batch, Retirement, Store, Submission
from carbonmarket.records.market import Book, Claimable, Gift, Level, Listing, Order, Trade
from carbonmarket.records.money import Balance, Books, Entry, Transfer

BATCH, OTHER = "0x" + "b" * 64, "0x" + "e" * 64
REGISTRY, ALICE = "0x" + "f" * 64, "0x" + "a" * 64
NAME = "Ada Lovelace"


def batch(address: str, first: int, **changes: Any) -> Batch:
    values: dict[str, Any] = {
        "address": address,
        "id": f"BAT{first}",
        "project": "PRJ1",
        "period_number": 1,
        "period_start_s": 0,
        "period_end_s": 86_400,
        "developer": ALICE,
        "country": "US",
        "methodology": "M",
        "methodology_version": 1,
        "report_hash": "0x00",
        "serial_first": first,
        "serial_last": first + 999,
        "issued": 1_000,
        "buffered": 100,
        "labels": 0,
        "uri": "",
        "version": 7,
        "transaction": "0x07",
        "time_us": 0,
    }
    return Batch(**{**values, **changes})


def store(owner: str, of: str, grams: int) -> Store:
    return Store(address=f"0x{owner[2:12]}{of[2:12]}", batch=of, owner=owner, inline=grams)


RETIRED = Retirement(
    id="RET1",
    batch=BATCH,
    batch_id="BAT1",
    project="PRJ1",
    holder=ALICE,
    grams=300,
    serial_first=1,
    serial_last=300,
    beneficiary_commitment="0x00",
    reason="net zero",
    country="DE",
    period_start_s=0,
    period_end_s=86_400,
    certificate=OTHER,
    version=9,
    transaction="0x09",
    time_us=0,
)
ANCHOR = Anchor(
    project="PRJ1",
    hour_s=3_600,
    part=0,
    root="0x11",
    count=4,
    positive="1",
    negative="0",
    uri="",
    late=False,
    version=3,
    transaction="0x03",
    time_us=0,
)
SUBMITTED = Submission(
    key="retire/RET1",
    sender="alice",
    address=ALICE,
    sequence=1,
    call="carbon_credit::retire",
    call_digest="00",
    hash="0x09",
    signed="00",
    expiration_s=600,
    state="committed",
    earlier=("0x08",),
)
QUOTE = "0x" + "d" * 64
MADE: dict[str, Any] = {"version": 10, "transaction": "0x0a"}
BOOK = Book(number=1, batch=BATCH, quote=QUOTE, tick=1, lot=1, min_notional=1, labels=0, opened_us=0, **MADE)


def order(name: str, is_bid: bool, grams: int, open_: int, **changes: Any) -> Order:
    """An order at a quote unit a gram, filled but for what is open, at fees of a tenth."""
    filled, escrow = grams - open_, grams + grams // 10 if is_bid else grams
    values: dict[str, Any] = {
        "book": 1,
        "id": name,
        "account": ALICE,
        "is_bid": is_bid,
        "kind": "gtc",
        "price": 1_000_000,
        "grams": grams,
        "open": open_,
        "filled": filled,
        "escrow": escrow,
        "held": escrow * open_ // grams,
        "quote": filled,
        "fees": filled // 10,
        "maker_bps": 1_000,
        "taker_bps": 1_000,
        "labels": 0,
        "expires_at": 0,
        "state": "open" if open_ else "filled",
        "placed_us": 0,
        "changed_us": 0,
        **MADE,
    }
    return Order(**{**values, **changes})


TRADE = Trade(
    index="10:1", book=1, batch=BATCH, asset=QUOTE, maker_order="7", taker_order="8", maker=ALICE,
    taker=OTHER, taker_is_bid=True, price=1_000_000, grams=50, quote=50, maker_fee=5, taker_fee=5, time_us=0,
    **MADE,
)  # fmt: skip
LISTING = Listing(
    number=1, seller=ALICE, batch=BATCH, quote=QUOTE, grams=30, open=20, sold=10, price=1_000_000, lot=1,
    maker_bps=0, taker_bps=0, labels=0, listed_us=0, changed_us=0, **MADE,
)  # fmt: skip
GIFT = Gift(number=1, giver=ALICE, recipient=OTHER, batch=BATCH, grams=7, message_hash="", made_us=0, **MADE)
MARKET: dict[Key, Any] = {
    ("book", "1"): BOOK,
    ("order", "1", "7"): order("7", False, 80, 30),
    ("order", "1", "8"): order("8", True, 50, 0),
    ("order", "1", "9"): order("9", True, 100, 100),
    ("trade", "book", "1", "10:1"): TRADE,
    ("level", "1", "ask", "1000000"): Level(book=1, is_bid=False, price=1_000_000, grams=30, orders=1),
    ("level", "1", "bid", "1000000"): Level(book=1, is_bid=True, price=1_000_000, grams=100, orders=1),
    ("claimable", ALICE, QUOTE): Claimable(account=ALICE, asset=QUOTE, amount=45),
    ("claimable", OTHER, BATCH): Claimable(account=OTHER, asset=BATCH, amount=50),
    ("listing", "1"): LISTING,
    ("gift", "1"): GIFT,
    ("gift", "2"): replace(GIFT, number=2, state="claimed"),
}
PROJECTED: dict[Key, Any] = {
    **MARKET,
    ("batch", BATCH): batch(BATCH, 1, retired=300),
    ("batch", OTHER): batch(OTHER, 1_001),
    ("store", "1"): store(ALICE, BATCH, 600),
    ("store", "2"): store(REGISTRY, BATCH, 100),
    ("store", "3"): store(ALICE, OTHER, 900),
    ("store", "4"): store(REGISTRY, OTHER, 100),
    ("retirement", "RET1"): RETIRED,
    ("anchor", "PRJ1", "3600", "0"): ANCHOR,
}
PAID = Transfer(debit="stripe:receivable", credit="buyer:ORG1", amount=5, currency="USD", reason="paid")
MONEY = Books(
    entries=(Entry(key="one", transfers=(PAID,), at_us=0),),
    balances=(
        Balance(account=PAID.debit, currency="USD", debits=5),
        Balance(account=PAID.credit, currency="USD", credits=5),
    ),
)
SOUND = Snapshot(
    projected=PROJECTED,
    rebuilt=dict(PROJECTED),
    buffer_owner=REGISTRY,
    supplies={BATCH: 700, OTHER: 1_000},
    burns=(Burn(id="RET1", batch=BATCH, grams=300, serial_first=1, serial_last=300),),
    vault={
        QUOTE: Vaulted(owes=45 + 110, holds=45 + 110),
        # Somebody sent a gram to the vault's address.
        BATCH: Vaulted(owes=50 + 30 + 20 + 7, holds=50 + 30 + 20 + 7 + 1),
    },
    open_orders={1: frozenset({"7", "9"})},
    books=MONEY,
    retired_before={BATCH: 200},
    submissions=(SUBMITTED,),
    committed={"0x09": 1, "0x03": 1},
    chain_texts=('{"reason":"net zero"}',),
    personal=(NAME,),
)


def with_records(records: dict[Key, Any]) -> Snapshot:
    """The sound snapshot with some records changed, in place and rebuilt alike."""
    changed = {**PROJECTED, **records}
    return replace(SOUND, projected=changed, rebuilt=dict(changed))


SECOND_RETIREMENT = replace(RETIRED, id="RET2", grams=300, serial_first=300, serial_last=599)
SPOILT = {
    "grams vanish": (laws.grams_are_conserved, with_records({("store", "1"): store(ALICE, BATCH, 599)})),
    "grams come from nowhere": (
        laws.grams_are_conserved,
        with_records({("store", "5"): store(OTHER, BATCH, 1)}),
    ),
    "the buffer is short": (
        laws.grams_are_conserved,
        with_records({("store", "2"): store(REGISTRY, BATCH, 99)}),
    ),
    "the supply differs": (laws.grams_are_conserved, replace(SOUND, supplies={BATCH: 699, OTHER: 1_000})),
    "blocks overlap": (laws.serials_are_disjoint, with_records({("batch", OTHER): batch(OTHER, 1_000)})),
    "a serial is burnt twice": (
        laws.serials_are_disjoint,
        with_records({("retirement", "RET2"): SECOND_RETIREMENT}),
    ),
    "serials outside of the block": (
        laws.serials_are_disjoint,
        with_records({("retirement", "RET1"): replace(RETIRED, serial_first=901, serial_last=1_200)}),
    ),
    "serials don't cover the retired": (
        laws.serials_cover_retired,
        with_records({("retirement", "RET1"): replace(RETIRED, serial_last=299)}),
    ),
    "a retirement is missing": (laws.serials_cover_retired, with_records({("retirement", "RET1"): None})),
    "the registry knows no such retirement": (laws.serials_cover_retired, replace(SOUND, burns=())),
    "retired shrinks": (laws.retired_never_shrinks, replace(SOUND, retired_before={BATCH: 301})),
    "a batch with retirements vanishes": (laws.retired_never_shrinks, with_records({("batch", BATCH): None})),
    "the vault is short": (
        laws.the_vault_holds_what_it_owes,
        replace(SOUND, vault={**SOUND.vault, QUOTE: Vaulted(owes=155, holds=154)}),
    ),
    "more was brought than is owed": (
        laws.the_vault_holds_what_it_owes,
        replace(SOUND, vault={**SOUND.vault, QUOTE: Vaulted(owes=156, holds=156)}),
    ),
    "a balance grows by itself": (
        laws.the_vault_holds_what_it_owes,
        with_records({("claimable", OTHER, BATCH): Claimable(account=OTHER, asset=BATCH, amount=51)}),
    ),
    "nobody knows what the vault holds": (laws.the_vault_holds_what_it_owes, replace(SOUND, vault={})),
    "grams of an order are lost": (
        laws.orders_add_up,
        with_records({("order", "1", "7"): replace(order("7", False, 80, 30), grams=81)}),
    ),
    "an order brought more than became of it": (
        laws.orders_add_up,
        with_records({("order", "1", "9"): order("9", True, 100, 100, refunded=1)}),
    ),
    "a filled order still holds money": (
        laws.orders_add_up,
        with_records({("order", "1", "8"): order("8", True, 50, 0, escrow=56, held=1)}),
    ),
    "an order is filled without a trade": (
        laws.orders_add_up,
        with_records({("trade", "book", "1", "10:1"): replace(TRADE, grams=49)}),
    ),
    "an order is open that the chain doesn't have": (
        laws.books_are_as_on_chain,
        replace(SOUND, open_orders={1: frozenset({"7"})}),
    ),
    "a price level doesn't add up": (
        laws.books_are_as_on_chain,
        with_records({("level", "1", "bid", "1000000"): None}),
    ),
    "a balance of money was changed": (
        laws.money_is_booked_twice,
        replace(SOUND, books=replace(MONEY, balances=MONEY.balances[:1])),
    ),
    "the rebuilt projection differs": (
        laws.rebuilt_projection_is_equal,
        replace(SOUND, rebuilt={**PROJECTED, ("store", "1"): store(ALICE, BATCH, 601)}),
    ),
    "both tries of a key stand": (
        laws.each_effect_happens_once,
        replace(SOUND, committed={"0x09": 1, "0x08": 1}),
    ),
    "a committed submission stands nowhere": (laws.each_effect_happens_once, replace(SOUND, committed={})),
    "a dead submission stands": (
        laws.each_effect_happens_once,
        replace(SOUND, submissions=(replace(SUBMITTED, state="dead"),)),
    ),
    "readings are anchored twice": (
        laws.each_effect_happens_once,
        with_records({("anchor", "PRJ1", "7200", "0"): replace(ANCHOR, hour_s=7_200)}),
    ),
    "a name stands on chain": (
        laws.no_personal_data_on_chain,
        replace(SOUND, chain_texts=('{"reason":"for ada lovelace"}',)),
    ),
    "a name stands on chain as hex": (
        laws.no_personal_data_on_chain,
        replace(SOUND, chain_texts=(f'{{"reason":"0x{NAME.encode().hex()}"}}',)),
    ),
}


def test_every_law_holds_on_a_sound_snapshot() -> None:
    broken = [result for result in judge(SOUND) if not result.holds]
    assert broken == []


@pytest.mark.parametrize("how", SPOILT)
def test_a_broken_law_is_seen_and_said(how: str) -> None:
    law, snapshot = SPOILT[how]
    result = law(snapshot)
    assert not result.holds
    assert result.detail


def test_every_law_is_broken_by_some_story() -> None:
    assert {law for law, _ in SPOILT.values()} == set(LAWS)


def test_a_leaked_name_is_not_repeated_in_the_report() -> None:
    _, snapshot = SPOILT["a name stands on chain"]
    assert NAME.casefold() not in laws.no_personal_data_on_chain(snapshot).detail.casefold()
