#[test_only]
/// The hooks, called as the framework calls them. That the framework does call them is tested on a chain
/// (tests/move/test_contracts.py): the local unit-test runner cannot dispatch.
module carbon_market::transfer_policy_tests {
    use std::option;
    use aptos_framework::dispatchable_fungible_asset;
    use aptos_framework::fungible_asset::{Self, FungibleStore, Metadata, TransferRef};
    use aptos_framework::object::{Self, Object, ObjectCore};
    use aptos_framework::primary_fungible_store;
    use carbon_market::access_control;
    use carbon_market::carbon_credit;
    use carbon_market::credit_batch;
    use carbon_market::scenario::{Self, text};
    use carbon_market::transfer_policy;

    /// A store with 10 of an asset without hooks, and the ref that the framework gives to hooks.
    fun plain_store(owner: address): (Object<FungibleStore>, TransferRef) {
        let constructor = object::create_named_object(&scenario::stranger(), b"plain");
        let asset =
            fungible_asset::add_fungibility(
                &constructor, option::none(), text(b"Plain"), text(b"P"), 0, text(b""), text(b"")
            );
        let store = fungible_asset::create_store(&object::create_object(owner), asset);
        fungible_asset::mint_to(&fungible_asset::generate_mint_ref(&constructor), store, 10);
        (store, fungible_asset::generate_transfer_ref(&constructor))
    }

    /// An object of an account or of another object.
    fun new_object(owner: address): address {
        object::address_from_constructor_ref(&object::create_object(owner))
    }

    /// Runs both hooks on a store that lies in an object of an object of the developer's.
    fun move_out_of_nested_store_and_back() {
        let (store, transfer_ref) = plain_store(new_object(new_object(@0xde)));
        let asset = transfer_policy::withdraw(store, 4, &transfer_ref);
        assert!(fungible_asset::balance(store) == 6);
        transfer_policy::deposit(store, asset, &transfer_ref);
        assert!(fungible_asset::balance(store) == 10);
    }

    /// Credits of the developer in a store beside its primary store.
    fun secondary_store(batch: Object<Metadata>, owner: address): Object<FungibleStore> {
        let store = fungible_asset::create_store(&object::create_object(owner), batch);
        let asset = primary_fungible_store::withdraw(&scenario::developer(), batch, 1000);
        dispatchable_fungible_asset::deposit(store, asset);
        store
    }

    #[test]
    fun everybody_moves_credits_until_frozen() {
        scenario::open();
        move_out_of_nested_store_and_back();
    }

    #[test]
    fun a_freed_account_moves_its_credits_again() {
        scenario::open();
        access_control::freeze_account(&scenario::pauser(), @0xde, text(b"case 17"));
        access_control::unfreeze_account(&scenario::pauser(), @0xde, text(b"case 17 closed"));
        transfer_policy::assert_may_trade(@0xde);
        move_out_of_nested_store_and_back();
    }

    #[test]
    #[expected_failure(abort_code = transfer_policy::E_FROZEN, location = transfer_policy)]
    fun a_frozen_account_may_not_trade() {
        scenario::open();
        access_control::freeze_account(&scenario::pauser(), @0xde, text(b"case 17"));
        transfer_policy::assert_may_trade(@0xde);
    }

    #[test]
    #[expected_failure(abort_code = transfer_policy::E_NOT_AN_ACCOUNT, location = transfer_policy)]
    fun nobody_is_not_frozen() {
        scenario::open();
        access_control::freeze_account(&scenario::pauser(), @0x0, text(b"case 17"));
    }

    #[test]
    #[expected_failure(abort_code = transfer_policy::E_FROZEN, location = transfer_policy)]
    fun a_frozen_batch_is_frozen() {
        scenario::open();
        access_control::freeze_account(&scenario::pauser(), @0xde, text(b"case 17"));
        transfer_policy::assert_not_frozen(@0xde);
    }

