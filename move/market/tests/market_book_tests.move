#[test_only]
module carbon_market::market_book_tests {
    use std::signer;
    use aptos_framework::object;
    use carbon_market::access_control;
    use carbon_market::carbon_credit;
    use carbon_market::credit_batch;
    use carbon_market::market_book;
    use carbon_market::market_fees;
    use carbon_market::market_vault;
    use carbon_market::marketplace;
    use carbon_market::order_ids;
    use carbon_market::stage;
    use carbon_market::transfer_policy;

    fun place(
        owner: &signer, is_bid: bool, kind: u8, price: u64, grams: u64, labels: u64, expires_at: u64
    ) {
        marketplace::place(
            owner, 1, is_bid, kind, price * stage::tick(), grams, 1000, labels, expires_at, true
        );
    }

    /// Ten asks of 10 grams at 10.
    fun twenty_asks() {
        for (i in 0..20) { stage::ask(10, 1); };
    }

    #[test]
    fun an_order_rests_and_is_matched_at_its_price() {
        stage::open();
        let ask = stage::ask(10, 100);
        let bid = stage::bid(12, 40);
        assert!(market_book::open_grams_for_test(1, ask) == 60);
        assert!(!market_book::is_open_for_test(1, bid));
        assert!(stage::grams_of(@0xb1) == 40);
        // 12 a gram were held, 10 were paid.
        assert!(stage::dollars_of(@0xb1) == 80);
        assert!(stage::dollars_of(@0xde) == 400);
        let (best_bid, best_ask) = market_book::best_prices(1);
        assert!(best_bid == 0 && best_ask == 10 * stage::tick());
    }

    #[test]
    fun better_prices_go_first_and_then_earlier_orders() {
        stage::open();
        let late_and_cheap = stage::ask(9, 5);
        let first = stage::ask(10, 5);
        let second = stage::ask(10, 5);
        assert!(market_book::orders(1, false, 0, 10) == vector[late_and_cheap, first, second]);
        assert!(market_book::orders(1, false, late_and_cheap, 1) == vector[first]);
        assert!(market_book::orders(1, true, 0, 10) == vector[]);
        stage::bid(10, 7);
        assert!(!market_book::is_open_for_test(1, late_and_cheap));
        assert!(market_book::open_grams_for_test(1, first) == 3);
        assert!(market_book::open_grams_for_test(1, second) == 5);
    }

    #[test]
    fun asks_take_bids() {
        stage::open();
        stage::bid(10, 100);
        stage::ask(8, 30);
        assert!(stage::dollars_of(@0xde) == 300 && stage::grams_of(@0xb1) == 30);
        let (best_bid, best_ask) = market_book::best_prices(1);
        assert!(best_bid == 10 * stage::tick() && best_ask == 0);
    }

    #[test]
    fun immediate_and_market_orders_leave_nothing() {
        stage::open();
        stage::ask(10, 10);
        stage::place(&stage::buyer(), true, 1, 11, 15);
        assert!(stage::grams_of(@0xb1) == 10 && stage::dollars_of(@0xb1) == 65);
        stage::bid(7, 10);
        marketplace::place(&stage::seller(), 1, false, 4, 6999999, 20, 1000, 0, 0, true);
        assert!(stage::dollars_of(@0xde) == 170 && stage::grams_of(@0xde) == 10);
    }

    #[test]
    fun fill_or_kill_fills_whole() {
        stage::open();
        stage::ask(10, 10);
        stage::place(&stage::buyer(), true, 2, 10, 10);
        assert!(stage::grams_of(@0xb1) == 10);
    }

    #[test]
    fun a_post_only_order_clears_dead_orders_and_rests() {
        stage::open();
        place(&stage::seller(), false, 0, 10, 10, 0, stage::now() + 5);
        stage::go_on_seconds(5);
        let bid = stage::place(&stage::buyer(), true, 3, 10, 10);
        assert!(market_book::open_grams_for_test(1, bid) == 10);
        assert!(stage::grams_of(@0xde) == 10);
    }

    #[test]
    fun fees_are_rounded_up_once_an_order() {
        stage::open();
        market_fees::set_fees(&stage::admin(), 100, 200);
        stage::ask(10, 9);
        for (i in 0..3) { stage::place(&stage::buyer(), true, 1, 10, 3); };
        // The maker pays 1 % of 90, at once 0.9, so 1; each taker 2 % of 30, so 1.
        assert!(stage::dollars_of(@0xde) == 89);
        assert!(stage::dollars_of(market_vault::vault_address()) == 4);
        assert!(stage::dollars_of(@0xb1) == 0);
    }

