/// What wallets call: transfers that make the receiver's account if there is none.
module aptos_framework::aptos_account {
    use std::error;
    use std::signer;
    use aptos_framework::account;
    use aptos_framework::coin::{Self, Coin};
    use aptos_framework::event::{Self, EventHandle};
    use aptos_framework::fungible_asset::{FungibleAsset, Metadata};
    use aptos_framework::object::{Self, Object};
    use aptos_framework::primary_fungible_store;

    /// There is no account at this address.
    const EACCOUNT_NOT_FOUND: u64 = 1;
    /// The receiver takes no coins that it did not ask for.
    const EACCOUNT_DOES_NOT_ACCEPT_DIRECT_COIN_TRANSFERS: u64 = 3;
    /// There must be as many amounts as receivers.
    const EMISMATCHING_RECIPIENTS_AND_AMOUNTS_LENGTH: u64 = 5;

    struct DirectTransferConfig has key {
        allow_arbitrary_coin_transfers: bool,
        update_coin_transfer_events: EventHandle<DirectCoinTransferConfigUpdatedEvent>
    }

    struct DirectCoinTransferConfigUpdatedEvent has drop, store {
        new_allow_direct_transfers: bool
    }

    #[event]
    struct DirectCoinTransferConfigUpdated has drop, store {
        account: address,
        new_allow_direct_transfers: bool
    }

    /// Makes the account of a new address.
    public entry fun create_account(auth_key: address) {
        account::create_account(auth_key);
    }

    public entry fun batch_transfer(source: &signer, recipients: vector<address>, amounts: vector<u64>) {
        assert_as_many(&recipients, &amounts);
        recipients.zip(amounts, |to, amount| transfer(source, to, amount));
    }

    /// Transfers APT, in octas.
    public entry fun transfer(source: &signer, to: address, amount: u64) {
        account::create_account_if_does_not_exist(to);
        fungible_transfer_only(source, to, amount)
    }

    public entry fun batch_transfer_coins<CoinType>(
        from: &signer, recipients: vector<address>, amounts: vector<u64>
    ) acquires DirectTransferConfig {
        assert_as_many(&recipients, &amounts);
        recipients.zip(amounts, |to, amount| transfer_coins<CoinType>(from, to, amount));
    }

    public entry fun transfer_coins<CoinType>(
        from: &signer, to: address, amount: u64
    ) acquires DirectTransferConfig {
        deposit_coins(to, coin::withdraw<CoinType>(from, amount));
    }

    public fun deposit_coins<CoinType>(to: address, coins: Coin<CoinType>) acquires DirectTransferConfig {
        account::create_account_if_does_not_exist(to);
        assert!(
            can_receive_direct_coin_transfers(to),
            error::permission_denied(EACCOUNT_DOES_NOT_ACCEPT_DIRECT_COIN_TRANSFERS)
        );
        coin::deposit(to, coins)
    }

    public entry fun batch_transfer_fungible_assets(
        from: &signer, metadata: Object<Metadata>, recipients: vector<address>, amounts: vector<u64>
    ) {
        assert_as_many(&recipients, &amounts);
        recipients.zip(amounts, |to, amount| transfer_fungible_assets(from, metadata, to, amount));
    }

    public entry fun transfer_fungible_assets(
        from: &signer, metadata: Object<Metadata>, to: address, amount: u64
    ) {
        deposit_fungible_assets(to, primary_fungible_store::withdraw(from, metadata, amount));
    }

    public fun deposit_fungible_assets(to: address, fa: FungibleAsset) {
        account::create_account_if_does_not_exist(to);
        primary_fungible_store::deposit(to, fa)
    }

    public fun assert_account_exists(addr: address) {
        assert!(account::exists_at(addr), error::not_found(EACCOUNT_NOT_FOUND));
    }

    public fun assert_account_is_registered_for_apt(addr: address) {
        assert_account_exists(addr);
    }

    /// Says whether others may send the account coins that it did not ask for.
    public entry fun set_allow_direct_coin_transfers(account: &signer, allow: bool) acquires DirectTransferConfig {
        let addr = signer::address_of(account);
        if (exists<DirectTransferConfig>(addr)) {
            let config = &mut DirectTransferConfig[addr];
            if (config.allow_arbitrary_coin_transfers == allow) return;
            config.allow_arbitrary_coin_transfers = allow;
        } else {
            move_to(
                account,
                DirectTransferConfig {
                    allow_arbitrary_coin_transfers: allow,
                    update_coin_transfer_events: account::new_event_handle(account)
                }
            );
        };
        event::emit(
            DirectCoinTransferConfigUpdated { account: addr, new_allow_direct_transfers: allow }
        );
    }

    #[view]
    public fun can_receive_direct_coin_transfers(account: address): bool acquires DirectTransferConfig {
        !exists<DirectTransferConfig>(account)
            || DirectTransferConfig[account].allow_arbitrary_coin_transfers
    }

    /// Transfers APT without a look at the receiver's account.
    public(friend) entry fun fungible_transfer_only(source: &signer, to: address, amount: u64) {
        primary_fungible_store::transfer(source, apt(), to, amount)
    }

    fun apt(): Object<Metadata> {
        object::address_to_object(@0xa)
    }

    fun assert_as_many(recipients: &vector<address>, amounts: &vector<u64>) {
        assert!(
            recipients.length() == amounts.length(),
            error::invalid_argument(EMISMATCHING_RECIPIENTS_AND_AMOUNTS_LENGTH)
        );
    }
}
