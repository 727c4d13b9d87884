/// The books and how they match: price, then time; delivery against payment in the same transaction.
///
/// Grams and quote units that rest in an order are counted by no balance; what a fill or an end frees goes
/// to claimable balances. A bid holds exactly what its open grams cost at its price, fee included.
///
/// Everything is public and asks for its owner's signature, and there are no friends: a friend's module, and
/// all that it uses, is loaded with each call of this one.
module carbon_market::market_book {
    use std::option;
    use std::signer;
    use aptos_std::big_ordered_map::{Self, BigOrderedMap};
    use aptos_std::table::{Self, Table};
    use aptos_framework::event;
    use aptos_framework::fungible_asset::Metadata;
    use aptos_framework::object::{Self, Object};
    use aptos_framework::timestamp;
    use carbon_market::access_control;
    use carbon_market::batch_labels;
    use carbon_market::market_fees;
    use carbon_market::market_vault::{Self, VaultCap};
    use carbon_market::order_ids;
    use carbon_market::transfer_policy;

    /// No such book is open.
    const E_UNKNOWN_BOOK: u64 = 1;
    /// The batch has a book in this quote asset already.
    const E_BOOK_EXISTS: u64 = 2;
    /// Tick and lot must be above zero, and tick times lot a multiple of 1,000,000: quotes are whole units.
    const E_INEXACT_TICK: u64 = 3;
    /// There is no such kind of order: 0 is good till cancelled, 1 immediate or cancel, 2 fill or kill, 3
    /// post only, 4 market.
    const E_UNKNOWN_KIND: u64 = 4;
    /// The price is zero, too high, or not a multiple of the book's tick.
    const E_OFF_TICK: u64 = 5;
    /// The grams are zero or not a multiple of the book's lot.
    const E_OFF_LOT: u64 = 6;
    /// The order is worth less than the book's minimum.
    const E_BELOW_MINIMUM: u64 = 7;
    /// Price times grams is more than an asset can hold.
    const E_TOO_LARGE: u64 = 8;
    /// The order would have expired before it was placed.
    const E_EXPIRED: u64 = 9;
    /// The batch lacks labels that the book requires.
    const E_BATCH_LABELS: u64 = 10;
    /// The batch lacks labels that the order requires.
    const E_ORDER_LABELS: u64 = 11;
    /// A post-only order would have matched at once.
    const E_WOULD_MATCH: u64 = 12;
    /// A fill-or-kill order cannot be filled whole in one transaction.
    const E_NOT_FILLED_WHOLE: u64 = 13;
    /// Earlier orders are still being matched in this book; call `work` and then try again.
    const E_BUSY: u64 = 14;
    /// The book has no such open order.
    const E_UNKNOWN_ORDER: u64 = 15;
    /// The order is another account's.
    const E_NOT_YOURS: u64 = 16;
    /// An order can only be made smaller.
    const E_NOT_SMALLER: u64 = 17;
    /// A page names 1 to 16 orders.
    const E_BAD_PAGE: u64 = 18;
    /// A call touches up to 1 to 16 orders of others; an order that may rest asks for 16, so that it matches
    /// as far as it can itself.
    const E_BAD_STEPS: u64 = 19;

    /// Orders lie in the leaves themselves, so that placing or filling one touches no other table item. Nodes
    /// of these degrees stay about one kilobyte, above which this chain's writes cost by the byte.
    const INNER_DEGREE: u16 = 64;
    const LEAF_DEGREE: u16 = 10;
    const MAX_STEPS: u64 = 16;
    /// For the pending order while a page is cancelled, so that both fit a projection.
    const STEPS_BEFORE_PAGE: u64 = 8;
    const MAX_PAGE: u64 = 16;

    const GRAMS_PER_TONNE: u64 = 1000000;
    const MAX_U64: u128 = 0xffffffffffffffff;

    const GTC: u8 = 0;
    const IOC: u8 = 1;
    const FOK: u8 = 2;
    const POST_ONLY: u8 = 3;
    const MARKET: u8 = 4;

    /// Why an order ended before it was filled.
    const BY_OWNER: u64 = 1;
    const REMAINDER: u64 = 2;
    const SELF_TRADE: u64 = 3;
    const EXPIRED: u64 = 4;
    const FROZEN: u64 = 5;
    const LABELS_LOST: u64 = 6;
    const TOO_SMALL: u64 = 7;
    /// Not ended.
    const LIVE: u64 = 0;