    #[test]
    fun a_bid_that_rests_holds_the_smaller_fee() {
        stage::open();
        market_fees::set_fees(&stage::admin(), 100, 200);
        let bid = stage::bid(10, 100);
        assert!(stage::dollars_of(@0xb1) == 10);
        assert!(market_book::escrow_for_test(1, bid) == 1010);
        marketplace::cancel(&stage::buyer(), 1, bid);
        assert!(stage::dollars_of(@0xb1) == 1020);
    }

    #[test]
    fun an_order_keeps_the_fees_of_its_placing() {
        stage::open();
        stage::ask(10, 100);
        market_fees::set_fees(&stage::admin(), 1000, 0);
        stage::bid(10, 100);
        assert!(stage::dollars_of(@0xde) == 1000);
    }

    #[test]
    fun a_taker_with_too_many_makers_waits_and_goes_on() {
        stage::open();
        twenty_asks();
        let bid = stage::bid(10, 25);
        assert!(stage::grams_of(@0xb1) == 16);
        assert!(market_book::pending_for_test(1) == bid);
        assert!(market_book::is_open_for_test(1, bid) && market_book::escrow_for_test(1, bid) == 90);
        marketplace::work(&stage::third(), 1);
        assert!(market_book::pending_for_test(1) == 0);
        assert!(stage::grams_of(@0xb1) == 20 && market_book::open_grams_for_test(1, bid) == 5);
        marketplace::work(&stage::third(), 1);
    }

    #[test]
    fun a_waiting_taker_goes_before_whoever_comes() {
        stage::open();
        twenty_asks();
        stage::bid(10, 18);
        stage::place(&stage::third(), true, 1, 10, 2);
        assert!(stage::grams_of(@0xb1) == 18 && stage::grams_of(@0x3d) == 2);
    }

    #[test]
    fun a_waiting_taker_is_amended_and_cancelled() {
        stage::open();
        for (i in 0..40) { stage::ask(10, 1); };
        let bid = stage::bid(10, 60);
        stage::set_labels(2);
        marketplace::work(&stage::third(), 1);
        marketplace::amend(&stage::buyer(), 1, bid, 30);
        assert!(stage::dollars_of(@0xb1) == 140 && market_book::escrow_for_test(1, bid) == 300);
        marketplace::cancel(&stage::buyer(), 1, bid);
        assert!(stage::dollars_of(@0xb1) == 440 && market_book::pending_for_test(1) == 0);
    }

    #[test]
    fun a_waiting_taker_that_dies_is_cancelled() {
        stage::open();
        for (i in 0..20) { stage::ask(10, 1); };
        stage::bid(10, 25);
        stage::freeze_account(@0xb1);
        marketplace::work(&stage::third(), 1);
        assert!(market_book::pending_for_test(1) == 0);
        assert!(stage::grams_of(@0xb1) == 16 && stage::dollars_of(@0xb1) == 90);
    }

    #[test]
    fun a_waiting_taker_stops_at_its_own_order() {
        stage::open();
        for (i in 0..16) { stage::ask(10, 1); };
        stage::place(&stage::third(), false, 0, 10, 5);
        stage::place(&stage::third(), true, 0, 10, 20);
        assert!(stage::grams_of(@0x3d) == 16);
        marketplace::work(&stage::buyer(), 1);
        assert!(market_book::pending_for_test(1) == 0 && stage::dollars_of(@0x3d) == 40);
    }

    #[test]
    fun a_taker_stops_at_its_own_order() {
        stage::open();
        let own = stage::place(&stage::third(), false, 0, 10, 5);
        stage::place(&stage::third(), true, 0, 10, 5);
        assert!(market_book::open_grams_for_test(1, own) == 5);
        assert!(stage::dollars_of(@0x3d) == 50);
    }

    #[test]
    fun orders_of_frozen_makers_are_cancelled_when_they_are_met() {
        stage::open();
        let frozen = stage::ask(10, 5);
        stage::place(&stage::third(), false, 0, 10, 5);
        stage::freeze_account(@0xde);
        stage::bid(10, 5);
        assert!(!market_book::is_open_for_test(1, frozen));
        assert!(stage::grams_of(@0xde) == 5 && stage::dollars_of(@0x3d) == 50);
    }

