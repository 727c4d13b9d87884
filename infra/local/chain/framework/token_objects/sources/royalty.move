/// The share of a sale that goes to a token's maker.
module aptos_token_objects::royalty {
    use std::error;
    use std::option::{Self, Option};
    use aptos_framework::object::{Self, ConstructorRef, ExtendRef, Object};

    friend aptos_token_objects::token;

    /// There is no royalty at this object.
    const EROYALTY_DOES_NOT_EXIST: u64 = 1;
    /// The royalty is more than the whole.
    const EROYALTY_EXCEEDS_MAXIMUM: u64 = 2;
    /// The denominator is zero.
    const EROYALTY_DENOMINATOR_IS_ZERO: u64 = 3;

    struct Royalty has copy, drop, key {
        numerator: u64,
        denominator: u64,
        payee_address: address
    }

    struct MutatorRef has drop, store {
        inner: ExtendRef
    }

    /// numerator / denominator of each sale to `payee_address`.
    public fun create(numerator: u64, denominator: u64, payee_address: address): Royalty {
        assert!(denominator != 0, error::out_of_range(EROYALTY_DENOMINATOR_IS_ZERO));
        assert!(numerator <= denominator, error::out_of_range(EROYALTY_EXCEEDS_MAXIMUM));
        Royalty { numerator, denominator, payee_address }
    }

    public fun init(ref: &ConstructorRef, royalty: Royalty) {
        move_to(&ref.generate_signer(), royalty)
    }

    /// Sets the royalty, whether there was one or not.
    public fun update(mutator_ref: &MutatorRef, royalty: Royalty) acquires Royalty {
        let addr = mutator_ref.inner.address_from_extend_ref();
        if (exists<Royalty>(addr)) {
            move_from<Royalty>(addr);
        };
        move_to(&mutator_ref.inner.generate_signer_for_extending(), royalty)
    }

    public fun generate_mutator_ref(ref: ExtendRef): MutatorRef {
        MutatorRef { inner: ref }
    }

    public fun exists_at(addr: address): bool {
        exists<Royalty>(addr)
    }

    public(friend) fun delete(addr: address) acquires Royalty {
        assert!(exists<Royalty>(addr), error::not_found(EROYALTY_DOES_NOT_EXIST));
        move_from<Royalty>(addr);
    }

    public fun get<T: key>(maybe_royalty: Object<T>): Option<Royalty> acquires Royalty {
        let addr = object::object_address(&maybe_royalty);
        if (exists<Royalty>(addr)) option::some(Royalty[addr]) else option::none()
    }

    public fun numerator(royalty: &Royalty): u64 {
        royalty.numerator
    }

    public fun denominator(royalty: &Royalty): u64 {
        royalty.denominator
    }

    public fun payee_address(royalty: &Royalty): address {
        royalty.payee_address
    }
}