    enum Book has store {
        V1 {
            batch: Object<Metadata>,
            quote: Object<Metadata>,
            /// Quote units per tonne.
            tick: u64,
            /// Grams.
            lot: u64,
            /// Quote units.
            min_notional: u64,
            labels: u64,
            next_sequence: u64,
            /// None or one: an order that crosses and is not through because its transaction was full.
            pending: vector<Taker>
        }
    }

    enum Order has copy, drop, store {
        V1 {
            account: address,
            /// Still open.
            grams: u64,
            /// Fees of its placing, in basis points.
            maker_bps: u64,
            taker_bps: u64,
            /// As `market_fees::fee` has it.
            carry: u64,
            /// The batch must have these at each fill.
            labels: u64,
            /// Unix seconds; 0 is never.
            expires_at: u64
        }
    }

    enum Side has store {
        V1 {
            orders: BigOrderedMap<u128, Order>
        }
    }

    /// An order that takes.
    struct Taker has copy, drop, store {
        id: u128,
        order: Order
    }

    struct BookKey has copy, drop, store {
        batch: address,
        quote: address
    }

    struct Books has key {
        /// Numbered from 1.
        books: Table<u64, Book>,
        bids: Table<u64, Side>,
        asks: Table<u64, Side>,
        numbers: Table<BookKey, u64>,
        count: u64,
        vault: VaultCap
    }

    /// One run of a taker: what it may do, and what came of it.
    struct Run has drop {
        book: u64,
        batch: Object<Metadata>,
        quote: Object<Metadata>,
        batch_labels: u64,
        /// Below this an order doesn't stay open, in quote units.
        min_notional: u64,
        now: u64,
        id: u128,
        taker: Order,
        /// What it held as the run began.
        held: u64,
        /// Orders of the other side that may still be touched.
        steps: u64,
        /// Grams for a bid, quote units less fees for an ask.
        received: u64,
        /// Quote units with fees, by a bid.
        spent: u64,
        fees: u64,
        met_itself: bool
    }

    /// A book as views give it; 0 stands for no pending order.
    struct BookView has copy, drop {
        batch: address,
        quote: address,
        tick: u64,
        lot: u64,
        min_notional: u64,
        labels: u64,
        next_sequence: u64,
        pending: u128
    }

    /// An open order as views give it; `escrow` is in grams for an ask, in quote units for a bid.
    struct OrderView has copy, drop {
        order: u128,
        account: address,
        is_bid: bool,
        price: u64,
        grams: u64,
        escrow: u64,
        labels: u64,
        expires_at: u64
    }

    #[event]
    struct BookOpened has drop, store {
        book: u64,
        batch: address,
        quote: address,
        tick: u64,
        lot: u64,
        min_notional: u64,
        labels: u64
    }

    #[event]
    /// `escrow` is in grams for an ask, in quote units for a bid.
    struct OrderPlaced has drop, store {
        book: u64,
        order: u128,
        account: address,
        is_bid: bool,
        kind: u64,
        price: u64,
        grams: u64,
        escrow: u64,
        maker_bps: u64,
        taker_bps: u64,
        labels: u64,
        expires_at: u64
    }

    #[event]
    struct OrderFilled has drop, store {
        book: u64,
        maker_order: u128,
        taker_order: u128,
        maker: address,
        taker: address,
        taker_is_bid: bool,
        price: u64,
        grams: u64,
        quote: u64,
        maker_fee: u64,
        taker_fee: u64,
        maker_open_old: u64,
        maker_open_new: u64,
        taker_open_old: u64,
        taker_open_new: u64
    }

    #[event]
    /// `refund` went to the claimable balance: grams for an ask, quote units for a bid.
    struct OrderCancelled has drop, store {
        book: u64,
        order: u128,
        account: address,
        reason: u64,
        open_old: u64,
        open_new: u64,
        refund: u64
    }

    #[event]
    struct OrderAmended has drop, store {
        book: u64,
        order: u128,
        account: address,
        open_old: u64,
        open_new: u64,
        refund: u64
    }

    #[event]
    /// Quote units that a bid held beyond its need after it had taken: better prices, or the smaller fee of a
    /// maker.
    struct ImprovementRefunded has drop, store {
        book: u64,
        order: u128,
        account: address,
        refund: u64
    }

