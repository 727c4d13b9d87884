#[test_only]
/// The developer sells, a buyer with two accounts and another buyer buy; all three are verified.
module carbon_market::reputation_system_tests {
    use std::string::String;
    use aptos_framework::event;
    use aptos_framework::timestamp;
    use carbon_market::access_control;
    use carbon_market::inputs;
    use carbon_market::reputation_system;
    use carbon_market::scenario::{Self, hash, oracle, text};

    const DELIVERY: u8 = 1;
    const DATA_QUALITY: u8 = 2;
    const VERIFICATION: u8 = 3;
    const COMMUNITY: u8 = 4;

    const SELLER: address = @0xde;
    const BUYER: address = @0xb1;
    const BUYERS_SECOND: address = @0xb2;
    const OTHER_BUYER: address = @0xb3;
    const STRANGER: address = @0xbad;

    /// 2^64, a weight of 1.
    const ONE: u128 = 18446744073709551616;
    const HALF_LIFE: u64 = 15552000;

    fun seller(): vector<u8> {
        scenario::developer_organisation()
    }

    fun buyer(): vector<u8> {
        hash(0xb1)
    }

    fun open() {
        scenario::open();
        reputation_system::init_for_test(&scenario::admin());
        verify(SELLER, seller());
        verify(BUYER, buyer());
        verify(BUYERS_SECOND, buyer());
        verify(OTHER_BUYER, hash(0xb3));
    }

    fun verify(account: address, party: vector<u8>) {
        reputation_system::verify_account(&oracle(), account, party, hash(0xe0));
    }

    fun rate(counterparty: address, dimension: u8, reference: vector<u8>, mark: u64, weight: u64) {
        reputation_system::rate(
            &oracle(), SELLER, counterparty, dimension, text(reference), mark, weight, hash(0xe1)
        );
    }

    fun deliver(counterparty: address, trade: vector<u8>, mark: u64, weight: u64) {
        rate(counterparty, DELIVERY, trade, mark, weight);
    }

    fun measure(period: vector<u8>, mark: u64, weight: u64) {
        reputation_system::rate_data(&oracle(), SELLER, text(period), mark, weight, hash(0xe2));
    }

    fun wait(seconds: u64) {
        timestamp::update_global_time_for_test_secs(timestamp::now_seconds() + seconds);
    }

    fun delivery(): u64 {
        reputation_system::score(seller(), DELIVERY)
    }

    // Parties.

    #[test]
    fun accounts_of_one_party_are_known_as_such() {
        open();
        assert!(reputation_system::party_of(BUYER) == buyer());
        assert!(reputation_system::party_of(BUYERS_SECOND) == buyer());
        assert!(reputation_system::party_of(STRANGER).is_empty());
        assert!(event::emitted_events<reputation_system::AccountPartyChanged>().length() == 4);
    }

    #[test]
    fun an_account_that_changes_its_party_leaves_the_marks_behind() {
        open();
        deliver(BUYER, b"T1", 10000, 100);
        verify(SELLER, hash(0x5e));
        assert!(delivery() == 7500);
        assert!(reputation_system::score(reputation_system::party_of(SELLER), DELIVERY) == 5000);
    }

    #[test]
    #[expected_failure(abort_code = reputation_system::E_PARTY_UNCHANGED, location = reputation_system)]
    fun an_account_is_verified_once_for_a_party() {
        open();
        verify(SELLER, seller());
    }

    #[test]
    #[expected_failure(abort_code = inputs::E_NOT_32_BYTES, location = inputs)]
    fun a_party_is_a_commitment() {
        open();
        verify(STRANGER, b"a name");
    }

    #[test]
    #[expected_failure(abort_code = inputs::E_NOT_32_BYTES, location = inputs)]
    fun a_verification_has_evidence() {
        open();
        reputation_system::verify_account(&oracle(), STRANGER, hash(1), b"");
    }

    #[test]
    #[expected_failure(abort_code = access_control::E_NOT_ORACLE, location = access_control)]
    fun nobody_verifies_itself() {
        open();
        reputation_system::verify_account(&scenario::stranger(), STRANGER, hash(1), hash(2));
    }

    #[test]
    #[expected_failure(abort_code = reputation_system::E_NOT_VERIFIED, location = reputation_system)]
    fun a_withdrawn_account_is_rated_no_more() {
        open();
        deliver(BUYER, b"T1", 10000, 10);
        reputation_system::withdraw_verification(&oracle(), SELLER, hash(0xe3));
        assert!(reputation_system::party_of(SELLER).is_empty());
        assert!(delivery() > 5000);
        deliver(BUYER, b"T2", 10000, 10);
    }

    #[test]
    #[expected_failure(abort_code = reputation_system::E_NOT_VERIFIED, location = reputation_system)]
    fun a_verification_that_never_was_cannot_be_withdrawn() {
        open();
        reputation_system::withdraw_verification(&oracle(), STRANGER, hash(0xe3));
    }

