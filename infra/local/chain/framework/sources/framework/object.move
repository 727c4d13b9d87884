/// Objects: resources grouped at an address of their own, with an owner, and refs that grant single powers.
module aptos_framework::object {
    use std::bcs;
    use std::error;
    use std::hash;
    use std::signer;
    use aptos_std::from_bcs;
    use aptos_framework::account;
    use aptos_framework::event::{Self, EventHandle};
    use aptos_framework::guid::{Self, GUID};
    use aptos_framework::transaction_context;

    friend aptos_framework::aptos_coin;
    friend aptos_framework::coin;
    friend aptos_framework::primary_fungible_store;

    /// There is an object at this address already.
    const EOBJECT_EXISTS: u64 = 1;
    /// There is no object at this address.
    const EOBJECT_DOES_NOT_EXIST: u64 = 2;
    /// The object's owner may not transfer it.
    const ENO_UNGATED_TRANSFERS: u64 = 3;
    /// The caller does not own the object.
    const ENOT_OBJECT_OWNER: u64 = 4;
    /// The object cannot be deleted.
    const ECANNOT_DELETE: u64 = 5;
    /// Objects own one another too deeply, or in a circle.
    const EMAXIMUM_NESTING: u64 = 6;
    /// The object has no resource of this type.
    const ERESOURCE_DOES_NOT_EXIST: u64 = 7;
    /// The object is not buried.
    const EOBJECT_NOT_BURNT: u64 = 8;
    /// The object can never be transferred.
    const EOBJECT_NOT_TRANSFERRABLE: u64 = 9;

    const MAXIMUM_OBJECT_NESTING: u8 = 8;
    const INIT_GUID_CREATION_NUM: u64 = 0x4000000000000;
    /// Owner of buried objects.
    const BURN_ADDRESS: address = @0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff;

    const OBJECT_DERIVED_SCHEME: u8 = 0xFC;
    const OBJECT_FROM_GUID_ADDRESS_SCHEME: u8 = 0xFD;
    const OBJECT_FROM_SEED_ADDRESS_SCHEME: u8 = 0xFE;

    struct ObjectCore has key {
        guid_creation_num: u64,
        owner: address,
        allow_ungated_transfer: bool,
        transfer_events: EventHandle<TransferEvent>
    }

    /// Where a buried object's former owner is remembered.
    struct TombStone has key {
        original_owner: address
    }

    /// Marks an object that no ref may make transferable again.
    struct Untransferable has key {}

    /// Pointer to an object that held a T when the pointer was made.
    struct Object<phantom T> has copy, drop, store {
        inner: address
    }

    /// Full power over an object, until the end of the transaction that creates it.
    struct ConstructorRef has drop {
        self: address,
        can_delete: bool
    }

    struct DeleteRef has drop, store {
        self: address
    }

    struct ExtendRef has drop, store {
        self: address
    }

    struct TransferRef has drop, store {
        self: address
    }

    /// Power to transfer once, and only from the owner at the time.
    struct LinearTransferRef has drop {
        self: address,
        owner: address
    }

    /// Power to derive objects from the object's address.
    struct DeriveRef has drop, store {
        self: address
    }

    struct TransferEvent has drop, store {
        object: address,
        from: address,
        to: address
    }

    #[event]
    struct Transfer has drop, store {
        object: address,
        from: address,
        to: address
    }

    /// Their canonical bytes are what is hashed.
    struct DerivedSeed has drop {
        source: address,
        derive_from: address,
        scheme: u8
    }

    struct GuidSeed has drop {
        id: guid::ID,
        scheme: u8
    }

    native fun exists_at<T: key>(object: address): bool;

    // Addresses.

    /// sha3_256(source | seed | 0xFE).
    public fun create_object_address(source: &address, seed: vector<u8>): address {
        let bytes = bcs::to_bytes(source);
        bytes.append(seed);
        bytes.push_back(OBJECT_FROM_SEED_ADDRESS_SCHEME);
        from_bcs::to_address(hash::sha3_256(bytes))
    }

    /// sha3_256(creation number | source | 0xFD).
    public fun create_guid_object_address(source: address, creation_num: u64): address {
        let seed = GuidSeed {
            id: guid::create_id(source, creation_num),
            scheme: OBJECT_FROM_GUID_ADDRESS_SCHEME
        };
        from_bcs::to_address(hash::sha3_256(bcs::to_bytes(&seed)))
    }

