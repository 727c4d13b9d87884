#[test_only]
module carbon_market::data_anchor_tests {
    use std::vector;
    use aptos_framework::event;
    use carbon_market::access_control;
    use carbon_market::data_anchor;
    use carbon_market::inputs;
    use carbon_market::project_registry;
    use carbon_market::scenario::{Self, anchor, close, day, hash, hour, sun, text};

    const MAX_U64: u64 = 18446744073709551615;

    fun expect_day(number: u64, positive: u128, negative: u128, late_positive: u128, late_negative: u128) {
        let (counted, against, _, late, late_against, _, _) = data_anchor::day(sun(), day(number));
        assert!(counted == positive && against == negative);
        assert!(late == late_positive && late_against == late_negative);
    }

    // Anchors.

    #[test]
    fun hours_are_stored_and_added_up_by_day() {
        scenario::open();
        scenario::go_to_day(2);
        data_anchor::anchor(
            &scenario::oracle(),
            sun(),
            vector[hour(0), hour(23), hour(24)],
            vector[0, 0, 0],
            vector[hash(1), hash(2), hash(3)],
            vector[4, 4, 3],
            vector[100, 20, 7],
            vector[1, 2, 3],
            vector[text(b"a"), text(b"b"), text(b"c")]
        );
        let (root, count, positive, negative, uri, late, at) = data_anchor::anchor_of(sun(), hour(23), 0);
        assert!(root == hash(2) && count == 4 && positive == 20 && negative == 2);
        assert!(uri == text(b"b") && !late && at == day(2));
        let (positive, negative, count, _, _, _, period) = data_anchor::day(sun(), day(0));
        assert!(positive == 120 && negative == 3 && count == 8 && period == 0);
        expect_day(1, 7, 3, 0, 0);
        assert!(event::emitted_events<data_anchor::ReadingsAnchored>().length() == 3);
    }

    #[test]
    fun late_readings_are_the_next_part() {
        scenario::open();
        anchor(hour(0), 0, 100, 0);
        assert!(data_anchor::next_part(sun(), hour(0)) == 1);
        anchor(hour(0), 1, 5, 1);
        assert!(data_anchor::next_part(sun(), hour(0)) == 2);
        expect_day(0, 105, 1, 0, 0);
    }

    #[test]
    fun an_hour_without_readings_has_no_part() {
        scenario::open();
        assert!(data_anchor::next_part(sun(), hour(7)) == 0);
        expect_day(5, 0, 0, 0, 0);
    }

    #[test]
    #[expected_failure(abort_code = data_anchor::E_ALREADY_ANCHORED, location = data_anchor)]
    fun the_same_part_is_anchored_once() {
        scenario::open();
        anchor(hour(0), 0, 100, 0);
        anchor(hour(0), 0, 100, 0);
    }

    #[test]
    #[expected_failure(abort_code = data_anchor::E_PART_SKIPPED, location = data_anchor)]
    fun no_part_is_left_out() {
        scenario::open();
        anchor(hour(0), 1, 100, 0);
    }

    #[test]
    #[expected_failure(abort_code = access_control::E_NOT_ORACLE, location = access_control)]
    fun only_an_oracle_anchors() {
        scenario::open();
        let none = vector[];
        data_anchor::anchor(
            &scenario::issuer(), sun(), vector[], vector[], none, vector[], vector[], vector[], vector[]
        );
    }

    #[test]
    #[expected_failure(abort_code = project_registry::E_UNKNOWN_PROJECT, location = project_registry)]
    fun readings_belong_to_a_project() {
        scenario::open();
        data_anchor::anchor(
            &scenario::oracle(),
            text(b"SUN2"),
            vector[],
            vector[],
            vector[],
            vector[],
            vector[],
            vector[],
            vector[]
        );
    }

