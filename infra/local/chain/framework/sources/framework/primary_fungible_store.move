/// One store per owner and asset at an address that both give, made when it is first needed.
module aptos_framework::primary_fungible_store {
    use std::option::Option;
    use std::signer;
    use std::string::String;
    use aptos_framework::dispatchable_fungible_asset;
    use aptos_framework::fungible_asset::{
        Self, BurnRef, FungibleAsset, FungibleStore, Metadata, MintRef, TransferRef
    };
    use aptos_framework::object::{Self, ConstructorRef, DeriveRef, Object};

    /// Lets anybody make the store of anybody.
    struct DeriveRefPod has key {
        metadata_derive_ref: DeriveRef
    }

    /// Makes the object the metadata of a new asset whose primary stores make themselves.
    public fun create_primary_store_enabled_fungible_asset(
        constructor_ref: &ConstructorRef,
        maximum_supply: Option<u128>,
        name: String,
        symbol: String,
        decimals: u8,
        icon_uri: String,
        project_uri: String
    ) {
        fungible_asset::add_fungibility(
            constructor_ref, maximum_supply, name, symbol, decimals, icon_uri, project_uri
        );
        move_to(
            &constructor_ref.generate_signer(),
            DeriveRefPod { metadata_derive_ref: constructor_ref.generate_derive_ref() }
        );
    }

    public fun ensure_primary_store_exists<T: key>(
        owner: address, metadata: Object<T>
    ): Object<FungibleStore> acquires DeriveRefPod {
        let addr = primary_store_address(owner, metadata);
        if (fungible_asset::store_exists(addr)) object::address_to_object(addr)
        else create_primary_store(owner, metadata)
    }

    /// Aborts if the store is there.
    public fun create_primary_store<T: key>(
        owner_addr: address, metadata: Object<T>
    ): Object<FungibleStore> acquires DeriveRefPod {
        let metadata_addr = metadata.object_address();
        let metadata = object::address_to_object<Metadata>(metadata_addr);
        let derive_ref = &DeriveRefPod[metadata_addr].metadata_derive_ref;
        let constructor_ref = object::create_user_derived_object(owner_addr, derive_ref, false);
        let transfer_ref = constructor_ref.generate_transfer_ref();
        transfer_ref.disable_ungated_transfer();
        fungible_asset::create_store(&constructor_ref, metadata)
    }

    #[view]
    /// sha3_256(owner | metadata | 0xFC).
    public fun primary_store_address<T: key>(owner: address, metadata: Object<T>): address {
        object::create_user_derived_object_address(owner, metadata.object_address())
    }

    #[view]
    public fun primary_store<T: key>(owner: address, metadata: Object<T>): Object<FungibleStore> {
        object::address_to_object(primary_store_address(owner, metadata))
    }

    #[view]
    public fun primary_store_exists<T: key>(account: address, metadata: Object<T>): bool {
        fungible_asset::store_exists(primary_store_address(account, metadata))
    }

    #[view]
    /// The balance as the asset's hook gives it; 0 without a store.
    public fun balance<T: key>(account: address, metadata: Object<T>): u64 {
        if (!primary_store_exists(account, metadata)) return 0;
        dispatchable_fungible_asset::derived_balance(primary_store(account, metadata))
    }

    #[view]
    public fun is_balance_at_least<T: key>(account: address, metadata: Object<T>, amount: u64): bool {
        balance(account, metadata) >= amount
    }

    #[view]
    public fun is_frozen<T: key>(account: address, metadata: Object<T>): bool {
        primary_store_exists(account, metadata)
            && fungible_asset::is_frozen(primary_store(account, metadata))
    }

    public fun withdraw<T: key>(
        owner: &signer, metadata: Object<T>, amount: u64
    ): FungibleAsset acquires DeriveRefPod {
        let store = ensure_primary_store_exists(signer::address_of(owner), metadata);
        dispatchable_fungible_asset::withdraw(owner, unburnt(owner, store), amount)
    }

    public fun deposit(owner: address, fa: FungibleAsset) acquires DeriveRefPod {
        let store = ensure_primary_store_exists(owner, fa.asset_metadata());
        dispatchable_fungible_asset::deposit(store, fa)
    }

    public fun deposit_with_signer(owner: &signer, fa: FungibleAsset) acquires DeriveRefPod {
        deposit(signer::address_of(owner), fa)
    }

    public entry fun transfer<T: key>(
        sender: &signer, metadata: Object<T>, recipient: address, amount: u64
    ) acquires DeriveRefPod {
        let fa = withdraw(sender, metadata, amount);
        deposit(recipient, fa)
    }

    /// As `transfer`; aborts if less than `expected` arrives.
    public entry fun transfer_assert_minimum_deposit<T: key>(
        sender: &signer, metadata: Object<T>, recipient: address, amount: u64, expected: u64
    ) acquires DeriveRefPod {
        let from = ensure_primary_store_exists(signer::address_of(sender), metadata);
        let to = ensure_primary_store_exists(recipient, metadata);
        dispatchable_fungible_asset::transfer_assert_minimum_deposit(
            sender, unburnt(sender, from), to, amount, expected
        )
    }

    public fun mint(mint_ref: &MintRef, owner: address, amount: u64) acquires DeriveRefPod {
        let store = ensure_primary_store_exists(owner, mint_ref.mint_ref_metadata());
        mint_ref.mint_to(store, amount)
    }

    public fun burn(burn_ref: &BurnRef, owner: address, amount: u64) {
        burn_ref.burn_from(primary_store(owner, burn_ref.burn_ref_metadata()), amount)
    }

    public fun set_frozen_flag(transfer_ref: &TransferRef, owner: address, frozen: bool) acquires DeriveRefPod {
        let store = ensure_primary_store_exists(owner, transfer_ref.transfer_ref_metadata());
        transfer_ref.set_frozen_flag(store, frozen)
    }

    public fun withdraw_with_ref(transfer_ref: &TransferRef, owner: address, amount: u64): FungibleAsset {
        transfer_ref.withdraw_with_ref(primary_store(owner, transfer_ref.transfer_ref_metadata()), amount)
    }

    public fun deposit_with_ref(
        transfer_ref: &TransferRef, owner: address, fa: FungibleAsset
    ) acquires DeriveRefPod {
        let store = ensure_primary_store_exists(owner, transfer_ref.transfer_ref_metadata());
        transfer_ref.deposit_with_ref(store, fa)
    }

    public fun transfer_with_ref(
        transfer_ref: &TransferRef, from: address, to: address, amount: u64
    ) acquires DeriveRefPod {
        let fa = withdraw_with_ref(transfer_ref, from, amount);
        deposit_with_ref(transfer_ref, to, fa)
    }

    /// The owner's store, dug up if it was buried, so that its balance is never out of reach.
    inline fun unburnt(owner: &signer, store: Object<FungibleStore>): Object<FungibleStore> {
        if (object::is_burnt(store)) object::unburn(owner, store);
        store
    }
}