    #[test]
    fun an_order_dies_with_the_labels_that_it_requires() {
        stage::open();
        place(&stage::buyer(), true, 0, 10, 10, 2, 0);
        stage::set_labels(1);
        stage::ask(10, 10);
        assert!(stage::dollars_of(@0xb1) == 100 && stage::dollars_of(@0xde) == 0);
    }

    // What a batch goes through, and its resting orders with it.

    /// Orders that rest while their batch does not trade are kept, can be made smaller and cancelled, and
    /// those that are left go on afterwards. Gives the one that is.
    inline fun rests(stop: |address|): u128 {
        let gone = stage::ask(10, 10);
        let kept = stage::ask(10, 10);
        let batch = stage::batch();
        stop(object::object_address(&batch));
        marketplace::work(&stage::third(), 1);
        assert!(market_book::orders(1, false, 0, 10) == vector[gone, kept]);
        marketplace::amend(&stage::seller(), 1, kept, 6);
        marketplace::cancel(&stage::seller(), 1, gone);
        assert!(stage::grams_of(@0xde) == 14);
        kept
    }

    #[test]
    fun orders_outlive_a_batch_that_loses_a_label_of_the_book() {
        stage::open();
        let ask = rests(|_batch| stage::set_labels(2));
        stage::set_labels(3);
        stage::bid(10, 6);
        assert!(!market_book::is_open_for_test(1, ask) && stage::grams_of(@0xb1) == 6);
    }

    #[test]
    fun orders_outlive_the_freeze_of_their_batch() {
        stage::open();
        let ask = rests(|batch| stage::freeze_account(batch));
        let batch = stage::batch();
        access_control::unfreeze_account(
            &stage::pauser(), object::object_address(&batch), stage::text(b"case 17")
        );
        stage::bid(10, 6);
        assert!(!market_book::is_open_for_test(1, ask) && stage::grams_of(@0xb1) == 6);
    }

    #[test]
    fun a_waiting_taker_keeps_waiting_while_its_batch_is_frozen() {
        stage::open();
        twenty_asks();
        let bid = stage::bid(10, 25);
        let batch = stage::batch();
        stage::freeze_account(object::object_address(&batch));
        marketplace::work(&stage::third(), 1);
        assert!(market_book::pending_for_test(1) == bid && stage::grams_of(@0xb1) == 16);
        marketplace::cancel(&stage::buyer(), 1, bid);
        assert!(market_book::pending_for_test(1) == 0 && stage::dollars_of(@0xb1) == 90);
    }

    #[test]
    /// A reversal takes from the buffer and the developer's wallet: what an order holds is whole.
    fun a_reversed_batch_is_traded_on() {
        stage::open();
        stage::ask(10, 10);
        carbon_credit::reverse(
            &stage::issuer(), stage::batch(), 1000000, stage::text(b"REV1"), stage::hash()
        );
        stage::bid(10, 10);
        market_vault::claim(&stage::buyer(), stage::batch(), 10);
        assert!(credit_batch::holding(@0xb1, stage::batch()) == 10);
    }

    #[test]
    fun amending_keeps_the_place() {
        stage::open();
        let first = stage::ask(10, 10);
        let second = stage::ask(10, 10);
        marketplace::amend(&stage::seller(), 1, first, 5);
        assert!(stage::grams_of(@0xde) == 5);
        assert!(market_book::orders(1, false, 0, 10) == vector[first, second]);
        let bid = stage::bid(9, 10);
        marketplace::amend(&stage::buyer(), 1, bid, 4);
        assert!(stage::dollars_of(@0xb1) == 54);
    }

    #[test]
    fun a_pause_stops_no_cancelling() {
        stage::open();
        let ask = stage::ask(10, 10);
        let bid = stage::bid(9, 10);
        stage::pause();
        stage::freeze_account(@0xde);
        marketplace::cancel(&stage::seller(), 1, ask);
        marketplace::cancel(&stage::buyer(), 1, bid);
        market_vault::claim(&stage::buyer(), stage::dollar(), 90);
        assert!(stage::grams_of(@0xde) == 10);
    }

