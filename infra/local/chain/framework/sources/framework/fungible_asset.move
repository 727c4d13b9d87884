/// Amounts of an asset: metadata in an object, balances in store objects, and refs that grant single powers.
module aptos_framework::fungible_asset {
    use std::error;
    use std::option::{Self, Option};
    use std::signer;
    use std::string::String;
    use aptos_framework::event;
    use aptos_framework::function_info::FunctionInfo;
    use aptos_framework::object::{Self, ConstructorRef, DeleteRef, Object};

    friend aptos_framework::coin;
    friend aptos_framework::dispatchable_fungible_asset;
    friend aptos_framework::primary_fungible_store;

    /// The transfer ref and the asset are of different metadata.
    const ETRANSFER_REF_AND_FUNGIBLE_ASSET_MISMATCH: u64 = 2;
    /// The store is frozen.
    const ESTORE_IS_FROZEN: u64 = 3;
    /// The store, or the asset that is split, has less than this amount.
    const EINSUFFICIENT_BALANCE: u64 = 4;
    /// The supply would be above its maximum.
    const EMAX_SUPPLY_EXCEEDED: u64 = 5;
    /// The two assets are of different metadata.
    const EFUNGIBLE_ASSET_MISMATCH: u64 = 6;
    /// The mint ref and the store are of different metadata.
    const EMINT_REF_AND_STORE_MISMATCH: u64 = 7;
    /// The caller does not own the store.
    const ENOT_STORE_OWNER: u64 = 8;
    /// The transfer ref and the store are of different metadata.
    const ETRANSFER_REF_AND_STORE_MISMATCH: u64 = 9;
    /// The burn ref and the store are of different metadata.
    const EBURN_REF_AND_STORE_MISMATCH: u64 = 10;
    /// The asset and the store are of different metadata.
    const EFUNGIBLE_ASSET_AND_STORE_MISMATCH: u64 = 11;
    /// The asset is not of amount zero.
    const EAMOUNT_IS_NOT_ZERO: u64 = 12;
    /// The burn ref and the asset are of different metadata.
    const EBURN_REF_AND_FUNGIBLE_ASSET_MISMATCH: u64 = 13;
    /// The store still has a balance.
    const EBALANCE_IS_NOT_ZERO: u64 = 14;
    /// The name is longer than 32 bytes.
    const ENAME_TOO_LONG: u64 = 15;
    /// The symbol is longer than 32 bytes.
    const ESYMBOL_TOO_LONG: u64 = 16;
    /// There are more than 32 decimals.
    const EDECIMALS_TOO_LARGE: u64 = 17;
    /// The URI is longer than 512 bytes.
    const EURI_TOO_LONG: u64 = 18;
    /// An object that can be deleted cannot become the metadata of an asset.
    const EOBJECT_IS_DELETABLE: u64 = 19;
    /// More is burnt than was minted.
    const ESUPPLY_UNDERFLOW: u64 = 20;
    /// The asset keeps no supply.
    const ESUPPLY_NOT_FOUND: u64 = 21;
    /// There is no store at this address.
    const EFUNGIBLE_STORE_EXISTENCE: u64 = 23;
    /// The withdraw hook has not the type of a withdraw hook.
    const EWITHDRAW_FUNCTION_SIGNATURE_MISMATCH: u64 = 25;
    /// The deposit hook has not the type of a deposit hook.
    const EDEPOSIT_FUNCTION_SIGNATURE_MISMATCH: u64 = 26;
    /// The balance hook has not the type of a balance hook.
    const EDERIVED_BALANCE_FUNCTION_SIGNATURE_MISMATCH: u64 = 27;
    /// The asset has hooks: move it through dispatchable_fungible_asset.
    const EINVALID_DISPATCHABLE_OPERATIONS: u64 = 28;
    /// Hooks were registered for the asset already.
    const EALREADY_REGISTERED: u64 = 29;
    /// There is no asset metadata at this address.
    const EFUNGIBLE_METADATA_EXISTENCE: u64 = 30;
    /// The chain's own coin takes no hooks.
    const EAPT_NOT_DISPATCHABLE: u64 = 31;
    /// The supply hook has not the type of a supply hook.
    const EDERIVED_SUPPLY_FUNCTION_SIGNATURE_MISMATCH: u64 = 33;
    /// The raw balance ref and the store are of different metadata.
    const ERAW_BALANCE_REF_AND_STORE_MISMATCH: u64 = 34;
    /// The raw supply ref is of another metadata.
    const ERAW_SUPPLY_REF_AND_METADATA_MISMATCH: u64 = 35;