    #[test]
    #[expected_failure(abort_code = transfer_policy::E_FROZEN, location = transfer_policy)]
    fun a_freeze_reaches_stores_in_objects_of_objects() {
        scenario::open();
        access_control::freeze_account(&scenario::pauser(), @0xde, text(b"case 17"));
        move_out_of_nested_store_and_back();
    }

    #[test]
    #[expected_failure(abort_code = transfer_policy::E_FROZEN, location = transfer_policy)]
    fun freezing_an_object_holds_the_store_that_it_owns() {
        scenario::open();
        let safe = new_object(@0xde);
        let (store, transfer_ref) = plain_store(safe);
        access_control::freeze_account(&scenario::pauser(), safe, text(b"case 19"));
        let asset = transfer_policy::withdraw(store, 4, &transfer_ref);
        transfer_policy::deposit(store, asset, &transfer_ref);
    }

    /// An object in `count` - 1 others, the outermost of which is the developer's.
    fun nested(count: u64): address {
        let inner = @0xde;
        for (i in 0..count) { inner = new_object(inner); };
        inner
    }

    #[test]
    /// The framework looks no further either.
    fun an_object_in_too_many_others_may_not_trade() {
        scenario::open();
        assert!(transfer_policy::may_trade(nested(8)));
        assert!(!transfer_policy::may_trade(nested(9)));
    }

    #[test]
    fun an_object_that_owns_itself_may_not_trade() {
        scenario::open();
        let circle = new_object(@0xde);
        object::transfer_call(&scenario::developer(), circle, circle);
        assert!(!transfer_policy::may_trade(circle));
    }

    #[test]
    fun a_bare_wallet_moves_credits() {
        let batch = scenario::issued();
        primary_fungible_store::transfer(&scenario::developer(), batch, @0xb1, 500);
        assert!(credit_batch::holding(@0xb1, batch) == 500);
    }

    #[test]
    fun a_frozen_account_can_receive() {
        let batch = scenario::issued();
        access_control::freeze_account(&scenario::pauser(), @0xb1, text(b"case 18"));
        carbon_credit::give(&scenario::developer(), batch, @0xb1, 500);
        assert!(credit_batch::holding(@0xb1, batch) == 500);
    }

    #[test]
    // ENO_UNGATED_TRANSFERS, permission denied.
    #[expected_failure(abort_code = 0x50003, location = aptos_framework::object)]
    fun a_store_of_credits_cannot_change_hands() {
        let batch = scenario::issued();
        let store = secondary_store(batch, @0xde);
        object::transfer(&scenario::developer(), store, @0xb1);
    }

    #[test]
    // ENOT_STORE_OWNER, permission denied.
    #[expected_failure(abort_code = 0x50008, location = aptos_framework::fungible_asset)]
    fun the_publisher_cannot_empty_the_buffer() {
        let batch = scenario::issued();
        let buffer = object::address_to_object<FungibleStore>(credit_batch::buffer_store(batch));
        let to = primary_fungible_store::ensure_primary_store_exists(@carbon_market, batch);
        dispatchable_fungible_asset::transfer(&scenario::admin(), buffer, to, 1);
    }

    #[test]
    fun the_registry_and_its_batches_belong_to_no_account() {
        let batch = scenario::issued();
        let registry = object::address_to_object<ObjectCore>(credit_batch::registry_address());
        assert!(object::owner(registry) == @0x0);
        assert!(object::owner(batch) == credit_batch::registry_address());
        assert!(!object::ungated_transfer_allowed(batch));
    }

    #[test]
    // EINVALID_DISPATCHABLE_OPERATIONS, invalid argument.
    #[expected_failure(abort_code = 0x1001C, location = aptos_framework::fungible_asset)]
    fun the_hooks_cannot_be_walked_around() {
        let batch = scenario::issued();
        let from = primary_fungible_store::primary_store(@0xde, batch);
        let to = primary_fungible_store::ensure_primary_store_exists(@0xb1, batch);
        fungible_asset::transfer(&scenario::developer(), from, to, 1);
    }
}