    #[event]
    /// 0 stands for none.
    struct PendingChanged has drop, store {
        book: u64,
        order_old: u128,
        order_new: u128
    }

    fun init_module(publisher: &signer) {
        move_to(
            publisher,
            Books {
                books: table::new(),
                bids: table::new(),
                asks: table::new(),
                numbers: table::new(),
                count: 0,
                vault: market_vault::take_cap(publisher)
            }
        );
    }

    // Books.

    /// Opens the book of a batch in a quote asset.
    public fun open(
        issuer: &signer,
        batch: Object<Metadata>,
        quote: Object<Metadata>,
        tick: u64,
        lot: u64,
        min_notional: u64,
        labels: u64
    ) acquires Books {
        access_control::assert_issuer(issuer);
        let key = BookKey {
            batch: object::object_address(&batch),
            quote: object::object_address(&quote)
        };
        // Also refuses what is no batch.
        assert!(has_labels(batch_labels::labels_of(key.batch), labels), E_BATCH_LABELS);
        let step = (tick as u128) * (lot as u128);
        assert!(step > 0 && step % (GRAMS_PER_TONNE as u128) == 0, E_INEXACT_TICK);
        let books = &mut Books[@carbon_market];
        assert!(!books.numbers.contains(key), E_BOOK_EXISTS);
        books.count += 1;
        let book = books.count;
        books.numbers.add(key, book);
        books.bids.add(book, new_side());
        books.asks.add(book, new_side());
        books.books.add(
            book,
            Book::V1 { batch, quote, tick, lot, min_notional, labels, next_sequence: 1, pending: vector[] }
        );
        event::emit(
            BookOpened { book, batch: key.batch, quote: key.quote, tick, lot, min_notional, labels }
        );
    }

    // Placing.

    /// Places an order with at most `steps` orders of others touched, after the pending one had its turn.
    /// Gives the steps left and the grams filled.
    public fun place(
        owner: &signer,
        number: u64,
        is_bid: bool,
        kind: u8,
        price: u64,
        grams: u64,
        fee_cap_bps: u64,
        labels: u64,
        expires_at: u64,
        from_wallet: bool,
        steps: u64
    ): (u64, u64) acquires Books {
        let account = signer::address_of(owner);
        access_control::assert_not_paused();
        transfer_policy::assert_may_trade(account);
        assert!(kind <= MARKET, E_UNKNOWN_KIND);
        assert!(steps == MAX_STEPS || (kind != GTC && kind != POST_ONLY), E_BAD_STEPS);
        let now = timestamp::now_seconds();
        assert!(expires_at == 0 || expires_at > now, E_EXPIRED);
        let steps = go_on(number, steps);
        let books = &mut Books[@carbon_market];
        let book = books.books.borrow_mut(number);
        let (batch, quote, min_notional) = (book.batch, book.quote, book.min_notional);
        let batch_labels = batch_labels::labels_of(object::object_address(&batch));
        transfer_policy::assert_not_frozen(object::object_address(&batch));
        assert!(has_labels(batch_labels, book.labels), E_BATCH_LABELS);
        assert!(has_labels(batch_labels, labels), E_ORDER_LABELS);
        assert_well_formed(book, kind, price, grams);
        let id = order_ids::order_id(is_bid, price, book.next_sequence);
        book.next_sequence += 1;
        let (maker_bps, taker_bps) = market_fees::agreed(fee_cap_bps);
        let order = Order::V1 { account, grams, maker_bps, taker_bps, carry: 0, labels, expires_at };
        let escrow = held(id, &order, taking_bps(&order));
        market_vault::escrow(&books.vault, owner, if (is_bid) quote else batch, escrow, from_wallet);
        event::emit(
            OrderPlaced {
                book: number,
                order: id,
                account,
                is_bid,
                kind: kind as u64,
                price,
                grams,
                escrow,
                maker_bps,
                taker_bps,
                labels,
                expires_at
            }
        );
        let taker = Taker { id, order };
        let run = new_run(number, batch, quote, min_notional, batch_labels, now, taker, escrow, steps);
        let open = take(&mut run, kind);
        (run.steps, grams - open)
    }

