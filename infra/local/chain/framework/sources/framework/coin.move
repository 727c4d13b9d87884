/// The older kind of asset, told apart by type. Balances lie in primary stores of the paired fungible asset, which
/// is made with the coin, so that both kinds of calls see the same money.
module aptos_framework::coin {
    use std::error;
    use std::option::{Self, Option};
    use std::signer;
    use std::string::String;
    use aptos_std::table::{Self, Table};
    use aptos_std::type_info::{Self, TypeInfo};
    use aptos_framework::account;
    use aptos_framework::event;
    use aptos_framework::fungible_asset::{Self, BurnRef, FungibleAsset, Metadata, MintRef, TransferRef};
    use aptos_framework::object::{Self, ConstructorRef, Object};
    use aptos_framework::optional_aggregator::OptionalAggregator;
    use aptos_framework::primary_fungible_store;

    friend aptos_framework::aptos_coin;
    friend aptos_framework::genesis;

    /// The coin's type belongs to another account.
    const ECOIN_INFO_ADDRESS_MISMATCH: u64 = 1;
    /// The coin exists already.
    const ECOIN_INFO_ALREADY_PUBLISHED: u64 = 2;
    /// The coin does not exist.
    const ECOIN_INFO_NOT_PUBLISHED: u64 = 3;
    /// The amount is more than there is.
    const EINSUFFICIENT_BALANCE: u64 = 6;
    /// The coins are not worth zero.
    const EDESTRUCTION_OF_NONZERO_TOKEN: u64 = 7;
    /// The name is longer than 32 bytes.
    const ECOIN_NAME_TOO_LONG: u64 = 12;
    /// The symbol is longer than 10 bytes.
    const ECOIN_SYMBOL_TOO_LONG: u64 = 13;

    const MAX_COIN_NAME_LENGTH: u64 = 32;
    const MAX_COIN_SYMBOL_LENGTH: u64 = 10;

    /// Coins on their way.
    struct Coin<phantom CoinType> has store {
        value: u64
    }

    /// `supply` stays empty: the paired asset's supply counts for both.
    struct CoinInfo<phantom CoinType> has key {
        name: String,
        symbol: String,
        decimals: u8,
        supply: Option<OptionalAggregator>
    }

    struct MintCapability<phantom CoinType> has copy, store {}

    struct FreezeCapability<phantom CoinType> has copy, store {}

    struct BurnCapability<phantom CoinType> has copy, store {}

    struct CoinConversionMap has key {
        coin_to_fungible_asset_map: Table<TypeInfo, Object<Metadata>>
    }

    /// Beside the metadata: the coin that it is paired with.
    struct PairedCoinType has key {
        type: TypeInfo
    }

    /// Beside the metadata: the powers that the coin's capabilities stand for.
    struct PairedFungibleAssetRefs has key {
        mint_ref_opt: Option<MintRef>,
        transfer_ref_opt: Option<TransferRef>,
        burn_ref_opt: Option<BurnRef>
    }

    #[event]
    struct PairCreation has drop, store {
        coin_type: TypeInfo,
        fungible_asset_metadata_address: address
    }

    public(friend) fun initialize_conversion_map(aptos_framework: &signer) {
        move_to(aptos_framework, CoinConversionMap { coin_to_fungible_asset_map: table::new() })
    }

    /// Makes the coin whose type `account` has declared, and its paired asset.
    public fun initialize<CoinType>(
        account: &signer, name: String, symbol: String, decimals: u8, _monitor_supply: bool
    ): (BurnCapability<CoinType>, FreezeCapability<CoinType>, MintCapability<CoinType>) acquires CoinConversionMap {
        let framework = account::create_signer(@aptos_framework);
        let seed = *type_info::type_name<CoinType>().bytes();
        let metadata_ref = object::create_named_object(&framework, seed);
        initialize_at<CoinType>(account, &metadata_ref, name, symbol, decimals)
    }

    public(friend) fun initialize_at<CoinType>(
        account: &signer, metadata_ref: &ConstructorRef, name: String, symbol: String, decimals: u8
    ): (BurnCapability<CoinType>, FreezeCapability<CoinType>, MintCapability<CoinType>) acquires CoinConversionMap {
        let account_addr = signer::address_of(account);
        let type = type_info::type_of<CoinType>();
        assert!(
            type.account_address() == account_addr, error::invalid_argument(ECOIN_INFO_ADDRESS_MISMATCH)
        );
        assert!(
            !exists<CoinInfo<CoinType>>(account_addr), error::already_exists(ECOIN_INFO_ALREADY_PUBLISHED)
        );
        assert!(name.length() <= MAX_COIN_NAME_LENGTH, error::invalid_argument(ECOIN_NAME_TOO_LONG));
        assert!(symbol.length() <= MAX_COIN_SYMBOL_LENGTH, error::invalid_argument(ECOIN_SYMBOL_TOO_LONG));
        move_to(account, CoinInfo<CoinType> { name, symbol, decimals, supply: option::none() });
        pair(metadata_ref, type, name, symbol, decimals);
        (BurnCapability {}, FreezeCapability {}, MintCapability {})
    }

