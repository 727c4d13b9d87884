/// Which accounts may move credits: the hooks that every batch registers, and the freezes they look at.
///
/// A leaf. The virtual machine refuses a hook whose module is already on the call stack, so this module
/// calls no other of the package and moves nothing through hooks.
module carbon_market::transfer_policy {
    use std::string::{Self, String};
    use aptos_std::table::{Self, Table};
    use aptos_framework::event;
    use aptos_framework::fungible_asset::{Self, FungibleAsset, TransferRef};
    use aptos_framework::object::{Self, Object, ObjectCore};

    friend carbon_market::access_control;

    /// The account is frozen, or lies in more than eight objects: it cannot trade, give, retire, cancel or
    /// otherwise move its credits. Or the batch is: nothing can be ordered, offered or given of it in the
    /// market.
    const E_FROZEN: u64 = 1;
    /// The account to freeze is frozen already.
    const E_ALREADY_FROZEN: u64 = 2;
    /// The account to unfreeze is not frozen.
    const E_NOT_FROZEN: u64 = 3;
    /// Nobody's address and the market's vault stand above what belongs to all: they cannot be frozen.
    const E_NOT_AN_ACCOUNT: u64 = 4;

    /// Of the vault's address, which `market_vault` makes in a package of its own.
    const VAULT_SEED: vector<u8> = b"CARBONMARKET::VAULT";
    const NOBODY: address = @0x0;
    /// How many objects around an account are looked through; as many as the framework does.
    const MAX_NESTING: u64 = 8;

    /// An enum, so that later versions can hold more than freezes.
    enum Policy has key {
        V1 {
            /// Frozen accounts, each with the reason.
            frozen: Table<address, String>
        }
    }

    #[event]
    /// An account was frozen or unfrozen; the reason is "" while it is not frozen.
    struct AccountFreezeChanged has drop, store {
        account: address,
        frozen_old: bool,
        frozen_new: bool,
        reason_old: String,
        reason_new: String
    }

    fun init_module(publisher: &signer) {
        move_to(publisher, Policy::V1 { frozen: table::new() });
    }

    public(friend) fun freeze_account(account: address, reason: String) acquires Policy {
        let vault = object::create_object_address(&@carbon_market, VAULT_SEED);
        assert!(account != NOBODY && account != vault, E_NOT_AN_ACCOUNT);
        let frozen = &mut Policy[@carbon_market].frozen;
        assert!(!frozen.contains(account), E_ALREADY_FROZEN);
        frozen.add(account, reason);
        event::emit(
            AccountFreezeChanged {
                account,
                frozen_old: false,
                frozen_new: true,
                reason_old: string::utf8(b""),
                reason_new: reason
            }
        );
    }

    /// `reason` says why it may move again.
    public(friend) fun unfreeze_account(account: address, reason: String) acquires Policy {
        let frozen = &mut Policy[@carbon_market].frozen;
        assert!(frozen.contains(account), E_NOT_FROZEN);
        let reason_old = frozen.remove(account);
        event::emit(
            AccountFreezeChanged {
                account,
                frozen_old: true,
                frozen_new: false,
                reason_old,
                reason_new: reason
            }
        );
    }

    #[view]
    public fun is_frozen(account: address): bool acquires Policy {
        Policy[@carbon_market].frozen.contains(account)
    }

    #[view]
    /// Why the account is frozen; "" when it is not.
    public fun freeze_reason(account: address): String acquires Policy {
        *Policy[@carbon_market].frozen.borrow_with_default(account, &string::utf8(b""))
    }

    /// Whether neither the account nor, where it is an object, any owner above it is frozen.
    ///
    /// Objects can own one another in a circle, or lie in as many others as somebody cares to pay for. Whoever
    /// meets their orders would look up owners until its gas is spent, so these may not trade.
    public fun may_trade(account: address): bool acquires Policy {
        let depth = 0;
        while (!is_frozen(account)) {
            if (!object::is_object(account)) return true;
            if (depth == MAX_NESTING) return false;
            account = object::owner(object::address_to_object<ObjectCore>(account));
            depth += 1;
        };
        false
    }

    /// For whoever lets accounts do business with credits without moving them yet.
    public fun assert_may_trade(account: address) acquires Policy {
        assert!(may_trade(account), E_FROZEN);
    }

    /// Of a batch: whether it is frozen itself.
    public fun assert_not_frozen(batch: address) acquires Policy {
        assert!(!is_frozen(batch), E_FROZEN);
    }

    /// The withdraw hook of every batch. Stores may lie in objects of objects, so every owner above the
    /// store counts, not only the nearest.
    public fun withdraw<T: key>(
        store: Object<T>, amount: u64, transfer_ref: &TransferRef
    ): FungibleAsset acquires Policy {
        assert_may_trade(object::owner(store));
        fungible_asset::withdraw_with_ref(transfer_ref, store, amount)
    }

    /// The deposit hook of every batch. It lets everybody receive; batches register it because a hook that
    /// is not there at creation can never be added.
    public fun deposit<T: key>(store: Object<T>, asset: FungibleAsset, transfer_ref: &TransferRef) {
        fungible_asset::deposit_with_ref(transfer_ref, store, asset);
    }

    #[test_only]
    public fun init_for_test(publisher: &signer) {
        init_module(publisher);
    }
}
