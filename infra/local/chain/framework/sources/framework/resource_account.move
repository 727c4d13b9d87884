/// Accounts that hold modules and no key: made by one account, taken over by the modules published to them.
module aptos_framework::resource_account {
    use std::error;
    use std::signer;
    use std::vector;
    use aptos_std::simple_map::{Self, SimpleMap};
    use aptos_framework::account::{Self, SignerCapability};
    use aptos_framework::aptos_account;
    use aptos_framework::code;

    /// The account has made no resource accounts.
    const ECONTAINER_NOT_PUBLISHED: u64 = 1;
    /// The resource account was made by another account.
    const EUNAUTHORIZED_NOT_OWNER: u64 = 2;

    const ZERO_AUTH_KEY: vector<u8> = x"0000000000000000000000000000000000000000000000000000000000000000";

    struct Container has key {
        store: SimpleMap<address, SignerCapability>
    }

    /// Makes a resource account opened by `optional_auth_key`, or by the origin's key if that is empty.
    public entry fun create_resource_account(
        origin: &signer, seed: vector<u8>, optional_auth_key: vector<u8>
    ) acquires Container {
        let (resource, resource_signer_cap) = account::create_resource_account(origin, seed);
        keep(origin, resource, resource_signer_cap, optional_auth_key)
    }

    /// As `create_resource_account`, with APT (in octas) from the origin.
    public entry fun create_resource_account_and_fund(
        origin: &signer, seed: vector<u8>, optional_auth_key: vector<u8>, fund_amount: u64
    ) acquires Container {
        let (resource, resource_signer_cap) = account::create_resource_account(origin, seed);
        aptos_account::transfer(origin, signer::address_of(&resource), fund_amount);
        keep(origin, resource, resource_signer_cap, optional_auth_key)
    }

    /// Makes a resource account that no key opens and publishes a package to it.
    public entry fun create_resource_account_and_publish_package(
        origin: &signer, seed: vector<u8>, metadata_serialized: vector<u8>, code: vector<vector<u8>>
    ) acquires Container {
        let (resource, resource_signer_cap) = account::create_resource_account(origin, seed);
        code::publish_package_txn(&resource, metadata_serialized, code);
        keep(origin, resource, resource_signer_cap, ZERO_AUTH_KEY)
    }

    fun keep(
        origin: &signer,
        resource: signer,
        resource_signer_cap: SignerCapability,
        optional_auth_key: vector<u8>
    ) acquires Container {
        let origin_addr = signer::address_of(origin);
        if (!exists<Container>(origin_addr)) move_to(origin, Container { store: simple_map::new() });
        let container = &mut Container[origin_addr];
        container.store.add(signer::address_of(&resource), resource_signer_cap);
        let auth_key =
            if (vector::is_empty(&optional_auth_key)) account::get_authentication_key(origin_addr)
            else optional_auth_key;
        account::rotate_authentication_key_internal(&resource, auth_key);
    }

    /// Hands the capability to the modules of the resource account; no key opens it any more.
    public fun retrieve_resource_account_cap(
        resource: &signer, source_addr: address
    ): SignerCapability acquires Container {
        assert!(exists<Container>(source_addr), error::not_found(ECONTAINER_NOT_PUBLISHED));
        let resource_addr = signer::address_of(resource);
        let container = &mut Container[source_addr];
        assert!(
            container.store.contains_key(&resource_addr), error::invalid_argument(EUNAUTHORIZED_NOT_OWNER)
        );
        let (_, resource_signer_cap) = container.store.remove(&resource_addr);
        let is_last = container.store.length() == 0;
        if (is_last) {
            let Container { store } = move_from<Container>(source_addr);
            store.destroy_empty();
        };
        account::rotate_authentication_key_internal(resource, ZERO_AUTH_KEY);
        resource_signer_cap
    }
}
