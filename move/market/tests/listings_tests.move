#[test_only]
/// Listings and gifts.
module carbon_market::listings_tests {
    use std::signer;
    use aptos_framework::object;
    use carbon_market::access_control;
    use carbon_market::credit_batch;
    use carbon_market::gifts;
    use carbon_market::listings;
    use carbon_market::market_fees;
    use carbon_market::market_vault;
    use carbon_market::stage;
    use carbon_market::transfer_policy;

    /// 100 grams at 10, in lots of 5.
    fun listed() {
        stage::open();
        market_fees::set_fees(&stage::admin(), 100, 200);
        create(100, 10, 5);
    }

    fun create(grams: u64, price: u64, lot: u64) {
        listings::create(
            &stage::seller(), stage::batch(), stage::dollar(), grams, price * stage::tick(), lot, 200, true
        );
    }

    fun buy(buyer: &signer, grams: u64, limit: u64) {
        listings::buy(buyer, 1, grams, limit * stage::tick(), 200, true);
    }

    #[test]
    fun a_listing_is_bought_in_parts() {
        listed();
        buy(&stage::buyer(), 40, 10);
        assert!(stage::grams_of(@0xb1) == 40 && stage::dollars_of(@0xde) == 396);
        assert!(stage::dollars_of(market_vault::vault_address()) == 12);
        listings::set_price(&stage::seller(), 1, 20 * stage::tick());
        assert!(listings::grams_for_test(1) == 60 && listings::count() == 1);
        buy(&stage::buyer(), 60, 20);
    }

    #[test]
    /// A hundredth of 50 is half a unit, and of 100 one.
    fun the_sellers_fee_rounds_up_once_over_the_listing() {
        listed();
        buy(&stage::buyer(), 5, 10);
        buy(&stage::buyer(), 5, 10);
        assert!(stage::dollars_of(@0xde) == 99);
    }

    fun freeze_batch() {
        let batch = stage::batch();
        stage::freeze_account(object::object_address(&batch));
    }

    #[test]
    fun a_listing_is_taken_back_while_paused_and_frozen() {
        listed();
        freeze_batch();
        stage::freeze_account(@0xde);
        stage::pause();
        listings::cancel(&stage::seller(), 1);
        assert!(stage::grams_of(@0xde) == 100);
    }

    #[test, expected_failure(abort_code = listings::E_UNKNOWN_LISTING, location = listings)]
    fun a_listing_sold_out_is_gone() {
        listed();
        buy(&stage::buyer(), 100, 10);
        buy(&stage::buyer(), 5, 10);
    }

    #[test, expected_failure(abort_code = listings::E_NOT_YOURS, location = listings)]
    fun nobody_cancels_a_listing_for_others() {
        listed();
        listings::cancel(&stage::buyer(), 1);
    }

    #[test, expected_failure(abort_code = listings::E_INEXACT_PRICE, location = listings)]
    fun a_listing_has_an_exact_price() {
        stage::open();
        listings::create(&stage::seller(), stage::batch(), stage::dollar(), 10, 1, 1, 0, true);
    }

    #[test, expected_failure(abort_code = listings::E_BAD_GRAMS, location = listings)]
    fun a_listing_is_whole_lots() {
        stage::open();
        create(7, 10, 5);
    }

    #[test, expected_failure(abort_code = listings::E_BAD_GRAMS, location = listings)]
    fun no_more_is_bought_than_is_listed() {
        listed();
        buy(&stage::buyer(), 105, 10);
    }

    #[test, expected_failure(abort_code = listings::E_PRICE_ABOVE_LIMIT, location = listings)]
    fun a_buyer_states_its_limit() {
        listed();
        buy(&stage::buyer(), 5, 9);
    }

    #[test, expected_failure(abort_code = listings::E_TOO_LARGE, location = listings)]
    fun a_listing_costs_what_fits() {
        stage::open();
        create(1000000, 10000000000000, 5);
        create(10000000000, 5000000000000, 5);
    }

    #[test, expected_failure(abort_code = listings::E_OWN_LISTING, location = listings)]
    fun a_seller_buys_nothing_of_its_own() {
        listed();
        buy(&stage::seller(), 5, 10);
    }

    #[test, expected_failure(abort_code = listings::E_LABELS_LOST, location = listings)]
    fun a_listing_sells_what_it_showed() {
        listed();
        stage::set_labels(1);
        buy(&stage::buyer(), 5, 10);
    }

    #[test, expected_failure(abort_code = transfer_policy::E_FROZEN, location = transfer_policy)]
    fun a_frozen_seller_sells_nothing() {
        listed();
        stage::freeze_account(@0xde);
        buy(&stage::buyer(), 5, 10);
    }

    #[test, expected_failure(abort_code = transfer_policy::E_FROZEN, location = transfer_policy)]
    fun a_frozen_account_lists_nothing() {
        stage::open();
        stage::freeze_account(@0xde);
        create(100, 10, 5);
    }

    #[test, expected_failure(abort_code = transfer_policy::E_FROZEN, location = transfer_policy)]
    fun a_frozen_buyer_buys_nothing() {
        listed();
        stage::freeze_account(@0xb1);
        buy(&stage::buyer(), 5, 10);
    }

    #[test, expected_failure(abort_code = transfer_policy::E_FROZEN, location = transfer_policy)]
    fun a_frozen_batch_is_not_listed() {
        stage::open();
        freeze_batch();
        create(100, 10, 5);
    }

