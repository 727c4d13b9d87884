/// Everything that the market holds for others: one object owns the stores, a table says whose what is.
///
/// Trades only move numbers in the table. A store is touched when somebody brings or fetches something of
/// its own, so that no frozen, full or hooked store of one account can stop another's trade.
module carbon_market::market_vault {
    use std::signer;
    use aptos_std::table::{Self, Table};
    use aptos_framework::event;
    use aptos_framework::fungible_asset::{Self, Metadata};
    use aptos_framework::object::{Self, ExtendRef, Object};
    use aptos_framework::primary_fungible_store;
    use carbon_market::access_control;
    use carbon_market::transfer_policy;

    /// The amount must be at least one unit.
    const E_ZERO: u64 = 1;
    /// The account's claimable balance is smaller than that.
    const E_ABOVE_BALANCE: u64 = 2;
    /// The account's wallet holds less than that.
    const E_ABOVE_WALLET: u64 = 3;
    /// The asset gave less than was taken from the wallet; such an asset cannot be traded.
    const E_ASSET_KEEPS_A_PART: u64 = 4;
    /// Only the package's own account may take the power to move what the vault holds.
    const E_NOT_THE_PUBLISHER: u64 = 5;
    /// All modules of the market have that power; there is no more of it.
    const E_NO_CAP_LEFT: u64 = 6;

    const SEED: vector<u8> = b"CARBONMARKET::VAULT";
    /// `gifts`, `listings`, `market_book` and `market_fees`.
    const CAPS: u64 = 4;
    /// Owns the vault: owning an object means power over the stores below it.
    const NOBODY: address = @0x0;

    struct BalanceKey has copy, drop, store {
        account: address,
        asset: address
    }

    struct Vault has key {
        keeper: ExtendRef,
        /// What each account may claim or trade with. What orders, listings and gifts hold is not in it.
        balances: Table<BalanceKey, u64>,
        /// By asset, what was brought and not claimed: what the vault owes. It may hold more, since anybody
        /// can send an asset to its address; that is nobody's.
        owed: Table<address, u64>
    }

    /// Power to move what the vault holds. Each module of the market takes one when it is published and lends
    /// it with each call. Friends would do the same, but a friend's module is loaded with every call of this
    /// one.
    struct VaultCap has store {}

    /// At the package's address.
    struct CapsTaken has key {
        count: u64
    }

    #[event]
    /// A claimable balance changed. The treasury's account is the vault itself.
    struct BalanceChanged has drop, store {
        account: address,
        asset: address,
        balance_old: u64,
        balance_new: u64
    }

    #[event]
    /// Something came out of a wallet, to a claimable balance or straight into escrow.
    struct Brought has drop, store {
        account: address,
        asset: address,
        amount: u64
    }

    #[event]
    /// Something went to the wallet of its owner.
    struct Claimed has drop, store {
        account: address,
        asset: address,
        amount: u64
    }

    fun init_module(publisher: &signer) {
        let constructor = object::create_named_object(publisher, SEED);
        object::transfer_with_ref(
            object::generate_linear_transfer_ref(&object::generate_transfer_ref(&constructor)), NOBODY
        );
        move_to(
            publisher,
            Vault {
                keeper: object::generate_extend_ref(&constructor),
                balances: table::new(),
                owed: table::new()
            }
        );
    }

    /// For the initialisers of the market's modules. When they are published nothing is left to take, not
    /// even for the publisher's key; but that key can still publish another version of this module.
    public fun take_cap(publisher: &signer): VaultCap acquires CapsTaken {
        assert!(signer::address_of(publisher) == @carbon_market, E_NOT_THE_PUBLISHER);
        if (!exists<CapsTaken>(@carbon_market)) {
            move_to(publisher, CapsTaken { count: 0 });
        };
        let taken = &mut CapsTaken[@carbon_market];
        assert!(taken.count < CAPS, E_NO_CAP_LEFT);
        taken.count += 1;
        VaultCap {}
    }

    /// Brings something from the wallet to trade with later.
    public entry fun deposit(owner: &signer, asset: Object<Metadata>, amount: u64) acquires Vault {
        access_control::assert_not_paused();
        transfer_policy::assert_may_trade(signer::address_of(owner));
        bring(owner, asset, amount);
        increase(signer::address_of(owner), asset, amount);
    }

    /// Fetches something to the wallet. No pause and no freeze stops it: credits that a frozen account
    /// fetched stay in its wallet by their hook.
    public entry fun claim(owner: &signer, asset: Object<Metadata>, amount: u64) acquires Vault {
        let account = signer::address_of(owner);
        decrease(account, asset, amount);
        pay_out(account, asset, amount);
    }

