/// Collections of tokens, and how many tokens they have.
module aptos_token_objects::collection {
    use std::error;
    use std::option::{Self, Option};
    use std::signer;
    use std::string::{Self, String};
    use aptos_framework::aggregator_v2::{Self, Aggregator, AggregatorSnapshot};
    use aptos_framework::event::{Self, EventHandle};
    use aptos_framework::object::{Self, ConstructorRef, Object};
    use aptos_token_objects::royalty::{Self, Royalty};

    friend aptos_token_objects::token;

    /// There is no collection at this address.
    const ECOLLECTION_DOES_NOT_EXIST: u64 = 1;
    /// The collection has as many tokens as it may.
    const ECOLLECTION_SUPPLY_EXCEEDED: u64 = 2;
    /// The name is longer than 128 bytes.
    const ECOLLECTION_NAME_TOO_LONG: u64 = 3;
    /// The URI is longer than 512 bytes.
    const EURI_TOO_LONG: u64 = 4;
    /// The description is longer than 2,048 bytes.
    const EDESCRIPTION_TOO_LONG: u64 = 5;
    /// A collection must be allowed at least one token.
    const EMAX_SUPPLY_CANNOT_BE_ZERO: u64 = 6;
    /// The new maximum is below the number of tokens.
    const EINVALID_MAX_SUPPLY: u64 = 9;

    const MAX_COLLECTION_NAME_LENGTH: u64 = 128;
    const MAX_URI_LENGTH: u64 = 512;
    const MAX_DESCRIPTION_LENGTH: u64 = 2048;
    const MAX_U64: u64 = 18446744073709551615;

    struct Collection has key {
        creator: address,
        description: String,
        name: String,
        uri: String,
        mutation_events: EventHandle<MutationEvent>
    }

    struct ConcurrentSupply has key {
        current_supply: Aggregator<u64>,
        total_minted: Aggregator<u64>
    }

    struct MutatorRef has drop, store {
        self: address
    }

    struct MutationEvent has drop, store {
        mutated_field_name: String
    }

    #[event]
    struct Mutation has drop, store {
        mutated_field_name: String,
        collection: Object<Collection>,
        old_value: String,
        new_value: String
    }

    #[event]
    struct Mint has drop, store {
        collection: address,
        index: AggregatorSnapshot<u64>,
        token: address
    }

    #[event]
    struct Burn has drop, store {
        collection: address,
        index: u64,
        token: address,
        previous_owner: address
    }

    #[event]
    struct SetMaxSupply has drop, store {
        collection: Object<Collection>,
        old_max_supply: u64,
        new_max_supply: u64
    }

    // Creation.

    /// A collection of at most `max_supply` tokens at a time, whose tokens its creator makes.
    public fun create_fixed_collection(
        creator: &signer,
        description: String,
        max_supply: u64,
        name: String,
        royalty: Option<Royalty>,
        uri: String
    ): ConstructorRef {
        assert!(max_supply != 0, error::invalid_argument(EMAX_SUPPLY_CANNOT_BE_ZERO));
        let constructor_ref = object::create_named_object(creator, create_collection_seed(&name));
        init(creator, &constructor_ref, description, max_supply, name, royalty, uri);
        constructor_ref
    }

    /// As `create_fixed_collection`, but the tokens are made by whoever owns the collection.
    public fun create_fixed_collection_as_owner(
        creator: &signer,
        description: String,
        max_supply: u64,
        name: String,
        royalty: Option<Royalty>,
        uri: String
    ): ConstructorRef {
        let constructor_ref =
            create_fixed_collection(creator, description, max_supply, name, royalty, uri);
        enable_ungated_transfer(&constructor_ref);
        constructor_ref
    }

    public fun create_unlimited_collection(
        creator: &signer, description: String, name: String, royalty: Option<Royalty>, uri: String
    ): ConstructorRef {
        create_fixed_collection(creator, description, MAX_U64, name, royalty, uri)
    }

    public fun create_unlimited_collection_as_owner(
        creator: &signer, description: String, name: String, royalty: Option<Royalty>, uri: String
    ): ConstructorRef {
        create_fixed_collection_as_owner(creator, description, MAX_U64, name, royalty, uri)
    }

    fun init(
        creator: &signer,
        constructor_ref: &ConstructorRef,
        description: String,
        max_supply: u64,
        name: String,
        royalty: Option<Royalty>,
        uri: String
    ) {
        assert_description(&description);
        assert_uri(&uri);
        let object_signer = constructor_ref.generate_signer();
        move_to(
            &object_signer,
            Collection {
                creator: signer::address_of(creator),
                description,
                name,
                uri,
                mutation_events: object::new_event_handle(&object_signer)
            }
        );
        move_to(
            &object_signer,
            ConcurrentSupply {
                current_supply: aggregator_v2::create_aggregator(max_supply),
                total_minted: aggregator_v2::create_unbounded_aggregator()
            }
        );
        royalty.for_each(|r| royalty::init(constructor_ref, r));
        constructor_ref.generate_transfer_ref().disable_ungated_transfer();
    }

    fun enable_ungated_transfer(constructor_ref: &ConstructorRef) {
        constructor_ref.generate_transfer_ref().enable_ungated_transfer();
    }

