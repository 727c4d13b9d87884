/// Fixed-price listings: a seller holds out grams at a price, buyers take from them in whole lots.
module carbon_market::listings {
    use std::signer;
    use aptos_std::table::{Self, Table};
    use aptos_framework::event;
    use aptos_framework::fungible_asset::Metadata;
    use aptos_framework::object::{Self, Object};
    use carbon_market::access_control;
    use carbon_market::batch_labels;
    use carbon_market::market_fees;
    use carbon_market::market_vault::{Self, VaultCap};
    use carbon_market::transfer_policy;

    /// There is no such listing.
    const E_UNKNOWN_LISTING: u64 = 1;
    /// The listing is another account's.
    const E_NOT_YOURS: u64 = 2;
    /// Price times lot must be a multiple of 1,000,000 above zero.
    const E_INEXACT_PRICE: u64 = 3;
    /// The grams are zero, not a multiple of the lot, or more than the listing has.
    const E_BAD_GRAMS: u64 = 4;
    /// The listing now asks for more than the buyer would pay.
    const E_PRICE_ABOVE_LIMIT: u64 = 5;
    /// Price times grams is more than an asset can hold.
    const E_TOO_LARGE: u64 = 6;
    /// The seller cannot buy its own listing.
    const E_OWN_LISTING: u64 = 7;
    /// The batch lost labels that it had when it was listed; only its seller can take it back.
    const E_LABELS_LOST: u64 = 8;

    const GRAMS_PER_TONNE: u128 = 1000000;
    const MAX_U64: u128 = 0xffffffffffffffff;

    enum Listing has copy, drop, store {
        V1 {
            seller: address,
            batch: Object<Metadata>,
            quote: Object<Metadata>,
            grams: u64,
            /// Quote units per tonne.
            price: u64,
            lot: u64,
            /// Of the time of listing, in basis points of the price: the seller's and the buyer's.
            maker_bps: u64,
            taker_bps: u64,
            /// What the batch had when it was listed.
            labels: u64,
            /// As `market_fees::fee` has it, of the seller's fees: they round up once over the whole listing.
            carry: u64
        }
    }

    struct Listings has key {
        /// Numbered from 1.
        listings: Table<u64, Listing>,
        count: u64,
        vault: VaultCap
    }

    /// A listing as views give it.
    struct ListingView has copy, drop {
        seller: address,
        batch: address,
        quote: address,
        grams: u64,
        price: u64,
        lot: u64,
        maker_bps: u64,
        taker_bps: u64,
        labels: u64
    }

    #[event]
    struct Listed has drop, store {
        listing: u64,
        seller: address,
        batch: address,
        quote: address,
        grams: u64,
        price: u64,
        lot: u64,
        maker_bps: u64,
        taker_bps: u64,
        labels: u64
    }

    #[event]
    struct ListingSold has drop, store {
        listing: u64,
        seller: address,
        buyer: address,
        grams: u64,
        quote: u64,
        maker_fee: u64,
        taker_fee: u64,
        grams_old: u64,
        grams_new: u64
    }

    #[event]
    struct ListingPriceChanged has drop, store {
        listing: u64,
        price_old: u64,
        price_new: u64
    }

    #[event]
    struct ListingCancelled has drop, store {
        listing: u64,
        seller: address,
        grams_old: u64,
        grams_new: u64
    }

    fun init_module(publisher: &signer) {
        let vault = market_vault::take_cap(publisher);
        move_to(publisher, Listings { listings: table::new(), count: 0, vault });
    }

    /// Lists credits at `price` quote units per tonne, sold in multiples of `lot` grams.
    public entry fun create(
        seller: &signer,
        batch: Object<Metadata>,
        quote: Object<Metadata>,
        grams: u64,
        price: u64,
        lot: u64,
        fee_cap_bps: u64,
        from_wallet: bool
    ) acquires Listings {
        access_control::assert_not_paused();
        let account = signer::address_of(seller);
        transfer_policy::assert_may_trade(account);
        transfer_policy::assert_not_frozen(object::object_address(&batch));
        let labels = batch_labels::labels_of(object::object_address(&batch));
        assert_exact(price, lot);
        assert!(grams > 0 && grams % lot == 0, E_BAD_GRAMS);
        cost(price, grams);
        let (maker_bps, taker_bps) = market_fees::agreed(fee_cap_bps);
        let listings = &mut Listings[@carbon_market];
        market_vault::escrow(&listings.vault, seller, batch, grams, from_wallet);
        listings.count += 1;
        listings.listings.add(
            listings.count,
            Listing::V1 {
                seller: account,
                batch,
                quote,
                grams,
                price,
                lot,
                maker_bps,
                taker_bps,
                labels,
                carry: 0
            }
        );
        event::emit(
            Listed {
                listing: listings.count,
                seller: account,
                batch: object::object_address(&batch),
                quote: object::object_address(&quote),
                grams,
                price,
                lot,
                maker_bps,
                taker_bps,
                labels
            }
        );
    }

