/// A wallet that nobody asked the market about: it keeps assets in secondary stores.
module wallet::wallet {
    use std::signer;
    use aptos_framework::dispatchable_fungible_asset;
    use aptos_framework::fungible_asset::{Self, Metadata};
    use aptos_framework::object::{Self, Object};
    use aptos_framework::primary_fungible_store;

    /// Puts `grams` into each of `count` new stores of the owner's.
    public entry fun put_aside(owner: &signer, asset: Object<Metadata>, grams: u64, count: u64) {
        for (i in 0..count) {
            let taken = primary_fungible_store::withdraw(owner, asset, grams);
            let constructor = object::create_object(signer::address_of(owner));
            let store = fungible_asset::create_store(&constructor, asset);
            dispatchable_fungible_asset::deposit(store, taken);
        }
    }
}