    const MAX_NAME_LENGTH: u64 = 32;
    const MAX_SYMBOL_LENGTH: u64 = 32;
    const MAX_DECIMALS: u8 = 32;
    const MAX_URI_LENGTH: u64 = 512;

    struct Supply has key {
        current: u128,
        maximum: Option<u128>
    }

    struct Metadata has copy, drop, key {
        name: String,
        symbol: String,
        decimals: u8,
        icon_uri: String,
        project_uri: String
    }

    struct FungibleStore has key {
        metadata: Object<Metadata>,
        balance: u64,
        frozen: bool
    }

    /// Marks an asset whose stores stay with their owners.
    struct Untransferable has key {}

    struct DispatchFunctionStore has key {
        withdraw_function: Option<FunctionInfo>,
        deposit_function: Option<FunctionInfo>,
        derived_balance_function: Option<FunctionInfo>
    }

    struct DeriveSupply has key {
        dispatch_function: Option<FunctionInfo>
    }

    /// An amount on its way. It cannot be dropped or stored: it ends in a store or is burnt.
    struct FungibleAsset {
        metadata: Object<Metadata>,
        amount: u64
    }

    struct MintRef has drop, store {
        metadata: Object<Metadata>
    }

    struct TransferRef has drop, store {
        metadata: Object<Metadata>
    }

    struct BurnRef has drop, store {
        metadata: Object<Metadata>
    }

    struct MutateMetadataRef has drop, store {
        metadata: Object<Metadata>
    }

    struct RawBalanceRef has drop, store {
        metadata: Object<Metadata>
    }

    struct RawSupplyRef has drop, store {
        metadata: Object<Metadata>
    }

    #[event]
    struct Deposit has drop, store {
        store: address,
        amount: u64
    }

    #[event]
    struct Withdraw has drop, store {
        store: address,
        amount: u64
    }

    #[event]
    struct Frozen has drop, store {
        store: address,
        frozen: bool
    }

    // Creation.

    /// Makes the object the metadata of a new asset.
    public fun add_fungibility(
        constructor_ref: &ConstructorRef,
        maximum_supply: Option<u128>,
        name: String,
        symbol: String,
        decimals: u8,
        icon_uri: String,
        project_uri: String
    ): Object<Metadata> {
        assert!(
            !constructor_ref.can_generate_delete_ref(), error::invalid_argument(EOBJECT_IS_DELETABLE)
        );
        assert!(name.length() <= MAX_NAME_LENGTH, error::out_of_range(ENAME_TOO_LONG));
        assert!(symbol.length() <= MAX_SYMBOL_LENGTH, error::out_of_range(ESYMBOL_TOO_LONG));
        assert!(decimals <= MAX_DECIMALS, error::out_of_range(EDECIMALS_TOO_LARGE));
        assert_uri(&icon_uri);
        assert_uri(&project_uri);
        let metadata_signer = constructor_ref.generate_signer();
        move_to(&metadata_signer, Metadata { name, symbol, decimals, icon_uri, project_uri });
        move_to(&metadata_signer, Supply { current: 0, maximum: maximum_supply });
        constructor_ref.object_from_constructor_ref()
    }

    /// Makes the stores of the asset stay with their owners.
    public fun set_untransferable(constructor_ref: &ConstructorRef) {
        assert_metadata_exists(constructor_ref.address_from_constructor_ref());
        move_to(&constructor_ref.generate_signer(), Untransferable {})
    }

