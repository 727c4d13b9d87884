/// Tokens: single things of a collection, each an object of its own.
module aptos_token_objects::token {
    use std::error;
    use std::option::{Self, Option};
    use std::signer;
    use std::string::{Self, String};
    use aptos_framework::aggregator_v2::{Self, AggregatorSnapshot, DerivedStringSnapshot};
    use aptos_framework::event::{Self, EventHandle};
    use aptos_framework::object::{Self, ConstructorRef, DeleteRef, Object};
    use aptos_token_objects::collection::{Self, Collection};
    use aptos_token_objects::royalty::{Self, Royalty};

    /// There is no token at this address.
    const ETOKEN_DOES_NOT_EXIST: u64 = 1;
    /// The caller is not the collection's creator.
    const ENOT_CREATOR: u64 = 2;
    /// The name is longer than 128 bytes.
    const ETOKEN_NAME_TOO_LONG: u64 = 4;
    /// The URI is longer than 512 bytes.
    const EURI_TOO_LONG: u64 = 5;
    /// The description is longer than 2,048 bytes.
    const EDESCRIPTION_TOO_LONG: u64 = 6;
    /// The seed is longer than 128 bytes.
    const ESEED_TOO_LONG: u64 = 7;
    /// The caller does not own the collection.
    const ENOT_OWNER: u64 = 8;

    const MAX_TOKEN_NAME_LENGTH: u64 = 128;
    const MAX_TOKEN_SEED_LENGTH: u64 = 128;
    const MAX_URI_LENGTH: u64 = 512;
    const MAX_DESCRIPTION_LENGTH: u64 = 2048;

    /// `index` and `name` are empty: they lie in TokenIdentifiers.
    struct Token has key {
        collection: Object<Collection>,
        index: u64,
        description: String,
        name: String,
        uri: String,
        mutation_events: EventHandle<MutationEvent>
    }

    struct TokenIdentifiers has key {
        index: AggregatorSnapshot<u64>,
        name: DerivedStringSnapshot
    }

    /// `inner` where the object can be deleted, `self` where it cannot.
    struct BurnRef has drop, store {
        inner: Option<DeleteRef>,
        self: Option<address>
    }

    struct MutatorRef has drop, store {
        self: address
    }

    struct MutationEvent has drop, store {
        mutated_field_name: String,
        old_value: String,
        new_value: String
    }

    #[event]
    struct Mutation has drop, store {
        token_address: address,
        mutated_field_name: String,
        old_value: String,
        new_value: String
    }

    // Tokens made by the collection's creator.

    /// A token at an address of its own, which may be deleted.
    public fun create_token(
        creator: &signer,
        collection: Object<Collection>,
        description: String,
        name: String,
        royalty: Option<Royalty>,
        uri: String
    ): ConstructorRef {
        assert_creator(creator, collection);
        let constructor_ref = object::create_object(signer::address_of(creator));
        init(&constructor_ref, collection, description, name, option::none(), royalty, uri);
        constructor_ref
    }

    public fun create(
        creator: &signer,
        collection_name: String,
        description: String,
        name: String,
        royalty: Option<Royalty>,
        uri: String
    ): ConstructorRef {
        create_token(creator, named(creator, &collection_name), description, name, royalty, uri)
    }

    /// A token at the address of (creator, collection's name, token's name), which cannot be deleted.
    public fun create_named_token_object(
        creator: &signer,
        collection: Object<Collection>,
        description: String,
        name: String,
        royalty: Option<Royalty>,
        uri: String
    ): ConstructorRef {
        assert_creator(creator, collection);
        let seed = create_token_seed(&collection::name(collection), &name);
        let constructor_ref = object::create_named_object(creator, seed);
        init(&constructor_ref, collection, description, name, option::none(), royalty, uri);
        constructor_ref
    }