    /// sha3_256(source | derive_from | 0xFC).
    public fun create_user_derived_object_address(source: address, derive_from: address): address {
        let seed = DerivedSeed { source, derive_from, scheme: OBJECT_DERIVED_SCHEME };
        from_bcs::to_address(hash::sha3_256(bcs::to_bytes(&seed)))
    }

    // Creation.

    /// An object at the address of (creator, seed), which cannot be deleted.
    public fun create_named_object(creator: &signer, seed: vector<u8>): ConstructorRef {
        let owner = signer::address_of(creator);
        create_object_internal(owner, create_object_address(&owner, seed), false)
    }

    public(friend) fun create_user_derived_object(
        owner: address, derive_ref: &DeriveRef, can_delete: bool
    ): ConstructorRef {
        let addr = create_user_derived_object_address(owner, derive_ref.self);
        create_object_internal(owner, addr, can_delete)
    }

    /// An object at an address of its own, which may be deleted.
    public fun create_object(owner_address: address): ConstructorRef {
        create_object_internal(owner_address, transaction_context::generate_auid_address(), true)
    }

    /// As `create_object`, but it cannot be deleted.
    public fun create_sticky_object(owner_address: address): ConstructorRef {
        create_object_internal(owner_address, transaction_context::generate_auid_address(), false)
    }

    public(friend) fun create_sticky_object_at_address(
        owner_address: address, object_address: address
    ): ConstructorRef {
        create_object_internal(owner_address, object_address, false)
    }

    public fun create_object_from_account(creator: &signer): ConstructorRef {
        create_object_from_guid(signer::address_of(creator), account::create_guid(creator))
    }

    public fun create_object_from_object(creator: &signer): ConstructorRef acquires ObjectCore {
        create_object_from_guid(signer::address_of(creator), create_guid(creator))
    }

    fun create_object_from_guid(owner: address, guid: GUID): ConstructorRef {
        let addr = create_guid_object_address(owner, guid.creation_num());
        create_object_internal(owner, addr, true)
    }

    fun create_object_internal(owner: address, object: address, can_delete: bool): ConstructorRef {
        assert!(!exists<ObjectCore>(object), error::already_exists(EOBJECT_EXISTS));
        let object_signer = account::create_signer(object);
        let guid_creation_num = INIT_GUID_CREATION_NUM;
        let transfer_guid = guid::create(object, &mut guid_creation_num);
        move_to(
            &object_signer,
            ObjectCore {
                guid_creation_num,
                owner,
                allow_ungated_transfer: true,
                transfer_events: event::new_event_handle(transfer_guid)
            }
        );
        ConstructorRef { self: object, can_delete }
    }

    // Refs.

    public fun generate_delete_ref(self: &ConstructorRef): DeleteRef {
        assert!(self.can_delete, error::permission_denied(ECANNOT_DELETE));
        DeleteRef { self: self.self }
    }

    public fun generate_extend_ref(self: &ConstructorRef): ExtendRef {
        ExtendRef { self: self.self }
    }

    public fun generate_transfer_ref(self: &ConstructorRef): TransferRef {
        assert!(
            !exists<Untransferable>(self.self), error::permission_denied(EOBJECT_NOT_TRANSFERRABLE)
        );
        TransferRef { self: self.self }
    }

    public fun generate_derive_ref(self: &ConstructorRef): DeriveRef {
        DeriveRef { self: self.self }
    }

    public fun generate_signer(self: &ConstructorRef): signer {
        account::create_signer(self.self)
    }

    public fun generate_signer_for_extending(self: &ExtendRef): signer {
        account::create_signer(self.self)
    }

    public fun address_from_constructor_ref(self: &ConstructorRef): address {
        self.self
    }

    public fun address_from_delete_ref(self: &DeleteRef): address {
        self.self
    }

    public fun address_from_extend_ref(self: &ExtendRef): address {
        self.self
    }

    public fun object_from_constructor_ref<T: key>(self: &ConstructorRef): Object<T> {
        address_to_object(self.self)
    }

    public fun object_from_delete_ref<T: key>(self: &DeleteRef): Object<T> {
        address_to_object(self.self)
    }