    public(friend) fun register_dispatch_functions(
        constructor_ref: &ConstructorRef,
        withdraw_function: Option<FunctionInfo>,
        deposit_function: Option<FunctionInfo>,
        derived_balance_function: Option<FunctionInfo>
    ) {
        withdraw_function.for_each_ref(|f| assert!(
            f.fits(b"dispatchable_fungible_asset", b"dispatchable_withdraw"),
            error::invalid_argument(EWITHDRAW_FUNCTION_SIGNATURE_MISMATCH)
        ));
        deposit_function.for_each_ref(|f| assert!(
            f.fits(b"dispatchable_fungible_asset", b"dispatchable_deposit"),
            error::invalid_argument(EDEPOSIT_FUNCTION_SIGNATURE_MISMATCH)
        ));
        derived_balance_function.for_each_ref(|f| assert!(
            f.fits(b"dispatchable_fungible_asset", b"dispatchable_derived_balance"),
            error::invalid_argument(EDERIVED_BALANCE_FUNCTION_SIGNATURE_MISMATCH)
        ));
        let addr = assert_hooks_allowed(constructor_ref);
        assert!(!exists<DispatchFunctionStore>(addr), error::already_exists(EALREADY_REGISTERED));
        move_to(
            &constructor_ref.generate_signer(),
            DispatchFunctionStore { withdraw_function, deposit_function, derived_balance_function }
        )
    }

    public(friend) fun register_derive_supply_dispatch_function(
        constructor_ref: &ConstructorRef, dispatch_function: Option<FunctionInfo>
    ) {
        dispatch_function.for_each_ref(|f| assert!(
            f.fits(b"dispatchable_fungible_asset", b"dispatchable_derived_supply"),
            error::invalid_argument(EDERIVED_SUPPLY_FUNCTION_SIGNATURE_MISMATCH)
        ));
        let addr = assert_hooks_allowed(constructor_ref);
        assert!(!exists<DeriveSupply>(addr), error::already_exists(EALREADY_REGISTERED));
        move_to(&constructor_ref.generate_signer(), DeriveSupply { dispatch_function })
    }

    fun assert_hooks_allowed(constructor_ref: &ConstructorRef): address {
        let addr = constructor_ref.address_from_constructor_ref();
        assert!(addr != @0xa, error::permission_denied(EAPT_NOT_DISPATCHABLE));
        assert!(
            !constructor_ref.can_generate_delete_ref(), error::invalid_argument(EOBJECT_IS_DELETABLE)
        );
        assert_metadata_exists(addr);
        addr
    }

    // Refs.

    public fun generate_mint_ref(constructor_ref: &ConstructorRef): MintRef {
        MintRef { metadata: constructor_ref.object_from_constructor_ref() }
    }

    public fun generate_burn_ref(constructor_ref: &ConstructorRef): BurnRef {
        BurnRef { metadata: constructor_ref.object_from_constructor_ref() }
    }

    public fun generate_transfer_ref(constructor_ref: &ConstructorRef): TransferRef {
        TransferRef { metadata: constructor_ref.object_from_constructor_ref() }
    }

    public fun generate_mutate_metadata_ref(constructor_ref: &ConstructorRef): MutateMetadataRef {
        MutateMetadataRef { metadata: constructor_ref.object_from_constructor_ref() }
    }

    public fun generate_raw_balance_ref(constructor_ref: &ConstructorRef): RawBalanceRef {
        RawBalanceRef { metadata: constructor_ref.object_from_constructor_ref() }
    }

    public fun generate_raw_supply_ref(constructor_ref: &ConstructorRef): RawSupplyRef {
        RawSupplyRef { metadata: constructor_ref.object_from_constructor_ref() }
    }

    public fun mint_ref_metadata(self: &MintRef): Object<Metadata> {
        self.metadata
    }

    public fun burn_ref_metadata(self: &BurnRef): Object<Metadata> {
        self.metadata
    }

    public fun transfer_ref_metadata(self: &TransferRef): Object<Metadata> {
        self.metadata
    }

    public fun object_from_metadata_ref(self: &MutateMetadataRef): Object<Metadata> {
        self.metadata
    }

    // Reading an asset.

    #[view]
    public fun supply<T: key>(metadata: Object<T>): Option<u128> acquires Supply {
        let addr = metadata.object_address();
        if (exists<Supply>(addr)) option::some(Supply[addr].current) else option::none()
    }