    fun assert_well_formed(book: &Book, kind: u8, price: u64, grams: u64) {
        assert!(price > 0 && price <= order_ids::max_price(), E_OFF_TICK);
        // A market order's worst price never rests.
        assert!(kind == MARKET || price % book.tick == 0, E_OFF_TICK);
        assert!(grams > 0 && grams % book.lot == 0, E_OFF_LOT);
        assert!(cost(price, grams) >= book.min_notional, E_BELOW_MINIMUM);
    }

    /// Matches a new order and says what becomes of what is not filled; gives that.
    fun take(run: &mut Run, kind: u8): u64 acquires Books {
        let steps = run.steps;
        let crosses = run_against_book(run, kind != POST_ONLY);
        assert!(kind != POST_ONLY || !crosses, E_WOULD_MATCH);
        // With no step left to take, an end "not filled" would mislead.
        assert!(!crosses || steps > 0, E_BUSY);
        let open = run.taker.grams;
        assert!(kind != FOK || open == 0, E_NOT_FILLED_WHOLE);
        let cause =
            if (run.met_itself) SELF_TRADE
            else if (kind == IOC || kind == MARKET) REMAINDER
            else LIVE;
        if (settle(run, cause, crosses)) {
            event::emit(PendingChanged { book: run.book, order_old: 0, order_new: run.id });
        };
        open
    }

    /// Gives the pending order of a book its turn, if the book may trade now. Gives the steps left.
    public fun go_on(number: u64, steps: u64): u64 acquires Books {
        assert!(steps > 0 && steps <= MAX_STEPS, E_BAD_STEPS);
        assert_open(number);
        let book = Books[@carbon_market].books.borrow(number);
        if (book.pending.is_empty() || !book.trades()) return steps;
        let (batch, quote, min_notional) = (book.batch, book.quote, book.min_notional);
        let batch_labels = batch_labels::labels_of(object::object_address(&batch));
        let books = &mut Books[@carbon_market].books;
        let taker = books.borrow_mut(number).pending.pop_back();
        let now = timestamp::now_seconds();
        let held = held(taker.id, &taker.order, taking_bps(&taker.order));
        let run = new_run(number, batch, quote, min_notional, batch_labels, now, taker, held, steps);
        let cause = why_dead(&taker.order, batch_labels, now);
        let crosses = false;
        if (cause == LIVE) {
            crosses = run_against_book(&mut run, true);
            if (run.met_itself) cause = SELF_TRADE;
        };
        if (!settle(&mut run, cause, crosses)) {
            event::emit(PendingChanged { book: number, order_old: taker.id, order_new: 0 });
        };
        run.steps
    }

    /// Gives the pending order its turn and then clears dead orders away where they would be met first: they
    /// stop who asks to be filled whole, and what such an order clears away is undone with its refusal.
    public fun work(number: u64) acquires Books {
        let steps = go_on(number, MAX_STEPS);
        let books = &mut Books[@carbon_market];
        let book = books.books.borrow(number);
        if (!book.trades()) return;
        let batch_labels = batch_labels::labels_of(object::object_address(&book.batch));
        let (batch, quote) = (book.batch, book.quote);
        let left = clear(&books.vault, books.bids.borrow_mut(number), number, quote, batch_labels, steps);
        clear(&books.vault, books.asks.borrow_mut(number), number, batch, batch_labels, left);
    }

    /// Ends the dead orders that a side begins with, `steps` at most; gives the steps left.
    fun clear(
        vault: &VaultCap,
        side: &mut Side,
        number: u64,
        asset: Object<Metadata>,
        batch_labels: u64,
        steps: u64
    ): u64 {
        let now = timestamp::now_seconds();
        while (steps > 0 && !side.is_empty()) {
            let (id, order) = side.best();
            let cause = why_dead(&order, batch_labels, now);
            if (cause == LIVE) break;
            side.orders.remove(&id);
            end(vault, number, id, &order, asset, order.maker_bps, cause);
            steps -= 1;
        };
        steps
    }

    /// Whether anything may be filled in it now.
    fun trades(self: &Book): bool {
        let batch = object::object_address(&self.batch);
        !access_control::is_paused()
            && !transfer_policy::is_frozen(batch)
            && has_labels(batch_labels::labels_of(batch), self.labels)
    }

    fun new_run(
        book: u64,
        batch: Object<Metadata>,
        quote: Object<Metadata>,
        min_notional: u64,
        batch_labels: u64,
        now: u64,
        taker: Taker,
        held: u64,
        steps: u64
    ): Run {
        Run {
            book,
            batch,
            quote,
            batch_labels,
            min_notional,
            now,
            id: taker.id,
            taker: taker.order,
            held,
            steps,
            received: 0,
            spent: 0,
            fees: 0,
            met_itself: false
        }
    }

