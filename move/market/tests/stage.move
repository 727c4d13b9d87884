#[test_only]
/// Where the tests trade: batch BAT1 of 1,000,000 grams, a quote asset "dollar" without hooks, and book 1
/// with a tick of 1,000,000 (a unit a gram), a lot of 1 gram and a minimum of 5 units.
module carbon_market::stage {
    use std::option;
    use std::string::{Self, String};
    use aptos_framework::account;
    use aptos_framework::chain_id;
    use aptos_framework::fungible_asset::{Self, Metadata, MintRef};
    use aptos_framework::object::{Self, Object};
    use aptos_framework::primary_fungible_store;
    use aptos_framework::timestamp;
    use carbon_market::access_control;
    use carbon_market::carbon_credit;
    use carbon_market::certificate_registry;
    use carbon_market::credit_batch;
    use carbon_market::data_anchor;
    use carbon_market::gifts;
    use carbon_market::listings;
    use carbon_market::market_book;
    use carbon_market::market_fees;
    use carbon_market::market_vault;
    use carbon_market::marketplace;
    use carbon_market::methodology;
    use carbon_market::project_registry;
    use carbon_market::transfer_policy;

    /// 2026-01-01.
    const NOW: u64 = 1767225600;
    /// 2024-07-01.
    const BEGAN: u64 = 1719792000;
    const TICK: u64 = 1000000;

    struct Mint has key {
        mint_ref: MintRef
    }

    public fun admin(): signer {
        account::create_signer_for_test(@carbon_market)
    }

    public fun issuer(): signer {
        account::create_signer_for_test(@0x1551)
    }

    public fun pauser(): signer {
        account::create_signer_for_test(@0x9a5e)
    }

    /// Has the batch.
    public fun seller(): signer {
        account::create_signer_for_test(@0xde)
    }

    /// Has dollars.
    public fun buyer(): signer {
        account::create_signer_for_test(@0xb1)
    }

    /// Has both.
    public fun third(): signer {
        account::create_signer_for_test(@0x3d)
    }

    public fun text(bytes: vector<u8>): String {
        string::utf8(bytes)
    }

    public fun hash(): vector<u8> {
        x"1111111111111111111111111111111111111111111111111111111111111111"
    }

    public fun tick(): u64 {
        TICK
    }

    /// Everything but the book.
    public fun set() {
        let framework = account::create_signer_for_test(@aptos_framework);
        timestamp::set_time_has_started_for_testing(&framework);
        chain_id::initialize_for_test(&framework, 4);
        timestamp::update_global_time_for_test_secs(NOW);
        let admin = admin();
        transfer_policy::init_for_test(&admin);
        access_control::init_for_test(&admin);
        methodology::init_for_test(&admin);
        project_registry::init_for_test(&admin);
        data_anchor::init_for_test(&admin);
        certificate_registry::init_for_test(&admin);
        credit_batch::init_for_test(&admin);
        carbon_credit::init_for_test(&admin);
        market_vault::init_for_test(&admin);
        market_fees::init_for_test(&admin);
        market_book::init_for_test(&admin);
        listings::init_for_test(&admin);
        gifts::init_for_test(&admin);
        access_control::grant_role(&admin, 1, @0x1551);
        access_control::grant_role(&admin, 3, @0x9a5e);
        methodology::register(&admin, text(b"grid"), 1, 1, 1, 1000, 0, hash());
        project_registry::register(
            &issuer(), text(b"SUN1"), @0xde, hash(), text(b"US"), text(b"grid"), 1, hash()
        );
        mint_dollars();
        let batch = make_batch(b"BAT1");
        carbon_credit::give(&seller(), batch, @0x3d, 100000);
    }

    /// 1,000,000 grams, labels 1 and 2, of 2024.
    public fun make_batch(id: vector<u8>): Object<Metadata> {
        credit_batch::create_for_test(text(id), text(b"SUN1"), 1000000, 3, BEGAN)
    }

    fun mint_dollars() {
        let constructor = object::create_named_object(&admin(), b"dollar");
        primary_fungible_store::create_primary_store_enabled_fungible_asset(
            &constructor,
            option::none(),
            text(b"Dollar"),
            text(b"D"),
            6,
            text(b""),
            text(b"")
        );
        let mint_ref = fungible_asset::generate_mint_ref(&constructor);
        primary_fungible_store::mint(&mint_ref, @0xb1, 1000000);
        primary_fungible_store::mint(&mint_ref, @0x3d, 1000000);
        move_to(&admin(), Mint { mint_ref });
    }

    public fun mint(account: address, amount: u64) acquires Mint {
        primary_fungible_store::mint(&Mint[@carbon_market].mint_ref, account, amount);
    }

    public fun open() {
        set();
        open_with_labels(1);
    }

    public fun open_with_labels(labels: u64) {
        marketplace::open_book(&issuer(), batch(), dollar(), TICK, 1, 5, labels);
    }

    public fun batch(): Object<Metadata> {
        object::address_to_object(credit_batch::batch_address(text(b"BAT1")))
    }

    public fun dollar(): Object<Metadata> {
        object::address_to_object(object::create_object_address(&@carbon_market, b"dollar"))
    }

    /// In book 1 from the wallet, whatever it costs; `price` is in ticks. Gives the order's id.
    public fun place(owner: &signer, is_bid: bool, kind: u8, price: u64, grams: u64): u128 {
        let sequence = market_book::next_sequence_for_test(1);
        marketplace::place(owner, 1, is_bid, kind, price * TICK, grams, 1000, 0, 0, true);
        carbon_market::order_ids::order_id(is_bid, price * TICK, sequence)
    }

    public fun bid(price: u64, grams: u64): u128 {
        place(&buyer(), true, 0, price, grams)
    }

    public fun ask(price: u64, grams: u64): u128 {
        place(&seller(), false, 0, price, grams)
    }

    public fun grams_of(account: address): u64 {
        market_vault::balance(account, batch())
    }

    public fun dollars_of(account: address): u64 {
        market_vault::balance(account, dollar())
    }

    public fun freeze_account(account: address) {
        access_control::freeze_account(&pauser(), account, text(b"case 17"));
    }

    public fun pause() {
        access_control::pause(&pauser());
    }

    public fun set_labels(labels: u64) {
        carbon_credit::set_labels(&issuer(), batch(), labels);
    }

    public fun go_on_seconds(seconds: u64) {
        timestamp::update_global_time_for_test_secs(NOW + seconds);
    }

    public fun now(): u64 {
        NOW
    }
}