    #[test]
    #[expected_failure(abort_code = inputs::E_NOT_32_BYTES, location = inputs)]
    fun a_withdrawal_has_evidence() {
        open();
        reputation_system::withdraw_verification(&oracle(), SELLER, b"");
    }

    #[test]
    #[expected_failure(abort_code = access_control::E_NOT_ORACLE, location = access_control)]
    fun only_an_oracle_withdraws_a_verification() {
        open();
        reputation_system::withdraw_verification(&scenario::issuer(), SELLER, hash(0xe3));
    }

    // Ratings.

    #[test]
    fun who_was_never_rated_is_neutral() {
        open();
        for (dimension in 1..5) {
            assert!(reputation_system::score(seller(), dimension) == 5000);
        };
        assert!(reputation_system::overall(seller()) == 5000);
        let (points, weight, ratings, counterparties, updated) =
            reputation_system::standing(seller(), DELIVERY);
        assert!(points == 0 && weight == 0 && ratings == 0 && counterparties == 0 && updated == 0);
    }

    #[test]
    fun a_rating_is_kept_with_its_evidence() {
        open();
        deliver(BUYER, b"T1", 9000, 40);
        let (counterparty, mark, weight, counted, evidence_hash, rated_at) =
            reputation_system::rating(seller(), DELIVERY, text(b"T1"));
        assert!(counterparty == buyer() && mark == 9000 && weight == 40 && counted == 40 * ONE);
        assert!(evidence_hash == hash(0xe1) && rated_at == scenario::day(0));
        let (points, total, ratings, counterparties, updated) =
            reputation_system::standing(seller(), DELIVERY);
        assert!(points == 360000 * ONE && total == 40 * ONE && ratings == 1 && counterparties == 1);
        assert!(updated == scenario::day(0));
        // (40 * 9,000 + 100 * 5,000) / 140, rounded down.
        assert!(delivery() == 6142);
        assert!(event::emitted_events<reputation_system::PartyRated>().length() == 1);
    }

    #[test]
    fun dimensions_and_parties_do_not_touch_each_other() {
        open();
        deliver(BUYER, b"T1", 10000, 100);
        rate(BUYER, COMMUNITY, b"T1", 0, 100);
        measure(b"SUN1/1", 10000, 50);
        assert!(delivery() == 7500);
        assert!(reputation_system::score(seller(), DATA_QUALITY) == 6666);
        assert!(reputation_system::score(seller(), VERIFICATION) == 5000);
        assert!(reputation_system::score(seller(), COMMUNITY) == 2500);
        assert!(reputation_system::overall(buyer()) == 5000);
        // (35 * 7,500 + 30 * 6,666 + 25 * 5,000 + 10 * 2,500) / 100, rounded down.
        assert!(reputation_system::overall(seller()) == 6124);
    }

    #[test]
    fun readings_are_no_counterparty() {
        open();
        for (period in 0..3) measure(vector[65 + (period as u8)], 10000, 100);
        let (_, weight, ratings, counterparties, _) =
            reputation_system::standing(seller(), DATA_QUALITY);
        assert!(weight == 300 * ONE && ratings == 3 && counterparties == 0);
        let (counterparty, _, _, _, _, _) =
            reputation_system::rating(seller(), DATA_QUALITY, text(b"A"));
        assert!(counterparty.is_empty());
        assert!(reputation_system::score(seller(), DATA_QUALITY) == 8750);
    }

    #[test]
    #[expected_failure(abort_code = reputation_system::E_ALREADY_RATED, location = reputation_system)]
    fun a_trade_rates_once_whoever_speaks() {
        open();
        deliver(BUYER, b"T1", 10000, 10);
        deliver(OTHER_BUYER, b"T1", 10000, 10);
    }

    #[test]
    #[expected_failure(abort_code = reputation_system::E_ALREADY_RATED, location = reputation_system)]
    fun a_period_rates_once() {
        open();
        measure(b"SUN1/1", 10000, 10);
        measure(b"SUN1/1", 0, 10);
    }

    #[test]
    #[expected_failure(abort_code = reputation_system::E_NOT_VERIFIED, location = reputation_system)]
    fun a_stranger_rates_nobody() {
        open();
        deliver(STRANGER, b"T1", 10000, 10);
    }

    #[test]
    #[expected_failure(abort_code = reputation_system::E_NOT_VERIFIED, location = reputation_system)]
    fun readings_rate_verified_parties_only() {
        open();
        reputation_system::rate_data(&oracle(), STRANGER, text(b"SUN1/1"), 1, 1, hash(1));
    }

