#[test_only]
module carbon_market::methodology_tests {
    use aptos_framework::event;
    use carbon_market::access_control;
    use carbon_market::inputs;
    use carbon_market::methodology;
    use carbon_market::scenario::{Self, hash, solar, text};

    const MAX_U128: u128 = 340282366920938463463374607431768211455;

    fun register(
        id: vector<u8>, formula: u8, numerator: u128, denominator: u128, buffer_bps: u64
    ) {
        methodology::register(
            &scenario::admin(), text(id), 1, formula, numerator, denominator, buffer_bps, hash(0xd0)
        );
    }

    #[test]
    fun a_version_is_what_was_registered() {
        scenario::publish();
        register(b"grid-renewables", 1, 7, 1000, 500);
        let (formula, numerator, denominator, buffer_bps, document_hash, active) =
            methodology::methodology(solar(), 1);
        assert!(formula == 1 && numerator == 7 && denominator == 1000 && buffer_bps == 500);
        assert!(document_hash == hash(0xd0) && active);
        assert!(methodology::exists_version(solar(), 1));
        assert!(!methodology::exists_version(solar(), 2));
        assert!(event::emitted_events<methodology::MethodologyRegistered>().length() == 1);
    }

    #[test]
    fun grams_are_rounded_down() {
        scenario::publish();
        register(b"grid-renewables", 1, 2, 3, 0);
        assert!(methodology::ceiling_grams(solar(), 1, 10, 3) == 4);
    }

    #[test]
    fun what_consumes_more_than_it_gives_earns_nothing() {
        scenario::publish();
        register(b"grid-renewables", 1, 1, 1, 0);
        assert!(methodology::ceiling_grams(solar(), 1, 5, 5) == 0);
        assert!(methodology::ceiling_grams(solar(), 1, 5, 6) == 0);
    }

    #[test]
    fun the_largest_sums_do_not_overflow_on_the_way() {
        scenario::publish();
        register(b"grid-renewables", 1, MAX_U128, MAX_U128, 0);
        assert!(methodology::ceiling_grams(solar(), 1, MAX_U128, MAX_U128 - 5) == 5);
    }

    #[test]
    #[expected_failure(abort_code = methodology::E_CEILING_OVERFLOW, location = methodology)]
    fun more_grams_than_can_be_counted_are_refused() {
        scenario::publish();
        register(b"grid-renewables", 1, 1, 1, 0);
        methodology::ceiling_grams(solar(), 1, 18446744073709551616, 0);
    }

    #[test]
    fun the_buffer_share_is_rounded_up() {
        scenario::publish();
        register(b"grid-renewables", 1, 1, 1, 500);
        assert!(methodology::buffer_share(solar(), 1, 9000) == 450);
        assert!(methodology::buffer_share(solar(), 1, 1) == 1);
        assert!(methodology::buffer_share(solar(), 1, 18446744073709551615) == 922337203685477581);
    }

    #[test]
    #[expected_failure(abort_code = access_control::E_NOT_ADMIN, location = access_control)]
    fun only_the_admin_registers() {
        scenario::publish();
        methodology::register(&scenario::stranger(), solar(), 1, 1, 1, 1, 0, hash(0xd0));
    }

    #[test]
    #[expected_failure(abort_code = methodology::E_VERSION_EXISTS, location = methodology)]
    fun a_version_never_changes() {
        scenario::publish();
        register(b"grid-renewables", 1, 1, 1000, 500);
        register(b"grid-renewables", 1, 2, 1000, 500);
    }

    #[test]
    #[expected_failure(abort_code = methodology::E_UNKNOWN_FORMULA, location = methodology)]
    fun formula_2_is_not_known() {
        scenario::publish();
        register(b"grid-renewables", 2, 1, 1000, 500);
    }

    #[test]
    #[expected_failure(abort_code = methodology::E_ZERO_FACTOR, location = methodology)]
    fun nothing_is_divided_by_zero() {
        scenario::publish();
        register(b"grid-renewables", 1, 1, 0, 500);
    }

    #[test]
    #[expected_failure(abort_code = methodology::E_ZERO_FACTOR, location = methodology)]
    fun a_factor_of_zero_is_refused() {
        scenario::publish();
        register(b"grid-renewables", 1, 0, 1000, 500);
    }

    #[test]
    #[expected_failure(abort_code = methodology::E_BUFFER_ABOVE_ALL, location = methodology)]
    fun the_buffer_is_at_most_everything() {
        scenario::publish();
        register(b"grid-renewables", 1, 1, 1000, 10001);
    }

    #[test]
    #[expected_failure(abort_code = methodology::E_BAD_METHODOLOGY_ID, location = methodology)]
    fun a_methodology_has_an_id() {
        scenario::publish();
        register(b"", 1, 1, 1000, 500);
    }

    #[test]
    #[expected_failure(abort_code = methodology::E_BAD_METHODOLOGY_ID, location = methodology)]
    fun a_methodologys_id_is_at_most_64_bytes() {
        scenario::publish();
        let id = hash(65);
        id.append(hash(65));
        id.push_back(65);
        register(id, 1, 1, 1000, 500);
    }

    #[test]
    #[expected_failure(abort_code = inputs::E_NOT_32_BYTES, location = inputs)]
    fun the_documents_hash_is_32_bytes() {
        scenario::publish();
        methodology::register(&scenario::admin(), solar(), 1, 1, 1, 1, 0, b"short");
    }

    #[test]
    fun a_retired_version_can_still_be_read() {
        scenario::open();
        methodology::retire(&scenario::admin(), solar(), 1);
        let (_, _, _, _, _, active) = methodology::methodology(solar(), 1);
        assert!(!active);
        assert!(event::emitted_events<methodology::MethodologyRetired>().length() == 1);
    }

    #[test]
    #[expected_failure(abort_code = methodology::E_RETIRED, location = methodology)]
    fun a_version_is_retired_once() {
        scenario::open();
        methodology::retire(&scenario::admin(), solar(), 1);
        methodology::retire(&scenario::admin(), solar(), 1);
    }

    #[test]
    #[expected_failure(abort_code = access_control::E_NOT_ADMIN, location = access_control)]
    fun only_the_admin_retires_a_version() {
        scenario::open();
        methodology::retire(&scenario::stranger(), solar(), 1);
    }

    #[test]
    #[expected_failure(abort_code = methodology::E_UNKNOWN_VERSION, location = methodology)]
    fun a_version_that_is_not_registered_has_no_formula() {
        scenario::open();
        methodology::methodology(solar(), 2);
    }
}