    fun pair(
        metadata_ref: &ConstructorRef, type: TypeInfo, name: String, symbol: String, decimals: u8
    ) acquires CoinConversionMap {
        let no_uri = std::string::utf8(b"");
        primary_fungible_store::create_primary_store_enabled_fungible_asset(
            metadata_ref, option::none(), name, symbol, decimals, no_uri, no_uri
        );
        let metadata_signer = metadata_ref.generate_signer();
        move_to(&metadata_signer, PairedCoinType { type });
        move_to(
            &metadata_signer,
            PairedFungibleAssetRefs {
                mint_ref_opt: option::some(fungible_asset::generate_mint_ref(metadata_ref)),
                transfer_ref_opt: option::some(fungible_asset::generate_transfer_ref(metadata_ref)),
                burn_ref_opt: option::some(fungible_asset::generate_burn_ref(metadata_ref))
            }
        );
        let metadata = metadata_ref.object_from_constructor_ref::<Metadata>();
        let map = &mut CoinConversionMap[@aptos_framework];
        map.coin_to_fungible_asset_map.add(type, metadata);
        event::emit(
            PairCreation { coin_type: type, fungible_asset_metadata_address: metadata.object_address() }
        );
    }

    // Reading.

    #[view]
    /// The paired asset, or none if the coin does not exist.
    public fun paired_metadata<CoinType>(): Option<Object<Metadata>> acquires CoinConversionMap {
        let map = &CoinConversionMap[@aptos_framework].coin_to_fungible_asset_map;
        let type = type_info::type_of<CoinType>();
        if (map.contains(type)) option::some(*map.borrow(type)) else option::none()
    }

    #[view]
    /// The coin that the asset is paired with, or none.
    public fun paired_coin(metadata: Object<Metadata>): Option<TypeInfo> acquires PairedCoinType {
        let addr = metadata.object_address();
        if (exists<PairedCoinType>(addr)) option::some(PairedCoinType[addr].type) else option::none()
    }

    #[view]
    /// Balance in both forms; 0 for an owner without one.
    public fun balance<CoinType>(owner: address): u64 acquires CoinConversionMap {
        let metadata = paired_metadata<CoinType>();
        if (metadata.is_none()) 0 else primary_fungible_store::balance(owner, metadata.destroy_some())
    }

    #[view]
    public fun is_balance_at_least<CoinType>(owner: address, amount: u64): bool acquires CoinConversionMap {
        balance<CoinType>(owner) >= amount
    }

    #[view]
    public fun is_coin_initialized<CoinType>(): bool {
        exists<CoinInfo<CoinType>>(coin_address<CoinType>())
    }

    #[view]
    /// Every address can hold a coin that exists.
    public fun is_account_registered<CoinType>(_account_addr: address): bool {
        is_coin_initialized<CoinType>()
    }

    #[view]
    public fun is_coin_store_frozen<CoinType>(account_addr: address): bool acquires CoinConversionMap {
        primary_fungible_store::is_frozen(account_addr, existing_metadata<CoinType>())
    }

    #[view]
    public fun name<CoinType>(): String acquires CoinInfo {
        borrow_info<CoinType>().name
    }

    #[view]
    public fun symbol<CoinType>(): String acquires CoinInfo {
        borrow_info<CoinType>().symbol
    }

    #[view]
    public fun decimals<CoinType>(): u8 acquires CoinInfo {
        borrow_info<CoinType>().decimals
    }

    #[view]
    public fun supply<CoinType>(): Option<u128> acquires CoinConversionMap {
        fungible_asset::supply(existing_metadata<CoinType>())
    }

    #[view]
    public fun coin_supply<CoinType>(): Option<u128> acquires CoinConversionMap {
        supply<CoinType>()
    }

    // Moving.

    /// Every address can hold a coin that exists: nothing is to be done.
    public fun register<CoinType>(_account: &signer) acquires CoinConversionMap {
        existing_metadata<CoinType>();
    }

    public entry fun transfer<CoinType>(from: &signer, to: address, amount: u64) acquires CoinConversionMap {
        primary_fungible_store::transfer(from, existing_metadata<CoinType>(), to, amount)
    }

    public fun withdraw<CoinType>(account: &signer, amount: u64): Coin<CoinType> acquires CoinConversionMap {
        let fa = primary_fungible_store::withdraw(account, existing_metadata<CoinType>(), amount);
        Coin { value: fa.unwrap() }
    }

