/// A stand-in for USDC on chains where money is play money: six decimals, a faucet, and the hooks of the real
/// one, with a pause and a blocklist. Never published on mainnet.
module test_usdc::usdc {
    use std::option;
    use std::signer;
    use std::string;
    use aptos_std::table::{Self, Table};
    use aptos_framework::dispatchable_fungible_asset;
    use aptos_framework::event;
    use aptos_framework::function_info::{Self, FunctionInfo};
    use aptos_framework::fungible_asset::{Self, FungibleAsset, MintRef, TransferRef};
    use aptos_framework::object::{Self, Object};
    use aptos_framework::primary_fungible_store;

    /// Only the publisher may do this.
    const E_NOT_PUBLISHER: u64 = 1;
    /// The asset is paused.
    const E_PAUSED: u64 = 2;
    /// The account is on the blocklist: it can neither send nor receive.
    const E_BLOCKED: u64 = 3;
    /// The faucet gives 1 to 1,000,000,000,000 units (a million dollars) at a time.
    const E_FAUCET_AMOUNT: u64 = 4;

    const SEED: vector<u8> = b"TEST_USDC";
    const DECIMALS: u8 = 6;
    const FAUCET_MAX: u64 = 1000000000000;

    struct Asset has key {
        mint_ref: MintRef,
        paused: bool,
        blocked: Table<address, bool>
    }

    #[event]
    struct PauseChanged has drop, store {
        paused_old: bool,
        paused_new: bool
    }

    #[event]
    struct BlockChanged has drop, store {
        account: address,
        blocked_old: bool,
        blocked_new: bool
    }

    #[event]
    struct Minted has drop, store {
        account: address,
        amount: u64
    }

    fun init_module(publisher: &signer) {
        let constructor = object::create_named_object(publisher, SEED);
        primary_fungible_store::create_primary_store_enabled_fungible_asset(
            &constructor,
            option::none(),
            string::utf8(b"Test USDC"),
            string::utf8(b"tUSDC"),
            DECIMALS,
            string::utf8(b""),
            string::utf8(b"")
        );
        dispatchable_fungible_asset::register_dispatch_functions(
            &constructor, option::some(hook(b"withdraw")), option::some(hook(b"deposit")), option::none()
        );
        let mint_ref = fungible_asset::generate_mint_ref(&constructor);
        move_to(publisher, Asset { mint_ref, paused: false, blocked: table::new() });
    }

    fun hook(name: vector<u8>): FunctionInfo {
        function_info::new_function_info_from_address(
            @test_usdc, string::utf8(b"usdc"), string::utf8(name)
        )
    }

    /// Gives anybody units to play with; neither pause nor blocklist is asked.
    public entry fun faucet(_caller: &signer, account: address, amount: u64) acquires Asset {
        assert!(amount > 0 && amount <= FAUCET_MAX, E_FAUCET_AMOUNT);
        primary_fungible_store::mint(&Asset[@test_usdc].mint_ref, account, amount);
        event::emit(Minted { account, amount });
    }

    public entry fun set_paused(publisher: &signer, paused: bool) acquires Asset {
        assert_publisher(publisher);
        let asset = &mut Asset[@test_usdc];
        let paused_old = asset.paused;
        asset.paused = paused;
        event::emit(PauseChanged { paused_old, paused_new: paused });
    }

    public entry fun set_blocked(publisher: &signer, account: address, blocked: bool) acquires Asset {
        assert_publisher(publisher);
        let blocked_old = is_blocked(account);
        let asset = &mut Asset[@test_usdc];
        asset.blocked.upsert(account, blocked);
        event::emit(BlockChanged { account, blocked_old, blocked_new: blocked });
    }

    fun assert_publisher(account: &signer) {
        assert!(signer::address_of(account) == @test_usdc, E_NOT_PUBLISHER);
    }

    /// The withdraw hook.
    public fun withdraw<T: key>(
        store: Object<T>, amount: u64, transfer_ref: &TransferRef
    ): FungibleAsset acquires Asset {
        assert_moves(object::owner(store));
        fungible_asset::withdraw_with_ref(transfer_ref, store, amount)
    }

    /// The deposit hook.
    public fun deposit<T: key>(
        store: Object<T>, asset: FungibleAsset, transfer_ref: &TransferRef
    ) acquires Asset {
        assert_moves(object::owner(store));
        fungible_asset::deposit_with_ref(transfer_ref, store, asset);
    }

    fun assert_moves(account: address) acquires Asset {
        assert!(!Asset[@test_usdc].paused, E_PAUSED);
        assert!(!is_blocked(account), E_BLOCKED);
    }

    #[view]
    /// The asset's address, which names it in calls.
    public fun asset_address(): address {
        object::create_object_address(&@test_usdc, SEED)
    }

    #[view]
    public fun is_paused(): bool acquires Asset {
        Asset[@test_usdc].paused
    }

    #[view]
    public fun is_blocked(account: address): bool acquires Asset {
        *Asset[@test_usdc].blocked.borrow_with_default(account, &false)
    }

    #[test_only]
    public fun init_for_test(publisher: &signer) {
        init_module(publisher);
    }
}
