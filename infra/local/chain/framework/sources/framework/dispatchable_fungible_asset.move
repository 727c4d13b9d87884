/// Moving assets that have hooks, and those that have none.
module aptos_framework::dispatchable_fungible_asset {
    use std::error;
    use std::option::Option;
    use aptos_framework::function_info::{Self, FunctionInfo};
    use aptos_framework::fungible_asset::{Self, FungibleAsset, TransferRef};
    use aptos_framework::object::{ConstructorRef, Object};

    /// The asset's hooks have no transfer ref to work with.
    const ETRANSFER_REF_STORE_NOT_FOUND: u64 = 1;
    /// Less arrived than was asked for.
    const EAMOUNT_MISMATCH: u64 = 2;

    /// The power that hooks are given.
    struct TransferRefStore has key {
        transfer_ref: TransferRef
    }

    /// Sets the asset's hooks, once and for ever.
    public fun register_dispatch_functions(
        constructor_ref: &ConstructorRef,
        withdraw_function: Option<FunctionInfo>,
        deposit_function: Option<FunctionInfo>,
        derived_balance_function: Option<FunctionInfo>
    ) {
        fungible_asset::register_dispatch_functions(
            constructor_ref, withdraw_function, deposit_function, derived_balance_function
        );
        store_transfer_ref(constructor_ref)
    }

    public fun register_derive_supply_dispatch_function(
        constructor_ref: &ConstructorRef, dispatch_function: Option<FunctionInfo>
    ) {
        fungible_asset::register_derive_supply_dispatch_function(constructor_ref, dispatch_function);
        store_transfer_ref(constructor_ref)
    }

    fun store_transfer_ref(constructor_ref: &ConstructorRef) {
        if (exists<TransferRefStore>(constructor_ref.address_from_constructor_ref())) return;
        move_to(
            &constructor_ref.generate_signer(),
            TransferRefStore { transfer_ref: fungible_asset::generate_transfer_ref(constructor_ref) }
        )
    }

    /// Takes an amount out of the owner's store, through the asset's withdraw hook if it has one.
    public fun withdraw<T: key>(
        owner: &signer, store: Object<T>, amount: u64
    ): FungibleAsset acquires TransferRefStore {
        fungible_asset::assert_withdraw_allowed(owner, &store);
        let hook = fungible_asset::withdraw_dispatch_function(store);
        if (hook.is_none() || !function_info::can_dispatch()) {
            return fungible_asset::unchecked_withdraw(store.object_address(), amount)
        };
        let function = hook.destroy_some();
        function.load();
        dispatchable_withdraw(store, amount, borrow_transfer_ref(store), &function)
    }

    /// Puts the asset into the store, through its deposit hook if it has one.
    public fun deposit<T: key>(store: Object<T>, fa: FungibleAsset) acquires TransferRefStore {
        fungible_asset::deposit_sanity_check(store, false);
        let hook = fungible_asset::deposit_dispatch_function(store);
        if (hook.is_none() || !function_info::can_dispatch()) {
            return fungible_asset::unchecked_deposit(store.object_address(), fa)
        };
        let function = hook.destroy_some();
        function.load();
        dispatchable_deposit(store, fa, borrow_transfer_ref(store), &function)
    }

    public entry fun transfer<T: key>(
        sender: &signer, from: Object<T>, to: Object<T>, amount: u64
    ) acquires TransferRefStore {
        let fa = withdraw(sender, from, amount);
        deposit(to, fa)
    }

    /// As `transfer`; aborts if less than `expected` arrives.
    public entry fun transfer_assert_minimum_deposit<T: key>(
        sender: &signer, from: Object<T>, to: Object<T>, amount: u64, expected: u64
    ) acquires TransferRefStore {
        let start = fungible_asset::balance(to);
        transfer(sender, from, to, amount);
        let end = fungible_asset::balance(to);
        assert!(end - start >= expected, error::aborted(EAMOUNT_MISMATCH));
    }

    #[view]
    /// The balance as the asset's hook gives it.
    public fun derived_balance<T: key>(store: Object<T>): u64 {
        if (!fungible_asset::store_exists(store.object_address())) return 0;
        let hook = fungible_asset::derived_balance_dispatch_function(store);
        if (hook.is_none() || !function_info::can_dispatch()) return fungible_asset::balance(store);
        let function = hook.destroy_some();
        function.load();
        dispatchable_derived_balance(store, &function)
    }

    #[view]
    public fun is_derived_balance_at_least<T: key>(store: Object<T>, amount: u64): bool {
        derived_balance(store) >= amount
    }

    #[view]
    /// The supply as the asset's hook gives it.
    public fun derived_supply<T: key>(metadata: Object<T>): Option<u128> {
        let hook = fungible_asset::derived_supply_dispatch_function(metadata);
        if (hook.is_none() || !function_info::can_dispatch()) return fungible_asset::supply(metadata);
        let function = hook.destroy_some();
        function.load();
        dispatchable_derived_supply(metadata, &function)
    }

    inline fun borrow_transfer_ref<T: key>(store: Object<T>): &TransferRef {
        let addr = fungible_asset::store_metadata(store).object_address();
        assert!(exists<TransferRefStore>(addr), error::not_found(ETRANSFER_REF_STORE_NOT_FOUND));
        &TransferRefStore[addr].transfer_ref
    }

    native fun dispatchable_withdraw<T: key>(
        store: Object<T>, amount: u64, transfer_ref: &TransferRef, function: &FunctionInfo
    ): FungibleAsset;
    native fun dispatchable_deposit<T: key>(
        store: Object<T>, fa: FungibleAsset, transfer_ref: &TransferRef, function: &FunctionInfo
    );
    native fun dispatchable_derived_balance<T: key>(store: Object<T>, function: &FunctionInfo): u64;
    native fun dispatchable_derived_supply<T: key>(
        metadata: Object<T>, function: &FunctionInfo
    ): Option<u128>;
}