    public fun deposit<CoinType>(account_addr: address, coin: Coin<CoinType>) acquires CoinConversionMap {
        primary_fungible_store::deposit(account_addr, coin_to_fungible_asset(coin))
    }

    public fun deposit_with_signer<CoinType>(
        account: &signer, coin: Coin<CoinType>
    ) acquires CoinConversionMap {
        deposit(signer::address_of(account), coin)
    }

    public fun coin_to_fungible_asset<CoinType>(coin: Coin<CoinType>): FungibleAsset acquires CoinConversionMap {
        let Coin { value } = coin;
        fungible_asset::wrap(existing_metadata<CoinType>(), value)
    }

    // Coins on their way.

    public fun value<CoinType>(coin: &Coin<CoinType>): u64 {
        coin.value
    }

    public fun zero<CoinType>(): Coin<CoinType> {
        Coin { value: 0 }
    }

    public fun destroy_zero<CoinType>(zero_coin: Coin<CoinType>) {
        let Coin { value } = zero_coin;
        assert!(value == 0, error::invalid_argument(EDESTRUCTION_OF_NONZERO_TOKEN));
    }

    public fun extract<CoinType>(coin: &mut Coin<CoinType>, amount: u64): Coin<CoinType> {
        assert!(coin.value >= amount, error::invalid_argument(EINSUFFICIENT_BALANCE));
        coin.value -= amount;
        Coin { value: amount }
    }

    public fun extract_all<CoinType>(coin: &mut Coin<CoinType>): Coin<CoinType> {
        let value = coin.value;
        coin.value = 0;
        Coin { value }
    }

    public fun merge<CoinType>(dst_coin: &mut Coin<CoinType>, source_coin: Coin<CoinType>) {
        let Coin { value } = source_coin;
        dst_coin.value += value;
    }

    // Capabilities.

    public fun mint<CoinType>(
        amount: u64, _cap: &MintCapability<CoinType>
    ): Coin<CoinType> acquires CoinConversionMap {
        let fa = fungible_asset::mint_internal(existing_metadata<CoinType>(), amount);
        Coin { value: fa.unwrap() }
    }

    public fun burn<CoinType>(coin: Coin<CoinType>, _cap: &BurnCapability<CoinType>) acquires CoinConversionMap {
        fungible_asset::burn_internal(coin_to_fungible_asset(coin))
    }

    /// Burns out of the account's primary store.
    public fun burn_from<CoinType>(
        account_addr: address, amount: u64, _burn_cap: &BurnCapability<CoinType>
    ) acquires CoinConversionMap {
        let store = primary_fungible_store::primary_store_address(
            account_addr, existing_metadata<CoinType>()
        );
        fungible_asset::burn_internal(fungible_asset::unchecked_withdraw(store, amount))
    }

    public fun freeze_coin_store<CoinType>(
        account_addr: address, _freeze_cap: &FreezeCapability<CoinType>
    ) acquires CoinConversionMap, PairedFungibleAssetRefs {
        set_frozen<CoinType>(account_addr, true)
    }

    public fun unfreeze_coin_store<CoinType>(
        account_addr: address, _freeze_cap: &FreezeCapability<CoinType>
    ) acquires CoinConversionMap, PairedFungibleAssetRefs {
        set_frozen<CoinType>(account_addr, false)
    }

    fun set_frozen<CoinType>(
        account_addr: address, frozen: bool
    ) acquires CoinConversionMap, PairedFungibleAssetRefs {
        let refs = &PairedFungibleAssetRefs[existing_metadata<CoinType>().object_address()];
        primary_fungible_store::set_frozen_flag(refs.transfer_ref_opt.borrow(), account_addr, frozen)
    }

    public fun destroy_mint_cap<CoinType>(mint_cap: MintCapability<CoinType>) {
        let MintCapability {} = mint_cap;
    }

    public fun destroy_freeze_cap<CoinType>(freeze_cap: FreezeCapability<CoinType>) {
        let FreezeCapability {} = freeze_cap;
    }

    public fun destroy_burn_cap<CoinType>(burn_cap: BurnCapability<CoinType>) {
        let BurnCapability {} = burn_cap;
    }

    fun coin_address<CoinType>(): address {
        type_info::type_of<CoinType>().account_address()
    }

    fun existing_metadata<CoinType>(): Object<Metadata> acquires CoinConversionMap {
        let metadata = paired_metadata<CoinType>();
        assert!(metadata.is_some(), error::not_found(ECOIN_INFO_NOT_PUBLISHED));
        metadata.destroy_some()
    }

    inline fun borrow_info<CoinType>(): &CoinInfo<CoinType> {
        let addr = coin_address<CoinType>();
        assert!(exists<CoinInfo<CoinType>>(addr), error::not_found(ECOIN_INFO_NOT_PUBLISHED));
        &CoinInfo<CoinType>[addr]
    }
}
