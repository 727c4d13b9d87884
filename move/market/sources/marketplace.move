/// What people do in the books: open, place, amend, cancel, buy by criteria, buy and retire.
///
/// One transaction touches at most 16 orders of others (a fill, or a dead order cleared away). Whoever projects
/// a transaction writes 4 items for each (trade, order, balance, price level) and up to 35 for the rest (the
/// order, its balances, the treasury, candles, the pending order and a retirement or a page of cancellations),
/// and one projection transaction holds 100.
module carbon_market::marketplace {
    use std::signer;
    use std::string::String;
    use aptos_framework::fungible_asset::Metadata;
    use aptos_framework::object::{Self, Object};
    use carbon_market::access_control;
    use carbon_market::carbon_credit;
    use carbon_market::criteria;
    use carbon_market::market_book;
    use carbon_market::market_vault;

    /// A page names 1 to 16 orders.
    const E_BAD_PAGE: u64 = 1;
    /// A route has 1 to 4 books, and grams for each.
    const E_BAD_ROUTE: u64 = 2;
    /// All books of a route must have the quote asset that the caller names.
    const E_OTHER_QUOTE: u64 = 3;
    /// Nothing at all could be bought on this route.
    const E_NOTHING_BOUGHT: u64 = 4;

    const MAX_STEPS: u64 = 16;
    /// For the pending order while a page is cancelled, so that both fit a projection.
    const STEPS_BEFORE_PAGE: u64 = 8;
    const MAX_PAGE: u64 = 16;
    const MAX_LEGS: u64 = 4;
    /// Each further book of a route has an order, candles and prices of its own to project.
    const STEPS_PER_LEG: u64 = 2;

    const IOC: u8 = 1;
    const FOK: u8 = 2;

    /// Opens the book of a batch in a quote asset. Prices are quote units per tonne in multiples of `tick`,
    /// amounts grams in multiples of `lot`, and tick times lot is a multiple of 1,000,000. The batch must
    /// have all of `labels` whenever something is placed or filled.
    public entry fun open_book(
        issuer: &signer,
        batch: Object<Metadata>,
        quote: Object<Metadata>,
        tick: u64,
        lot: u64,
        min_notional: u64,
        labels: u64
    ) {
        access_control::assert_issuer(issuer);
        market_book::open(batch, quote, tick, lot, min_notional, labels);
    }

    /// Kinds: 0 good till cancelled, 1 immediate or cancel, 2 fill or kill, 3 post only, 4 market (`price` is
    /// the worst that is taken). `expires_at` is in unix seconds, 0 for never. Escrow comes from the wallet or
    /// from the claimable balance.
    public entry fun place(
        owner: &signer,
        book: u64,
        is_bid: bool,
        kind: u8,
        price: u64,
        grams: u64,
        fee_cap_bps: u64,
        labels: u64,
        expires_at: u64,
        from_wallet: bool
    ) {
        market_book::place(
            owner,
            book,
            is_bid,
            kind,
            price,
            grams,
            fee_cap_bps,
            labels,
            expires_at,
            from_wallet,
            MAX_STEPS
        );
    }

    /// Makes an order smaller: `grams` is what stays open. It keeps its place. It only frees, so no pause and no
    /// freeze stops it.
    public entry fun amend(owner: &signer, book: u64, order: u128, grams: u64) {
        market_book::amend(owner, book, order, grams, MAX_STEPS);
    }

    /// Frees an order's escrow to the claimable balance. No pause and no freeze stops it.
    public entry fun cancel(owner: &signer, book: u64, order: u128) {
        market_book::cancel(owner, book, order, MAX_STEPS);
    }

    /// Cancels a page of orders; those that were filled in the meantime are passed over.
    public entry fun cancel_page(owner: &signer, book: u64, orders: vector<u128>) {
        assert!(!orders.is_empty() && orders.length() <= MAX_PAGE, E_BAD_PAGE);
        market_book::cancel_page(owner, book, orders, STEPS_BEFORE_PAGE);
    }

    /// Anybody may give the book's pending order its turn.
    public entry fun work(_caller: &signer, book: u64) {
        market_book::go_on(book, MAX_STEPS);
    }

    /// Buys from several books what meets the criteria (empty lists and 0 ask for nothing), each up to its
    /// grams and all up to `price`. Legs that find the transaction full are left out.
    public entry fun buy_by_criteria(
        buyer: &signer,
        quote: Object<Metadata>,
        books: vector<u64>,
        grams: vector<u64>,
        price: u64,
        methodologies: vector<String>,
        countries: vector<String>,
        vintages: vector<u64>,
        labels: u64,
        fee_cap_bps: u64,
        from_wallet: bool
    ) {
        let legs = books.length();
        assert!(legs > 0 && legs <= MAX_LEGS && grams.length() == legs, E_BAD_ROUTE);
        let wanted = criteria::new(methodologies, countries, vintages, labels);
        let steps = MAX_STEPS - STEPS_PER_LEG * (legs - 1);
        let bought = 0;
        for (i in 0..legs) {
            let (batch, priced_in) = market_book::assets(books[i]);
            assert!(priced_in == quote, E_OTHER_QUOTE);
            wanted.assert_met(object::object_address(&batch));
            steps = market_book::go_on(books[i], steps);
            if (steps > 0) {
                let (left, filled) =
                    market_book::place(
                        buyer,
                        books[i],
                        true,
                        IOC,
                        price,
                        grams[i],
                        fee_cap_bps,
                        labels,
                        0,
                        from_wallet,
                        steps
                    );
                steps = left;
                bought += filled;
            };
        };
        assert!(bought > 0, E_NOTHING_BOUGHT);
    }

    /// Buys exactly these grams at `price` or better and retires them, or does nothing. The rest is as in
    /// `carbon_credit::retire`.
    public entry fun buy_and_retire(
        buyer: &signer,
        book: u64,
        price: u64,
        grams: u64,
        fee_cap_bps: u64,
        from_wallet: bool,
        retirement_id: String,
        beneficiary_commitment: vector<u8>,
        reason: String,
        country: String,
        period_start: u64,
        period_end: u64
    ) {
        market_book::place(
            buyer,
            book,
            true,
            FOK,
            price,
            grams,
            fee_cap_bps,
            0,
            0,
            from_wallet,
            MAX_STEPS
        );
        let (batch, _) = market_book::assets(book);
        market_vault::debit(signer::address_of(buyer), batch, grams);
        market_vault::send(signer::address_of(buyer), batch, grams);
        carbon_credit::retire(
            buyer,
            batch,
            grams,
            retirement_id,
            beneficiary_commitment,
            reason,
            country,
            period_start,
            period_end
        );
    }

    /// Retires claimable credits. No pause stops it.
    public entry fun retire(
        holder: &signer,
        batch: Object<Metadata>,
        grams: u64,
        retirement_id: String,
        beneficiary_commitment: vector<u8>,
        reason: String,
        country: String,
        period_start: u64,
        period_end: u64
    ) {
        market_vault::claim(holder, batch, grams);
        carbon_credit::retire(
            holder,
            batch,
            grams,
            retirement_id,
            beneficiary_commitment,
            reason,
            country,
            period_start,
            period_end
        );
    }
}
