/// What anybody may publish: stores beside the primary one, and stores inside objects.
module wallet::wallet {
    use std::signer;
    use aptos_framework::dispatchable_fungible_asset;
    use aptos_framework::event;
    use aptos_framework::fungible_asset::{Self, Metadata};
    use aptos_framework::object::{Self, ConstructorRef, Object};
    use aptos_framework::primary_fungible_store;

    #[event]
    struct StoreOpened has drop, store {
        store: address
    }

    /// Opens a secondary store of the owner's and moves grams into it.
    public entry fun stow(owner: &signer, asset: Object<Metadata>, grams: u64) {
        fill(owner, &object::create_object(signer::address_of(owner)), asset, grams);
    }

    /// As `stow`; the store belongs to an object that belongs to the owner.
    public entry fun stow_in_object(owner: &signer, asset: Object<Metadata>, grams: u64) {
        let safe = object::create_object(signer::address_of(owner)).address_from_constructor_ref();
        fill(owner, &object::create_object(safe), asset, grams);
    }

    fun fill(owner: &signer, constructor: &ConstructorRef, asset: Object<Metadata>, grams: u64) {
        let store = fungible_asset::create_store(constructor, asset);
        dispatchable_fungible_asset::deposit(store, primary_fungible_store::withdraw(owner, asset, grams));
        event::emit(StoreOpened { store: constructor.address_from_constructor_ref() });
    }
}