    /// The supply without the hook that may stand before it.
    public fun supply_with_ref<T: key>(self: &RawSupplyRef, metadata: Object<T>): Option<u128> acquires Supply {
        assert!(
            self.metadata.object_address() == metadata.object_address(),
            error::invalid_argument(ERAW_SUPPLY_REF_AND_METADATA_MISMATCH)
        );
        supply(metadata)
    }

    #[view]
    public fun maximum<T: key>(metadata: Object<T>): Option<u128> acquires Supply {
        let addr = metadata.object_address();
        if (exists<Supply>(addr)) Supply[addr].maximum else option::none()
    }

    #[view]
    public fun name<T: key>(metadata: Object<T>): String acquires Metadata {
        borrow_metadata(&metadata).name
    }

    #[view]
    public fun symbol<T: key>(metadata: Object<T>): String acquires Metadata {
        borrow_metadata(&metadata).symbol
    }

    #[view]
    public fun decimals<T: key>(metadata: Object<T>): u8 acquires Metadata {
        borrow_metadata(&metadata).decimals
    }

    #[view]
    public fun icon_uri<T: key>(metadata: Object<T>): String acquires Metadata {
        borrow_metadata(&metadata).icon_uri
    }

    #[view]
    public fun project_uri<T: key>(metadata: Object<T>): String acquires Metadata {
        borrow_metadata(&metadata).project_uri
    }

    #[view]
    public fun metadata<T: key>(metadata: Object<T>): Metadata acquires Metadata {
        *borrow_metadata(&metadata)
    }

    #[view]
    public fun is_untransferable<T: key>(metadata: Object<T>): bool {
        exists<Untransferable>(metadata.object_address())
    }

    // Reading a store.

    #[view]
    public fun store_exists(store: address): bool {
        exists<FungibleStore>(store)
    }

    #[view]
    public fun store_metadata<T: key>(store: Object<T>): Object<Metadata> acquires FungibleStore {
        borrow_store(&store).metadata
    }

    #[view]
    public fun balance<T: key>(store: Object<T>): u64 acquires FungibleStore {
        let addr = store.object_address();
        if (exists<FungibleStore>(addr)) FungibleStore[addr].balance else 0
    }

    /// The balance without the hook that may stand before it.
    public fun balance_with_ref<T: key>(self: &RawBalanceRef, store: Object<T>): u64 acquires FungibleStore {
        assert!(
            self.metadata == store_metadata(store),
            error::invalid_argument(ERAW_BALANCE_REF_AND_STORE_MISMATCH)
        );
        balance(store)
    }

    #[view]
    public fun is_balance_at_least<T: key>(store: Object<T>, amount: u64): bool acquires FungibleStore {
        balance(store) >= amount
    }

    #[view]
    public fun is_frozen<T: key>(store: Object<T>): bool acquires FungibleStore {
        let addr = store.object_address();
        exists<FungibleStore>(addr) && FungibleStore[addr].frozen
    }

    #[view]
    public fun is_store_dispatchable<T: key>(store: Object<T>): bool acquires FungibleStore {
        exists<DispatchFunctionStore>(store_metadata(store).object_address())
    }

    public fun withdraw_dispatch_function<T: key>(
        store: Object<T>
    ): Option<FunctionInfo> acquires FungibleStore, DispatchFunctionStore {
        let addr = store_metadata(store).object_address();
        if (exists<DispatchFunctionStore>(addr)) DispatchFunctionStore[addr].withdraw_function
        else option::none()
    }

    public fun deposit_dispatch_function<T: key>(
        store: Object<T>
    ): Option<FunctionInfo> acquires FungibleStore, DispatchFunctionStore {
        let addr = store_metadata(store).object_address();
        if (exists<DispatchFunctionStore>(addr)) DispatchFunctionStore[addr].deposit_function
        else option::none()
    }

    public(friend) fun derived_balance_dispatch_function<T: key>(
        store: Object<T>
    ): Option<FunctionInfo> acquires FungibleStore, DispatchFunctionStore {
        let addr = store_metadata(store).object_address();
        if (exists<DispatchFunctionStore>(addr)) DispatchFunctionStore[addr].derived_balance_function
        else option::none()
    }

