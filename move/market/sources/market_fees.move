/// What trading costs, and who gets it. Fees are in the quote asset, in basis points of what changes hands.
module carbon_market::market_fees {
    use aptos_framework::event;
    use aptos_framework::fungible_asset::Metadata;
    use aptos_framework::object::{Self, Object};
    use carbon_market::access_control;
    use carbon_market::market_vault::{Self, VaultCap};

    /// A fee is at most 1,000 basis points.
    const E_FEE_TOO_HIGH: u64 = 1;
    /// The market's fee is above the cap that the caller states.
    const E_ABOVE_CAP: u64 = 2;
    /// There must be 1 to 20 holders, one share for each, all above zero, 10,000 together. Nobody's address
    /// and the treasury's own are none: what they got nobody could claim.
    const E_BAD_SHARES: u64 = 3;
    /// The admin has not said yet who shares the treasury.
    const E_NO_SHARES: u64 = 4;
    /// The treasury holds too little of the asset to give anybody a unit.
    const E_NOTHING_TO_DISTRIBUTE: u64 = 5;

    const WHOLE_BPS: u64 = 10000;
    const MAX_FEE_BPS: u64 = 1000;
    const MAX_HOLDERS: u64 = 20;
    const NOBODY: address = @0x0;

    struct Fees has key {
        maker_bps: u64,
        taker_bps: u64,
        holders: vector<address>,
        /// Basis points of the treasury, one for each holder.
        shares: vector<u64>,
        vault: VaultCap
    }

    #[event]
    struct FeesChanged has drop, store {
        maker_bps_old: u64,
        taker_bps_old: u64,
        maker_bps_new: u64,
        taker_bps_new: u64
    }

    #[event]
    /// One for each holder, old (new share 0) and new.
    struct ShareChanged has drop, store {
        holder: address,
        share_old: u64,
        share_new: u64
    }

    #[event]
    struct TreasuryDistributed has drop, store {
        asset: address,
        treasury_old: u64,
        treasury_new: u64
    }

    fun init_module(publisher: &signer) {
        let vault = market_vault::take_cap(publisher);
        move_to(publisher, Fees { maker_bps: 0, taker_bps: 0, holders: vector[], shares: vector[], vault });
    }

    /// For orders placed from now on: each order keeps the fees of its placing.
    public entry fun set_fees(admin: &signer, maker_bps: u64, taker_bps: u64) acquires Fees {
        access_control::assert_admin(admin);
        assert!(maker_bps <= MAX_FEE_BPS && taker_bps <= MAX_FEE_BPS, E_FEE_TOO_HIGH);
        let fees = &mut Fees[@carbon_market];
        event::emit(
            FeesChanged {
                maker_bps_old: fees.maker_bps,
                taker_bps_old: fees.taker_bps,
                maker_bps_new: maker_bps,
                taker_bps_new: taker_bps
            }
        );
        fees.maker_bps = maker_bps;
        fees.taker_bps = taker_bps;
    }

    /// `shares` are basis points of the treasury and make 10,000.
    public entry fun set_shares(
        admin: &signer, holders: vector<address>, shares: vector<u64>
    ) acquires Fees {
        access_control::assert_admin(admin);
        let count = holders.length();
        assert!(count > 0 && count <= MAX_HOLDERS && shares.length() == count, E_BAD_SHARES);
        assert!(!holders.contains(&NOBODY), E_BAD_SHARES);
        assert!(!holders.contains(&market_vault::vault_address()), E_BAD_SHARES);
        let whole = 0;
        for (i in 0..count) {
            let (_, first) = holders.index_of(&holders[i]);
            assert!(first == i && shares[i] > 0 && shares[i] <= WHOLE_BPS, E_BAD_SHARES);
            whole += shares[i];
        };
        assert!(whole == WHOLE_BPS, E_BAD_SHARES);
        let fees = &mut Fees[@carbon_market];
        let (holders_old, shares_old) = (fees.holders, fees.shares);
        fees.holders = holders;
        fees.shares = shares;
        for (i in 0..holders_old.length()) {
            if (!holders.contains(&holders_old[i])) {
                emit_share(holders_old[i], shares_old[i], 0);
            };
        };
        for (i in 0..count) {
            let (was, place) = holders_old.index_of(&holders[i]);
            emit_share(holders[i], if (was) shares_old[place] else 0, shares[i]);
        };
    }

    fun emit_share(holder: address, share_old: u64, share_new: u64) {
        event::emit(ShareChanged { holder, share_old, share_new });
    }

    /// Gives the treasury's holdings of an asset to the holders' claimable balances. Anybody may ask for it;
    /// what does not divide stays for the next time.
    public entry fun distribute(_caller: &signer, asset: Object<Metadata>) acquires Fees {
        let fees = &Fees[@carbon_market];
        assert!(!fees.holders.is_empty(), E_NO_SHARES);
        let treasury = market_vault::vault_address();
        let treasury_old = market_vault::balance(treasury, asset);
        let parts = fees.shares.map_ref(|share| portion(treasury_old, *share));
        let given = parts.fold(0, |sum, part| sum + part);
        assert!(given > 0, E_NOTHING_TO_DISTRIBUTE);
        market_vault::debit(&fees.vault, treasury, asset, given);
        for (i in 0..parts.length()) {
            market_vault::credit(&fees.vault, fees.holders[i], asset, parts[i]);
        };
        event::emit(
            TreasuryDistributed {
                asset: object::object_address(&asset),
                treasury_old,
                treasury_new: treasury_old - given
            }
        );
    }

    fun portion(amount: u64, bps: u64): u64 {
        ((amount as u128) * (bps as u128) / (WHOLE_BPS as u128)) as u64
    }

    /// The fees that an order placed now gets, (maker, taker); refused if one is above `cap_bps`.
    public fun agreed(cap_bps: u64): (u64, u64) acquires Fees {
        let fees = &Fees[@carbon_market];
        assert_within(fees.maker_bps, cap_bps);
        assert_within(fees.taker_bps, cap_bps);
        (fees.maker_bps, fees.taker_bps)
    }

    public fun assert_within(bps: u64, cap_bps: u64) {
        assert!(bps <= cap_bps, E_ABOVE_CAP);
    }

    /// The fee on `amount`, and the new carry. Fees round up, but once per order and not once per fill: the
    /// carry is what earlier roundings took too much, in 1/10,000 units, and is used up first.
    public fun fee(amount: u64, bps: u64, carry: u64): (u64, u64) {
        let exact = (amount as u128) * (bps as u128);
        let carry = carry as u128;
        if (exact <= carry) return (0, (carry - exact) as u64);
        let whole = WHOLE_BPS as u128;
        let units = (exact - carry + whole - 1) / whole;
        (units as u64, (units * whole + carry - exact) as u64)
    }

    #[view]
    /// (maker, taker) in basis points
    public fun fees(): (u64, u64) acquires Fees {
        (Fees[@carbon_market].maker_bps, Fees[@carbon_market].taker_bps)
    }

    #[view]
    /// (holders, basis points of the treasury)
    public fun shares(): (vector<address>, vector<u64>) acquires Fees {
        (Fees[@carbon_market].holders, Fees[@carbon_market].shares)
    }

    #[test_only]
    public fun init_for_test(publisher: &signer) {
        init_module(publisher);
    }
}