    /// Walks the other side from its best order, clearing dead ones away. Gives whether open grams are left
    /// that cross the side. Without `fills` it only looks.
    fun run_against_book(run: &mut Run, fills: bool): bool acquires Books {
        let is_bid = order_ids::is_bid(run.id);
        let limit = order_ids::price(run.id);
        let books = &mut Books[@carbon_market];
        let side = if (is_bid) books.asks.borrow_mut(run.book) else books.bids.borrow_mut(run.book);
        while (run.taker.grams > 0 && !side.is_empty()) {
            let (id, maker) = side.best();
            let price = order_ids::price(id);
            if (if (is_bid) price > limit else price < limit) return false;
            if (run.steps == 0) return true;
            let cause = why_dead(&maker, run.batch_labels, run.now);
            if (cause != LIVE) {
                side.orders.remove(&id);
                let asset = if (is_bid) run.batch else run.quote;
                end(&books.vault, run.book, id, &maker, asset, maker.maker_bps, cause);
            } else if (!fills) {
                return true
            } else if (maker.account == run.taker.account) {
                run.met_itself = true;
                return true
            } else {
                fill(&books.vault, run, side, id, maker, price);
            };
            run.steps -= 1;
        };
        false
    }

    /// Trades at the maker's price; moves numbers only.
    fun fill(
        vault: &VaultCap, run: &mut Run, side: &mut Side, id: u128, maker: Order, price: u64
    ) {
        let is_bid = order_ids::is_bid(run.id);
        let taker_open_old = run.taker.grams;
        let maker_open_old = maker.grams;
        let grams = if (maker_open_old < taker_open_old) maker_open_old else taker_open_old;
        let quote = cost(price, grams);
        let (maker_fee, maker_carry) = market_fees::fee(quote, maker.maker_bps, maker.carry);
        let (taker_fee, taker_carry) = market_fees::fee(quote, run.taker.taker_bps, run.taker.carry);
        maker.grams = maker_open_old - grams;
        maker.carry = maker_carry;
        run.taker.grams = taker_open_old - grams;
        run.taker.carry = taker_carry;
        let is_small = maker.grams > 0 && cost(price, maker.grams) < run.min_notional;
        if (maker.grams == 0 || is_small) {
            side.orders.remove(&id);
        } else {
            side.orders.upsert(id, maker);
        };
        run.fees += maker_fee + taker_fee;
        if (is_bid) {
            run.received += grams;
            run.spent += quote + taker_fee;
            market_vault::credit(vault, maker.account, run.quote, quote - maker_fee);
        } else {
            run.received += quote - taker_fee;
            market_vault::credit(vault, maker.account, run.batch, grams);
        };
        event::emit(
            OrderFilled {
                book: run.book,
                maker_order: id,
                taker_order: run.id,
                maker: maker.account,
                taker: run.taker.account,
                taker_is_bid: is_bid,
                price,
                grams,
                quote,
                maker_fee,
                taker_fee,
                maker_open_old,
                maker_open_new: maker_open_old - grams,
                taker_open_old,
                taker_open_new: taker_open_old - grams
            }
        );
        if (is_small) {
            let asset = if (is_bid) run.batch else run.quote;
            end(vault, run.book, id, &maker, asset, maker.maker_bps, TOO_SMALL);
        };
    }

