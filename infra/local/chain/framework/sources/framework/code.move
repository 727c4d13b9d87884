/// Publishing modules: packages with metadata, and the rules by which they may change.
module aptos_framework::code {
    use std::error;
    use std::option::Option;
    use std::signer;
    use std::string::{Self, String};
    use aptos_std::copyable_any::Any;
    use aptos_framework::event;
    use aptos_framework::object::{Self, Object};
    use aptos_framework::util;

    friend aptos_framework::object_code_deployment;

    /// The package has a module of a name that another package of the account has.
    const EMODULE_NAME_CLASH: u64 = 1;
    /// The package is immutable.
    const EUPGRADE_IMMUTABLE: u64 = 2;
    /// The package's upgrade policy may only become stricter.
    const EUPGRADE_WEAKER_POLICY: u64 = 3;
    /// The new version lacks a module that the old one has.
    const EMODULE_MISSING: u64 = 4;
    /// Modules under the policy `arbitrary` are not allowed.
    const EINCOMPATIBLE_POLICY_DISABLED: u64 = 8;
    /// The caller does not own the object.
    const ENOT_PACKAGE_OWNER: u64 = 9;
    /// There is no code at this object.
    const ECODE_OBJECT_DOES_NOT_EXIST: u64 = 10;
    /// The bytecode has modules that the package's metadata does not name, or lacks some that it names.
    const EMODULES_DIFFER_FROM_METADATA: u64 = 11;

    const POLICY_COMPATIBLE: u8 = 1;
    const POLICY_IMMUTABLE: u8 = 2;

    struct PackageRegistry has drop, key, store {
        packages: vector<PackageMetadata>
    }

    struct PackageMetadata has copy, drop, store {
        name: String,
        upgrade_policy: UpgradePolicy,
        upgrade_number: u64,
        source_digest: String,
        manifest: vector<u8>,
        modules: vector<ModuleMetadata>,
        deps: vector<PackageDep>,
        extension: Option<Any>
    }

    struct PackageDep has copy, drop, store {
        account: address,
        package_name: String
    }

    struct ModuleMetadata has copy, drop, store {
        name: String,
        source: vector<u8>,
        source_map: vector<u8>,
        extension: Option<Any>
    }

    struct UpgradePolicy has copy, drop, store {
        policy: u8
    }

    /// Between the request and the VM's question back: what the metadata says is in the bytecode.
    struct PendingPublish has key {
        module_names: vector<String>
    }

    #[event]
    struct PublishPackage has drop, store {
        code_address: address,
        is_upgrade: bool
    }

    public fun upgrade_policy_arbitrary(): UpgradePolicy {
        UpgradePolicy { policy: 0 }
    }

    public fun upgrade_policy_compat(): UpgradePolicy {
        UpgradePolicy { policy: POLICY_COMPATIBLE }
    }

    public fun upgrade_policy_immutable(): UpgradePolicy {
        UpgradePolicy { policy: POLICY_IMMUTABLE }
    }

    /// Whether a package may go from one policy to the other: only to the same or a stricter one.
    public fun can_change_upgrade_policy_to(from: UpgradePolicy, to: UpgradePolicy): bool {
        from.policy <= to.policy
    }

    /// Publishes or upgrades a package at the address of `owner`.
    public fun publish_package(
        owner: &signer, pack: PackageMetadata, code: vector<vector<u8>>
    ) acquires PackageRegistry {
        assert!(
            pack.upgrade_policy.policy >= POLICY_COMPATIBLE,
            error::invalid_argument(EINCOMPATIBLE_POLICY_DISABLED)
        );
        let addr = signer::address_of(owner);
        if (!exists<PackageRegistry>(addr)) move_to(owner, PackageRegistry { packages: vector[] });
        let policy = pack.upgrade_policy.policy;
        let module_names = pack.modules.map_ref(|m| m.name);
        let is_upgrade = register(&mut PackageRegistry[addr].packages, pack, &module_names);
        event::emit(PublishPackage { code_address: addr, is_upgrade });
        move_to(owner, PendingPublish { module_names });
        request_publish(addr, code, policy);
    }

