#[test_only]
/// The hooks are called as the framework calls them; that it does is tested on a chain.
module test_usdc::usdc_tests {
    use aptos_framework::account;
    use aptos_framework::fungible_asset::{Self, FungibleStore, Metadata, TransferRef};
    use aptos_framework::object::{Self, Object};
    use aptos_framework::primary_fungible_store;
    use std::option;
    use std::string;
    use test_usdc::usdc;

    fun publisher(): signer {
        account::create_signer_for_test(@test_usdc)
    }

    fun alice(): signer {
        account::create_signer_for_test(@0xa11ce)
    }

    fun asset(): Object<Metadata> {
        object::address_to_object(usdc::asset_address())
    }

    /// A store of Alice's with 10 units of an asset without hooks, and the ref that hooks get.
    fun plain_store(): (Object<FungibleStore>, TransferRef) {
        let constructor = object::create_named_object(&alice(), b"plain");
        let metadata =
            fungible_asset::add_fungibility(
                &constructor,
                option::none(),
                string::utf8(b"Plain"),
                string::utf8(b"P"),
                0,
                string::utf8(b""),
                string::utf8(b"")
            );
        let store = fungible_asset::create_store(&object::create_object(@0xa11ce), metadata);
        fungible_asset::mint_to(&fungible_asset::generate_mint_ref(&constructor), store, 10);
        (store, fungible_asset::generate_transfer_ref(&constructor))
    }

    fun move_out_and_back() {
        let (store, transfer_ref) = plain_store();
        let moved = usdc::withdraw(store, 4, &transfer_ref);
        assert!(fungible_asset::balance(store) == 6);
        usdc::deposit(store, moved, &transfer_ref);
        assert!(fungible_asset::balance(store) == 10);
    }

    #[test]
    fun anybody_gets_units_from_the_faucet() {
        usdc::init_for_test(&publisher());
        usdc::faucet(&alice(), @0xb0b, 7000000);
        assert!(primary_fungible_store::balance(@0xb0b, asset()) == 7000000);
        assert!(fungible_asset::decimals(asset()) == 6);
        move_out_and_back();
    }

    #[test, expected_failure(abort_code = usdc::E_FAUCET_AMOUNT, location = usdc)]
    fun the_faucet_gives_no_billions() {
        usdc::init_for_test(&publisher());
        usdc::faucet(&alice(), @0xb0b, 1000000000001);
    }

    #[test, expected_failure(abort_code = usdc::E_PAUSED, location = usdc)]
    fun nothing_moves_while_paused() {
        usdc::init_for_test(&publisher());
        usdc::set_paused(&publisher(), true);
        assert!(usdc::is_paused());
        move_out_and_back();
    }

    #[test, expected_failure(abort_code = usdc::E_BLOCKED, location = usdc)]
    fun a_blocked_account_sends_nothing() {
        usdc::init_for_test(&publisher());
        usdc::set_blocked(&publisher(), @0xa11ce, true);
        move_out_and_back();
    }

    #[test]
    fun an_account_comes_off_the_blocklist() {
        usdc::init_for_test(&publisher());
        usdc::set_blocked(&publisher(), @0xa11ce, true);
        usdc::set_blocked(&publisher(), @0xa11ce, false);
        assert!(!usdc::is_blocked(@0xa11ce));
        move_out_and_back();
    }

    #[test, expected_failure(abort_code = usdc::E_NOT_PUBLISHER, location = usdc)]
    fun only_the_publisher_blocks() {
        usdc::init_for_test(&publisher());
        usdc::set_blocked(&alice(), @0xb0b, true);
    }
}