    public(friend) fun derived_supply_dispatch_function<T: key>(
        metadata: Object<T>
    ): Option<FunctionInfo> acquires DeriveSupply {
        let addr = metadata.object_address();
        if (exists<DeriveSupply>(addr)) DeriveSupply[addr].dispatch_function else option::none()
    }

    // Stores.

    /// Makes the object an empty store of the asset.
    public fun create_store<T: key>(
        constructor_ref: &ConstructorRef, metadata: Object<T>
    ): Object<FungibleStore> {
        let asset = metadata.object_address();
        assert_metadata_exists(asset);
        move_to(
            &constructor_ref.generate_signer(),
            FungibleStore { metadata: metadata.convert(), balance: 0, frozen: false }
        );
        if (exists<Untransferable>(asset)) constructor_ref.set_untransferable();
        constructor_ref.object_from_constructor_ref()
    }

    /// Removes an empty store; the object's core is the caller's to delete.
    public fun remove_store(delete_ref: &DeleteRef) acquires FungibleStore {
        let addr = delete_ref.address_from_delete_ref();
        assert!(exists<FungibleStore>(addr), error::not_found(EFUNGIBLE_STORE_EXISTENCE));
        let FungibleStore { metadata: _, balance, frozen: _ } = move_from<FungibleStore>(addr);
        assert!(balance == 0, error::permission_denied(EBALANCE_IS_NOT_ZERO));
    }

    public fun set_frozen_flag<T: key>(self: &TransferRef, store: Object<T>, frozen: bool) acquires FungibleStore {
        assert!(
            self.metadata == store_metadata(store),
            error::invalid_argument(ETRANSFER_REF_AND_STORE_MISMATCH)
        );
        set_frozen_flag_internal(store.object_address(), frozen)
    }

    fun set_frozen_flag_internal(store: address, frozen: bool) acquires FungibleStore {
        FungibleStore[store].frozen = frozen;
        event::emit(Frozen { store, frozen });
    }

    // Moving.

    /// Moves an amount between stores of an asset without hooks.
    public entry fun transfer<T: key>(
        sender: &signer, from: Object<T>, to: Object<T>, amount: u64
    ) acquires FungibleStore {
        let asset = withdraw(sender, from, amount);
        deposit(to, asset)
    }

    public fun withdraw<T: key>(
        owner: &signer, store: Object<T>, amount: u64
    ): FungibleAsset acquires FungibleStore {
        assert_withdraw_allowed(owner, &store);
        assert_without_hooks(&store);
        unchecked_withdraw(store.object_address(), amount)
    }

    public fun deposit<T: key>(store: Object<T>, fa: FungibleAsset) acquires FungibleStore {
        deposit_sanity_check(store, true);
        unchecked_deposit(store.object_address(), fa)
    }

    /// Aborts if the store takes no deposit: it is frozen, or has hooks and `abort_on_dispatch` is set.
    public fun deposit_sanity_check<T: key>(store: Object<T>, abort_on_dispatch: bool) acquires FungibleStore {
        assert!(!borrow_store(&store).frozen, error::permission_denied(ESTORE_IS_FROZEN));
        if (abort_on_dispatch) assert_without_hooks(&store);
    }

    /// Aborts unless `owner` owns the store, and the store is not frozen.
    public(friend) fun assert_withdraw_allowed<T: key>(owner: &signer, store: &Object<T>) acquires FungibleStore {
        assert!(
            object::owns(*store, signer::address_of(owner)), error::permission_denied(ENOT_STORE_OWNER)
        );
        assert!(!borrow_store(store).frozen, error::permission_denied(ESTORE_IS_FROZEN));
    }

    public fun withdraw_with_ref<T: key>(
        self: &TransferRef, store: Object<T>, amount: u64
    ): FungibleAsset acquires FungibleStore {
        assert!(
            self.metadata == store_metadata(store),
            error::invalid_argument(ETRANSFER_REF_AND_STORE_MISMATCH)
        );
        unchecked_withdraw(store.object_address(), amount)
    }

