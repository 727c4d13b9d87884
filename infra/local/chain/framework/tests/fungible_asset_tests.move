#[test_only]
module aptos_framework::fungible_asset_tests {
    use std::option;
    use std::string;
    use aptos_framework::dispatchable_fungible_asset;
    use aptos_framework::event;
    use aptos_framework::function_info;
    use aptos_framework::fungible_asset::{Self, Metadata, MintRef};
    use aptos_framework::object::{Self, ConstructorRef, Object};
    use aptos_framework::primary_fungible_store;

    fun asset(creator: &signer, maximum: u128): (ConstructorRef, Object<Metadata>, MintRef) {
        let ref = object::create_named_object(creator, b"gram");
        primary_fungible_store::create_primary_store_enabled_fungible_asset(
            &ref,
            if (maximum == 0) option::none() else option::some(maximum),
            string::utf8(b"Gram"),
            string::utf8(b"G"),
            6,
            string::utf8(b""),
            string::utf8(b"")
        );
        let gram = ref.object_from_constructor_ref();
        let mint_ref = fungible_asset::generate_mint_ref(&ref);
        (ref, gram, mint_ref)
    }

    #[test(creator = @0xcafe, holder = @0xa11ce)]
    fun what_is_minted_is_moved_and_burnt(creator: &signer, holder: &signer) {
        let (ref, gram, mint_ref) = asset(creator, 0);
        primary_fungible_store::mint(&mint_ref, @0xa11ce, 100);
        primary_fungible_store::transfer(holder, gram, @0xb0b, 30);
        assert!(primary_fungible_store::balance(@0xa11ce, gram) == 70, 0);
        assert!(primary_fungible_store::balance(@0xb0b, gram) == 30, 1);
        let burn_ref = fungible_asset::generate_burn_ref(&ref);
        primary_fungible_store::burn(&burn_ref, @0xb0b, 10);
        assert!(fungible_asset::supply(gram) == option::some(90), 2);
        assert!(event::emitted_events<fungible_asset::Deposit>().length() == 2, 3);
        assert!(event::emitted_events<fungible_asset::Withdraw>().length() == 2, 4);
        assert!(fungible_asset::decimals(gram) == 6 && fungible_asset::symbol(gram) == string::utf8(b"G"), 5);
    }

    #[test(creator = @0xcafe, holder = @0xa11ce)]
    fun an_amount_is_split_and_joined(creator: &signer, holder: &signer) {
        let (_, gram, mint_ref) = asset(creator, 0);
        primary_fungible_store::mint(&mint_ref, @0xa11ce, 100);
        let fa = primary_fungible_store::withdraw(holder, gram, 60);
        let part = fa.extract(20);
        let nothing = fungible_asset::zero(gram);
        nothing.merge(part);
        assert!(nothing.amount() == 20 && fa.amount() == 40, 0);
        fa.merge(nothing);
        primary_fungible_store::deposit(@0xb0b, fa);
        fungible_asset::destroy_zero(fungible_asset::zero(gram));
        assert!(primary_fungible_store::balance(@0xb0b, gram) == 60, 1);
    }

    #[test(creator = @0xcafe, holder = @0xa11ce)]
    #[expected_failure(abort_code = 0x10004, location = aptos_framework::fungible_asset)]
    fun more_than_the_balance_is_not_moved(creator: &signer, holder: &signer) {
        let (_, gram, mint_ref) = asset(creator, 0);
        primary_fungible_store::mint(&mint_ref, @0xa11ce, 100);
        primary_fungible_store::transfer(holder, gram, @0xb0b, 101);
    }

    #[test(creator = @0xcafe)]
    #[expected_failure(abort_code = 0x20005, location = aptos_framework::fungible_asset)]
    fun more_than_the_maximum_is_not_minted(creator: &signer) {
        let (_, _, mint_ref) = asset(creator, 99);
        primary_fungible_store::mint(&mint_ref, @0xa11ce, 100);
    }

    #[test(creator = @0xcafe, thief = @0xb0b)]
    #[expected_failure(abort_code = 0x50008, location = aptos_framework::fungible_asset)]
    fun a_stranger_withdraws_nothing(creator: &signer, thief: &signer) {
        let (_, gram, mint_ref) = asset(creator, 0);
        primary_fungible_store::mint(&mint_ref, @0xa11ce, 100);
        let store = primary_fungible_store::primary_store(@0xa11ce, gram);
        let fa = fungible_asset::withdraw(thief, store, 1);
        primary_fungible_store::deposit(@0xb0b, fa);
    }

