/// The batches: for each issuance a token that is also the metadata of its credits, a fungible asset in
/// grams, with the serial numbers that were given and used up. Only `carbon_credit` and `imports` create,
/// only `carbon_credit` burns.
module carbon_market::credit_batch {
    use std::option;
    use std::signer;
    use std::string::{Self, String};
    use aptos_framework::dispatchable_fungible_asset;
    use aptos_framework::function_info::{Self, FunctionInfo};
    use aptos_framework::fungible_asset::{Self, BurnRef, Metadata};
    use aptos_framework::object::{Self, ConstructorRef, ExtendRef, Object};
    use aptos_framework::primary_fungible_store;
    use aptos_token_objects::collection;
    use aptos_token_objects::token;
    use carbon_market::batch_labels::{Self, LabelCap};
    #[test_only]
    use carbon_market::project_registry;

    friend carbon_market::carbon_credit;
    friend carbon_market::imports;

    /// There is no batch at this address.
    const E_UNKNOWN_BATCH: u64 = 1;
    /// A batch of this id exists already.
    const E_BATCH_EXISTS: u64 = 2;
    /// The amount must be at least one gram.
    const E_ZERO_GRAMS: u64 = 3;
    /// The account holds fewer grams of the batch than that.
    const E_ABOVE_HOLDING: u64 = 4;
    /// More would be reversed than the batch was issued.
    const E_ABOVE_ISSUED: u64 = 5;
    /// The label "not measured here" comes with an import and never changes.
    const E_ORIGIN_LABEL: u64 = 6;
    /// A batch has at most 1,000,000,000 tonnes.
    const E_TOO_MANY_GRAMS: u64 = 7;

    const SEED: vector<u8> = b"CARBONMARKET::REGISTRY";
    const COLLECTION: vector<u8> = b"Carbon credits";
    /// Six decimals make one unit a tonne.
    const DECIMALS: u8 = 6;
    /// More than all registries issue in a year. Serials run through all batches, so without it one mistyped
    /// import would use them up, and nothing could be issued to anybody any more.
    const MAX_GRAMS: u64 = 1000000000000000;
    /// The label of every batch that another registry issued, and of no other.
    const NOT_MEASURED_HERE: u64 = 1 << 6;
    /// Owns the registry object. Owning an object means power over every store below it, and nobody may
    /// have that over the buffer.
    const NOBODY: address = @0x0;

    /// At the package's address.
    struct Registry has key {
        creator: ExtendRef,
        /// The serial that the next issued gram gets. Serials run through all batches: one gram, one serial.
        next_serial: u64,
        labels: LabelCap
    }

    /// At the batch's address, beside the token and the metadata. There is no way to mint again.
    enum Batch has key {
        V1 {
            id: String,
            project: String,
            period_number: u64,
            period_start: u64,
            period_end: u64,
            country: String,
            methodology: String,
            methodology_version: u64,
            report_hash: vector<u8>,
            serial_first: u64,
            serial_last: u64,
            /// The serial that the next burnt gram takes.
            serial_next: u64,
            issued: u64,
            /// Went to the buffer at the start; what is there now is the buffer's balance.
            buffered: u64,
            retired: u64,
            /// Burnt and not retired; reversals are part of it.
            cancelled: u64,
            /// Found to be no reduction, whether burnt or turned into the project's debt.
            reversed: u64,
            uri: String,
            burn_ref: BurnRef
        }
    }

    /// A batch as views give it; fields as in Batch.
    struct BatchView has copy, drop {
        id: String,
        project: String,
        period_number: u64,
        period_start: u64,
        period_end: u64,
        country: String,
        methodology: String,
        methodology_version: u64,
        report_hash: vector<u8>,
        serial_first: u64,
        serial_last: u64,
        serial_next: u64,
        issued: u64,
        buffered: u64,
        retired: u64,
        cancelled: u64,
        reversed: u64,
        labels: u64,
        uri: String
    }

