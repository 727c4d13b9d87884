/// APT: the coin that pays for gas.
module aptos_framework::aptos_coin {
    use std::error;
    use std::signer;
    use std::string;
    use aptos_framework::coin::{Self, MintCapability};
    use aptos_framework::object;

    friend aptos_framework::genesis;

    /// The caller has no capability to mint.
    const ENO_CAPABILITIES: u64 = 1;

    struct AptosCoin has key {}

    struct MintCapStore has key {
        mint_cap: MintCapability<AptosCoin>
    }

    /// Makes APT, paired with the asset at 0xa. The framework's account keeps the capability to mint.
    public(friend) fun initialize(aptos_framework: &signer) {
        let metadata_ref = object::create_sticky_object_at_address(@aptos_framework, @0xa);
        let (burn_cap, freeze_cap, mint_cap) = coin::initialize_at<AptosCoin>(
            aptos_framework, &metadata_ref, string::utf8(b"Aptos Coin"), string::utf8(b"APT"), 8
        );
        coin::destroy_burn_cap(burn_cap);
        coin::destroy_freeze_cap(freeze_cap);
        move_to(aptos_framework, MintCapStore { mint_cap });
    }

    public fun has_mint_capability(account: &signer): bool {
        exists<MintCapStore>(signer::address_of(account))
    }

    /// Makes APT for `dst_addr` out of nothing, in octas (1e-8 APT).
    public entry fun mint(account: &signer, dst_addr: address, amount: u64) acquires MintCapStore {
        let account_addr = signer::address_of(account);
        assert!(exists<MintCapStore>(account_addr), error::not_found(ENO_CAPABILITIES));
        let coins = coin::mint(amount, &MintCapStore[account_addr].mint_cap);
        coin::deposit(dst_addr, coins);
    }
}
