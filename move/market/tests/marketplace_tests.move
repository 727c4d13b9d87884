#[test_only]
module carbon_market::marketplace_tests {
    use carbon_market::carbon_credit;
    use carbon_market::credit_batch;
    use carbon_market::market_book;
    use carbon_market::market_fees;
    use carbon_market::market_vault;
    use carbon_market::marketplace;
    use carbon_market::stage;
    use carbon_market::access_control;
    use carbon_market::transfer_policy;

    #[test]
    fun a_page_passes_over_what_is_gone() {
        stage::open();
        let first = stage::ask(10, 10);
        let second = stage::ask(11, 10);
        marketplace::cancel(&stage::seller(), 1, first);
        marketplace::cancel_page(&stage::seller(), 1, vector[first, second]);
        assert!(stage::grams_of(@0xde) == 20);
    }

    #[test, expected_failure(abort_code = market_book::E_BAD_PAGE, location = market_book)]
    fun a_page_is_not_empty() {
        stage::open();
        marketplace::cancel_page(&stage::seller(), 1, vector[]);
    }

    // The vault.

    #[test]
    fun an_order_takes_from_the_claimable_balance() {
        stage::open();
        market_vault::deposit(&stage::seller(), stage::batch(), 30);
        marketplace::place(&stage::seller(), 1, false, 0, 10 * stage::tick(), 10, 0, 0, 0, false);
        assert!(stage::grams_of(@0xde) == 20 && market_vault::held(stage::batch()) == 30);
    }

    #[test, expected_failure(abort_code = market_vault::E_ZERO, location = market_vault)]
    fun nothing_is_not_deposited() {
        stage::open();
        market_vault::deposit(&stage::seller(), stage::batch(), 0);
    }

    #[test, expected_failure(abort_code = market_vault::E_ABOVE_WALLET, location = market_vault)]
    fun a_wallet_must_hold_what_is_brought() {
        stage::open();
        market_vault::deposit(&stage::buyer(), stage::batch(), 1);
    }

    #[test, expected_failure(abort_code = market_vault::E_ABOVE_BALANCE, location = market_vault)]
    fun no_more_is_claimed_than_is_there() {
        stage::open();
        market_vault::claim(&stage::buyer(), stage::batch(), 1);
    }

    #[test, expected_failure(abort_code = market_vault::E_ASSET_KEEPS_A_PART, location = market_vault)]
    fun an_asset_that_keeps_a_part_is_refused() {
        market_vault::assert_whole_for_test(10, 9);
    }

    #[test, expected_failure(abort_code = market_vault::E_NOT_THE_PUBLISHER, location = market_vault)]
    fun nobody_else_gets_power_over_the_vault() {
        stage::open();
        market_vault::take_cap_for_test(&stage::issuer());
    }

    #[test, expected_failure(abort_code = market_vault::E_NO_CAP_LEFT, location = market_vault)]
    fun no_power_over_the_vault_is_left() {
        stage::open();
        market_vault::take_cap_for_test(&stage::admin());
    }

    #[test]
    /// It is nobody's, and what is owed is told apart.
    fun what_strangers_send_to_the_vault_is_not_owed() {
        stage::open();
        market_vault::deposit(&stage::seller(), stage::batch(), 10);
        carbon_credit::give(&stage::seller(), stage::batch(), market_vault::vault_address(), 3);
        assert!(market_vault::owed(stage::batch()) == 10 && market_vault::held(stage::batch()) == 13);
        market_vault::claim(&stage::seller(), stage::batch(), 4);
        assert!(market_vault::owed(stage::batch()) == 6 && market_vault::held(stage::batch()) == 9);
    }

    #[test, expected_failure(abort_code = transfer_policy::E_NOT_AN_ACCOUNT, location = transfer_policy)]
    fun the_vault_is_not_frozen() {
        stage::open();
        stage::freeze_account(market_vault::vault_address());
    }