    public fun can_generate_delete_ref(self: &ConstructorRef): bool {
        self.can_delete
    }

    // Pointers.

    #[view]
    /// Aborts unless there is an object with a T.
    public fun address_to_object<T: key>(object: address): Object<T> {
        assert!(exists<ObjectCore>(object), error::not_found(EOBJECT_DOES_NOT_EXIST));
        assert!(exists_at<T>(object), error::not_found(ERESOURCE_DOES_NOT_EXIST));
        Object { inner: object }
    }

    public fun object_address<T: key>(self: &Object<T>): address {
        self.inner
    }

    /// The same object, seen by another of its resources.
    public fun convert<X: key, Y: key>(self: Object<X>): Object<Y> {
        address_to_object(self.inner)
    }

    #[view]
    public fun is_object(object: address): bool {
        exists<ObjectCore>(object)
    }

    #[view]
    public fun object_exists<T: key>(object: address): bool {
        exists<ObjectCore>(object) && exists_at<T>(object)
    }

    // Numbered creations.

    public fun create_guid(object: &signer): GUID acquires ObjectCore {
        let addr = signer::address_of(object);
        assert!(exists<ObjectCore>(addr), error::not_found(EOBJECT_DOES_NOT_EXIST));
        guid::create(addr, &mut ObjectCore[addr].guid_creation_num)
    }

    public fun new_event_handle<T: drop + store>(object: &signer): EventHandle<T> acquires ObjectCore {
        event::new_event_handle(create_guid(object))
    }

    // End.

    /// Removes the object's core; its other resources are the caller's to remove.
    public fun delete(self: DeleteRef) acquires ObjectCore, Untransferable {
        let addr = self.self;
        if (exists<Untransferable>(addr)) {
            let Untransferable {} = move_from<Untransferable>(addr);
        };
        let ObjectCore { guid_creation_num: _, owner: _, allow_ungated_transfer: _, transfer_events } =
            move_from<ObjectCore>(addr);
        event::destroy_handle(transfer_events);
    }

    // Transfer.

    public fun disable_ungated_transfer(self: &TransferRef) acquires ObjectCore {
        ObjectCore[self.self].allow_ungated_transfer = false;
    }

    public fun enable_ungated_transfer(self: &TransferRef) acquires ObjectCore {
        assert!(
            !exists<Untransferable>(self.self), error::permission_denied(EOBJECT_NOT_TRANSFERRABLE)
        );
        ObjectCore[self.self].allow_ungated_transfer = true;
    }

    /// Makes the object stay with its owner for ever.
    public fun set_untransferable(self: &ConstructorRef) acquires ObjectCore {
        ObjectCore[self.self].allow_ungated_transfer = false;
        move_to(&account::create_signer(self.self), Untransferable {});
    }

    public fun generate_linear_transfer_ref(self: &TransferRef): LinearTransferRef acquires ObjectCore {
        assert!(
            !exists<Untransferable>(self.self), error::permission_denied(EOBJECT_NOT_TRANSFERRABLE)
        );
        LinearTransferRef { self: self.self, owner: borrow_core(self.self).owner }
    }

    public fun transfer_with_ref(self: LinearTransferRef, to: address) acquires ObjectCore {
        assert!(
            !exists<Untransferable>(self.self), error::permission_denied(EOBJECT_NOT_TRANSFERRABLE)
        );
        assert!(
            borrow_core(self.self).owner == self.owner, error::permission_denied(ENOT_OBJECT_OWNER)
        );
        transfer_raw_inner(self.self, to)
    }

    public entry fun transfer<T: key>(owner: &signer, object: Object<T>, to: address) acquires ObjectCore {
        transfer_raw(owner, object.inner, to)
    }

    public entry fun transfer_call(owner: &signer, object: address, to: address) acquires ObjectCore {
        transfer_raw(owner, object, to)
    }

    /// Transfers an object that `owner` owns, also through other objects, unless such transfers are disabled.
    public fun transfer_raw(owner: &signer, object: address, to: address) acquires ObjectCore {
        verify_ungated_and_descendant(signer::address_of(owner), object);
        transfer_raw_inner(object, to)
    }