    #[test]
    #[expected_failure(abort_code = reputation_system::E_SAME_PARTY, location = reputation_system)]
    fun two_accounts_of_one_party_do_not_rate_each_other() {
        open();
        reputation_system::rate(
            &oracle(), BUYER, BUYERS_SECOND, DELIVERY, text(b"T1"), 10000, 10, hash(1)
        );
    }

    #[test]
    #[expected_failure(abort_code = access_control::E_NOT_ORACLE, location = access_control)]
    fun only_an_oracle_rates() {
        open();
        reputation_system::rate(
            &scenario::buyer(), SELLER, BUYER, DELIVERY, text(b"T1"), 10000, 10, hash(1)
        );
    }

    #[test]
    #[expected_failure(abort_code = access_control::E_NOT_ORACLE, location = access_control)]
    fun only_an_oracle_rates_data() {
        open();
        reputation_system::rate_data(&scenario::developer(), SELLER, text(b"SUN1/1"), 1, 1, hash(1));
    }

    #[test]
    #[expected_failure(abort_code = reputation_system::E_RATED_FROM_READINGS, location = reputation_system)]
    fun no_counterparty_rates_data() {
        open();
        rate(BUYER, DATA_QUALITY, b"T1", 10000, 10);
    }

    #[test]
    #[expected_failure(abort_code = reputation_system::E_UNKNOWN_DIMENSION, location = reputation_system)]
    fun there_is_no_dimension_0() {
        open();
        rate(BUYER, 0, b"T1", 10000, 10);
    }

    #[test]
    #[expected_failure(abort_code = reputation_system::E_UNKNOWN_DIMENSION, location = reputation_system)]
    fun there_is_no_dimension_5() {
        open();
        rate(BUYER, 5, b"T1", 10000, 10);
    }

    #[test]
    #[expected_failure(abort_code = reputation_system::E_BAD_MARK, location = reputation_system)]
    fun no_mark_is_better_than_best() {
        open();
        deliver(BUYER, b"T1", 10000, 10);
        deliver(BUYER, b"T2", 10001, 10);
    }

    #[test]
    #[expected_failure(abort_code = reputation_system::E_BAD_WEIGHT, location = reputation_system)]
    fun a_rating_weighs_something() {
        open();
        deliver(BUYER, b"T1", 10000, 0);
    }

    #[test]
    #[expected_failure(abort_code = reputation_system::E_BAD_WEIGHT, location = reputation_system)]
    fun a_rating_weighs_100_at_most() {
        open();
        measure(b"SUN1/1", 10000, 101);
    }

    #[test]
    #[expected_failure(abort_code = reputation_system::E_BAD_REFERENCE, location = reputation_system)]
    fun a_rating_names_its_trade() {
        open();
        deliver(BUYER, b"", 10000, 10);
    }

    fun long_name(length: u64): String {
        let bytes = vector[];
        for (i in 0..length) bytes.push_back(65);
        text(bytes)
    }

    #[test]
    fun a_name_may_have_64_bytes() {
        open();
        reputation_system::rate_data(&oracle(), SELLER, long_name(64), 1, 1, hash(1));
        assert!(reputation_system::is_rated(seller(), DATA_QUALITY, long_name(64)));
        assert!(!reputation_system::is_rated(seller(), DATA_QUALITY, long_name(63)));
    }

    #[test]
    #[expected_failure(abort_code = reputation_system::E_BAD_REFERENCE, location = reputation_system)]
    fun a_name_has_64_bytes_at_most() {
        open();
        reputation_system::rate_data(&oracle(), SELLER, long_name(65), 1, 1, hash(1));
    }

    #[test]
    #[expected_failure(abort_code = inputs::E_NOT_32_BYTES, location = inputs)]
    fun a_rating_has_evidence() {
        open();
        reputation_system::rate(&oracle(), SELLER, BUYER, DELIVERY, text(b"T1"), 1, 1, b"trust me");
    }

    // The cap.

    #[test]
    fun trading_in_circles_buys_nothing() {
        open();
        deliver(BUYER, b"T1", 10000, 60);
        deliver(BUYERS_SECOND, b"T2", 10000, 60);
        deliver(BUYER, b"T3", 10000, 60);
        let (_, _, _, second, _, _) = reputation_system::rating(seller(), DELIVERY, text(b"T2"));
        let (_, _, _, third, _, _) = reputation_system::rating(seller(), DELIVERY, text(b"T3"));
        assert!(second == 40 * ONE && third == 0);
        assert!(reputation_system::pair_weight(seller(), buyer(), DELIVERY) == 100 * ONE);
        let (_, weight, ratings, counterparties, _) =
            reputation_system::standing(seller(), DELIVERY);
        assert!(weight == 100 * ONE && ratings == 3 && counterparties == 1);
        assert!(delivery() == 7500);
    }