    #[test]
    fun books_are_found_and_told() {
        stage::open();
        let (batch, dollar) = (stage::batch(), stage::dollar());
        assert!(market_book::count() == 1);
        assert!(market_book::number(object::object_address(&batch), object::object_address(&dollar)) == 1);
        assert!(market_book::number(@0x1, @0x2) == 0);
        let (first, second) = market_book::assets_for_test(1);
        assert!(first == batch && second == dollar);
        assert!(order_ids::max_price() == 0x7fffffffffffffff);
        assert!(signer::address_of(&stage::buyer()) == @0xb1);
    }

    #[test]
    /// The minimum is 5 units.
    fun what_is_left_of_an_order_and_too_small_is_ended() {
        stage::open();
        let ask = stage::ask(2, 10);
        stage::bid(2, 8);
        assert!(!market_book::is_open_for_test(1, ask));
        assert!(stage::grams_of(@0xde) == 2 && stage::dollars_of(@0xde) == 16);
        let bid = stage::bid(2, 10);
        stage::ask(2, 8);
        assert!(!market_book::is_open_for_test(1, bid) && stage::dollars_of(@0xb1) == 4);
    }

    #[test]
    fun what_a_taker_leaves_and_is_too_small_does_not_rest() {
        stage::open();
        stage::ask(2, 8);
        let bid = stage::bid(2, 10);
        assert!(!market_book::is_open_for_test(1, bid));
        assert!(stage::grams_of(@0xb1) == 8 && stage::dollars_of(@0xb1) == 4);
    }

    #[test]
    /// A fill-or-kill order would undo what it cleared away.
    fun work_clears_dead_orders_away() {
        stage::open();
        for (i in 0..17) {
            place(&stage::seller(), false, 0, 10, 1, 0, stage::now() + 1);
            place(&stage::third(), true, 0, 5, 1, 0, stage::now() + 1);
        };
        let live = stage::ask(11, 10);
        assert!(market_book::needing_work(1, 10) == vector[]);
        stage::go_on_seconds(1);
        assert!(market_book::needing_work(1, 10) == vector[1]);
        assert!(market_book::needing_work(2, 10) == vector[] && market_book::needing_work(0, 10) == vector[]);
        for (i in 0..3) { marketplace::work(&stage::buyer(), 1); };
        assert!(market_book::needing_work(1, 10) == vector[]);
        assert!(market_book::orders(1, false, 0, 9) == vector[live]);
        assert!(market_book::orders(1, true, 0, 9) == vector[]);
        stage::place(&stage::buyer(), true, 2, 11, 10);
        assert!(stage::grams_of(@0xb1) == 10);
    }

    #[test]
    fun work_leaves_a_book_alone_that_may_not_trade() {
        stage::open();
        place(&stage::seller(), false, 0, 10, 1, 0, stage::now() + 1);
        stage::go_on_seconds(1);
        stage::pause();
        assert!(market_book::needing_work(1, 10) == vector[]);
        marketplace::work(&stage::buyer(), 1);
        assert!(market_book::orders(1, false, 0, 9).length() == 1);
    }

    #[test]
    fun an_order_that_waits_needs_work() {
        stage::open();
        twenty_asks();
        stage::bid(10, 25);
        assert!(market_book::needing_work(1, 1) == vector[1]);
        marketplace::work(&stage::buyer(), 1);
        assert!(market_book::needing_work(1, 1) == vector[]);
    }

    #[test]
    /// The waiting order goes first and takes all of it.
    fun cancelling_what_the_waiting_order_fills_is_no_error() {
        stage::open();
        twenty_asks();
        let last = stage::ask(10, 1);
        stage::bid(10, 25);
        marketplace::cancel(&stage::seller(), 1, last);
        assert!(!market_book::is_open_for_test(1, last));
        assert!(stage::dollars_of(@0xde) == 210 && stage::grams_of(@0xde) == 0);
    }

    #[test]
    fun an_object_of_a_frozen_account_trades_no_more_than_it() {
        stage::open();
        let trader = object::create_named_object(&stage::third(), b"desk");
        let desk = object::generate_signer(&trader);
        carbon_credit::give(&stage::seller(), stage::batch(), signer::address_of(&desk), 20);
        place(&desk, false, 0, 10, 10, 0, 0);
        stage::freeze_account(@0x3d);
        assert!(!transfer_policy::is_frozen(signer::address_of(&desk)));
        assert!(!transfer_policy::may_trade(signer::address_of(&desk)));
        stage::bid(10, 5);
        assert!(market_book::orders(1, false, 0, 9) == vector[] && stage::grams_of(@0xb1) == 0);
        assert!(stage::grams_of(signer::address_of(&desk)) == 10);
    }