    /// Buys at the listing's price if that is at most `price_limit`; the credits become claimable.
    public entry fun buy(
        buyer: &signer,
        number: u64,
        grams: u64,
        price_limit: u64,
        fee_cap_bps: u64,
        from_wallet: bool
    ) acquires Listings {
        access_control::assert_not_paused();
        let account = signer::address_of(buyer);
        let listing = find(number);
        transfer_policy::assert_may_trade(account);
        transfer_policy::assert_may_trade(listing.seller);
        let batch = object::object_address(&listing.batch);
        transfer_policy::assert_not_frozen(batch);
        assert!(account != listing.seller, E_OWN_LISTING);
        assert!(batch_labels::labels_of(batch) & listing.labels == listing.labels, E_LABELS_LOST);
        assert!(grams > 0 && grams % listing.lot == 0 && grams <= listing.grams, E_BAD_GRAMS);
        assert!(listing.price <= price_limit, E_PRICE_ABOVE_LIMIT);
        market_fees::assert_within(listing.taker_bps, fee_cap_bps);
        let quote = cost(listing.price, grams);
        let (maker_fee, carry) = market_fees::fee(quote, listing.maker_bps, listing.carry);
        let (taker_fee, _) = market_fees::fee(quote, listing.taker_bps, 0);
        let grams_old = listing.grams;
        listing.carry = carry;
        // Before what is paid with runs code of its own.
        keep(number, listing, grams_old - grams);
        let vault = &Listings[@carbon_market].vault;
        market_vault::escrow(vault, buyer, listing.quote, quote + taker_fee, from_wallet);
        market_vault::credit(vault, account, listing.batch, grams);
        market_vault::credit(vault, listing.seller, listing.quote, quote - maker_fee);
        market_vault::credit(vault, market_vault::vault_address(), listing.quote, maker_fee + taker_fee);
        event::emit(
            ListingSold {
                listing: number,
                seller: listing.seller,
                buyer: account,
                grams,
                quote,
                maker_fee,
                taker_fee,
                grams_old,
                grams_new: grams_old - grams
            }
        );
    }

    /// What is asked from now on. It makes a new offer, so a pause and a freeze stop it as they stop listing.
    public entry fun set_price(seller: &signer, number: u64, price: u64) acquires Listings {
        access_control::assert_not_paused();
        let listing = owned(seller, number);
        transfer_policy::assert_may_trade(listing.seller);
        transfer_policy::assert_not_frozen(object::object_address(&listing.batch));
        assert_exact(price, listing.lot);
        cost(price, listing.grams);
        let price_old = listing.price;
        let listings = &mut Listings[@carbon_market].listings;
        listings.borrow_mut(number).price = price;
        event::emit(ListingPriceChanged { listing: number, price_old, price_new: price });
    }

    /// Frees what is not sold to the claimable balance. No pause and no freeze stops it.
    public entry fun cancel(seller: &signer, number: u64) acquires Listings {
        let listing = owned(seller, number);
        keep(number, listing, 0);
        let vault = &Listings[@carbon_market].vault;
        market_vault::credit(vault, listing.seller, listing.batch, listing.grams);
        event::emit(
            ListingCancelled {
                listing: number,
                seller: listing.seller,
                grams_old: listing.grams,
                grams_new: 0
            }
        );
    }

    /// An empty listing is gone.
    fun keep(number: u64, listing: Listing, grams: u64) acquires Listings {
        let listings = &mut Listings[@carbon_market].listings;
        if (grams == 0) {
            listings.remove(number);
        } else {
            listing.grams = grams;
            listings.upsert(number, listing);
        }
    }

    fun find(number: u64): Listing acquires Listings {
        let listings = &Listings[@carbon_market].listings;
        assert!(listings.contains(number), E_UNKNOWN_LISTING);
        *listings.borrow(number)
    }

    fun owned(seller: &signer, number: u64): Listing acquires Listings {
        let listing = find(number);
        assert!(listing.seller == signer::address_of(seller), E_NOT_YOURS);
        listing
    }

    fun assert_exact(price: u64, lot: u64) {
        let step = (price as u128) * (lot as u128);
        assert!(step > 0 && step % GRAMS_PER_TONNE == 0, E_INEXACT_PRICE);
    }

    /// Exact, because prices and lots are. Fees are at most a tenth each, and still fit.
    fun cost(price: u64, grams: u64): u64 {
        let units = (price as u128) * (grams as u128) / GRAMS_PER_TONNE;
        assert!(units <= MAX_U64 / 2, E_TOO_LARGE);
        units as u64
    }

    #[view]
    public fun listing(number: u64): ListingView acquires Listings {
        let listing = find(number);
        ListingView {
            seller: listing.seller,
            batch: object::object_address(&listing.batch),
            quote: object::object_address(&listing.quote),
            grams: listing.grams,
            price: listing.price,
            lot: listing.lot,
            maker_bps: listing.maker_bps,
            taker_bps: listing.taker_bps,
            labels: listing.labels
        }
    }

    #[view]
    /// How many listings there ever were; the last one's number.
    public fun count(): u64 acquires Listings {
        Listings[@carbon_market].count
    }

    #[test_only]
    public fun init_for_test(publisher: &signer) {
        init_module(publisher);
    }

    #[test_only]
    public fun grams_for_test(number: u64): u64 acquires Listings {
        listing(number).grams
    }
}