    public fun create_named_token(
        creator: &signer,
        collection_name: String,
        description: String,
        name: String,
        royalty: Option<Royalty>,
        uri: String
    ): ConstructorRef {
        create_named_token_object(
            creator, named(creator, &collection_name), description, name, royalty, uri
        )
    }

    /// As `create_named_token_object`, with a seed that is part of the address and not of the name.
    public fun create_named_token_from_seed(
        creator: &signer,
        collection: Object<Collection>,
        description: String,
        name: String,
        seed: String,
        royalty: Option<Royalty>,
        uri: String
    ): ConstructorRef {
        assert_creator(creator, collection);
        let full_seed = create_token_name_with_seed(&collection::name(collection), &name, &seed);
        let constructor_ref = object::create_named_object(creator, full_seed);
        init(&constructor_ref, collection, description, name, option::none(), royalty, uri);
        constructor_ref
    }

    /// A token named by its number in the collection, between prefix and suffix.
    public fun create_numbered_token_object(
        creator: &signer,
        collection: Object<Collection>,
        description: String,
        name_with_index_prefix: String,
        name_with_index_suffix: String,
        royalty: Option<Royalty>,
        uri: String
    ): ConstructorRef {
        assert_creator(creator, collection);
        let constructor_ref = object::create_object(signer::address_of(creator));
        let suffix = option::some(name_with_index_suffix);
        init(&constructor_ref, collection, description, name_with_index_prefix, suffix, royalty, uri);
        constructor_ref
    }

    public fun create_numbered_token(
        creator: &signer,
        collection_name: String,
        description: String,
        name_with_index_prefix: String,
        name_with_index_suffix: String,
        royalty: Option<Royalty>,
        uri: String
    ): ConstructorRef {
        create_numbered_token_object(
            creator,
            named(creator, &collection_name),
            description,
            name_with_index_prefix,
            name_with_index_suffix,
            royalty,
            uri
        )
    }

    // Tokens made by the collection's owner.

    public fun create_token_as_collection_owner(
        creator: &signer,
        collection: Object<Collection>,
        description: String,
        name: String,
        royalty: Option<Royalty>,
        uri: String
    ): ConstructorRef {
        assert_owner(creator, collection);
        let constructor_ref = object::create_object(signer::address_of(creator));
        init(&constructor_ref, collection, description, name, option::none(), royalty, uri);
        constructor_ref
    }

    public fun create_named_token_as_collection_owner(
        creator: &signer,
        collection: Object<Collection>,
        description: String,
        name: String,
        royalty: Option<Royalty>,
        uri: String
    ): ConstructorRef {
        assert_owner(creator, collection);
        let seed = create_token_seed(&collection::name(collection), &name);
        let constructor_ref = object::create_named_object(creator, seed);
        init(&constructor_ref, collection, description, name, option::none(), royalty, uri);
        constructor_ref
    }

    public fun create_named_token_from_seed_as_collection_owner(
        creator: &signer,
        collection: Object<Collection>,
        description: String,
        name: String,
        seed: String,
        royalty: Option<Royalty>,
        uri: String
    ): ConstructorRef {
        assert_owner(creator, collection);
        let full_seed = create_token_name_with_seed(&collection::name(collection), &name, &seed);
        let constructor_ref = object::create_named_object(creator, full_seed);
        init(&constructor_ref, collection, description, name, option::none(), royalty, uri);
        constructor_ref
    }

    public fun create_numbered_token_as_collection_owner(
        creator: &signer,
        collection: Object<Collection>,
        description: String,
        name_with_index_prefix: String,
        name_with_index_suffix: String,
        royalty: Option<Royalty>,
        uri: String
    ): ConstructorRef {
        assert_owner(creator, collection);
        let constructor_ref = object::create_object(signer::address_of(creator));
        let suffix = option::some(name_with_index_suffix);
        init(&constructor_ref, collection, description, name_with_index_prefix, suffix, royalty, uri);
        constructor_ref
    }