    /// Pays out what a run brought, and ends, rests or keeps waiting what is still open. Gives whether it
    /// waits.
    fun settle(run: &mut Run, cause: u64, crosses: bool): bool acquires Books {
        let account = run.taker.account;
        let is_bid = order_ids::is_bid(run.id);
        let waits = cause == LIVE && crosses;
        if (cause == LIVE && !crosses && run.is_small()) {
            cause = TOO_SMALL;
        };
        let books = &mut Books[@carbon_market];
        let vault = &books.vault;
        if (run.received > 0) {
            market_vault::credit(vault, account, if (is_bid) run.batch else run.quote, run.received);
        };
        if (run.fees > 0) {
            market_vault::credit(vault, market_vault::vault_address(), run.quote, run.fees);
        };
        let bps = if (cause == LIVE && !crosses) run.taker.maker_bps else taking_bps(&run.taker);
        if (is_bid) {
            let refund = run.held - run.spent - held(run.id, &run.taker, bps);
            if (refund > 0) {
                market_vault::credit(vault, account, run.quote, refund);
                event::emit(ImprovementRefunded { book: run.book, order: run.id, account, refund });
            };
        };
        if (run.taker.grams == 0) return false;
        if (cause != LIVE) {
            end(vault, run.book, run.id, &run.taker, if (is_bid) run.quote else run.batch, bps, cause);
        } else if (waits) {
            books.books.borrow_mut(run.book).pending.push_back(Taker { id: run.id, order: run.taker });
        } else {
            let side = if (is_bid) books.bids.borrow_mut(run.book) else books.asks.borrow_mut(run.book);
            side.orders.add(run.id, run.taker);
        };
        waits
    }

    /// Whether what is still open of the taker is worth less than an order must be.
    fun is_small(self: &Run): bool {
        self.taker.grams > 0 && cost(order_ids::price(self.id), self.taker.grams) < self.min_notional
    }

    // Ending and amending.

    /// Cancels an account's own order, after the pending one had its turn.
    public fun cancel(owner: &signer, number: u64, id: u128) acquires Books {
        assert_open(number);
        assert!(is_open(number, id), E_UNKNOWN_ORDER);
        let (order, _) = open_order(number, id);
        assert!(order.account == signer::address_of(owner), E_NOT_YOURS);
        go_on(number, MAX_STEPS);
        // Filled by that, there is nothing left to cancel; refused, what filled it would be undone.
        if (is_open(number, id)) cancel_open(signer::address_of(owner), number, id);
    }

    /// As `cancel`, of several; those that are no longer open are passed over.
    public fun cancel_page(owner: &signer, number: u64, ids: vector<u128>) acquires Books {
        assert!(!ids.is_empty() && ids.length() <= MAX_PAGE, E_BAD_PAGE);
        go_on(number, STEPS_BEFORE_PAGE);
        ids.for_each(|id| {
            if (is_open(number, id)) cancel_open(signer::address_of(owner), number, id);
        });
    }

    fun cancel_open(account: address, number: u64, id: u128) acquires Books {
        let (order, waits) = open_order(number, id);
        assert!(order.account == account, E_NOT_YOURS);
        let (batch, quote) = assets(number);
        let is_bid = order_ids::is_bid(id);
        let books = &mut Books[@carbon_market];
        if (waits) {
            books.books.borrow_mut(number).pending.pop_back();
            event::emit(PendingChanged { book: number, order_old: id, order_new: 0 });
        } else {
            let side = if (is_bid) books.bids.borrow_mut(number) else books.asks.borrow_mut(number);
            side.orders.remove(&id);
        };
        let bps = resting_bps(&order, waits);
        end(&books.vault, number, id, &order, if (is_bid) quote else batch, bps, BY_OWNER);
    }

    /// Frees what an order that is in no place any more held.
    fun end(
        vault: &VaultCap,
        book: u64,
        id: u128,
        order: &Order,
        asset: Object<Metadata>,
        bps: u64,
        reason: u64
    ) {
        let account = order.account;
        let refund = held(id, order, bps);
        market_vault::credit(vault, account, asset, refund);
        event::emit(
            OrderCancelled {
                book,
                order: id,
                account,
                reason,
                open_old: order.grams,
                open_new: 0,
                refund
            }
        );
    }

    /// Makes an order smaller; it keeps its place.
    public fun amend(owner: &signer, number: u64, id: u128, grams: u64) acquires Books {
        go_on(number, MAX_STEPS);
        assert!(is_open(number, id), E_UNKNOWN_ORDER);
        let (order, waits) = open_order(number, id);
        let account = order.account;
        assert!(account == signer::address_of(owner), E_NOT_YOURS);
        let open_old = order.grams;
        assert!(grams < open_old, E_NOT_SMALLER);
        let (batch, quote) = assets(number);
        let bps = resting_bps(&order, waits);
        let held_old = held(id, &order, bps);
        order.grams = grams;
        let is_bid = order_ids::is_bid(id);
        let books = &mut Books[@carbon_market];
        let book = books.books.borrow_mut(number);
        assert_well_formed(book, GTC, order_ids::price(id), grams);
        if (waits) {
            book.pending[0].order = order;
        } else {
            let side = if (is_bid) books.bids.borrow_mut(number) else books.asks.borrow_mut(number);
            side.orders.upsert(id, order);
        };
        let refund = held_old - held(id, &order, bps);
        market_vault::credit(&books.vault, account, if (is_bid) quote else batch, refund);
        event::emit(
            OrderAmended { book: number, order: id, account, open_old, open_new: grams, refund }
        );
    }