    fun init_module(publisher: &signer) {
        let constructor = object::create_named_object(publisher, SEED);
        collection::create_unlimited_collection(
            &object::generate_signer(&constructor),
            string::utf8(b"Batches of carbon credits, each counted in grams of CO2 equivalent."),
            string::utf8(COLLECTION),
            option::none(),
            string::utf8(b"")
        );
        object::transfer_with_ref(
            object::generate_linear_transfer_ref(&object::generate_transfer_ref(&constructor)), NOBODY
        );
        move_to(
            publisher,
            Registry {
                creator: object::generate_extend_ref(&constructor),
                next_serial: 1,
                labels: batch_labels::take_cap(publisher)
            }
        );
    }

    /// Creates a batch and its credits: `buffered` grams to the buffer, the rest to `owner`. Gives the first
    /// and the last serial.
    public(friend) fun create(
        id: String,
        owner: address,
        project: String,
        country: String,
        methodology: String,
        methodology_version: u64,
        period_number: u64,
        period_start: u64,
        period_end: u64,
        report_hash: vector<u8>,
        grams: u64,
        buffered: u64,
        labels: u64,
        uri: String
    ): (u64, u64) acquires Registry {
        assert!(grams > 0, E_ZERO_GRAMS);
        assert!(grams <= MAX_GRAMS, E_TOO_MANY_GRAMS);
        assert!(!batch_exists(batch_address(id)), E_BATCH_EXISTS);
        let registry = &mut Registry[@carbon_market];
        let serial_first = registry.next_serial;
        registry.next_serial += grams;
        let serial_last = serial_first + grams - 1;
        let constructor = create_token(&object::generate_signer_for_extending(&registry.creator), id, uri);
        create_asset(&constructor, id, grams, uri);
        let mint_ref = fungible_asset::generate_mint_ref(&constructor);
        if (buffered > 0) {
            primary_fungible_store::mint(&mint_ref, registry_address(), buffered);
        };
        if (grams > buffered) {
            primary_fungible_store::mint(&mint_ref, owner, grams - buffered);
        };
        let batch = object::generate_signer(&constructor);
        batch_labels::create(&registry.labels, &batch, labels);
        move_to(
            &batch,
            Batch::V1 {
                id,
                project,
                period_number,
                period_start,
                period_end,
                country,
                methodology,
                methodology_version,
                report_hash,
                serial_first,
                serial_last,
                serial_next: serial_first,
                issued: grams,
                buffered,
                retired: 0,
                cancelled: 0,
                reversed: 0,
                uri,
                burn_ref: fungible_asset::generate_burn_ref(&constructor)
            }
        );
        (serial_first, serial_last)
    }

    fun create_token(creator: &signer, id: String, uri: String): ConstructorRef {
        let constructor =
            token::create_named_token(
                creator,
                string::utf8(COLLECTION),
                string::utf8(b"Carbon credits of one project and period."),
                id,
                option::none(),
                uri
            );
        object::disable_ungated_transfer(&object::generate_transfer_ref(&constructor));
        constructor
    }

    fun create_asset(constructor: &ConstructorRef, id: String, grams: u64, uri: String) {
        let name = string::utf8(b"CO2e ");
        name.append(id);
        primary_fungible_store::create_primary_store_enabled_fungible_asset(
            constructor,
            option::some(grams as u128),
            name,
            string::utf8(b"CO2E"),
            DECIMALS,
            string::utf8(b""),
            uri
        );
        // A frozen account could otherwise hand a whole store to another.
        fungible_asset::set_untransferable(constructor);
        dispatchable_fungible_asset::register_dispatch_functions(
            constructor, option::some(hook(b"withdraw")), option::some(hook(b"deposit")), option::none()
        );
    }

    fun hook(name: vector<u8>): FunctionInfo {
        function_info::new_function_info_from_address(
            @carbon_market, string::utf8(b"transfer_policy"), string::utf8(name)
        )
    }

    /// Moves grams between accounts, through the hooks.
    public(friend) fun give(from: &signer, batch: Object<Metadata>, to: address, grams: u64) {
        assert_holds(signer::address_of(from), batch, grams);
        primary_fungible_store::transfer(from, batch, to, grams);
    }

