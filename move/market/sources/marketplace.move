/// What people do in the books: open, place, amend, cancel. Nothing that issues or retires credits is loaded
/// for it; `market_purchases` has what needs that.
///
/// One call touches at most 16 orders of others (a fill, or a dead order cleared away). Whoever projects a
/// call writes 4 items for each (trade, order, balance, price level) and up to 35 for the rest (the order,
/// its balances, the treasury, candles, the pending order and a retirement or a page of cancellations), and
/// one projection transaction holds 100. What a script does by several calls is projected in parts.
module carbon_market::marketplace {
    use aptos_framework::fungible_asset::Metadata;
    use aptos_framework::object::Object;
    use carbon_market::market_book;

    const MAX_STEPS: u64 = 16;

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
        market_book::open(issuer, batch, quote, tick, lot, min_notional, labels);
    }

    /// Kinds: 0 good till cancelled, 1 immediate or cancel, 2 fill or kill, 3 post only, 4 market (`price` is
    /// the worst that is taken). `expires_at` is in unix seconds, 0 for never. Escrow comes from the wallet
    /// or from the claimable balance.
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

    /// Makes an order smaller: `grams` is what stays open. It keeps its place. It only frees, so no pause and
    /// no freeze stops it.
    public entry fun amend(owner: &signer, book: u64, order: u128, grams: u64) {
        market_book::amend(owner, book, order, grams);
    }

    /// Frees an order's escrow to the claimable balance. No pause and no freeze stops it. If the pending
    /// order, which goes first, fills the order, nothing is left to cancel and nothing is said.
    public entry fun cancel(owner: &signer, book: u64, order: u128) {
        market_book::cancel(owner, book, order);
    }

    /// Cancels a page of orders; those that were filled in the meantime are passed over.
    public entry fun cancel_page(owner: &signer, book: u64, orders: vector<u128>) {
        market_book::cancel_page(owner, book, orders);
    }

    /// Anybody may give the book's pending order its turn and have dead orders cleared away that are met
    /// first.
    public entry fun work(_caller: &signer, book: u64) {
        market_book::work(book);
    }
}