    /// Takes what an order, a listing or a gift holds from now on: from the wallet, or from the claimable
    /// balance.
    public fun escrow(
        _cap: &VaultCap, owner: &signer, asset: Object<Metadata>, amount: u64, from_wallet: bool
    ) acquires Vault {
        if (from_wallet) {
            bring(owner, asset, amount);
        } else {
            decrease(signer::address_of(owner), asset, amount);
        }
    }

    fun bring(owner: &signer, asset: Object<Metadata>, amount: u64) acquires Vault {
        let account = signer::address_of(owner);
        assert!(amount > 0, E_ZERO);
        assert!(primary_fungible_store::balance(account, asset) >= amount, E_ABOVE_WALLET);
        let taken = primary_fungible_store::withdraw(owner, asset, amount);
        assert_whole(amount, fungible_asset::amount(&taken));
        let before = primary_fungible_store::balance(vault_address(), asset);
        primary_fungible_store::deposit(vault_address(), taken);
        let after = primary_fungible_store::balance(vault_address(), asset);
        assert_whole(amount, after - before);
        let asset = object::object_address(&asset);
        let owed = &mut Vault[@carbon_market].owed;
        *owed.borrow_mut_with_default(asset, 0) += amount;
        event::emit(Brought { account, asset, amount });
    }

    fun assert_whole(expected: u64, found: u64) {
        assert!(found == expected, E_ASSET_KEEPS_A_PART);
    }

    /// Sends what no balance counts any more to a wallet.
    public fun send(
        _cap: &VaultCap, account: address, asset: Object<Metadata>, amount: u64
    ) acquires Vault {
        pay_out(account, asset, amount);
    }

    fun pay_out(account: address, asset: Object<Metadata>, amount: u64) acquires Vault {
        let vault = &mut Vault[@carbon_market];
        *vault.owed.borrow_mut(object::object_address(&asset)) -= amount;
        let keeper = object::generate_signer_for_extending(&vault.keeper);
        primary_fungible_store::deposit(
            account, primary_fungible_store::withdraw(&keeper, asset, amount)
        );
        event::emit(Claimed { account, asset: object::object_address(&asset), amount });
    }

    /// Nothing happens for 0.
    public fun credit(
        _cap: &VaultCap, account: address, asset: Object<Metadata>, amount: u64
    ) acquires Vault {
        if (amount > 0) increase(account, asset, amount);
    }

    fun increase(account: address, asset: Object<Metadata>, amount: u64) acquires Vault {
        let asset = object::object_address(&asset);
        let key = BalanceKey { account, asset };
        let balances = &mut Vault[@carbon_market].balances;
        let balance = balances.borrow_mut_with_default(key, 0);
        let balance_old = *balance;
        *balance = balance_old + amount;
        event::emit(BalanceChanged { account, asset, balance_old, balance_new: balance_old + amount });
    }

    public fun debit(
        _cap: &VaultCap, account: address, asset: Object<Metadata>, amount: u64
    ) acquires Vault {
        decrease(account, asset, amount);
    }

    /// An emptied balance leaves no item behind.
    fun decrease(account: address, asset: Object<Metadata>, amount: u64) acquires Vault {
        assert!(amount > 0, E_ZERO);
        let asset = object::object_address(&asset);
        let key = BalanceKey { account, asset };
        let balances = &mut Vault[@carbon_market].balances;
        assert!(balances.contains(key), E_ABOVE_BALANCE);
        let balance = balances.borrow_mut(key);
        let balance_old = *balance;
        assert!(balance_old >= amount, E_ABOVE_BALANCE);
        let balance_new = balance_old - amount;
        *balance = balance_new;
        if (balance_new == 0) {
            balances.remove(key);
        };
        event::emit(BalanceChanged { account, asset, balance_old, balance_new });
    }

    #[view]
    /// The object that holds everything; its own claimable balances are the treasury.
    public fun vault_address(): address {
        object::create_object_address(&@carbon_market, SEED)
    }

    #[view]
    public fun balance(account: address, asset: Object<Metadata>): u64 acquires Vault {
        let key = BalanceKey { account, asset: object::object_address(&asset) };
        *Vault[@carbon_market].balances.borrow_with_default(key, &0)
    }

    #[view]
    /// What the vault owes of an asset: claimable balances and what orders, listings and gifts hold.
    public fun owed(asset: Object<Metadata>): u64 acquires Vault {
        *Vault[@carbon_market].owed.borrow_with_default(object::object_address(&asset), &0)
    }

    #[view]
    /// What the vault holds of an asset, with what strangers sent there.
    public fun held(asset: Object<Metadata>): u64 {
        primary_fungible_store::balance(vault_address(), asset)
    }

    #[test_only]
    public fun init_for_test(publisher: &signer) {
        init_module(publisher);
    }

    #[test_only]
    public fun take_cap_for_test(publisher: &signer) acquires CapsTaken {
        let VaultCap {} = take_cap(publisher);
    }

    #[test_only]
    public fun assert_whole_for_test(expected: u64, found: u64) {
        assert_whole(expected, found);
    }
}
