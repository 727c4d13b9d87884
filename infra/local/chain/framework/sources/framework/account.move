/// Accounts: the sequence number and authentication key that the server checks, numbered creations, and accounts
/// that a module holds instead of a key.
module aptos_framework::account {
    use std::bcs;
    use std::error;
    use std::hash;
    use std::option::{Self, Option};
    use std::signer;
    use aptos_std::type_info::TypeInfo;
    use aptos_framework::event::{Self, EventHandle};
    use aptos_framework::guid::{Self, GUID};

    friend aptos_framework::aptos_account;
    friend aptos_framework::coin;
    friend aptos_framework::genesis;
    friend aptos_framework::object;
    friend aptos_framework::resource_account;

    /// There is an account at this address already.
    const EACCOUNT_ALREADY_EXISTS: u64 = 1;
    /// There is no account at this address.
    const EACCOUNT_DOES_NOT_EXIST: u64 = 2;
    /// The authentication key is not 32 bytes long.
    const EMALFORMED_AUTHENTICATION_KEY: u64 = 4;
    /// The address belongs to the chain itself.
    const ECANNOT_RESERVED_ADDRESS: u64 = 5;
    /// The account is in use and cannot become a resource account.
    const EACCOUNT_ALREADY_USED: u64 = 16;
    /// The account is a resource account already.
    const ERESOURCE_ACCOUNT_EXISTS: u64 = 15;

    const DERIVE_RESOURCE_ACCOUNT_SCHEME: u8 = 255;
    /// The key of an account that no key opens.
    const ZERO_AUTH_KEY: vector<u8> = x"0000000000000000000000000000000000000000000000000000000000000000";
    const AUTHENTICATION_KEY_LENGTH: u64 = 32;

    struct Account has key, store {
        authentication_key: vector<u8>,
        sequence_number: u64,
        guid_creation_num: u64,
        coin_register_events: EventHandle<CoinRegisterEvent>,
        key_rotation_events: EventHandle<KeyRotationEvent>,
        rotation_capability_offer: CapabilityOffer<RotationCapability>,
        signer_capability_offer: CapabilityOffer<SignerCapability>
    }

    struct CapabilityOffer<phantom T> has store {
        for: Option<address>
    }

    struct RotationCapability has drop, store {
        account: address
    }

    /// Whoever holds this may act for the account.
    struct SignerCapability has drop, store {
        account: address
    }

    struct CoinRegisterEvent has drop, store {
        type_info: TypeInfo
    }

    struct KeyRotationEvent has drop, store {
        old_authentication_key: vector<u8>,
        new_authentication_key: vector<u8>
    }

    #[event]
    struct KeyRotation has drop, store {
        account: address,
        old_authentication_key: vector<u8>,
        new_authentication_key: vector<u8>
    }

    public(friend) native fun create_signer(addr: address): signer;

    /// Makes the account of a new address; aborts for one that exists or is the chain's own.
    public(friend) fun create_account(new_address: address): signer {
        assert!(!exists<Account>(new_address), error::already_exists(EACCOUNT_ALREADY_EXISTS));
        assert!(
            new_address != @0x0 && new_address != @aptos_framework && new_address != @0x3,
            error::invalid_argument(ECANNOT_RESERVED_ADDRESS)
        );
        create_account_unchecked(new_address)
    }

    public(friend) fun create_account_unchecked(new_address: address): signer {
        let new_account = create_signer(new_address);
        let guid_creation_num = 0;
        let coin_guid = guid::create(new_address, &mut guid_creation_num);
        let rotation_guid = guid::create(new_address, &mut guid_creation_num);
        move_to(
            &new_account,
            Account {
                authentication_key: bcs::to_bytes(&new_address),
                sequence_number: 0,
                guid_creation_num,
                coin_register_events: event::new_event_handle(coin_guid),
                key_rotation_events: event::new_event_handle(rotation_guid),
                rotation_capability_offer: CapabilityOffer { for: option::none() },
                signer_capability_offer: CapabilityOffer { for: option::none() }
            }
        );
        new_account
    }

    public fun create_account_if_does_not_exist(account_address: address) {
        if (!exists<Account>(account_address)) {
            create_account(account_address);
        }
    }