    #[test, expected_failure(abort_code = transfer_policy::E_FROZEN, location = transfer_policy)]
    fun a_frozen_batch_is_not_bought_from_a_listing() {
        listed();
        freeze_batch();
        buy(&stage::buyer(), 5, 10);
    }

    #[test, expected_failure(abort_code = access_control::E_PAUSED, location = access_control)]
    fun nothing_is_listed_while_paused() {
        stage::open();
        stage::pause();
        create(100, 10, 5);
    }

    #[test, expected_failure(abort_code = access_control::E_PAUSED, location = access_control)]
    fun nothing_listed_is_bought_while_paused() {
        listed();
        stage::pause();
        buy(&stage::buyer(), 5, 10);
    }

    // Prices.

    fun reprice(seller: &signer, price: u64) {
        listings::set_price(seller, 1, price);
    }

    #[test, expected_failure(abort_code = access_control::E_PAUSED, location = access_control)]
    fun no_price_changes_while_paused() {
        listed();
        stage::pause();
        reprice(&stage::seller(), 20 * stage::tick());
    }

    #[test, expected_failure(abort_code = transfer_policy::E_FROZEN, location = transfer_policy)]
    fun a_frozen_seller_changes_no_price() {
        listed();
        stage::freeze_account(@0xde);
        reprice(&stage::seller(), 20 * stage::tick());
    }

    #[test, expected_failure(abort_code = transfer_policy::E_FROZEN, location = transfer_policy)]
    fun no_price_of_a_frozen_batch_changes() {
        listed();
        freeze_batch();
        reprice(&stage::seller(), 20 * stage::tick());
    }

    #[test, expected_failure(abort_code = listings::E_NOT_YOURS, location = listings)]
    fun nobody_sets_prices_for_others() {
        listed();
        reprice(&stage::buyer(), 20 * stage::tick());
    }

    #[test, expected_failure(abort_code = listings::E_UNKNOWN_LISTING, location = listings)]
    fun a_price_is_of_a_listing() {
        stage::open();
        reprice(&stage::seller(), 20 * stage::tick());
    }

    #[test, expected_failure(abort_code = listings::E_INEXACT_PRICE, location = listings)]
    fun a_new_price_is_exact() {
        listed();
        reprice(&stage::seller(), 1);
    }

    #[test, expected_failure(abort_code = listings::E_TOO_LARGE, location = listings)]
    fun a_new_price_times_the_grams_fits() {
        stage::open();
        create(600000, 10, 5);
        reprice(&stage::seller(), 18000000000000 * stage::tick());
    }

    // Gifts.

    fun given() {
        stage::open();
        gifts::make(&stage::seller(), @0xb1, stage::batch(), 50, stage::hash(), true);
    }

    #[test]
    fun a_gift_is_claimed_while_paused_and_frozen() {
        given();
        assert!(gifts::count() == 1 && gifts::grams_for_test(1) == 50);
        stage::pause();
        stage::freeze_account(@0xb1);
        gifts::claim(&stage::buyer(), 1);
        assert!(credit_batch::holding(@0xb1, stage::batch()) == 50);
    }

    #[test]
    fun a_gift_is_taken_back_while_paused_and_frozen() {
        given();
        freeze_batch();
        stage::freeze_account(@0xde);
        stage::pause();
        gifts::take_back(&stage::seller(), 1);
        assert!(stage::grams_of(@0xde) == 50);
    }

    #[test, expected_failure(abort_code = gifts::E_UNKNOWN_GIFT, location = gifts)]
    fun a_gift_is_claimed_once() {
        given();
        gifts::claim(&stage::buyer(), 1);
        gifts::claim(&stage::buyer(), 1);
    }

    #[test, expected_failure(abort_code = gifts::E_NOT_FOR_YOU, location = gifts)]
    fun nobody_claims_a_gift_to_others() {
        given();
        gifts::claim(&stage::third(), 1);
    }

    #[test, expected_failure(abort_code = gifts::E_NOT_YOURS, location = gifts)]
    fun nobody_takes_back_what_others_gave() {
        given();
        gifts::take_back(&stage::buyer(), 1);
    }

    #[test, expected_failure(abort_code = gifts::E_TO_ONESELF, location = gifts)]
    fun a_gift_is_for_others() {
        stage::open();
        let seller = stage::seller();
        let account = signer::address_of(&seller);
        gifts::make(&seller, account, stage::batch(), 50, stage::hash(), true);
    }

    #[test, expected_failure(abort_code = gifts::E_NOT_CREDITS, location = gifts)]
    fun money_is_no_gift() {
        stage::open();
        gifts::make(&stage::buyer(), @0xde, stage::dollar(), 50, stage::hash(), true);
    }

    #[test, expected_failure(abort_code = access_control::E_PAUSED, location = access_control)]
    fun nothing_is_given_while_paused() {
        stage::open();
        stage::pause();
        gifts::make(&stage::seller(), @0xb1, stage::batch(), 50, stage::hash(), true);
    }

    #[test, expected_failure(abort_code = transfer_policy::E_FROZEN, location = transfer_policy)]
    fun a_frozen_account_gives_nothing() {
        stage::open();
        stage::freeze_account(@0xde);
        gifts::make(&stage::seller(), @0xb1, stage::batch(), 50, stage::hash(), true);
    }

    #[test, expected_failure(abort_code = transfer_policy::E_FROZEN, location = transfer_policy)]
    fun a_frozen_batch_is_not_given() {
        stage::open();
        freeze_batch();
        gifts::make(&stage::seller(), @0xb1, stage::batch(), 50, stage::hash(), true);
    }
}