    /// With `suffix`, the name is prefix, number, suffix.
    fun init(
        constructor_ref: &ConstructorRef,
        collection: Object<Collection>,
        description: String,
        name: String,
        suffix: Option<String>,
        royalty: Option<Royalty>,
        uri: String
    ) {
        assert_name(&name);
        assert_description(&description);
        assert_uri(&uri);
        let object_signer = constructor_ref.generate_signer();
        let index = collection::increment_supply(&collection, signer::address_of(&object_signer));
        let full_name =
            if (suffix.is_some())
                aggregator_v2::derive_string_concat(name, &index, suffix.destroy_some())
            else aggregator_v2::create_derived_string(name);
        move_to(&object_signer, TokenIdentifiers { index, name: full_name });
        move_to(
            &object_signer,
            Token {
                collection,
                index: 0,
                description,
                name: string::utf8(b""),
                uri,
                mutation_events: object::new_event_handle(&object_signer)
            }
        );
        royalty.for_each(|r| royalty::init(constructor_ref, r));
    }

    // Addresses.

    public fun create_token_address(creator: &address, collection: &String, name: &String): address {
        object::create_object_address(creator, create_token_seed(collection, name))
    }

    public fun create_token_address_with_seed(
        creator: address, collection: String, name: String, seed: String
    ): address {
        object::create_object_address(&creator, create_token_name_with_seed(&collection, &name, &seed))
    }

    /// collection::name
    public fun create_token_seed(collection: &String, name: &String): vector<u8> {
        assert_name(name);
        let seed = *collection.bytes();
        seed.append(b"::");
        seed.append(*name.bytes());
        seed
    }

    /// collection::nameseed
    public fun create_token_name_with_seed(collection: &String, name: &String, seed: &String): vector<u8> {
        assert!(seed.length() <= MAX_TOKEN_SEED_LENGTH, error::out_of_range(ESEED_TOO_LONG));
        let full_seed = create_token_seed(collection, name);
        full_seed.append(*seed.bytes());
        full_seed
    }

    // Refs.

    public fun generate_mutator_ref(ref: &ConstructorRef): MutatorRef {
        let token = ref.object_from_constructor_ref::<Token>();
        MutatorRef { self: token.object_address() }
    }

    public fun generate_burn_ref(ref: &ConstructorRef): BurnRef {
        if (ref.can_generate_delete_ref())
            BurnRef { inner: option::some(ref.generate_delete_ref()), self: option::none() }
        else BurnRef { inner: option::none(), self: option::some(ref.address_from_constructor_ref()) }
    }

    public fun address_from_burn_ref(ref: &BurnRef): address {
        if (ref.inner.is_some()) ref.inner.borrow().address_from_delete_ref() else *ref.self.borrow()
    }

    // Reading.

    #[view]
    public fun creator<T: key>(token: Object<T>): address acquires Token {
        collection::creator(borrow(&token).collection)
    }

    #[view]
    public fun collection_name<T: key>(token: Object<T>): String acquires Token {
        collection::name(borrow(&token).collection)
    }

    #[view]
    public fun collection_object<T: key>(token: Object<T>): Object<Collection> acquires Token {
        borrow(&token).collection
    }

    #[view]
    public fun description<T: key>(token: Object<T>): String acquires Token {
        borrow(&token).description
    }

    #[view]
    public fun name<T: key>(token: Object<T>): String acquires TokenIdentifiers {
        borrow_identifiers(&token).name.read_derived_string()
    }

    #[view]
    public fun uri<T: key>(token: Object<T>): String acquires Token {
        borrow(&token).uri
    }

    #[view]
    /// The token's royalty, or else its collection's.
    public fun royalty<T: key>(token: Object<T>): Option<Royalty> acquires Token {
        let own = royalty::get(token);
        if (own.is_some()) own else royalty::get(borrow(&token).collection)
    }

    #[view]
    /// The token's number in its collection, from 1.
    public fun index<T: key>(token: Object<T>): u64 acquires TokenIdentifiers {
        borrow_identifiers(&token).index.read_snapshot()
    }

