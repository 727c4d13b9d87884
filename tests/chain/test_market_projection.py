"""The projection sees what is done in the marketplace, and is the same when folded afresh."""

from __future__ import annotations

import time

from carbonmarket.chain import calls, market_calls
from carbonmarket.chain.market_calls import IOC, STEPS_MAX
from carbonmarket.projection.watch import PAGE_VERSIONS, advance, differences, rebuilt
from carbonmarket.records.market import Level, Ticker
from carbonmarket.reputation import DATA_QUALITY, DELIVERY, overall
from carbonmarket_adapters.dynamo.chain_writer import JOURNAL_KEPT_S, ChainWriter
from carbonmarket_adapters.dynamo.table import table_model
from tests.chain.exchange import FEE_CAP_BPS, MAKER_BPS, TAKER_BPS, TICK, Exchange
from tests.chain.market import START_S

DAY_S = 86_400
HASH = b"\x07" * 32


def fee(quote: int, bps: int) -> int:
    return -(-quote * bps // 10_000)


def levels(exchange: Exchange, is_bid: bool) -> list[tuple[int, int, int]]:
    found: list[Level] = exchange.trading.levels(1, is_bid)
    return [(level.price // TICK, level.grams, level.orders) for level in found]


def ticker_of(exchange: Exchange) -> Ticker:
    book = exchange.trading.book(1)
    assert book is not None
    [found] = exchange.trading.tickers([book], exchange.now_us())
    return found


def is_rebuilt_equal(exchange: Exchange) -> bool:
    cursor = exchange.projection.cursor()
    assert cursor is not None
    anew = rebuilt(exchange.source, exchange.address_of_market, cursor.version)
    return differences(exchange.projection.everything(), anew) == []


def test_a_book_is_found_by_number_and_batch(exchange: Exchange) -> None:
    book = exchange.trading.book(1)
    assert book is not None
    assert (book.batch, book.quote, book.tick) == (exchange.batch.address, exchange.quote, TICK)
    assert next(found for _, found in exchange.trading.books()) == book
    assert exchange.trading.book_of(exchange.batch.address) == book
    assert exchange.trading.book_of(exchange.batch.address, exchange.quote) == book
    assert exchange.trading.book_of(exchange.quote) is None
    assert exchange.trading.fees().taker_bps == TAKER_BPS


def test_orders_rest_at_their_prices_the_best_first(exchange: Exchange) -> None:
    placed = [exchange.place("developer", False, price, grams) for price, grams in ((13, 50), (12, 100))]
    exchange.place("developer", False, 12, 70)
    exchange.place("buyer", True, 10, 20)
    exchange.place("buyer", True, 11, 30)
    assert levels(exchange, False) == [(12, 170, 2), (13, 50, 1)]
    assert levels(exchange, True) == [(11, 30, 1), (10, 20, 1)]
    assert exchange.trading.levels(1, False, first=1)[0].price == 12 * TICK
    newest = exchange.trading.orders_of(exchange.address("developer"), open_only=True, first=2)
    assert [order.grams for _, order in newest] == [70, 100]
    [(_, first)] = exchange.trading.orders_of(
        exchange.address("developer"), open_only=True, after=newest[-1][0]
    )
    assert first == placed[0]


def test_a_fill_is_a_trade_of_both_and_in_the_candles(exchange: Exchange) -> None:
    before = ticker_of(exchange)
    ask = exchange.place("developer", False, 20, 100)
    got, paid = (
        exchange.claimable(name, asset)
        for name, asset in (("buyer", exchange.batch.address), ("developer", exchange.quote))
    )
    bid = exchange.place("buyer", True, 25, 130)
    filled = exchange.trading.order(1, ask.id)
    assert filled is not None
    assert (filled.state, filled.filled, filled.quote, filled.held) == ("filled", 100, 2_000, 0)
    assert (bid.state, bid.open, bid.filled) == ("open", 30, 100)
    assert bid.fees == fee(2_000, TAKER_BPS)
    assert bid.held == 750 + fee(750, MAKER_BPS)
    assert levels(exchange, True)[0] == (25, 30, 1)
    [(index, trade)] = exchange.trading.trades(1, first=1)
    assert (trade.price, trade.grams, trade.quote) == (20 * TICK, 100, 2_000)
    assert (trade.maker_order, trade.taker_order, trade.taker_is_bid) == (ask.id, bid.id, True)
    assert exchange.trading.trade(1, index) == trade
    for name in ("developer", "buyer"):
        assert exchange.trading.trades_of(exchange.address(name), first=1) == [(index, trade)]
    assert exchange.claimable("buyer", exchange.batch.address) == got + 100
    assert exchange.claimable("developer", exchange.quote) == paid + 2_000 - fee(2_000, MAKER_BPS)
    ticker = ticker_of(exchange)
    assert (ticker.last_price, ticker.best_bid, ticker.best_ask) == (20 * TICK, 25 * TICK, None)
    assert ticker.trades_24h == before.trades_24h + 1
    assert ticker.grams_24h == before.grams_24h + 100
    [day] = exchange.trading.candles(1, "1d", trade.time_us - DAY_S * 10**6, trade.time_us + 1)
    assert day.close == 20 * TICK


def test_trades_of_an_account_come_in_pages_whichever_side_it_took(exchange: Exchange) -> None:
    exchange.give("buyer", 200)
    for name, is_bid in (("developer", False), ("buyer", True), ("buyer", False), ("developer", True)):
        exchange.place(name, is_bid, 15, 10)
    for _ in range(2):
        exchange.place("developer", False, 16, 10)
    exchange.place("buyer", True, 16, 20)
    account = exchange.address("buyer")
    everything = exchange.trading.trades_of(account)
    page: list[str] = []
    after = None
    while found := exchange.trading.trades_of(account, after=after, first=1):
        page.append(found[0][0])
        after = found[0][0]
    assert page == [index for index, _ in everything]
    assert page == sorted(page, reverse=True)
    assert len(set(page)) == len(page) >= 4
    assert {trade.taker == account for _, trade in everything} == {True, False}


def test_orders_end_for_the_reason_that_the_contract_gives(exchange: Exchange) -> None:
    ask = exchange.place("developer", False, 20, 100)
    exchange.act("developer", market_calls.amend_order(1, int(ask.id), 60))
    amended = exchange.trading.order(1, ask.id)
    assert amended is not None
    assert (amended.open, amended.cancelled, amended.held, amended.state) == (60, 40, 60, "open")
    assert levels(exchange, False) == [(20, 60, 1)]
    rest = exchange.place("buyer", True, 20, 100, IOC)
    assert (rest.state, rest.cancel_reason, rest.filled, rest.cancelled) == ("cancelled", "remainder", 60, 40)
    ask = exchange.place("developer", False, 20, 100)
    itself = exchange.place("developer", True, 21, 10)
    assert itself.cancel_reason == "self_trade"
    exchange.act("developer", market_calls.cancel_orders(1, [int(ask.id)]))
    ended = exchange.trading.order(1, ask.id)
    assert ended is not None
    assert (ended.cancel_reason, ended.held, ended.refunded) == ("owner", 0, 100)
    assert levels(exchange, False) == []


def test_an_order_that_crosses_more_than_16_waits_outside_of_the_levels(exchange: Exchange) -> None:
    for _ in range(STEPS_MAX + 1):
        exchange.do("developer", place_one(), exchange.key())
    bid = exchange.place("buyer", True, 30, STEPS_MAX + 3)
    book = exchange.trading.book(1)
    assert book is not None
    assert (book.pending, bid.waits, bid.open) == (bid.id, True, 3)
    assert levels(exchange, True) == []
    assert levels(exchange, False) == [(30, 1, 1)]
    assert len(exchange.trading.trades_of(exchange.address("buyer"), first=STEPS_MAX)) == STEPS_MAX
    exchange.act("alice", market_calls.work_book(1))
    after = exchange.trading.order(1, bid.id)
    assert after is not None
    assert (after.waits, after.open, after.state) == (False, 2, "open")
    assert levels(exchange, True) == [(30, 2, 1)]


def place_one() -> calls.EntryCall:
    return market_calls.place_order(1, False, market_calls.GTC, 30 * TICK, 1, FEE_CAP_BPS, 0, 0, True)


def test_a_listing_is_open_until_it_is_sold_and_its_sale_is_a_trade(exchange: Exchange) -> None:
    create = market_calls.create_listing(
        exchange.batch.address, exchange.quote, 500, 18 * TICK, 10, FEE_CAP_BPS, True
    )
    exchange.act("developer", create)
    [(cursor, listing)] = exchange.trading.listings()
    number = listing.number
    assert (listing.seller, listing.open) == (exchange.address("developer"), 500)
    assert exchange.trading.listings_of(exchange.address("developer")) == [(cursor, listing)]
    exchange.act("developer", market_calls.set_listing_price(number, 17 * TICK))
    exchange.act("buyer", market_calls.buy_listing(number, 200, 17 * TICK, FEE_CAP_BPS, True))
    [(index, sale)] = exchange.trading.sales(number)
    assert (sale.listing, sale.grams, sale.quote, sale.price) == (number, 200, 3_400, 17 * TICK)
    for name in ("developer", "buyer"):
        assert exchange.trading.trades_of(exchange.address(name), first=1) == [(index, sale)]
    exchange.act("alice", market_calls.buy_listing(number, 300, 17 * TICK, FEE_CAP_BPS, True))
    sold = exchange.trading.listing(number)
    assert sold is not None
    assert (sold.state, sold.open, sold.sold) == ("sold", 0, 500)
    assert exchange.trading.listings() == []
    exchange.act("developer", create)
    [(_, other)] = exchange.trading.listings()
    exchange.act("developer", market_calls.cancel_listing(other.number))
    assert exchange.trading.listings_of(exchange.address("developer")) == []


def test_a_gift_is_its_givers_and_its_recipients_until_it_ends(exchange: Exchange) -> None:
    give = market_calls.make_gift(exchange.address("alice"), exchange.batch.address, 40, HASH, True)
    for _ in range(2):
        exchange.act("developer", give)
    first, second = [gift for _, gift in exchange.trading.gifts_of(exchange.address("developer"))][-2:]
    held = exchange.held("alice", exchange.batch)
    exchange.act("alice", market_calls.claim_gift(first.number))
    exchange.act("developer", market_calls.take_back_gift(second.number))
    states = [gift.state for _, gift in exchange.trading.gifts_of(exchange.address("alice"))]
    assert states[-2:] == ["claimed", "taken_back"]
    assert exchange.held("alice", exchange.batch) == held + 40


def test_buying_and_retiring_is_a_trade_and_a_retirement_of_one_transaction(exchange: Exchange) -> None:
    exchange.place("developer", False, 14, 300)
    exchange.act(
        "buyer",
        market_calls.buy_and_retire(
            1, 14 * TICK, 250, FEE_CAP_BPS, True, "RETBUY", HASH, "net zero", "DE", START_S, START_S + DAY_S
        ),
    )
    retirement = exchange.projection.retirement("RETBUY")
    [(_, trade)] = exchange.trading.trades(1, first=1)
    assert retirement is not None
    assert (retirement.grams, retirement.transaction) == (250, trade.transaction)
    order = exchange.trading.order(1, trade.taker_order)
    assert order is not None
    assert order.kind == "fok"


def test_ratings_make_a_partys_standing(exchange: Exchange) -> None:
    sides = {"developer": b"\x0a" * 32, "buyer": b"\x0b" * 32}
    for name, party in sides.items():
        exchange.act("oracle", calls.verify_account(exchange.address(name), party, HASH))
    subject, counterparty = exchange.address("developer"), exchange.address("buyer")
    exchange.act("oracle", calls.rate_party(subject, counterparty, DELIVERY, "TRADE1", 9_000, 50, HASH))
    exchange.act("oracle", calls.rate_data(subject, "PERIOD1", 8_000, 20, HASH))
    party = exchange.trading.party_of(subject)
    assert party == "0x" + "0a" * 32
    standings = exchange.trading.standing(party)
    assert standings.keys() == {DELIVERY, DATA_QUALITY}
    on_chain = exchange.outbox.view("reputation_system::overall", [], [party])
    assert overall(standings, exchange.now_us() // 10**6) == int(on_chain[0])
    assert [rating.reference for _, rating in exchange.trading.ratings(party)] == ["TRADE1", "PERIOD1"]
    rating = exchange.trading.rating(party, DELIVERY, "TRADE1")
    assert rating is not None
    assert (rating.mark, rating.counterparty) == (9_000, "0x" + "0b" * 32)
    exchange.act("oracle", calls.withdraw_verification(counterparty, HASH))
    assert exchange.trading.party_of(counterparty) is None


def test_a_market_folded_afresh_equals_the_one_in_place(exchange: Exchange) -> None:
    exchange.place("developer", False, 14, 300)
    exchange.place("buyer", True, 14, 100)
    assert is_rebuilt_equal(exchange)


def test_a_rewound_market_is_the_one_of_that_version_and_goes_on_from_there(exchange: Exchange) -> None:
    exchange.place("developer", False, 14, 300)
    exchange.place("buyer", True, 14, 100)
    exchange.act("developer", market_calls.deposit(exchange.batch.address, 10))
    newest = exchange.projection.cursor()
    assert newest is not None
    before = exchange.projection.everything()
    for _ in range(20):
        exchange.writer.undo_newest()
    rewound = exchange.projection.cursor()
    assert rewound is not None
    assert rewound.version < newest.version
    assert exchange.projection.everything() != before
    assert is_rebuilt_equal(exchange)
    exchange.watch()
    assert exchange.projection.cursor() == newest
    assert exchange.projection.everything() == before


def test_the_journal_is_kept_for_a_week(exchange: Exchange) -> None:
    kept = table_model(exchange.settings, "chain").query("JOURNAL")
    left = [int(item.expires_at) - time.time() for item in kept]
    assert left
    assert all(JOURNAL_KEPT_S - 3_600 < seconds <= JOURNAL_KEPT_S for seconds in left)
    later = ChainWriter(exchange.settings, clock=lambda: time.time() + JOURNAL_KEPT_S)
    assert list(later.marks()) == []
    assert len(list(exchange.writer.marks())) == len(left)


def test_a_projection_may_begin_where_the_contracts_do(exchange: Exchange) -> None:
    everything = exchange.projection.everything()
    published = publication(exchange)
    exchange.writer.clear()
    assert exchange.projection.everything() == {}
    while advance(exchange.source, exchange.writer, exchange.address_of_market, published).versions:
        pass
    assert exchange.projection.everything() == everything
    assert min(mark.version for mark in exchange.writer.marks()) >= published


def publication(exchange: Exchange) -> int:
    """The version that published the contracts."""
    admin, version = exchange.address("admin"), 0
    while page := exchange.source.page(version, PAGE_VERSIONS).transactions:
        for each in page:
            if each.get("sender") == admin:
                return int(each["version"])
        version += len(page)
    raise LookupError("the contracts were never published")
