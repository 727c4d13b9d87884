/// Publishing modules to an object of their own, so that they can be sold or frozen with it.
module aptos_framework::object_code_deployment {
    use std::bcs;
    use std::error;
    use std::signer;
    use aptos_framework::account;
    use aptos_framework::code::{Self, PackageRegistry};
    use aptos_framework::event;
    use aptos_framework::object::{Self, ExtendRef, Object};

    /// There is no code at this object.
    const ECODE_OBJECT_DOES_NOT_EXIST: u64 = 1;
    /// The caller does not own the code object.
    const ENOT_CODE_OBJECT_OWNER: u64 = 2;

    const OBJECT_CODE_DEPLOYMENT_DOMAIN_SEPARATOR: vector<u8> = b"aptos_framework::object_code_deployment";

    struct ManagingRefs has key {
        extend_ref: ExtendRef
    }

    #[event]
    struct Publish has drop, store {
        object_address: address
    }

    #[event]
    struct Upgrade has drop, store {
        object_address: address
    }

    #[event]
    struct Freeze has drop, store {
        object_address: address
    }

    /// Publishes a package to a new object, whose address the publisher's next sequence number gives.
    public entry fun publish(publisher: &signer, metadata_serialized: vector<u8>, code: vector<vector<u8>>) {
        let next = account::get_sequence_number(signer::address_of(publisher)) + 1;
        let seed = bcs::to_bytes(&OBJECT_CODE_DEPLOYMENT_DOMAIN_SEPARATOR);
        seed.append(bcs::to_bytes(&next));
        let constructor_ref = object::create_named_object(publisher, seed);
        let code_signer = constructor_ref.generate_signer();
        move_to(&code_signer, ManagingRefs { extend_ref: constructor_ref.generate_extend_ref() });
        event::emit(Publish { object_address: signer::address_of(&code_signer) });
        code::publish_package_txn(&code_signer, metadata_serialized, code)
    }

    public entry fun upgrade(
        publisher: &signer,
        metadata_serialized: vector<u8>,
        code: vector<vector<u8>>,
        code_object: Object<PackageRegistry>
    ) acquires ManagingRefs {
        let addr = code_object.object_address();
        assert!(
            object::is_owner(code_object, signer::address_of(publisher)),
            error::permission_denied(ENOT_CODE_OBJECT_OWNER)
        );
        assert!(exists<ManagingRefs>(addr), error::not_found(ECODE_OBJECT_DOES_NOT_EXIST));
        let code_signer = ManagingRefs[addr].extend_ref.generate_signer_for_extending();
        event::emit(Upgrade { object_address: addr });
        code::publish_package_txn(&code_signer, metadata_serialized, code)
    }

    /// Makes the object's packages immutable.
    public entry fun freeze_code_object(publisher: &signer, code_object: Object<PackageRegistry>) {
        code::freeze_code_object(publisher, code_object);
        event::emit(Freeze { object_address: code_object.object_address() });
    }
}