    #[test(creator = @0xcafe, holder = @0xa11ce)]
    #[expected_failure(abort_code = 0x50003, location = aptos_framework::fungible_asset)]
    fun a_frozen_store_gives_nothing(creator: &signer, holder: &signer) {
        let (ref, gram, mint_ref) = asset(creator, 0);
        primary_fungible_store::mint(&mint_ref, @0xa11ce, 100);
        let transfer_ref = fungible_asset::generate_transfer_ref(&ref);
        primary_fungible_store::set_frozen_flag(&transfer_ref, @0xa11ce, true);
        primary_fungible_store::transfer(holder, gram, @0xb0b, 1);
    }

    #[test(creator = @0xcafe)]
    #[expected_failure(abort_code = 0x50003, location = aptos_framework::fungible_asset)]
    fun a_frozen_store_takes_nothing(creator: &signer) {
        let (ref, _, mint_ref) = asset(creator, 0);
        let transfer_ref = fungible_asset::generate_transfer_ref(&ref);
        primary_fungible_store::set_frozen_flag(&transfer_ref, @0xa11ce, true);
        primary_fungible_store::mint(&mint_ref, @0xa11ce, 1);
    }

    #[test(creator = @0xcafe)]
    fun a_ref_moves_out_of_a_frozen_store(creator: &signer) {
        let (ref, gram, mint_ref) = asset(creator, 0);
        primary_fungible_store::mint(&mint_ref, @0xa11ce, 5);
        let transfer_ref = fungible_asset::generate_transfer_ref(&ref);
        primary_fungible_store::set_frozen_flag(&transfer_ref, @0xa11ce, true);
        primary_fungible_store::transfer_with_ref(&transfer_ref, @0xa11ce, @0xb0b, 5);
        assert!(primary_fungible_store::balance(@0xb0b, gram) == 5, 0);
    }

    #[test(creator = @0xcafe)]
    #[expected_failure(abort_code = 0x10013, location = aptos_framework::fungible_asset)]
    fun a_deletable_object_is_no_asset(creator: &signer) {
        let ref = object::create_object(std::signer::address_of(creator));
        let none = string::utf8(b"");
        fungible_asset::add_fungibility(&ref, option::none(), none, none, 0, none, none);
    }

    #[test(creator = @0xcafe)]
    fun a_store_of_its_own_is_filled_and_removed(creator: &signer) {
        let (ref, gram, mint_ref) = asset(creator, 0);
        let store_ref = object::create_object(@0xcafe);
        let store = fungible_asset::create_store(&store_ref, gram);
        mint_ref.mint_to(store, 7);
        assert!(fungible_asset::balance(store) == 7, 0);
        fungible_asset::generate_burn_ref(&ref).burn_from(store, 7);
        let delete_ref = store_ref.generate_delete_ref();
        fungible_asset::remove_store(&delete_ref);
        assert!(!fungible_asset::store_exists(store_ref.address_from_constructor_ref()), 1);
    }

    #[test(creator = @0xcafe)]
    fun what_is_some_is_changed_in_the_metadata(creator: &signer) {
        let (ref, gram, _) = asset(creator, 0);
        let mutate_ref = fungible_asset::generate_mutate_metadata_ref(&ref);
        mutate_ref.mutate_metadata(
            option::some(string::utf8(b"Tonne")), option::none(), option::some(0), option::none(), option::none()
        );
        assert!(fungible_asset::name(gram) == string::utf8(b"Tonne"), 0);
        assert!(fungible_asset::symbol(gram) == string::utf8(b"G") && fungible_asset::decimals(gram) == 0, 1);
    }

    // Two assets are never mixed.

    fun two_assets(creator: &signer): (ConstructorRef, ConstructorRef, Object<Metadata>) {
        let (gram_ref, _, _) = asset(creator, 0);
        let penny_ref = object::create_named_object(creator, b"penny");
        primary_fungible_store::create_primary_store_enabled_fungible_asset(
            &penny_ref,
            option::none(),
            string::utf8(b"Penny"),
            string::utf8(b"P"),
            2,
            string::utf8(b""),
            string::utf8(b"")
        );
        let penny = penny_ref.object_from_constructor_ref();
        primary_fungible_store::mint(&fungible_asset::generate_mint_ref(&penny_ref), @0xa11ce, 10);
        (gram_ref, penny_ref, penny)
    }