    /// `hours` hours with lists of the given lengths, the other lists having one entry for each hour.
    fun anchor_lists(
        hours: u64, parts: u64, roots: u64, counts: u64, positives: u64, negatives: u64, uris: u64
    ) {
        scenario::open();
        scenario::go_to_day(10);
        data_anchor::anchor(
            &scenario::oracle(),
            sun(),
            vector::range(0, hours).map(|number| hour(number)),
            vector::range(0, parts).map(|_number| 0),
            vector::range(0, roots).map(|_number| hash(1)),
            vector::range(0, counts).map(|_number| 1),
            vector::range(0, positives).map(|_number| 1),
            vector::range(0, negatives).map(|_number| 0),
            vector::range(0, uris).map(|_number| text(b"uri"))
        );
    }

    #[test]
    fun a_call_anchors_48_hours() {
        anchor_lists(48, 48, 48, 48, 48, 48, 48);
        expect_day(0, 24, 0, 0, 0);
        expect_day(1, 24, 0, 0, 0);
    }

    #[test]
    #[expected_failure(abort_code = data_anchor::E_BAD_LISTS, location = data_anchor)]
    fun a_call_does_not_anchor_49_hours() {
        anchor_lists(49, 49, 49, 49, 49, 49, 49);
    }

    #[test]
    #[expected_failure(abort_code = data_anchor::E_BAD_LISTS, location = data_anchor)]
    fun a_call_anchors_something() {
        anchor_lists(0, 0, 0, 0, 0, 0, 0);
    }

    #[test]
    #[expected_failure(abort_code = data_anchor::E_BAD_LISTS, location = data_anchor)]
    fun every_hour_has_a_part() {
        anchor_lists(2, 1, 2, 2, 2, 2, 2);
    }

    #[test]
    #[expected_failure(abort_code = data_anchor::E_BAD_LISTS, location = data_anchor)]
    fun every_hour_has_a_root() {
        anchor_lists(2, 2, 3, 2, 2, 2, 2);
    }

    #[test]
    #[expected_failure(abort_code = data_anchor::E_BAD_LISTS, location = data_anchor)]
    fun every_hour_has_a_count() {
        anchor_lists(2, 2, 2, 1, 2, 2, 2);
    }

    #[test]
    #[expected_failure(abort_code = data_anchor::E_BAD_LISTS, location = data_anchor)]
    fun every_hour_has_a_positive_sum() {
        anchor_lists(2, 2, 2, 2, 1, 2, 2);
    }

    #[test]
    #[expected_failure(abort_code = data_anchor::E_BAD_LISTS, location = data_anchor)]
    fun every_hour_has_a_negative_sum() {
        anchor_lists(2, 2, 2, 2, 2, 1, 2);
    }

    #[test]
    #[expected_failure(abort_code = data_anchor::E_BAD_LISTS, location = data_anchor)]
    fun every_hour_has_a_uri() {
        anchor_lists(2, 2, 2, 2, 2, 2, 3);
    }

    #[test]
    #[expected_failure(abort_code = data_anchor::E_NOT_AN_HOUR, location = data_anchor)]
    fun half_past_is_not_an_hour() {
        scenario::open();
        scenario::go_to_day(1);
        anchor(hour(0) + 1800, 0, 1, 0);
    }

    #[test]
    #[expected_failure(abort_code = data_anchor::E_HOUR_IN_FUTURE, location = data_anchor)]
    fun the_future_is_not_anchored() {
        scenario::open();
        anchor(hour(1), 0, 1, 0);
    }

    #[test]
    #[expected_failure(abort_code = data_anchor::E_NO_READINGS, location = data_anchor)]
    fun an_anchor_stands_for_readings() {
        scenario::open();
        data_anchor::anchor(
            &scenario::oracle(),
            sun(),
            vector[hour(0)],
            vector[0],
            vector[hash(1)],
            vector[0],
            vector[1],
            vector[0],
            vector[text(b"")]
        );
    }

    #[test]
    #[expected_failure(abort_code = inputs::E_NOT_32_BYTES, location = inputs)]
    fun a_root_is_a_hash() {
        scenario::open();
        data_anchor::anchor(
            &scenario::oracle(),
            sun(),
            vector[hour(0)],
            vector[0],
            vector[b"root"],
            vector[1],
            vector[1],
            vector[0],
            vector[text(b"")]
        );
    }

