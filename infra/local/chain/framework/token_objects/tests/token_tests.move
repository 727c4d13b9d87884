#[test_only]
module aptos_token_objects::token_tests {
    use std::option;
    use std::string::{Self, String};
    use aptos_framework::event;
    use aptos_framework::object::{Self, ConstructorRef, Object};
    use aptos_token_objects::collection::{Self, Collection};
    use aptos_token_objects::royalty;
    use aptos_token_objects::token::{Self, Token};

    fun text(bytes: vector<u8>): String {
        string::utf8(bytes)
    }

    fun solar(creator: &signer, max_supply: u64): (ConstructorRef, Object<Collection>) {
        let share = royalty::create(1, 100, @0xfee);
        let ref = collection::create_fixed_collection(
            creator, text(b"Sun"), max_supply, text(b"Solar"), option::some(share), text(b"ipfs:s")
        );
        let collection = ref.object_from_constructor_ref();
        (ref, collection)
    }

    fun month(creator: &signer, name: vector<u8>): (ConstructorRef, Object<Token>) {
        let ref = token::create_named_token(
            creator, text(b"Solar"), text(b"A month"), text(name), option::none(), text(b"ipfs:t")
        );
        let token = ref.object_from_constructor_ref();
        (ref, token)
    }

    #[test(creator = @0xcafe)]
    fun addresses_are_those_that_the_sdk_computes(creator: &signer) {
        let (_, collection) = solar(creator, 10);
        assert!(
            collection.object_address()
                == @0x06b9e959de2387d9c645a428a224e3cfe5b3a70ca077140f6e62f4c67c448558,
            0
        );
        let (_, token) = month(creator, b"2016-07");
        let expected = @0xcd6e553e39000322d4ec6e9c4aef954363c598dd4cddc7a7d0ea075a348f166e;
        assert!(token.object_address() == expected, 1);
        assert!(token::create_token_address(&@0xcafe, &text(b"Solar"), &text(b"2016-07")) == expected, 2);
    }

    #[test(creator = @0xcafe)]
    fun a_token_says_what_it_is(creator: &signer) {
        let (_, collection) = solar(creator, 10);
        let (_, first) = month(creator, b"2016-07");
        let (_, second) = month(creator, b"2016-08");
        assert!(token::index(first) == 1 && token::index(second) == 2, 0);
        assert!(token::name(second) == text(b"2016-08") && token::collection_name(first) == text(b"Solar"), 1);
        assert!(token::collection_object(first) == collection && token::creator(first) == @0xcafe, 2);
        assert!(royalty::payee_address(token::royalty(first).borrow()) == @0xfee, 3);
        assert!(collection::count(collection) == option::some(2), 4);
        assert!(event::emitted_events<collection::Mint>().length() == 2, 5);
    }

    #[test(creator = @0xcafe)]
    fun a_numbered_token_is_named_by_its_number(creator: &signer) {
        let (_, collection) = solar(creator, 10);
        month(creator, b"2016-07");
        let ref = token::create_numbered_token_object(
            creator, collection, text(b""), text(b"No. "), text(b"!"), option::none(), text(b"")
        );
        assert!(token::name(ref.object_from_constructor_ref::<Token>()) == text(b"No. 2!"), 0);
    }

    #[test(creator = @0xcafe)]
    fun a_token_is_changed_and_burnt(creator: &signer) {
        let (_, collection) = solar(creator, 10);
        let ref = token::create(
            creator, text(b"Solar"), text(b"A month"), text(b"2016-07"), option::none(), text(b"ipfs:t")
        );
        let token = ref.object_from_constructor_ref::<Token>();
        let addr = token.object_address();
        let mutator = token::generate_mutator_ref(&ref);
        token::set_description(&mutator, text(b"July"));
        token::set_name(&mutator, text(b"July 2016"));
        token::set_uri(&mutator, text(b"ipfs:u"));
        assert!(token::description(token) == text(b"July") && token::name(token) == text(b"July 2016"), 0);
        token::burn(token::generate_burn_ref(&ref));
        assert!(!object::is_object(addr) && collection::count(collection) == option::some(0), 1);
        assert!(event::emitted_events<token::Mutation>().length() == 3, 2);
    }

    #[test(creator = @0xcafe)]
    #[expected_failure(abort_code = 0x20002, location = aptos_token_objects::collection)]
    fun a_full_collection_takes_no_token(creator: &signer) {
        solar(creator, 1);
        month(creator, b"2016-07");
        month(creator, b"2016-08");
    }

    #[test(creator = @0xcafe)]
    fun a_collection_is_widened_and_renamed(creator: &signer) {
        let (ref, collection) = solar(creator, 1);
        month(creator, b"2016-07");
        let mutator = collection::generate_mutator_ref(&ref);
        collection::set_max_supply(&mutator, 2);
        month(creator, b"2016-08");
        collection::set_name(&mutator, text(b"Wind"));
        collection::set_description(&mutator, text(b"Air"));
        collection::set_uri(&mutator, text(b"ipfs:w"));
        assert!(collection::name(collection) == text(b"Wind") && collection::uri(collection) == text(b"ipfs:w"), 0);
        assert!(event::emitted_events<collection::Mutation>().length() == 3, 1);
    }

    #[test(creator = @0xcafe)]
    #[expected_failure(abort_code = 0x20009, location = aptos_token_objects::collection)]
    fun a_collection_is_not_narrowed_below_its_tokens(creator: &signer) {
        let (ref, _) = solar(creator, 2);
        month(creator, b"2016-07");
        month(creator, b"2016-08");
        collection::set_max_supply(&collection::generate_mutator_ref(&ref), 1);
    }

    #[test(creator = @0xcafe, stranger = @0xb0b)]
    #[expected_failure(abort_code = 0x40002, location = aptos_token_objects::token)]
    fun a_stranger_makes_no_token(creator: &signer, stranger: &signer) {
        let (_, collection) = solar(creator, 10);
        token::create_token(stranger, collection, text(b""), text(b"x"), option::none(), text(b""));
    }

    #[test(creator = @0xcafe, buyer = @0xb0b)]
    fun an_owner_makes_tokens_of_a_bought_collection(creator: &signer, buyer: &signer) {
        let ref = collection::create_unlimited_collection_as_owner(
            creator, text(b""), text(b"Solar"), option::none(), text(b"")
        );
        let collection = ref.object_from_constructor_ref::<Collection>();
        object::transfer(creator, collection, @0xb0b);
        let made = token::create_named_token_as_collection_owner(
            buyer, collection, text(b""), text(b"x"), option::none(), text(b"")
        );
        assert!(object::owner(made.object_from_constructor_ref::<Token>()) == @0xb0b, 0);
    }

    #[test]
    #[expected_failure(abort_code = 0x20002, location = aptos_token_objects::royalty)]
    fun a_royalty_is_at_most_the_whole() {
        royalty::create(2, 1, @0xfee);
    }
}