    /// As `publish_package`, from a transaction: the metadata as canonical bytes.
    public entry fun publish_package_txn(
        owner: &signer, metadata_serialized: vector<u8>, code: vector<vector<u8>>
    ) acquires PackageRegistry {
        publish_package(owner, util::from_bytes<PackageMetadata>(metadata_serialized), code)
    }

    /// Writes the package into the registry; gives whether it was there.
    fun register(
        packages: &mut vector<PackageMetadata>, pack: PackageMetadata, module_names: &vector<String>
    ): bool {
        let position = packages.length();
        let i = 0;
        while (i < packages.length()) {
            let old = packages.borrow(i);
            if (old.name == pack.name) {
                assert_upgrade_allowed(old, &pack, module_names);
                position = i;
            } else {
                old.modules.for_each_ref(|m| assert!(
                    !module_names.contains(&m.name), error::already_exists(EMODULE_NAME_CLASH)
                ));
            };
            i += 1;
        };
        let is_upgrade = position < packages.length();
        if (is_upgrade) {
            pack.upgrade_number = packages.borrow(position).upgrade_number + 1;
            *packages.borrow_mut(position) = pack;
        } else {
            pack.upgrade_number = 0;
            packages.push_back(pack);
        };
        is_upgrade
    }

    fun assert_upgrade_allowed(old: &PackageMetadata, new: &PackageMetadata, module_names: &vector<String>) {
        assert!(
            old.upgrade_policy.policy < POLICY_IMMUTABLE, error::invalid_argument(EUPGRADE_IMMUTABLE)
        );
        assert!(
            can_change_upgrade_policy_to(old.upgrade_policy, new.upgrade_policy),
            error::invalid_argument(EUPGRADE_WEAKER_POLICY)
        );
        old.modules.for_each_ref(|m| assert!(
            module_names.contains(&m.name), error::already_exists(EMODULE_MISSING)
        ));
    }

    /// Makes all packages of a code object immutable, for its owner.
    public fun freeze_code_object(
        publisher: &signer, code_object: Object<PackageRegistry>
    ) acquires PackageRegistry {
        let addr = code_object.object_address();
        assert!(exists<PackageRegistry>(addr), error::not_found(ECODE_OBJECT_DOES_NOT_EXIST));
        assert!(
            object::is_owner(code_object, signer::address_of(publisher)),
            error::permission_denied(ENOT_PACKAGE_OWNER)
        );
        let registry = &mut PackageRegistry[addr];
        registry.packages.for_each_mut(|pack| {
            pack.upgrade_policy = upgrade_policy_immutable();
        });
    }

    /// Called by the VM with the modules that it takes for the framework.
    fun init_genesis(_chain: &signer, _module_ids: vector<String>, _allowed_publishers: vector<address>) {}

    /// Called by the VM with the modules ("address::name") that it found in the bytecode of a request.
    fun verify_publish_request(
        publisher: &signer,
        module_ids: vector<String>,
        _dependency_addresses: vector<vector<address>>,
        _dependency_names: vector<vector<String>>,
        _policy: u8
    ) acquires PendingPublish {
        let PendingPublish { module_names: expected } =
            move_from<PendingPublish>(signer::address_of(publisher));
        assert!(
            expected.length() == module_ids.length() && module_ids.all(|id| expected.contains(&name_of(id))),
            error::invalid_argument(EMODULES_DIFFER_FROM_METADATA)
        );
    }

    /// "name" of "address::name".
    fun name_of(module_id: &String): String {
        let separator = string::utf8(b"::");
        module_id.sub_string(module_id.index_of(&separator) + separator.length(), module_id.length())
    }

    native fun request_publish(owner: address, code: vector<vector<u8>>, policy: u8);
}