    #[test]
    fun a_freeze_stops_no_claim() {
        stage::open();
        let held = credit_batch::holding(@0xde, stage::batch());
        market_vault::deposit(&stage::seller(), stage::batch(), 10);
        stage::freeze_account(@0xde);
        market_vault::claim(&stage::seller(), stage::batch(), 10);
        assert!(credit_batch::holding(@0xde, stage::batch()) == held);
    }

    #[test, expected_failure(abort_code = transfer_policy::E_FROZEN, location = transfer_policy)]
    fun a_frozen_account_brings_nothing() {
        stage::open();
        stage::freeze_account(@0xde);
        market_vault::deposit(&stage::seller(), stage::batch(), 10);
    }

    // Fees.

    #[test]
    fun the_treasury_is_shared() {
        stage::open();
        market_fees::set_fees(&stage::admin(), 100, 100);
        let (maker, taker) = market_fees::fees();
        assert!(maker == 100 && taker == 100);
        stage::ask(10, 1000);
        stage::bid(10, 1000);
        market_fees::set_shares(&stage::admin(), vector[@0x1, @0x2], vector[5000, 5000]);
        market_fees::set_shares(&stage::admin(), vector[@0x2, @0x3], vector[3333, 6667]);
        let (holders, _) = market_fees::shares();
        assert!(holders == vector[@0x2, @0x3]);
        market_fees::distribute(&stage::buyer(), stage::dollar());
        assert!(stage::dollars_of(@0x2) == 66 && stage::dollars_of(@0x3) == 133);
        assert!(stage::dollars_of(market_vault::vault_address()) == 1);
    }

    #[test, expected_failure(abort_code = market_fees::E_FEE_TOO_HIGH, location = market_fees)]
    fun a_fee_is_at_most_a_tenth() {
        stage::open();
        market_fees::set_fees(&stage::admin(), 0, 1001);
    }

    #[test, expected_failure(abort_code = access_control::E_NOT_ADMIN, location = access_control)]
    fun only_the_admin_sets_fees() {
        stage::open();
        market_fees::set_fees(&stage::issuer(), 0, 1);
    }

    #[test, expected_failure(abort_code = market_fees::E_ABOVE_CAP, location = market_fees)]
    fun a_cap_holds() {
        stage::open();
        market_fees::set_fees(&stage::admin(), 0, 11);
        marketplace::place(&stage::buyer(), 1, true, 0, stage::tick(), 10, 10, 0, 0, true);
    }

    #[test, expected_failure(abort_code = market_fees::E_BAD_SHARES, location = market_fees)]
    fun shares_make_a_whole() {
        stage::open();
        market_fees::set_shares(&stage::admin(), vector[@0x1, @0x2], vector[5000, 4999]);
    }

    #[test, expected_failure(abort_code = market_fees::E_BAD_SHARES, location = market_fees)]
    fun nobody_is_no_holder() {
        stage::open();
        market_fees::set_shares(&stage::admin(), vector[@0x0], vector[10000]);
    }

    #[test, expected_failure(abort_code = market_fees::E_BAD_SHARES, location = market_fees)]
    fun the_treasury_is_no_holder_of_itself() {
        stage::open();
        market_fees::set_shares(&stage::admin(), vector[market_vault::vault_address()], vector[10000]);
    }

    #[test, expected_failure(abort_code = market_fees::E_NO_SHARES, location = market_fees)]
    fun shares_come_first() {
        stage::open();
        market_fees::distribute(&stage::buyer(), stage::dollar());
    }

    #[test, expected_failure(abort_code = market_fees::E_NOTHING_TO_DISTRIBUTE, location = market_fees)]
    fun an_empty_treasury_is_not_shared() {
        stage::open();
        market_fees::set_shares(&stage::admin(), vector[@0x1], vector[10000]);
        market_fees::distribute(&stage::buyer(), stage::dollar());
    }
}
