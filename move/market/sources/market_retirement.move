/// Retiring out of the market: at once with the purchase, or what is claimable.
///
/// Apart from `marketplace`, since retiring needs registers that no order needs: a transaction loads, and pays
/// for, every module that the called one names.
module carbon_market::market_retirement {
    use std::signer;
    use std::string::String;
    use aptos_framework::fungible_asset::Metadata;
    use aptos_framework::object::Object;
    use carbon_market::carbon_credit;
    use carbon_market::market_book;
    use carbon_market::market_vault;

    /// As in `marketplace`.
    const MAX_STEPS: u64 = 16;
    const FOK: u8 = 2;

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