    #[test]
    #[expected_failure(abort_code = data_anchor::E_UNKNOWN_ANCHOR, location = data_anchor)]
    fun an_anchor_that_is_not_there_cannot_be_read() {
        scenario::open();
        data_anchor::anchor_of(sun(), hour(0), 0);
    }

    #[test]
    fun many_anchors_are_read_at_once() {
        scenario::open();
        scenario::go_to_day(1);
        anchor(hour(0), 0, 100, 1);
        anchor(hour(1), 0, 20, 2);
        anchor(hour(0), 1, 5, 3);
        let (roots, counts, positives, negatives, lates) =
            data_anchor::anchors_of(sun(), vector[hour(0), hour(1), hour(0)], vector[1, 0, 0]);
        assert!(roots == vector[hash(0x70), hash(0x70), hash(0x70)] && counts == vector[4, 4, 4]);
        assert!(positives == vector[5, 20, 100] && negatives == vector[3, 2, 1]);
        assert!(lates == vector[false, false, false]);
    }

    #[test]
    #[expected_failure(abort_code = data_anchor::E_BAD_LISTS, location = data_anchor)]
    fun every_hour_that_is_read_has_a_part() {
        scenario::open();
        data_anchor::anchors_of(sun(), vector[hour(0)], vector[]);
    }

    #[test]
    #[expected_failure(abort_code = data_anchor::E_UNKNOWN_ANCHOR, location = data_anchor)]
    fun none_of_many_anchors_is_passed_over() {
        scenario::open();
        anchor(hour(0), 0, 100, 1);
        data_anchor::anchors_of(sun(), vector[hour(0), hour(1)], vector[0, 0]);
    }

    // Periods.

    #[test]
    fun a_closed_period_has_the_sums_of_its_days() {
        scenario::open();
        scenario::go_to_day(4);
        anchor(hour(0), 0, 100, 1);
        // Day 1 is a gap.
        anchor(hour(48), 0, 10, 2);
        anchor(hour(72), 0, 1000, 0);
        close(0, 3);
        let (start, end, positive, negative, count, state) = data_anchor::period(sun(), 1);
        assert!(start == day(0) && end == day(3));
        assert!(positive == 110 && negative == 3 && count == 8 && state == 1);
        assert!(data_anchor::last_period(sun()) == 1);
        assert!(event::emitted_events<data_anchor::PeriodClosed>().length() == 1);
    }

    #[test]
    fun late_readings_do_not_count_for_a_closed_period() {
        scenario::open();
        scenario::go_to_day(4);
        anchor(hour(0), 0, 100, 0);
        close(0, 2);
        anchor(hour(0), 1, 50, 5);
        anchor(hour(30), 0, 7, 0);
        let (_, _, positive, negative, count, _) = data_anchor::period(sun(), 1);
        assert!(positive == 100 && negative == 0 && count == 4);
        let (_, _, _, _, _, late, _) = data_anchor::anchor_of(sun(), hour(0), 1);
        assert!(late);
        expect_day(0, 100, 0, 50, 5);
        expect_day(1, 0, 0, 7, 0);
    }

    #[test]
    fun late_readings_count_after_reopening() {
        scenario::open();
        scenario::go_to_day(4);
        anchor(hour(0), 0, 100, 0);
        close(0, 2);
        anchor(hour(0), 1, 50, 5);
        data_anchor::reopen_period(&scenario::oracle(), sun(), 1);
        expect_day(0, 150, 5, 0, 0);
        let (_, _, _, _, _, state) = data_anchor::period(sun(), 1);
        assert!(state == 3);
        close(0, 1);
        let (_, _, positive, negative, count, _) = data_anchor::period(sun(), 2);
        assert!(positive == 150 && negative == 5 && count == 8);
        assert!(data_anchor::last_period(sun()) == 2);
        assert!(event::emitted_events<data_anchor::PeriodReopened>().length() == 1);
    }