    #[view]
    public fun exists_at(addr: address): bool {
        exists<Account>(addr)
    }

    #[view]
    public fun get_guid_next_creation_num(addr: address): u64 acquires Account {
        borrow_account(addr).guid_creation_num
    }

    #[view]
    /// Number of transactions that the account has sent; 0 for an address without an account.
    public fun get_sequence_number(addr: address): u64 acquires Account {
        if (exists<Account>(addr)) Account[addr].sequence_number else 0
    }

    #[view]
    /// The key that opens the account: its address, until the key is rotated.
    public fun get_authentication_key(addr: address): vector<u8> acquires Account {
        if (exists<Account>(addr)) Account[addr].authentication_key else bcs::to_bytes(&addr)
    }

    /// Lets `new_auth_key` open the account from now on, on the word of the old key alone.
    entry fun rotate_authentication_key_call(account: &signer, new_auth_key: vector<u8>) acquires Account {
        rotate_authentication_key_internal(account, new_auth_key)
    }

    public(friend) fun rotate_authentication_key_internal(
        account: &signer, new_auth_key: vector<u8>
    ) acquires Account {
        let addr = signer::address_of(account);
        assert!(
            new_auth_key.length() == AUTHENTICATION_KEY_LENGTH,
            error::invalid_argument(EMALFORMED_AUTHENTICATION_KEY)
        );
        assert!(exists<Account>(addr), error::not_found(EACCOUNT_DOES_NOT_EXIST));
        let resource = &mut Account[addr];
        let old_authentication_key = resource.authentication_key;
        resource.authentication_key = new_auth_key;
        event::emit(
            KeyRotation { account: addr, old_authentication_key, new_authentication_key: new_auth_key }
        );
    }

    // Resource accounts.

    /// sha3_256(source | seed | 0xFF).
    public fun create_resource_address(source: &address, seed: vector<u8>): address {
        let bytes = bcs::to_bytes(source);
        bytes.append(seed);
        bytes.push_back(DERIVE_RESOURCE_ACCOUNT_SCHEME);
        aptos_std::from_bcs::to_address(hash::sha3_256(bytes))
    }

    /// An account that no key opens, and the capability that does. An unused account may lie at its address.
    public fun create_resource_account(
        source: &signer, seed: vector<u8>
    ): (signer, SignerCapability) acquires Account {
        let addr = create_resource_address(&signer::address_of(source), seed);
        let resource =
            if (exists<Account>(addr)) {
                let account = &Account[addr];
                assert!(
                    account.signer_capability_offer.for.is_none(),
                    error::already_exists(ERESOURCE_ACCOUNT_EXISTS)
                );
                assert!(account.sequence_number == 0, error::invalid_state(EACCOUNT_ALREADY_USED));
                create_signer(addr)
            } else create_account_unchecked(addr);
        let account = &mut Account[addr];
        account.authentication_key = ZERO_AUTH_KEY;
        account.signer_capability_offer.for = option::some(addr);
        (resource, SignerCapability { account: addr })
    }

    public fun create_signer_with_capability(capability: &SignerCapability): signer {
        create_signer(capability.account)
    }

    public fun get_signer_capability_address(capability: &SignerCapability): address {
        capability.account
    }

    // Numbered creations.

    public fun create_guid(account_signer: &signer): GUID acquires Account {
        let addr = signer::address_of(account_signer);
        assert!(exists<Account>(addr), error::not_found(EACCOUNT_DOES_NOT_EXIST));
        guid::create(addr, &mut Account[addr].guid_creation_num)
    }

    public fun new_event_handle<T: drop + store>(account: &signer): EventHandle<T> acquires Account {
        event::new_event_handle(create_guid(account))
    }

    inline fun borrow_account(addr: address): &Account {
        assert!(exists<Account>(addr), error::not_found(EACCOUNT_DOES_NOT_EXIST));
        &Account[addr]
    }

    #[test_only]
    public fun create_account_for_test(new_address: address): signer {
        // Tests make accounts for the chain's own addresses too.
        create_account_unchecked(new_address)
    }

    #[test_only]
    public fun create_signer_for_test(addr: address): signer {
        create_signer(addr)
    }
}