    /// Why an order may not be filled any more; LIVE if it may.
    fun why_dead(order: &Order, batch_labels: u64, now: u64): u64 {
        if (order.expires_at != 0 && order.expires_at <= now) EXPIRED
        else if (!has_labels(batch_labels, order.labels)) LABELS_LOST
        else if (!transfer_policy::may_trade(order.account)) FROZEN
        else LIVE
    }

    // Sides.

    fun new_side(): Side {
        Side::V1 { orders: big_ordered_map::new_with_config(INNER_DEGREE, LEAF_DEGREE, true) }
    }

    fun is_empty(self: &Side): bool {
        self.orders.is_empty()
    }

    /// The order that is matched next, with its id. There must be one.
    fun best(self: &Side): (u128, Order) {
        let (id, order) = self.orders.borrow_back();
        (id, *order)
    }

    fun begins_dead(self: &Side, batch_labels: u64): bool {
        if (self.orders.is_empty()) return false;
        let (_, order) = self.best();
        why_dead(&order, batch_labels, timestamp::now_seconds()) != LIVE
    }

    /// The price of the order that is matched next; 0 without one.
    fun best_price(self: &Side): u64 {
        if (self.orders.is_empty()) return 0;
        let (id, _) = self.orders.borrow_back();
        order_ids::price(id)
    }

    /// Up to `count` ids in the order of matching, of those that come after `after` (0: from the best).
    fun ids(self: &Side, after: u128, count: u64): vector<u128> {
        let found = vector[];
        if (self.orders.is_empty()) return found;
        let next =
            if (after == 0) {
                let (best, _) = self.orders.borrow_back();
                option::some(best)
            } else self.orders.prev_key(&after);
        while (next.is_some() && found.length() < count) {
            let id = next.destroy_some();
            found.push_back(id);
            next = self.orders.prev_key(&id);
        };
        found
    }

    // Sums.

    /// Quote units; exact on tick and lot, else rounded up.
    fun cost(price: u64, grams: u64): u64 {
        let tonne = GRAMS_PER_TONNE as u128;
        let units = ((price as u128) * (grams as u128) + tonne - 1) / tonne;
        assert!(units <= MAX_U64, E_TOO_LARGE);
        units as u64
    }

    /// What an order holds for its open grams: grams for an ask; for a bid the quote at its price and the
    /// fee.
    fun held(id: u128, order: &Order, bps: u64): u64 {
        if (!order_ids::is_bid(id)) return order.grams;
        let quote = cost(order_ids::price(id), order.grams);
        let (fee, _) = market_fees::fee(quote, bps, order.carry);
        assert!((quote as u128) + (fee as u128) <= MAX_U64, E_TOO_LARGE);
        quote + fee
    }

    /// Until an order rests its fills may be charged either way.
    fun taking_bps(order: &Order): u64 {
        if (order.maker_bps > order.taker_bps) order.maker_bps else order.taker_bps
    }

    fun resting_bps(order: &Order, waits: bool): u64 {
        if (waits) taking_bps(order) else order.maker_bps
    }

    fun has_labels(labels: u64, required: u64): bool {
        labels & required == required
    }

    // Looking up.

    fun assert_open(number: u64) acquires Books {
        assert!(Books[@carbon_market].books.contains(number), E_UNKNOWN_BOOK);
    }

    fun is_open(number: u64, id: u128): bool acquires Books {
        let books = &Books[@carbon_market];
        let pending = &books.books.borrow(number).pending;
        if (!pending.is_empty() && pending[0].id == id) return true;
        let side = if (order_ids::is_bid(id)) books.bids.borrow(number) else books.asks.borrow(number);
        side.orders.contains(&id)
    }

    /// An open order, and whether it is the pending one.
    fun open_order(number: u64, id: u128): (Order, bool) acquires Books {
        let books = &Books[@carbon_market];
        let pending = &books.books.borrow(number).pending;
        if (!pending.is_empty() && pending[0].id == id) return (pending[0].order, true);
        let side = if (order_ids::is_bid(id)) books.bids.borrow(number) else books.asks.borrow(number);
        (*side.orders.borrow(&id), false)
    }