    #[test]
    fun a_leap_year_is_a_period() {
        scenario::open();
        scenario::go_to_day(366);
        close(0, 366);
        assert!(data_anchor::last_period(sun()) == 1);
    }

    #[test]
    #[expected_failure(abort_code = access_control::E_NOT_ORACLE, location = access_control)]
    fun only_an_oracle_closes() {
        scenario::open();
        data_anchor::close_period(&scenario::issuer(), sun(), day(0), day(1));
    }

    #[test]
    #[expected_failure(abort_code = project_registry::E_UNKNOWN_PROJECT, location = project_registry)]
    fun a_period_belongs_to_a_project() {
        scenario::open();
        data_anchor::close_period(&scenario::oracle(), text(b"SUN2"), day(0), day(1));
    }

    #[test]
    #[expected_failure(abort_code = data_anchor::E_NOT_WHOLE_DAYS, location = data_anchor)]
    fun a_period_starts_at_midnight() {
        scenario::open();
        data_anchor::close_period(&scenario::oracle(), sun(), hour(1), day(1));
    }

    #[test]
    #[expected_failure(abort_code = data_anchor::E_NOT_WHOLE_DAYS, location = data_anchor)]
    fun a_period_ends_at_midnight() {
        scenario::open();
        data_anchor::close_period(&scenario::oracle(), sun(), day(0), hour(1));
    }

    #[test]
    #[expected_failure(abort_code = data_anchor::E_EMPTY_PERIOD, location = data_anchor)]
    fun a_period_has_a_day() {
        scenario::open();
        close(1, 1);
    }

    #[test]
    #[expected_failure(abort_code = data_anchor::E_EMPTY_PERIOD, location = data_anchor)]
    fun a_period_does_not_run_backwards() {
        scenario::open();
        close(2, 1);
    }

    #[test]
    #[expected_failure(abort_code = data_anchor::E_PERIOD_TOO_LONG, location = data_anchor)]
    fun a_period_has_at_most_366_days() {
        scenario::open();
        scenario::go_to_day(367);
        close(0, 367);
    }

    #[test]
    #[expected_failure(abort_code = data_anchor::E_PERIOD_NOT_OVER, location = data_anchor)]
    fun a_period_is_closed_when_it_is_over() {
        scenario::open();
        close(0, 1);
    }

    #[test]
    #[expected_failure(abort_code = data_anchor::E_PERIOD_OVERLAPS, location = data_anchor)]
    fun no_day_counts_twice() {
        scenario::open();
        scenario::go_to_day(10);
        close(0, 3);
        close(2, 4);
    }

    #[test]
    #[expected_failure(abort_code = access_control::E_NOT_ORACLE, location = access_control)]
    fun only_an_oracle_reopens() {
        scenario::measured();
        data_anchor::reopen_period(&scenario::issuer(), sun(), 1);
    }

    #[test]
    #[expected_failure(abort_code = data_anchor::E_UNKNOWN_PERIOD, location = data_anchor)]
    fun an_unknown_period_cannot_be_reopened() {
        scenario::measured();
        data_anchor::reopen_period(&scenario::oracle(), sun(), 4);
    }

    #[test]
    #[expected_failure(abort_code = data_anchor::E_PERIOD_NOT_CLOSED, location = data_anchor)]
    fun a_period_is_reopened_once() {
        scenario::measured();
        data_anchor::reopen_period(&scenario::oracle(), sun(), 1);
        data_anchor::reopen_period(&scenario::oracle(), sun(), 1);
    }

    #[test]
    #[expected_failure(abort_code = data_anchor::E_PERIOD_ISSUED, location = data_anchor)]
    fun an_issued_period_stays_closed() {
        scenario::issued();
        data_anchor::reopen_period(&scenario::oracle(), sun(), 1);
    }

    #[test]
    #[expected_failure(abort_code = data_anchor::E_UNKNOWN_PERIOD, location = data_anchor)]
    fun an_unknown_period_cannot_be_read() {
        scenario::open();
        data_anchor::period(sun(), MAX_U64);
    }
}