    // Addresses.

    public fun create_collection_address(creator: &address, name: &String): address {
        object::create_object_address(creator, create_collection_seed(name))
    }

    /// Named objects of collections have the name itself as seed.
    public fun create_collection_seed(name: &String): vector<u8> {
        assert_name(name);
        *name.bytes()
    }

    // Supply.

    /// Counts one more token; gives its number.
    public(friend) fun increment_supply(
        collection: &Object<Collection>, token: address
    ): AggregatorSnapshot<u64> acquires ConcurrentSupply {
        let addr = collection.object_address();
        let supply = &mut ConcurrentSupply[addr];
        assert!(supply.current_supply.try_add(1), error::out_of_range(ECOLLECTION_SUPPLY_EXCEEDED));
        supply.total_minted.add(1);
        event::emit(Mint { collection: addr, index: supply.total_minted.snapshot(), token });
        supply.total_minted.snapshot()
    }

    public(friend) fun decrement_supply(
        collection: &Object<Collection>, token: address, index: u64, previous_owner: address
    ) acquires ConcurrentSupply {
        let addr = collection.object_address();
        let supply = &mut ConcurrentSupply[addr];
        supply.current_supply.sub(1);
        event::emit(Burn { collection: addr, index, token, previous_owner });
    }

    #[view]
    /// How many tokens the collection has.
    public fun count<T: key>(collection: Object<T>): Option<u64> acquires ConcurrentSupply {
        let addr = collection.object_address();
        assert_exists(addr);
        option::some(ConcurrentSupply[addr].current_supply.read())
    }

    // Reading.

    #[view]
    public fun creator<T: key>(collection: Object<T>): address acquires Collection {
        borrow(&collection).creator
    }

    #[view]
    public fun description<T: key>(collection: Object<T>): String acquires Collection {
        borrow(&collection).description
    }

    #[view]
    public fun name<T: key>(collection: Object<T>): String acquires Collection {
        borrow(&collection).name
    }

    #[view]
    public fun uri<T: key>(collection: Object<T>): String acquires Collection {
        borrow(&collection).uri
    }

    // Mutation.

    public fun generate_mutator_ref(ref: &ConstructorRef): MutatorRef {
        let collection = ref.object_from_constructor_ref::<Collection>();
        MutatorRef { self: collection.object_address() }
    }

    public fun set_name(mutator_ref: &MutatorRef, name: String) acquires Collection {
        assert_name(&name);
        let collection = &mut Collection[mutator_ref.self];
        emit_mutation(mutator_ref, b"name", collection.name, name);
        collection.name = name;
    }

    public fun set_description(mutator_ref: &MutatorRef, description: String) acquires Collection {
        assert_description(&description);
        let collection = &mut Collection[mutator_ref.self];
        emit_mutation(mutator_ref, b"description", collection.description, description);
        collection.description = description;
    }

    public fun set_uri(mutator_ref: &MutatorRef, uri: String) acquires Collection {
        assert_uri(&uri);
        let collection = &mut Collection[mutator_ref.self];
        emit_mutation(mutator_ref, b"uri", collection.uri, uri);
        collection.uri = uri;
    }

    /// Sets how many tokens the collection may have; not below what it has.
    public fun set_max_supply(mutator_ref: &MutatorRef, max_supply: u64) acquires ConcurrentSupply {
        let supply = &mut ConcurrentSupply[mutator_ref.self];
        let current = supply.current_supply.read();
        assert!(max_supply >= current, error::out_of_range(EINVALID_MAX_SUPPLY));
        let old_max_supply = supply.current_supply.max_value();
        let replacement = aggregator_v2::create_aggregator(max_supply);
        replacement.add(current);
        supply.current_supply = replacement;
        event::emit(
            SetMaxSupply {
                collection: object::address_to_object(mutator_ref.self),
                old_max_supply,
                new_max_supply: max_supply
            }
        );
    }

    fun emit_mutation(mutator_ref: &MutatorRef, field: vector<u8>, old_value: String, new_value: String) {
        event::emit(
            Mutation {
                mutated_field_name: string::utf8(field),
                collection: object::address_to_object(mutator_ref.self),
                old_value,
                new_value
            }
        )
    }

    fun assert_name(name: &String) {
        assert!(
            name.length() <= MAX_COLLECTION_NAME_LENGTH, error::out_of_range(ECOLLECTION_NAME_TOO_LONG)
        );
    }

    fun assert_description(description: &String) {
        assert!(
            description.length() <= MAX_DESCRIPTION_LENGTH, error::out_of_range(EDESCRIPTION_TOO_LONG)
        );
    }

    fun assert_uri(uri: &String) {
        assert!(uri.length() <= MAX_URI_LENGTH, error::out_of_range(EURI_TOO_LONG));
    }

    fun assert_exists(addr: address) {
        assert!(exists<Collection>(addr), error::not_found(ECOLLECTION_DOES_NOT_EXIST));
    }

    inline fun borrow<T: key>(collection: &Object<T>): &Collection {
        let addr = collection.object_address();
        assert_exists(addr);
        &Collection[addr]
    }
}