    #[test(creator = @0xcafe)]
    #[expected_failure(abort_code = 0x10007, location = aptos_framework::fungible_asset)]
    fun a_mint_ref_fills_no_store_of_another_asset(creator: &signer) {
        let (gram_ref, _, penny) = two_assets(creator);
        let store = primary_fungible_store::primary_store(@0xa11ce, penny);
        fungible_asset::generate_mint_ref(&gram_ref).mint_to(store, 1);
    }

    #[test(creator = @0xcafe)]
    #[expected_failure(abort_code = 0x1000a, location = aptos_framework::fungible_asset)]
    fun a_burn_ref_empties_no_store_of_another_asset(creator: &signer) {
        let (gram_ref, _, penny) = two_assets(creator);
        let store = primary_fungible_store::primary_store(@0xa11ce, penny);
        fungible_asset::generate_burn_ref(&gram_ref).burn_from(store, 1);
    }

    #[test(creator = @0xcafe)]
    #[expected_failure(abort_code = 0x10009, location = aptos_framework::fungible_asset)]
    fun a_transfer_ref_opens_no_store_of_another_asset(creator: &signer) {
        let (gram_ref, _, penny) = two_assets(creator);
        let store = primary_fungible_store::primary_store(@0xa11ce, penny);
        let taken = fungible_asset::generate_transfer_ref(&gram_ref).withdraw_with_ref(store, 1);
        primary_fungible_store::deposit(@0xb0b, taken);
    }

    #[test(creator = @0xcafe, alice = @0xa11ce)]
    #[expected_failure(abort_code = 0x1000b, location = aptos_framework::fungible_asset)]
    fun a_store_takes_no_other_asset(creator: &signer, alice: &signer) {
        let (gram_ref, _, penny) = two_assets(creator);
        let gram = gram_ref.object_from_constructor_ref::<Metadata>();
        let store = primary_fungible_store::ensure_primary_store_exists(@0xa11ce, gram);
        dispatchable_fungible_asset::deposit(store, primary_fungible_store::withdraw(alice, penny, 1));
    }

    #[test(creator = @0xcafe, alice = @0xa11ce)]
    #[expected_failure(abort_code = 0x10006, location = aptos_framework::fungible_asset)]
    fun amounts_of_two_assets_are_not_joined(creator: &signer, alice: &signer) {
        let (gram_ref, _, penny) = two_assets(creator);
        let sum = fungible_asset::zero(gram_ref.object_from_constructor_ref::<Metadata>());
        sum.merge(primary_fungible_store::withdraw(alice, penny, 1));
        primary_fungible_store::deposit(@0xb0b, sum);
    }

    // Hooks. What they do is tested in the VM itself: the unit-test runner cannot call them.

    fun hook(name: vector<u8>): option::Option<function_info::FunctionInfo> {
        option::some(
            function_info::new_function_info_from_address(
                @aptos_framework, string::utf8(b"hooks"), string::utf8(name)
            )
        )
    }

    fun hooked_asset(creator: &signer): (Object<Metadata>, MintRef) {
        let (ref, gram, mint_ref) = asset(creator, 0);
        dispatchable_fungible_asset::register_dispatch_functions(
            &ref, hook(b"withdraw"), hook(b"deposit"), option::none()
        );
        (gram, mint_ref)
    }

    #[test(creator = @0xcafe, holder = @0xa11ce)]
    #[expected_failure(abort_code = 0x1001c, location = aptos_framework::fungible_asset)]
    fun hooks_are_not_passed_by(creator: &signer, holder: &signer) {
        let (gram, mint_ref) = hooked_asset(creator);
        primary_fungible_store::mint(&mint_ref, @0xa11ce, 100);
        let store = primary_fungible_store::primary_store(@0xa11ce, gram);
        fungible_asset::transfer(holder, store, store, 1);
    }

    #[test(creator = @0xcafe)]
    #[expected_failure(abort_code = 0x8001d, location = aptos_framework::fungible_asset)]
    fun hooks_are_set_once(creator: &signer) {
        let (ref, _, _) = asset(creator, 0);
        dispatchable_fungible_asset::register_dispatch_functions(
            &ref, hook(b"withdraw"), option::none(), option::none()
        );
        dispatchable_fungible_asset::register_dispatch_functions(
            &ref, option::none(), hook(b"deposit"), option::none()
        );
    }
}