    #[test]
    /// Its owners are looked up for ever otherwise, and the book stands still.
    fun an_object_that_owns_itself_stops_no_book() {
        stage::open();
        let trader = object::create_named_object(&stage::third(), b"desk");
        let desk = object::generate_signer(&trader);
        let circle = signer::address_of(&desk);
        carbon_credit::give(&stage::seller(), stage::batch(), circle, 20);
        place(&desk, false, 0, 10, 10, 0, 0);
        object::transfer_call(&stage::third(), circle, circle);
        assert!(market_book::needing_work(1, 1) == vector[1]);
        stage::ask(10, 5);
        stage::bid(10, 5);
        assert!(stage::grams_of(@0xb1) == 5 && stage::grams_of(circle) == 10);
    }

    // Refusals.

    #[test, expected_failure(abort_code = transfer_policy::E_FROZEN, location = transfer_policy)]
    fun an_object_of_a_frozen_account_places_nothing() {
        stage::open();
        let trader = object::create_named_object(&stage::third(), b"desk");
        let desk = object::generate_signer(&trader);
        stage::freeze_account(@0x3d);
        place(&desk, true, 0, 10, 10, 0, 0);
    }

    #[test, expected_failure(abort_code = market_book::E_BAD_STEPS, location = market_book)]
    fun an_order_that_may_rest_matches_as_far_as_it_can() {
        stage::open();
        market_book::place(&stage::buyer(), 1, true, 0, stage::tick(), 10, 1000, 0, 0, true, 1);
    }

    #[test, expected_failure(abort_code = market_book::E_BAD_STEPS, location = market_book)]
    fun a_call_touches_no_more_orders_than_it_may() {
        stage::open();
        market_book::go_on(1, 17);
    }

    #[test, expected_failure(abort_code = market_book::E_UNKNOWN_BOOK, location = market_book)]
    fun there_must_be_such_a_book() {
        stage::set();
        marketplace::work(&stage::buyer(), 1);
    }

    #[test, expected_failure(abort_code = market_book::E_BOOK_EXISTS, location = market_book)]
    fun a_book_is_opened_once() {
        stage::open();
        stage::open_with_labels(0);
    }

    #[test, expected_failure(abort_code = market_book::E_INEXACT_TICK, location = market_book)]
    fun quotes_must_be_whole_units() {
        stage::set();
        marketplace::open_book(&stage::issuer(), stage::batch(), stage::dollar(), 999999, 1, 5, 0);
    }

    #[test, expected_failure(abort_code = market_book::E_INEXACT_TICK, location = market_book)]
    fun a_tick_is_not_zero() {
        stage::set();
        marketplace::open_book(&stage::issuer(), stage::batch(), stage::dollar(), 0, 1, 5, 0);
    }

    #[test, expected_failure(abort_code = market_book::E_BATCH_LABELS, location = market_book)]
    fun a_book_is_opened_for_labels_that_the_batch_has() {
        stage::set();
        stage::open_with_labels(4);
    }

    #[test, expected_failure(abort_code = market_book::E_BATCH_LABELS, location = market_book)]
    fun nothing_is_placed_after_the_batch_lost_a_label() {
        stage::open();
        stage::set_labels(2);
        stage::ask(10, 10);
    }

    #[test, expected_failure(abort_code = access_control::E_NOT_ISSUER, location = access_control)]
    fun only_an_issuer_opens_books() {
        stage::set();
        marketplace::open_book(&stage::buyer(), stage::batch(), stage::dollar(), 1000000, 1, 5, 0);
    }

    #[test, expected_failure(abort_code = market_book::E_UNKNOWN_KIND, location = market_book)]
    fun there_must_be_such_a_kind() {
        stage::open();
        stage::place(&stage::buyer(), true, 5, 10, 10);
    }

    #[test, expected_failure(abort_code = market_book::E_OFF_TICK, location = market_book)]
    fun a_price_is_on_the_tick() {
        stage::open();
        marketplace::place(&stage::buyer(), 1, true, 0, 10000001, 10, 0, 0, 0, true);
    }

    #[test, expected_failure(abort_code = market_book::E_OFF_TICK, location = market_book)]
    fun a_price_is_not_zero() {
        stage::open();
        stage::bid(0, 10);
    }

    #[test, expected_failure(abort_code = market_book::E_OFF_LOT, location = market_book)]
    fun grams_are_not_zero() {
        stage::open();
        stage::bid(10, 0);
    }

