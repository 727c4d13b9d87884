/// Buying beyond one order: from several books by criteria, and together with retiring. The limit of orders
/// touched is that of `marketplace`.
module carbon_market::market_purchases {
    use std::string::String;
    use aptos_framework::fungible_asset::Metadata;
    use aptos_framework::object::{Self, Object};
    use carbon_market::carbon_credit;
    use carbon_market::criteria;
    use carbon_market::market_book;
    use carbon_market::market_vault;

    /// A route has 1 to 4 books, and grams for each.
    const E_BAD_ROUTE: u64 = 1;
    /// All books of a route must have the quote asset that the caller names.
    const E_OTHER_QUOTE: u64 = 2;
    /// Nothing at all could be bought on this route.
    const E_NOTHING_BOUGHT: u64 = 3;

    const MAX_STEPS: u64 = 16;
    const MAX_LEGS: u64 = 4;
    /// Each further book of a route has an order, candles and prices of its own to project.
    const STEPS_PER_LEG: u64 = 2;

    const FOK: u8 = 2;
    const MARKET: u8 = 4;

    /// Buys from several books what meets the criteria (empty lists and 0 ask for nothing), each up to its
    /// grams and all up to `price`. Legs are market orders: one price need not be on the ticks of all books.
    /// Those that find the transaction full are left out.
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
            if (steps > 0) {
                steps = market_book::go_on(books[i], steps);
            };
            if (steps > 0) {
                let (left, filled) =
                    market_book::place(
                        buyer,
                        books[i],
                        true,
                        MARKET,
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
        retire(
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