    public entry fun transfer_to_object<O: key, T: key>(
        owner: &signer, object: Object<O>, to: Object<T>
    ) acquires ObjectCore {
        transfer_raw(owner, object.inner, to.inner)
    }

    fun transfer_raw_inner(object: address, to: address) acquires ObjectCore {
        let core = &mut ObjectCore[object];
        let from = core.owner;
        if (from != to) {
            core.owner = to;
            event::emit(Transfer { object, from, to });
        }
    }

    /// `destination` must be transferable, and owned by `owner` through transferable objects only.
    fun verify_ungated_and_descendant(owner: address, destination: address) acquires ObjectCore {
        let object = destination;
        let depth = 0;
        loop {
            assert!(exists<ObjectCore>(object), error::permission_denied(ENOT_OBJECT_OWNER));
            assert!(depth < MAXIMUM_OBJECT_NESTING, error::out_of_range(EMAXIMUM_NESTING));
            let core = &ObjectCore[object];
            assert!(core.allow_ungated_transfer, error::permission_denied(ENO_UNGATED_TRANSFERS));
            if (core.owner == owner) return;
            object = core.owner;
            depth += 1;
        }
    }

    /// Buries the object: nobody owns it, but its former owner may dig it up again.
    public entry fun burn<T: key>(owner: &signer, object: Object<T>) acquires ObjectCore {
        let original_owner = signer::address_of(owner);
        assert!(is_owner(object, original_owner), error::permission_denied(ENOT_OBJECT_OWNER));
        let addr = object.inner;
        move_to(&account::create_signer(addr), TombStone { original_owner });
        transfer_raw_inner(addr, BURN_ADDRESS)
    }

    public entry fun unburn<T: key>(
        original_owner: &signer, object: Object<T>
    ) acquires ObjectCore, TombStone {
        let addr = object.inner;
        assert!(exists<TombStone>(addr), error::invalid_argument(EOBJECT_NOT_BURNT));
        let TombStone { original_owner: former } = move_from<TombStone>(addr);
        assert!(
            former == signer::address_of(original_owner), error::permission_denied(ENOT_OBJECT_OWNER)
        );
        transfer_raw_inner(addr, former)
    }

    // Owners.

    #[view]
    public fun ungated_transfer_allowed<T: key>(object: Object<T>): bool acquires ObjectCore {
        borrow_core(object.inner).allow_ungated_transfer
    }

    #[view]
    public fun is_untransferable<T: key>(object: Object<T>): bool {
        exists<Untransferable>(object.inner)
    }

    #[view]
    public fun is_burnt<T: key>(object: Object<T>): bool {
        exists<TombStone>(object.inner)
    }

    #[view]
    public fun owner<T: key>(object: Object<T>): address acquires ObjectCore {
        borrow_core(object.inner).owner
    }

    #[view]
    public fun is_owner<T: key>(object: Object<T>, owner: address): bool acquires ObjectCore {
        borrow_core(object.inner).owner == owner
    }

    #[view]
    /// Whether `owner` owns the object, also through other objects.
    public fun owns<T: key>(object: Object<T>, owner: address): bool acquires ObjectCore {
        let current = object.inner;
        if (current == owner) return true;
        assert!(exists<ObjectCore>(current), error::not_found(EOBJECT_DOES_NOT_EXIST));
        let depth = 0;
        loop {
            current = ObjectCore[current].owner;
            if (current == owner) return true;
            if (!exists<ObjectCore>(current)) return false;
            depth += 1;
            assert!(depth < MAXIMUM_OBJECT_NESTING, error::out_of_range(EMAXIMUM_NESTING));
        }
    }

    #[view]
    /// The account at the end of the chain of owners.
    public fun root_owner<T: key>(object: Object<T>): address acquires ObjectCore {
        let current = borrow_core(object.inner).owner;
        let depth = 0;
        while (exists<ObjectCore>(current)) {
            depth += 1;
            assert!(depth < MAXIMUM_OBJECT_NESTING, error::out_of_range(EMAXIMUM_NESTING));
            current = ObjectCore[current].owner;
        };
        current
    }

    inline fun borrow_core(object: address): &ObjectCore {
        assert!(exists<ObjectCore>(object), error::not_found(EOBJECT_DOES_NOT_EXIST));
        &ObjectCore[object]
    }
}