    #[test, expected_failure(abort_code = market_book::E_OFF_LOT, location = market_book)]
    fun grams_are_whole_lots() {
        stage::set();
        marketplace::open_book(&stage::issuer(), stage::batch(), stage::dollar(), 500000, 2, 5, 0);
        stage::bid(10, 11);
    }

    #[test, expected_failure(abort_code = market_book::E_BELOW_MINIMUM, location = market_book)]
    fun an_order_is_worth_something() {
        stage::open();
        stage::bid(1, 4);
    }

    #[test, expected_failure(abort_code = market_book::E_TOO_LARGE, location = market_book)]
    fun price_times_grams_fits() {
        stage::open();
        stage::ask(5000000000000, 10000000000);
    }

    #[test, expected_failure(abort_code = market_book::E_EXPIRED, location = market_book)]
    fun an_order_is_not_expired_before_it_is_placed() {
        stage::open();
        place(&stage::buyer(), true, 0, 10, 10, 0, stage::now());
    }

    #[test, expected_failure(abort_code = market_book::E_ORDER_LABELS, location = market_book)]
    fun an_order_requires_labels_that_the_batch_has() {
        stage::open();
        place(&stage::buyer(), true, 0, 10, 10, 4, 0);
    }

    #[test, expected_failure(abort_code = market_book::E_WOULD_MATCH, location = market_book)]
    fun a_post_only_order_does_not_match() {
        stage::open();
        stage::ask(10, 10);
        stage::place(&stage::buyer(), true, 3, 10, 10);
    }

    #[test, expected_failure(abort_code = market_book::E_NOT_FILLED_WHOLE, location = market_book)]
    fun fill_or_kill_needs_enough() {
        stage::open();
        stage::ask(10, 10);
        stage::place(&stage::buyer(), true, 2, 10, 11);
    }

    #[test, expected_failure(abort_code = market_book::E_NOT_FILLED_WHOLE, location = market_book)]
    fun fill_or_kill_needs_one_transaction() {
        stage::open();
        twenty_asks();
        stage::place(&stage::buyer(), true, 2, 10, 17);
    }

    #[test, expected_failure(abort_code = market_book::E_BUSY, location = market_book)]
    fun nobody_takes_past_a_waiting_order() {
        stage::open();
        for (i in 0..40) { stage::ask(10, 1); };
        stage::bid(10, 40);
        stage::place(&stage::third(), true, 0, 10, 5);
    }

    #[test, expected_failure(abort_code = market_book::E_UNKNOWN_ORDER, location = market_book)]
    fun an_order_is_cancelled_once() {
        stage::open();
        let ask = stage::ask(10, 10);
        marketplace::cancel(&stage::seller(), 1, ask);
        marketplace::cancel(&stage::seller(), 1, ask);
    }

    #[test, expected_failure(abort_code = market_book::E_NOT_YOURS, location = market_book)]
    fun nobody_cancels_for_others() {
        stage::open();
        marketplace::cancel(&stage::buyer(), 1, stage::ask(10, 10));
    }

    #[test, expected_failure(abort_code = market_book::E_NOT_YOURS, location = market_book)]
    fun nobody_amends_for_others() {
        stage::open();
        marketplace::amend(&stage::buyer(), 1, stage::ask(10, 10), 5);
    }

    #[test, expected_failure(abort_code = market_book::E_NOT_SMALLER, location = market_book)]
    fun an_order_does_not_grow() {
        stage::open();
        marketplace::amend(&stage::seller(), 1, stage::ask(10, 10), 10);
    }

    #[test, expected_failure(abort_code = access_control::E_PAUSED, location = access_control)]
    fun nothing_is_placed_while_paused() {
        stage::open();
        stage::pause();
        stage::ask(10, 10);
    }

    #[test, expected_failure(abort_code = transfer_policy::E_FROZEN, location = transfer_policy)]
    fun a_frozen_account_places_nothing() {
        stage::open();
        stage::freeze_account(@0xde);
        stage::ask(10, 10);
    }

    #[test, expected_failure(abort_code = transfer_policy::E_FROZEN, location = transfer_policy)]
    fun a_frozen_batch_is_not_traded() {
        stage::open();
        let batch = stage::batch();
        stage::freeze_account(object::object_address(&batch));
        stage::ask(10, 10);
    }
}