    /// Burns the holder's grams as retired; gives (first serial, last serial, retired before, after).
    public(friend) fun retire(
        holder: &signer, batch: Object<Metadata>, grams: u64
    ): (u64, u64, u64, u64) acquires Batch {
        let state = burn_held(holder, batch, grams);
        let retired_old = state.retired;
        state.retired += grams;
        let (serial_first, serial_last) = take_serials(state, grams);
        (serial_first, serial_last, retired_old, state.retired)
    }

    /// Burns the holder's grams as cancelled; gives (first serial, last serial, cancelled before, after).
    public(friend) fun cancel(
        holder: &signer, batch: Object<Metadata>, grams: u64
    ): (u64, u64, u64, u64) acquires Batch {
        let state = burn_held(holder, batch, grams);
        let cancelled_old = state.cancelled;
        state.cancelled += grams;
        let (serial_first, serial_last) = take_serials(state, grams);
        (serial_first, serial_last, cancelled_old, state.cancelled)
    }

    /// Burns up to `grams` from the buffer, then from the developer's primary store, hooks or not. Gives
    /// (from the buffer, from the developer, first serial, last serial, cancelled after); serials are 0 if
    /// nothing was burnt.
    public(friend) fun reverse(
        batch: Object<Metadata>, developer: address, grams: u64
    ): (u64, u64, u64, u64, u64) acquires Batch {
        let addr = object::object_address(&batch);
        assert!(grams > 0, E_ZERO_GRAMS);
        assert_exists(addr);
        let state = &mut Batch[addr];
        assert!(grams <= state.issued - state.reversed, E_ABOVE_ISSUED);
        state.reversed += grams;
        let from_buffer = min(grams, buffer_balance(batch));
        let from_developer = min(grams - from_buffer, primary_fungible_store::balance(developer, batch));
        if (from_buffer > 0) {
            primary_fungible_store::burn(&state.burn_ref, registry_address(), from_buffer);
        };
        if (from_developer > 0) {
            primary_fungible_store::burn(&state.burn_ref, developer, from_developer);
        };
        let burnt = from_buffer + from_developer;
        if (burnt == 0) return (0, 0, 0, 0, state.cancelled);
        state.cancelled += burnt;
        let (serial_first, serial_last) = take_serials(state, burnt);
        (from_buffer, from_developer, serial_first, serial_last, state.cancelled)
    }

    /// Gives the labels before.
    public(friend) fun set_labels(batch: address, labels: u64): u64 acquires Registry {
        assert_exists(batch);
        let labels_old = batch_labels::replace(&Registry[@carbon_market].labels, batch, labels);
        assert!((labels ^ labels_old) & NOT_MEASURED_HERE == 0, E_ORIGIN_LABEL);
        labels_old
    }

    /// Burns after the hook had its say.
    inline fun burn_held(holder: &signer, batch: Object<Metadata>, grams: u64): &mut Batch {
        assert_holds(signer::address_of(holder), batch, grams);
        let asset = primary_fungible_store::withdraw(holder, batch, grams);
        let state = &mut Batch[object::object_address(&batch)];
        fungible_asset::burn(&state.burn_ref, asset);
        state
    }

    fun take_serials(batch: &mut Batch, grams: u64): (u64, u64) {
        let serial_first = batch.serial_next;
        batch.serial_next += grams;
        (serial_first, serial_first + grams - 1)
    }

    fun assert_holds(account: address, batch: Object<Metadata>, grams: u64) {
        assert!(grams > 0, E_ZERO_GRAMS);
        assert_exists(object::object_address(&batch));
        assert!(primary_fungible_store::balance(account, batch) >= grams, E_ABOVE_HOLDING);
    }

    fun assert_exists(batch: address) {
        assert!(batch_exists(batch), E_UNKNOWN_BATCH);
    }

    fun min(left: u64, right: u64): u64 {
        if (left < right) left else right
    }

    // Views.