    public fun deposit_with_ref<T: key>(
        self: &TransferRef, store: Object<T>, fa: FungibleAsset
    ) acquires FungibleStore {
        assert!(
            self.metadata == fa.metadata,
            error::invalid_argument(ETRANSFER_REF_AND_FUNGIBLE_ASSET_MISMATCH)
        );
        unchecked_deposit(store.object_address(), fa)
    }

    public fun transfer_with_ref<T: key>(
        self: &TransferRef, from: Object<T>, to: Object<T>, amount: u64
    ) acquires FungibleStore {
        let asset = self.withdraw_with_ref(from, amount);
        self.deposit_with_ref(to, asset)
    }

    public(friend) fun unchecked_withdraw(store: address, amount: u64): FungibleAsset acquires FungibleStore {
        assert!(exists<FungibleStore>(store), error::not_found(EFUNGIBLE_STORE_EXISTENCE));
        let resource = &mut FungibleStore[store];
        assert!(resource.balance >= amount, error::invalid_argument(EINSUFFICIENT_BALANCE));
        resource.balance -= amount;
        let metadata = resource.metadata;
        event::emit(Withdraw { store, amount });
        FungibleAsset { metadata, amount }
    }

    public(friend) fun unchecked_deposit(store: address, fa: FungibleAsset) acquires FungibleStore {
        let FungibleAsset { metadata, amount } = fa;
        assert!(exists<FungibleStore>(store), error::not_found(EFUNGIBLE_STORE_EXISTENCE));
        let resource = &mut FungibleStore[store];
        assert!(
            resource.metadata == metadata, error::invalid_argument(EFUNGIBLE_ASSET_AND_STORE_MISMATCH)
        );
        resource.balance += amount;
        event::emit(Deposit { store, amount });
    }

    // Minting and burning.

    public fun mint(self: &MintRef, amount: u64): FungibleAsset acquires Supply {
        mint_internal(self.metadata, amount)
    }

    public(friend) fun mint_internal(metadata: Object<Metadata>, amount: u64): FungibleAsset acquires Supply {
        increase_supply(&metadata, amount);
        FungibleAsset { metadata, amount }
    }

    public fun mint_to<T: key>(self: &MintRef, store: Object<T>, amount: u64) acquires FungibleStore, Supply {
        assert!(
            self.metadata == store_metadata(store),
            error::invalid_argument(EMINT_REF_AND_STORE_MISMATCH)
        );
        deposit_sanity_check(store, false);
        let asset = self.mint(amount);
        unchecked_deposit(store.object_address(), asset)
    }

    public fun burn(self: &BurnRef, fa: FungibleAsset) acquires Supply {
        assert!(
            self.metadata == fa.metadata, error::invalid_argument(EBURN_REF_AND_FUNGIBLE_ASSET_MISMATCH)
        );
        burn_internal(fa)
    }

    public(friend) fun burn_internal(fa: FungibleAsset) acquires Supply {
        let FungibleAsset { metadata, amount } = fa;
        decrease_supply(&metadata, amount)
    }

    /// Burns out of any store of the asset, also a frozen one.
    public fun burn_from<T: key>(self: &BurnRef, store: Object<T>, amount: u64) acquires FungibleStore, Supply {
        assert!(
            self.metadata == store_metadata(store),
            error::invalid_argument(EBURN_REF_AND_STORE_MISMATCH)
        );
        self.burn(unchecked_withdraw(store.object_address(), amount))
    }

    fun increase_supply(metadata: &Object<Metadata>, amount: u64) acquires Supply {
        if (amount == 0) return;
        let addr = metadata.object_address();
        assert!(exists<Supply>(addr), error::not_found(ESUPPLY_NOT_FOUND));
        let supply = &mut Supply[addr];
        if (supply.maximum.is_some()) assert!(
            *supply.maximum.borrow() - supply.current >= (amount as u128),
            error::out_of_range(EMAX_SUPPLY_EXCEEDED)
        );
        supply.current += (amount as u128);
    }

    fun decrease_supply(metadata: &Object<Metadata>, amount: u64) acquires Supply {
        if (amount == 0) return;
        let addr = metadata.object_address();
        assert!(exists<Supply>(addr), error::not_found(ESUPPLY_NOT_FOUND));
        let supply = &mut Supply[addr];
        assert!(supply.current >= (amount as u128), error::invalid_state(ESUPPLY_UNDERFLOW));
        supply.current -= (amount as u128);
    }