    /// (batch, quote)
    public fun assets(number: u64): (Object<Metadata>, Object<Metadata>) acquires Books {
        assert_open(number);
        let book = Books[@carbon_market].books.borrow(number);
        (book.batch, book.quote)
    }

    // Views.

    #[view]
    /// How many books are open; they are numbered from 1.
    public fun count(): u64 acquires Books {
        Books[@carbon_market].count
    }

    #[view]
    /// The number of the batch's book in a quote asset; 0 for none.
    public fun number(batch: address, quote: address): u64 acquires Books {
        *Books[@carbon_market].numbers.borrow_with_default(BookKey { batch, quote }, &0)
    }

    #[view]
    public fun book(number: u64): BookView acquires Books {
        assert_open(number);
        let book = Books[@carbon_market].books.borrow(number);
        BookView {
            batch: object::object_address(&book.batch),
            quote: object::object_address(&book.quote),
            tick: book.tick,
            lot: book.lot,
            min_notional: book.min_notional,
            labels: book.labels,
            next_sequence: book.next_sequence,
            pending: if (book.pending.is_empty()) 0 else book.pending[0].id
        }
    }

    #[view]
    /// (highest bid, lowest ask) in quote units per tonne, dead orders not counted out; 0 for none.
    public fun best_prices(number: u64): (u64, u64) acquires Books {
        assert_open(number);
        let books = &Books[@carbon_market];
        let (bids, asks) = (books.bids.borrow(number), books.asks.borrow(number));
        (bids.best_price(), asks.best_price())
    }

    #[view]
    /// The books, of `limit` from number `first` on, in which `work` has something to do: an order waits, or
    /// a side begins with a dead one.
    public fun needing_work(first: u64, limit: u64): vector<u64> acquires Books {
        let books = &Books[@carbon_market];
        let found = vector[];
        let number = first;
        while (number > 0 && number <= books.count && number - first < limit) {
            let book = books.books.borrow(number);
            if (book.trades()) {
                let labels = batch_labels::labels_of(object::object_address(&book.batch));
                let (bids, asks) = (books.bids.borrow(number), books.asks.borrow(number));
                if (!book.pending.is_empty() || bids.begins_dead(labels) || asks.begins_dead(labels)) {
                    found.push_back(number);
                };
            };
            number += 1;
        };
        found
    }

    #[view]
    public fun order(number: u64, id: u128): OrderView acquires Books {
        assert_open(number);
        assert!(is_open(number, id), E_UNKNOWN_ORDER);
        let (order, waits) = open_order(number, id);
        OrderView {
            order: id,
            account: order.account,
            is_bid: order_ids::is_bid(id),
            price: order_ids::price(id),
            grams: order.grams,
            escrow: held(id, &order, resting_bps(&order, waits)),
            labels: order.labels,
            expires_at: order.expires_at
        }
    }

    #[view]
    /// Ids of resting orders in the order of matching: up to `limit` of those after `after` (0: the best).
    public fun orders(number: u64, is_bid: bool, after: u128, limit: u64): vector<u128> acquires Books {
        assert_open(number);
        let books = &Books[@carbon_market];
        let side = if (is_bid) books.bids.borrow(number) else books.asks.borrow(number);
        side.ids(after, limit)
    }

    #[test_only]
    public fun init_for_test(publisher: &signer) {
        init_module(publisher);
    }

    #[test_only]
    public fun next_sequence_for_test(number: u64): u64 acquires Books {
        book(number).next_sequence
    }

    #[test_only]
    public fun pending_for_test(number: u64): u128 acquires Books {
        book(number).pending
    }

    #[test_only]
    public fun is_open_for_test(number: u64, id: u128): bool acquires Books {
        is_open(number, id)
    }

    #[test_only]
    public fun open_grams_for_test(number: u64, id: u128): u64 acquires Books {
        order(number, id).grams
    }

    #[test_only]
    public fun escrow_for_test(number: u64, id: u128): u64 acquires Books {
        order(number, id).escrow
    }

    #[test_only]
    public fun assets_for_test(number: u64): (Object<Metadata>, Object<Metadata>) acquires Books {
        assets(number)
    }
}
