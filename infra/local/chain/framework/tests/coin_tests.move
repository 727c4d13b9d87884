#[test_only]
module aptos_framework::coin_tests {
    use std::option;
    use std::string;
    use aptos_framework::account;
    use aptos_framework::aptos_account;
    use aptos_framework::aptos_coin::{Self, AptosCoin};
    use aptos_framework::chain_id;
    use aptos_framework::coin;
    use aptos_framework::fungible_asset::Metadata;
    use aptos_framework::genesis;
    use aptos_framework::object;
    use aptos_framework::primary_fungible_store;
    use aptos_framework::timestamp;

    struct Penny {}

    #[test(framework = @0x1, alice = @0xa11ce)]
    fun apt_is_one_money_in_both_forms(framework: &signer, alice: &signer) {
        genesis::setup();
        aptos_coin::mint(framework, @0xa11ce, 100);
        aptos_account::transfer(alice, @0xb0b, 30);
        assert!(account::exists_at(@0xb0b) && coin::balance<AptosCoin>(@0xb0b) == 30, 0);
        let apt = object::address_to_object<Metadata>(@0xa);
        assert!(primary_fungible_store::balance(@0xa11ce, apt) == 70, 1);
        assert!(coin::supply<AptosCoin>() == option::some(100), 2);
        assert!(coin::paired_metadata<AptosCoin>() == option::some(apt), 3);
        assert!(coin::decimals<AptosCoin>() == 8 && chain_id::get() == 4, 4);
    }

    #[test(framework = @0x1, alice = @0xa11ce)]
    fun a_coin_is_minted_taken_apart_and_burnt(framework: &signer, alice: &signer) {
        genesis::setup();
        let (burn_cap, freeze_cap, mint_cap) =
            coin::initialize<Penny>(framework, string::utf8(b"Penny"), string::utf8(b"P"), 2, true);
        let coins = coin::mint(50, &mint_cap);
        let part = coin::extract(&mut coins, 20);
        coin::deposit(@0xa11ce, coins);
        coin::burn(part, &burn_cap);
        assert!(coin::supply<Penny>() == option::some(30) && coin::balance<Penny>(@0xa11ce) == 30, 0);
        aptos_account::transfer_coins<Penny>(alice, @0xb0b, 10);
        coin::burn_from(@0xb0b, 10, &burn_cap);
        assert!(coin::supply<Penny>() == option::some(20), 1);
        coin::freeze_coin_store(@0xa11ce, &freeze_cap);
        assert!(coin::is_coin_store_frozen<Penny>(@0xa11ce), 2);
        coin::destroy_burn_cap(burn_cap);
        coin::destroy_freeze_cap(freeze_cap);
        coin::destroy_mint_cap(mint_cap);
    }

    #[test(stranger = @0xb0b)]
    #[expected_failure(abort_code = 0x60001, location = aptos_framework::aptos_coin)]
    fun a_stranger_mints_no_apt(stranger: &signer) {
        genesis::setup();
        aptos_coin::mint(stranger, @0xb0b, 1);
    }

    #[test(framework = @0x1, alice = @0xa11ce, bob = @0xb0b)]
    #[expected_failure(abort_code = 0x50003, location = aptos_framework::aptos_account)]
    fun coins_that_are_not_wanted_are_not_sent(framework: &signer, alice: &signer, bob: &signer) {
        genesis::setup();
        aptos_coin::mint(framework, @0xa11ce, 100);
        aptos_account::create_account(@0xb0b);
        aptos_account::set_allow_direct_coin_transfers(bob, false);
        aptos_account::transfer_coins<AptosCoin>(alice, @0xb0b, 1);
    }

    #[test(framework = @0x1)]
    fun time_goes_as_the_test_says(framework: &signer) {
        timestamp::set_time_has_started_for_testing(framework);
        timestamp::update_global_time_for_test_secs(1000);
        timestamp::fast_forward_seconds(5);
        assert!(timestamp::now_seconds() == 1005 && timestamp::now_microseconds() == 1005000000, 0);
    }
}