    // Amounts on their way.

    public fun zero<T: key>(metadata: Object<T>): FungibleAsset {
        FungibleAsset { metadata: metadata.convert(), amount: 0 }
    }

    public fun destroy_zero(fungible_asset: FungibleAsset) {
        let FungibleAsset { metadata: _, amount } = fungible_asset;
        assert!(amount == 0, error::invalid_argument(EAMOUNT_IS_NOT_ZERO));
    }

    /// Splits `amount` off.
    public fun extract(self: &mut FungibleAsset, amount: u64): FungibleAsset {
        assert!(self.amount >= amount, error::invalid_argument(EINSUFFICIENT_BALANCE));
        self.amount -= amount;
        FungibleAsset { metadata: self.metadata, amount }
    }

    public fun merge(self: &mut FungibleAsset, src_fungible_asset: FungibleAsset) {
        let FungibleAsset { metadata, amount } = src_fungible_asset;
        assert!(metadata == self.metadata, error::invalid_argument(EFUNGIBLE_ASSET_MISMATCH));
        self.amount += amount;
    }

    public fun amount(self: &FungibleAsset): u64 {
        self.amount
    }

    public fun metadata_from_asset(self: &FungibleAsset): Object<Metadata> {
        self.metadata
    }

    public fun asset_metadata(self: &FungibleAsset): Object<Metadata> {
        self.metadata
    }

    /// The amount in another form, of which the supply knows already.
    public(friend) fun unwrap(self: FungibleAsset): u64 {
        let FungibleAsset { metadata: _, amount } = self;
        amount
    }

    /// The reverse of `unwrap`.
    public(friend) fun wrap(metadata: Object<Metadata>, amount: u64): FungibleAsset {
        FungibleAsset { metadata, amount }
    }

    // Metadata.

    /// Replaces what is some.
    public fun mutate_metadata(
        self: &MutateMetadataRef,
        name: Option<String>,
        symbol: Option<String>,
        decimals: Option<u8>,
        icon_uri: Option<String>,
        project_uri: Option<String>
    ) acquires Metadata {
        let metadata = &mut Metadata[self.metadata.object_address()];
        name.for_each(|value| {
            assert!(value.length() <= MAX_NAME_LENGTH, error::out_of_range(ENAME_TOO_LONG));
            metadata.name = value;
        });
        symbol.for_each(|value| {
            assert!(value.length() <= MAX_SYMBOL_LENGTH, error::out_of_range(ESYMBOL_TOO_LONG));
            metadata.symbol = value;
        });
        decimals.for_each(|value| {
            assert!(value <= MAX_DECIMALS, error::out_of_range(EDECIMALS_TOO_LARGE));
            metadata.decimals = value;
        });
        icon_uri.for_each(|value| {
            assert_uri(&value);
            metadata.icon_uri = value;
        });
        project_uri.for_each(|value| {
            assert_uri(&value);
            metadata.project_uri = value;
        });
    }

    fun assert_uri(uri: &String) {
        assert!(uri.length() <= MAX_URI_LENGTH, error::out_of_range(EURI_TOO_LONG));
    }

    fun assert_metadata_exists(addr: address) {
        assert!(exists<Metadata>(addr), error::not_found(EFUNGIBLE_METADATA_EXISTENCE));
    }

    fun assert_without_hooks<T: key>(store: &Object<T>) acquires FungibleStore {
        assert!(!is_store_dispatchable(*store), error::invalid_argument(EINVALID_DISPATCHABLE_OPERATIONS));
    }

    inline fun borrow_metadata<T: key>(metadata: &Object<T>): &Metadata {
        let addr = metadata.object_address();
        assert_metadata_exists(addr);
        &Metadata[addr]
    }

    inline fun borrow_store<T: key>(store: &Object<T>): &FungibleStore {
        let addr = store.object_address();
        assert!(exists<FungibleStore>(addr), error::not_found(EFUNGIBLE_STORE_EXISTENCE));
        &FungibleStore[addr]
    }
}