    #[test]
    fun another_counterparty_has_a_weight_of_its_own() {
        open();
        deliver(BUYER, b"T1", 10000, 100);
        deliver(OTHER_BUYER, b"T2", 10000, 100);
        rate(BUYER, COMMUNITY, b"T1", 10000, 100);
        let (_, weight, _, counterparties, _) = reputation_system::standing(seller(), DELIVERY);
        assert!(weight == 200 * ONE && counterparties == 2);
        assert!(reputation_system::pair_weight(seller(), buyer(), COMMUNITY) == 100 * ONE);
        assert!(reputation_system::pair_weight(buyer(), seller(), DELIVERY) == 0);
    }

    #[test]
    fun an_old_counterparty_regains_what_has_faded() {
        open();
        deliver(BUYER, b"T1", 0, 100);
        wait(HALF_LIFE);
        deliver(BUYER, b"T2", 10000, 100);
        let (_, _, _, counted, _, _) = reputation_system::rating(seller(), DELIVERY, text(b"T2"));
        assert!(counted == 50 * ONE);
        assert!(reputation_system::pair_weight(seller(), buyer(), DELIVERY) == 100 * ONE);
        // Half the weight says 0, half 10,000.
        assert!(delivery() == 5000);
        let (_, _, _, counterparties, _) = reputation_system::standing(seller(), DELIVERY);
        assert!(counterparties == 1);
    }

    // Decay.

    #[test]
    fun a_score_drifts_back_to_neutral() {
        open();
        deliver(BUYER, b"T1", 10000, 100);
        assert!(delivery() == 7500);
        wait(HALF_LIFE);
        assert!(delivery() == 6666);
        wait(HALF_LIFE);
        assert!(delivery() == 6000);
        wait(60 * HALF_LIFE);
        assert!(delivery() == 5000);
    }

    #[test]
    fun a_bad_score_drifts_up() {
        open();
        deliver(BUYER, b"T1", 0, 100);
        assert!(delivery() == 2500);
        wait(HALF_LIFE);
        assert!(delivery() == 3333);
    }

    #[test]
    fun whole_half_lives_lose_nothing_to_rounding() {
        open();
        deliver(BUYER, b"T1", 10000, 100);
        for (halvings in 1..4) {
            wait(HALF_LIFE);
            let (points, weight, _, _, _) = reputation_system::standing(seller(), DELIVERY);
            assert!(weight == (100 * ONE) >> (halvings as u8));
            assert!(points == (1000000 * ONE) >> (halvings as u8));
        };
    }

    #[test]
    /// `exact` is 100 * 2^-0.5 in units of 2^-64, rounded down.
    fun half_a_half_life_leaves_the_root_of_a_half() {
        open();
        deliver(BUYER, b"T1", 1, 100);
        wait(HALF_LIFE / 2);
        let (_, weight, _, _, _) = reputation_system::standing(seller(), DELIVERY);
        let exact: u128 = 1304381782533278221234;
        assert!(weight <= exact && exact - weight <= (exact >> 57) + 1);
    }

    #[test]
    fun after_128_half_lives_nothing_is_left() {
        open();
        deliver(BUYER, b"T1", 10000, 100);
        wait(128 * HALF_LIFE);
        let (points, weight, ratings, _, _) = reputation_system::standing(seller(), DELIVERY);
        assert!(points == 0 && weight == 0 && ratings == 1);
    }

    #[test]
    fun reading_changes_nothing() {
        open();
        deliver(BUYER, b"T1", 10000, 100);
        wait(1000);
        let (_, first, _, _, _) = reputation_system::standing(seller(), DELIVERY);
        let (_, second, _, _, updated) = reputation_system::standing(seller(), DELIVERY);
        assert!(first == second && first < 100 * ONE && updated == scenario::day(0));
    }

    // Views.

    #[test]
    #[expected_failure(abort_code = reputation_system::E_UNKNOWN_RATING, location = reputation_system)]
    fun a_rating_that_was_never_given_is_not_found() {
        open();
        reputation_system::rating(seller(), DELIVERY, text(b"T1"));
    }

    #[test]
    #[expected_failure(abort_code = reputation_system::E_UNKNOWN_DIMENSION, location = reputation_system)]
    fun there_is_no_score_in_dimension_5() {
        open();
        reputation_system::score(seller(), 5);
    }

    #[test]
    #[expected_failure(abort_code = reputation_system::E_UNKNOWN_DIMENSION, location = reputation_system)]
    fun no_pair_weighs_in_dimension_0() {
        open();
        reputation_system::pair_weight(seller(), buyer(), 0);
    }

    #[test]
    #[expected_failure(abort_code = reputation_system::E_UNKNOWN_DIMENSION, location = reputation_system)]
    fun nobody_is_rated_in_dimension_5() {
        open();
        reputation_system::is_rated(seller(), 5, text(b"T1"));
    }
}