    // Mutation.

    public fun set_description(mutator_ref: &MutatorRef, description: String) acquires Token {
        assert_description(&description);
        let token = &mut Token[mutator_ref.self];
        emit_mutation(mutator_ref, b"description", token.description, description);
        token.description = description;
    }

    public fun set_name(mutator_ref: &MutatorRef, name: String) acquires TokenIdentifiers {
        assert_name(&name);
        let identifiers = &mut TokenIdentifiers[mutator_ref.self];
        emit_mutation(mutator_ref, b"name", identifiers.name.read_derived_string(), name);
        identifiers.name = aggregator_v2::create_derived_string(name);
    }

    public fun set_uri(mutator_ref: &MutatorRef, uri: String) acquires Token {
        assert_uri(&uri);
        let token = &mut Token[mutator_ref.self];
        emit_mutation(mutator_ref, b"uri", token.uri, uri);
        token.uri = uri;
    }

    fun emit_mutation(mutator_ref: &MutatorRef, field: vector<u8>, old_value: String, new_value: String) {
        event::emit(
            Mutation {
                token_address: mutator_ref.self,
                mutated_field_name: string::utf8(field),
                old_value,
                new_value
            }
        )
    }

    /// Ends the token; its object too, where that can be deleted.
    public fun burn(burn_ref: BurnRef) acquires Token, TokenIdentifiers {
        let addr = address_from_burn_ref(&burn_ref);
        assert!(exists<Token>(addr), error::not_found(ETOKEN_DOES_NOT_EXIST));
        if (royalty::exists_at(addr)) royalty::delete(addr);
        let previous_owner = object::owner(object::address_to_object<Token>(addr));
        let Token { collection, index: _, description: _, name: _, uri: _, mutation_events } =
            move_from<Token>(addr);
        let TokenIdentifiers { index, name: _ } = move_from<TokenIdentifiers>(addr);
        event::destroy_handle(mutation_events);
        collection::decrement_supply(&collection, addr, index.read_snapshot(), previous_owner);
        let BurnRef { inner, self: _ } = burn_ref;
        if (inner.is_some()) inner.destroy_some().delete() else inner.destroy_none();
    }

    fun named(creator: &signer, collection_name: &String): Object<Collection> {
        let addr = collection::create_collection_address(&signer::address_of(creator), collection_name);
        object::address_to_object(addr)
    }

    fun assert_creator(creator: &signer, collection: Object<Collection>) {
        assert!(
            collection::creator(collection) == signer::address_of(creator),
            error::unauthenticated(ENOT_CREATOR)
        );
    }

    fun assert_owner(owner: &signer, collection: Object<Collection>) {
        assert!(
            object::owner(collection) == signer::address_of(owner), error::unauthenticated(ENOT_OWNER)
        );
    }

    fun assert_name(name: &String) {
        assert!(name.length() <= MAX_TOKEN_NAME_LENGTH, error::out_of_range(ETOKEN_NAME_TOO_LONG));
    }

    fun assert_description(description: &String) {
        assert!(
            description.length() <= MAX_DESCRIPTION_LENGTH, error::out_of_range(EDESCRIPTION_TOO_LONG)
        );
    }

    fun assert_uri(uri: &String) {
        assert!(uri.length() <= MAX_URI_LENGTH, error::out_of_range(EURI_TOO_LONG));
    }

    inline fun borrow<T: key>(token: &Object<T>): &Token {
        let addr = token.object_address();
        assert!(exists<Token>(addr), error::not_found(ETOKEN_DOES_NOT_EXIST));
        &Token[addr]
    }

    inline fun borrow_identifiers<T: key>(token: &Object<T>): &TokenIdentifiers {
        let addr = token.object_address();
        assert!(exists<TokenIdentifiers>(addr), error::not_found(ETOKEN_DOES_NOT_EXIST));
        &TokenIdentifiers[addr]
    }
}
