#[test_only]
module aptos_framework::object_tests {
    use std::signer;
    use aptos_framework::account;
    use aptos_framework::event;
    use aptos_framework::object::{Self, ConstructorRef, Object, ObjectCore};

    const BURN_ADDRESS: address = @0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff;

    fun thing(creator: &signer): (ConstructorRef, Object<ObjectCore>) {
        let ref = object::create_named_object(creator, b"thing");
        let object = ref.object_from_constructor_ref();
        (ref, object)
    }

    #[test]
    fun addresses_are_those_that_the_sdk_computes() {
        assert!(
            object::create_object_address(&@0xcafe, b"batch/1")
                == @0x4bb5f97a4cc07330247b48b06a52ab2030f7ee6388a2423c52ae9d7e2ecbcb13,
            0
        );
        assert!(
            object::create_guid_object_address(@0xcafe, 7)
                == @0x2bed5e6fa814c2f665f1476c6036defbffb90ca1dade784cb3f29454f16ab919,
            1
        );
        assert!(
            object::create_user_derived_object_address(
                @0x123456789abcdef0, @0xcd6e553e39000322d4ec6e9c4aef954363c598dd4cddc7a7d0ea075a348f166e
            ) == @0xa57785a397158e9bb7898ec9e7bde6edb1429d9c3051fa842e47f262d96d0de6,
            2
        );
        assert!(
            account::create_resource_address(&@0xcafe, b"seed")
                == @0x2a5577ab389c872bdeb183d2d218c7b03685120190a9e6789a1a06c79f59ec16,
            3
        );
    }

    #[test(creator = @0xcafe)]
    fun an_owner_transfers_what_it_owns_through_another_object(creator: &signer) {
        let (_, outer) = thing(creator);
        let inner_ref = object::create_object(@0xcafe);
        let inner = inner_ref.object_from_constructor_ref::<ObjectCore>();
        object::transfer_to_object(creator, inner, outer);
        assert!(object::owner(inner) == outer.object_address(), 0);
        assert!(object::owns(inner, @0xcafe) && object::root_owner(inner) == @0xcafe, 1);
        object::transfer(creator, inner, @0xb0b);
        assert!(object::is_owner(inner, @0xb0b) && !object::owns(inner, @0xcafe), 2);
        assert!(event::emitted_events<object::Transfer>().length() == 2, 3);
    }

    #[test(creator = @0xcafe, stranger = @0xb0b)]
    #[expected_failure(abort_code = 0x50004, location = aptos_framework::object)]
    fun a_stranger_transfers_nothing(creator: &signer, stranger: &signer) {
        let (_, object) = thing(creator);
        object::transfer(stranger, object, @0xb0b);
    }

    #[test(creator = @0xcafe)]
    #[expected_failure(abort_code = 0x50003, location = aptos_framework::object)]
    fun a_gated_object_stays(creator: &signer) {
        let (ref, object) = thing(creator);
        ref.generate_transfer_ref().disable_ungated_transfer();
        object::transfer(creator, object, @0xb0b);
    }

    #[test(creator = @0xcafe)]
    fun a_linear_ref_transfers_a_gated_object(creator: &signer) {
        let (ref, object) = thing(creator);
        let transfer_ref = ref.generate_transfer_ref();
        transfer_ref.disable_ungated_transfer();
        transfer_ref.generate_linear_transfer_ref().transfer_with_ref(@0xb0b);
        assert!(object::owner(object) == @0xb0b, 0);
    }

    #[test(creator = @0xcafe)]
    #[expected_failure(abort_code = 0x50009, location = aptos_framework::object)]
    fun an_untransferable_object_gives_no_transfer_ref(creator: &signer) {
        let (ref, _) = thing(creator);
        ref.set_untransferable();
        ref.generate_transfer_ref();
    }

    #[test(creator = @0xcafe)]
    #[expected_failure(abort_code = 0x80001, location = aptos_framework::object)]
    fun a_name_is_used_once(creator: &signer) {
        thing(creator);
        thing(creator);
    }

    #[test(creator = @0xcafe)]
    #[expected_failure(abort_code = 0x50005, location = aptos_framework::object)]
    fun a_named_object_is_not_deleted(creator: &signer) {
        let (ref, _) = thing(creator);
        ref.generate_delete_ref();
    }

    #[test]
    fun a_deleted_object_is_gone() {
        let ref = object::create_object(@0xcafe);
        let addr = ref.address_from_constructor_ref();
        ref.generate_delete_ref().delete();
        assert!(!object::is_object(addr), 0);
    }

    #[test(creator = @0xcafe)]
    fun a_buried_object_is_dug_up_by_its_owner(creator: &signer) {
        let (_, object) = thing(creator);
        object::burn(creator, object);
        assert!(object::is_burnt(object) && object::owner(object) == BURN_ADDRESS, 0);
        object::unburn(creator, object);
        assert!(!object::is_burnt(object) && object::owner(object) == @0xcafe, 1);
    }

    #[test(creator = @0xcafe, stranger = @0xb0b)]
    #[expected_failure(abort_code = 0x50004, location = aptos_framework::object)]
    fun a_buried_object_is_not_dug_up_by_a_stranger(creator: &signer, stranger: &signer) {
        let (_, object) = thing(creator);
        object::burn(creator, object);
        object::unburn(stranger, object);
    }

    #[test(creator = @0xcafe)]
    fun an_account_numbers_its_objects(creator: &signer) {
        account::create_account_for_test(@0xcafe);
        let next = account::get_guid_next_creation_num(@0xcafe);
        let ref = object::create_object_from_account(creator);
        assert!(
            ref.address_from_constructor_ref() == object::create_guid_object_address(@0xcafe, next), 0
        );
    }

    #[test(creator = @0xcafe)]
    fun a_resource_account_is_opened_by_its_capability_alone(creator: &signer) {
        let (resource, cap) = account::create_resource_account(creator, b"seed");
        let addr = account::create_resource_address(&@0xcafe, b"seed");
        assert!(signer::address_of(&resource) == addr, 0);
        assert!(signer::address_of(&account::create_signer_with_capability(&cap)) == addr, 1);
        let no_key = x"0000000000000000000000000000000000000000000000000000000000000000";
        assert!(account::get_authentication_key(addr) == no_key, 2);
    }

    #[test(creator = @0xcafe)]
    #[expected_failure(abort_code = 0x8000f, location = aptos_framework::account)]
    fun a_resource_account_is_made_once(creator: &signer) {
        account::create_resource_account(creator, b"seed");
        account::create_resource_account(creator, b"seed");
    }
}