    #[view]
    /// The object that creates the batches and owns the buffer.
    public fun registry_address(): address {
        object::create_object_address(&@carbon_market, SEED)
    }

    #[view]
    /// Where the batch of this id is, or would be.
    public fun batch_address(id: String): address {
        token::create_token_address(&registry_address(), &string::utf8(COLLECTION), &id)
    }

    #[view]
    public fun batch_exists(batch: address): bool {
        exists<Batch>(batch)
    }

    #[view]
    public fun batch(batch: address): BatchView acquires Batch {
        assert_exists(batch);
        let state = &Batch[batch];
        BatchView {
            id: state.id,
            project: state.project,
            period_number: state.period_number,
            period_start: state.period_start,
            period_end: state.period_end,
            country: state.country,
            methodology: state.methodology,
            methodology_version: state.methodology_version,
            report_hash: state.report_hash,
            serial_first: state.serial_first,
            serial_last: state.serial_last,
            serial_next: state.serial_next,
            issued: state.issued,
            buffered: state.buffered,
            retired: state.retired,
            cancelled: state.cancelled,
            reversed: state.reversed,
            labels: batch_labels::labels_of(batch),
            uri: state.uri
        }
    }

    public fun project_of(batch: address): String acquires Batch {
        assert_exists(batch);
        Batch[batch].project
    }

    public fun id_of(batch: address): String acquires Batch {
        assert_exists(batch);
        Batch[batch].id
    }

    #[view]
    /// The label bit of imported batches.
    public fun not_measured_here(): u64 {
        NOT_MEASURED_HERE
    }

    #[view]
    /// Whether another registry issued the batch.
    public fun is_imported(batch: address): bool {
        batch_labels::labels_of(batch) & NOT_MEASURED_HERE != 0
    }

    /// (methodology, country, first second of the period)
    public fun traits_of(batch: address): (String, String, u64) acquires Batch {
        assert_exists(batch);
        let state = &Batch[batch];
        (state.methodology, state.country, state.period_start)
    }

    #[view]
    /// Grams of the batch that exist, wherever they are.
    public fun supply(batch: Object<Metadata>): u64 {
        fungible_asset::supply(batch).destroy_some() as u64
    }

    #[view]
    /// Grams in the account's primary store; other stores of the account are not counted.
    public fun holding(owner: address, batch: Object<Metadata>): u64 {
        primary_fungible_store::balance(owner, batch)
    }

    #[view]
    public fun buffer_store(batch: Object<Metadata>): address {
        primary_fungible_store::primary_store_address(registry_address(), batch)
    }

    #[view]
    public fun buffer_balance(batch: Object<Metadata>): u64 {
        holding(registry_address(), batch)
    }

    #[view]
    /// The serial that the next issued gram gets.
    public fun next_serial(): u64 acquires Registry {
        Registry[@carbon_market].next_serial
    }

    #[test_only]
    public fun init_for_test(publisher: &signer) {
        init_module(publisher);
    }

    #[test_only]
    /// A batch without readings and reviews, for packages that trade with batches. All goes to the developer.
    public fun create_for_test(
        id: String, project: String, grams: u64, labels: u64, period_start: u64
    ): Object<Metadata> acquires Registry {
        let (owner, _, country, methodology, version, _, _) = project_registry::project(project);
        let uri = string::utf8(b"");
        let period_end = period_start + 1;
        create(
            id, owner, project, country, methodology, version, 1, period_start, period_end, b"", grams, 0, labels, uri
        );
        object::address_to_object(batch_address(id))
    }

    #[test_only]
    /// (issued, buffered, retired, cancelled, reversed, next serial)
    public fun counts_for_test(batch: address): (u64, u64, u64, u64, u64, u64) acquires Batch {
        let view = batch(batch);
        (view.issued, view.buffered, view.retired, view.cancelled, view.reversed, view.serial_next)
    }

    #[test_only]
    /// (first serial, last serial)
    public fun serials_for_test(batch: address): (u64, u64) acquires Batch {
        let view = batch(batch);
        (view.serial_first, view.serial_last)
    }
}
