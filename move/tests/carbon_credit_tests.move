#[test_only]
module carbon_market::carbon_credit_tests {
    use aptos_framework::event;
    use aptos_framework::fungible_asset::{Self, Metadata};
    use aptos_framework::object::{Self, Object};
    use aptos_framework::primary_fungible_store;
    use aptos_token_objects::token;
    use carbon_market::access_control;
    use carbon_market::batch_labels;
    use carbon_market::carbon_credit;
    use carbon_market::certificate_registry;
    use carbon_market::credit_batch;
    use carbon_market::data_anchor;
    use carbon_market::inputs;
    use carbon_market::methodology;
    use carbon_market::project_registry;
    use carbon_market::scenario::{Self, day, hash, solar, sun, text};

    /// The law of every batch.
    fun expect_whole(batch: Object<Metadata>) {
        let addr = object::object_address(&batch);
        let (issued, _, retired, cancelled, _, serial_next) = credit_batch::counts_for_test(addr);
        assert!(issued == credit_batch::supply(batch) + retired + cancelled);
        let (serial_first, serial_last) = credit_batch::serials_for_test(addr);
        assert!(serial_last - serial_first + 1 == issued);
        assert!(serial_next - serial_first == retired + cancelled);
    }

    // Issuing.

    #[test]
    fun a_closed_period_is_issued_to_the_developer_and_the_buffer() {
        let batch = scenario::issued();
        assert!(credit_batch::supply(batch) == 9000);
        assert!(credit_batch::holding(@0xde, batch) == 8550);
        assert!(credit_batch::buffer_balance(batch) == 450);
        assert!(credit_batch::next_serial() == 9001);
        let (issued, buffered, retired, cancelled, reversed, serial_next) =
            credit_batch::counts_for_test(object::object_address(&batch));
        assert!(issued == 9000 && buffered == 450 && serial_next == 1);
        assert!(retired == 0 && cancelled == 0 && reversed == 0);
        let (_, _, _, _, _, state) = data_anchor::period(sun(), 1);
        assert!(state == 2);
        expect_whole(batch);
        assert!(event::emitted_events<carbon_credit::BatchIssued>().length() == 1);
        assert!(event::emitted_events<data_anchor::PeriodIssued>().length() == 1);
    }

    #[test]
    fun a_batch_is_a_token_and_an_asset_counted_in_grams() {
        let batch = scenario::issued();
        assert!(token::name(batch) == text(b"BAT1"));
        assert!(token::creator(batch) == credit_batch::registry_address());
        assert!(token::uri(batch) == text(b"https://example.org/BAT1"));
        assert!(fungible_asset::name(batch) == text(b"CO2e BAT1"));
        assert!(fungible_asset::symbol(batch) == text(b"CO2E"));
        assert!(fungible_asset::decimals(batch) == 6);
        assert!(fungible_asset::maximum(batch).destroy_some() == 9000);
    }

    #[test]
    fun serials_run_on_from_batch_to_batch() {
        let first = scenario::issued();
        scenario::issue_case(1, 2, b"BAT2", 9000);
        let second = scenario::batch(b"BAT2");
        let (_, last) = credit_batch::serials_for_test(object::object_address(&first));
        let (next, _) = credit_batch::serials_for_test(object::object_address(&second));
        assert!(last == 9000 && next == 9001);
        expect_whole(second);
    }

    #[test]
    fun a_methodology_may_need_no_buffer() {
        scenario::measured();
        scenario::register_methodology(2, 1, 0);
        project_registry::set_methodology(&scenario::issuer(), sun(), solar(), 2);
        scenario::issue_case(0, 1, b"BAT1", 9000);
        assert!(credit_batch::holding(@0xde, scenario::batch(b"BAT1")) == 9000);
    }

    #[test]
    fun a_methodology_may_hold_everything_back() {
        scenario::measured();
        scenario::register_methodology(2, 1, 10000);
        project_registry::set_methodology(&scenario::issuer(), sun(), solar(), 2);
        scenario::issue_case(0, 1, b"BAT1", 9000);
        let batch = scenario::batch(b"BAT1");
        assert!(credit_batch::buffer_balance(batch) == 9000);
        assert!(credit_batch::holding(@0xde, batch) == 0);
    }

    #[test]
    #[expected_failure(abort_code = access_control::E_NOT_ISSUER, location = access_control)]
    fun only_an_issuer_issues() {
        scenario::measured();
        carbon_credit::issue(
            &scenario::developer(), sun(), 1, text(b"BAT1"), 1, hash(1), vector[], vector[], 0, text(b"")
        );
    }

    #[test]
    #[expected_failure(abort_code = access_control::E_PAUSED, location = access_control)]
    fun nothing_is_issued_while_paused() {
        scenario::measured();
        access_control::pause(&scenario::pauser());
        scenario::issue_case(0, 1, b"BAT1", 9000);
    }

    #[test]
    #[expected_failure(abort_code = inputs::E_BAD_ID, location = inputs)]
    fun a_batch_has_a_plain_id() {
        scenario::measured();
        scenario::issue_case(0, 1, b"batch", 9000);
    }

    #[test]
    #[expected_failure(abort_code = inputs::E_NOT_32_BYTES, location = inputs)]
    fun a_report_is_named_by_its_hash() {
        scenario::measured();
        carbon_credit::issue(
            &scenario::issuer(), sun(), 1, text(b"BAT1"), 1, b"report", vector[], vector[], 0, text(b"")
        );
    }

    #[test]
    #[expected_failure(abort_code = project_registry::E_UNKNOWN_PROJECT, location = project_registry)]
    fun credits_come_from_a_project() {
        scenario::measured();
        carbon_credit::issue(
            &scenario::issuer(), text(b"SUN2"), 1, text(b"BAT1"), 1, hash(1), vector[], vector[], 0, text(b"")
        );
    }

    #[test]
    #[expected_failure(abort_code = project_registry::E_SUSPENDED, location = project_registry)]
    fun a_suspended_project_is_issued_nothing() {
        scenario::measured();
        project_registry::set_active(&scenario::issuer(), sun(), false);
        scenario::issue_case(0, 1, b"BAT1", 9000);
    }

    #[test]
    #[expected_failure(abort_code = methodology::E_RETIRED, location = methodology)]
    fun nothing_is_issued_under_a_retired_methodology() {
        scenario::measured();
        methodology::retire(&scenario::admin(), solar(), 1);
        scenario::issue_case(0, 1, b"BAT1", 9000);
    }

    #[test]
    #[expected_failure(abort_code = data_anchor::E_UNKNOWN_PERIOD, location = data_anchor)]
    fun a_period_that_is_not_closed_is_not_issued() {
        scenario::measured();
        scenario::issue_case(0, 4, b"BAT1", 9000);
    }

    #[test]
    #[expected_failure(abort_code = data_anchor::E_PERIOD_NOT_CLOSED, location = data_anchor)]
    fun a_reopened_period_is_not_issued() {
        scenario::measured();
        data_anchor::reopen_period(&scenario::oracle(), sun(), 1);
        scenario::issue_case(0, 1, b"BAT1", 9000);
    }

    #[test]
    #[expected_failure(abort_code = data_anchor::E_PERIOD_ISSUED, location = data_anchor)]
    fun a_period_is_issued_once() {
        scenario::issued();
        scenario::issue_case(0, 1, b"BAT2", 9000);
    }

    #[test]
    #[expected_failure(abort_code = data_anchor::E_PERIOD_OVERLAPS, location = data_anchor)]
    fun an_issued_day_is_in_no_other_period() {
        scenario::issued();
        scenario::close(1, 2);
    }

    #[test]
    #[expected_failure(abort_code = carbon_credit::E_ABOVE_ANCHORED_SUMS, location = carbon_credit)]
    fun no_quorum_can_issue_more_than_was_measured() {
        scenario::measured();
        scenario::issue_case(2, 1, b"BAT1", 9001);
    }

    #[test]
    #[expected_failure(abort_code = carbon_credit::E_ABOVE_ANCHORED_SUMS, location = carbon_credit)]
    fun late_readings_do_not_raise_what_can_be_issued() {
        scenario::measured();
        scenario::anchor(day(0), 1, 1000000, 0);
        scenario::issue_case(2, 1, b"BAT1", 9001);
    }

    #[test]
    #[expected_failure(abort_code = credit_batch::E_ZERO_GRAMS, location = credit_batch)]
    fun a_batch_has_a_gram() {
        scenario::measured();
        scenario::issue_case(4, 1, b"BAT1", 0);
    }

    #[test]
    #[expected_failure(abort_code = credit_batch::E_BATCH_EXISTS, location = credit_batch)]
    fun a_batch_is_created_once() {
        scenario::issued();
        scenario::issue_case(1, 2, b"BAT1", 9000);
    }

    // Giving.

    #[test]
    fun credits_are_given() {
        let batch = scenario::issued();
        carbon_credit::give(&scenario::developer(), batch, @0xb1, 3000);
        assert!(credit_batch::holding(@0xde, batch) == 5550);
        assert!(credit_batch::holding(@0xb1, batch) == 3000);
        expect_whole(batch);
        assert!(event::emitted_events<carbon_credit::CreditsGiven>().length() == 1);
    }

    #[test]
    #[expected_failure(abort_code = access_control::E_PAUSED, location = access_control)]
    fun nothing_is_given_while_paused() {
        let batch = scenario::issued();
        access_control::pause(&scenario::pauser());
        carbon_credit::give(&scenario::developer(), batch, @0xb1, 1);
    }

    #[test]
    #[expected_failure(abort_code = credit_batch::E_ABOVE_HOLDING, location = credit_batch)]
    fun nobody_gives_more_than_it_holds() {
        let batch = scenario::issued();
        carbon_credit::give(&scenario::developer(), batch, @0xb1, 8551);
    }

    #[test]
    #[expected_failure(abort_code = credit_batch::E_ZERO_GRAMS, location = credit_batch)]
    fun nothing_is_not_given() {
        let batch = scenario::issued();
        carbon_credit::give(&scenario::developer(), batch, @0xb1, 0);
    }

    #[test]
    #[expected_failure(abort_code = credit_batch::E_UNKNOWN_BATCH, location = credit_batch)]
    fun another_asset_is_not_a_batch() {
        scenario::open();
        carbon_credit::give(&scenario::developer(), scenario::other_asset(), @0xb1, 1);
    }

    // Retiring.

    #[test]
    fun retired_credits_are_gone_and_written_down() {
        let batch = scenario::issued();
        carbon_credit::give(&scenario::developer(), batch, @0xb1, 3000);
        scenario::retire(&scenario::buyer(), batch, 1234, b"RET1");
        scenario::retire(&scenario::developer(), batch, 50, b"RET2");
        assert!(credit_batch::supply(batch) == 9000 - 1284);
        assert!(credit_batch::holding(@0xb1, batch) == 1766);
        let (kind, from, holder, grams, first, last) = certificate_registry::record_for_test(text(b"RET1"));
        assert!(kind == 1 && from == object::object_address(&batch) && holder == @0xb1);
        assert!(grams == 1234 && first == 1 && last == 1234);
        let (_, _, _, _, first, last) = certificate_registry::record_for_test(text(b"RET2"));
        assert!(first == 1235 && last == 1284);
        assert!(certificate_registry::count() == 2);
        expect_whole(batch);
        assert!(event::emitted_events<carbon_credit::CreditsRetired>().length() == 2);
    }

    #[test]
    fun the_market_retires_while_paused() {
        let batch = scenario::issued();
        access_control::pause(&scenario::pauser());
        scenario::retire(&scenario::developer(), batch, 1, b"RET1");
        scenario::cancel(&scenario::developer(), batch, 1, b"CAN1");
        expect_whole(batch);
    }

    #[test]
    fun everything_can_be_retired() {
        let batch = scenario::issued();
        scenario::retire(&scenario::developer(), batch, 8550, b"RET1");
        assert!(credit_batch::supply(batch) == 450);
        expect_whole(batch);
    }

    #[test]
    #[expected_failure(abort_code = credit_batch::E_ABOVE_HOLDING, location = credit_batch)]
    fun nobody_retires_more_than_it_holds() {
        let batch = scenario::issued();
        scenario::retire(&scenario::buyer(), batch, 1, b"RET1");
    }

    #[test]
    #[expected_failure(abort_code = credit_batch::E_ZERO_GRAMS, location = credit_batch)]
    fun nothing_is_not_retired() {
        let batch = scenario::issued();
        scenario::retire(&scenario::developer(), batch, 0, b"RET1");
    }

    #[test]
    #[expected_failure(abort_code = inputs::E_NOT_32_BYTES, location = inputs)]
    fun a_beneficiary_is_a_commitment() {
        let batch = scenario::issued();
        carbon_credit::retire(
            &scenario::developer(), batch, 1, text(b"RET1"), b"Jane Doe", text(b""), text(b"DE"), 0, 1
        );
    }

    #[test]
    #[expected_failure(abort_code = inputs::E_BAD_COUNTRY, location = inputs)]
    fun a_claim_names_a_country() {
        let batch = scenario::issued();
        carbon_credit::retire(
            &scenario::developer(), batch, 1, text(b"RET1"), hash(1), text(b""), text(b""), 0, 1
        );
    }

    #[test]
    #[expected_failure(abort_code = carbon_credit::E_BAD_CLAIM_PERIOD, location = carbon_credit)]
    fun a_claims_period_ends_after_it_starts() {
        let batch = scenario::issued();
        carbon_credit::retire(
            &scenario::developer(), batch, 1, text(b"RET1"), hash(1), text(b""), text(b"DE"), day(1), day(1)
        );
    }

    // Cancelling.

    #[test]
    fun cancelled_credits_are_gone_without_a_claim() {
        let batch = scenario::issued();
        scenario::retire(&scenario::developer(), batch, 100, b"RET1");
        scenario::cancel(&scenario::developer(), batch, 10, b"CAN1");
        let (kind, _, holder, grams, first, last) = certificate_registry::record_for_test(text(b"CAN1"));
        assert!(kind == 2 && holder == @0xde && grams == 10 && first == 101 && last == 110);
        let (_, _, retired, cancelled, _, _) = credit_batch::counts_for_test(object::object_address(&batch));
        assert!(retired == 100 && cancelled == 10);
        expect_whole(batch);
        assert!(event::emitted_events<carbon_credit::CreditsCancelled>().length() == 1);
    }

    #[test]
    #[expected_failure(abort_code = credit_batch::E_ABOVE_HOLDING, location = credit_batch)]
    fun nobody_cancels_more_than_it_holds() {
        let batch = scenario::issued();
        scenario::cancel(&scenario::developer(), batch, 8551, b"CAN1");
    }

    // Reversals.

    #[test]
    fun a_small_reversal_is_paid_by_the_buffer() {
        let batch = scenario::issued();
        scenario::reverse(batch, 400, b"REV1");
        assert!(credit_batch::buffer_balance(batch) == 50);
        assert!(credit_batch::holding(@0xde, batch) == 8550);
        let (kind, _, _, grams, first, last) = certificate_registry::record_for_test(text(b"REV1"));
        assert!(kind == 3 && grams == 400 && first == 1 && last == 400);
        assert!(carbon_credit::reversal_debt(sun()) == 0);
        expect_whole(batch);
        assert!(event::emitted_events<carbon_credit::CreditsReversed>().length() == 1);
    }

    #[test]
    fun a_larger_reversal_takes_what_the_developer_holds() {
        let batch = scenario::issued();
        carbon_credit::give(&scenario::developer(), batch, @0xb1, 8000);
        scenario::reverse(batch, 600, b"REV1");
        assert!(credit_batch::buffer_balance(batch) == 0);
        assert!(credit_batch::holding(@0xde, batch) == 400);
        assert!(credit_batch::holding(@0xb1, batch) == 8000);
        assert!(carbon_credit::reversal_debt(sun()) == 0);
        expect_whole(batch);
    }

    #[test]
    fun a_freeze_does_not_save_the_developers_credits() {
        let batch = scenario::issued();
        access_control::freeze_account(&scenario::pauser(), @0xde, text(b"reversal"));
        scenario::reverse(batch, 9000, b"REV1");
        assert!(credit_batch::supply(batch) == 0);
    }

    /// The developer sold all but 50; 1,500 are reversed in two steps.
    fun indebted(): Object<Metadata> {
        let batch = scenario::issued();
        carbon_credit::give(&scenario::developer(), batch, @0xb1, 8500);
        scenario::reverse(batch, 1000, b"REV1");
        scenario::reverse(batch, 500, b"REV2");
        batch
    }

    #[test]
    fun what_nobody_covers_becomes_the_projects_debt() {
        let batch = indebted();
        assert!(carbon_credit::reversal_debt(sun()) == 1000);
        assert!(credit_batch::holding(@0xb1, batch) == 8500);
        let (_, _, _, grams, first, last) = certificate_registry::record_for_test(text(b"REV2"));
        assert!(grams == 0 && first == 0 && last == 0);
        let (_, _, _, cancelled, reversed, _) = credit_batch::counts_for_test(object::object_address(&batch));
        assert!(cancelled == 500 && reversed == 1500);
        expect_whole(batch);
    }

    #[test]
    #[expected_failure(abort_code = carbon_credit::E_REVERSAL_DEBT, location = carbon_credit)]
    fun a_project_in_debt_is_issued_nothing() {
        indebted();
        scenario::issue_case(1, 2, b"BAT2", 9000);
    }

    #[test]
    fun a_repaid_debt_lets_the_project_go_on() {
        let batch = indebted();
        carbon_credit::repay_debt(&scenario::buyer(), sun(), batch, 400, text(b"PAY1"));
        assert!(carbon_credit::reversal_debt(sun()) == 600);
        carbon_credit::repay_debt(&scenario::buyer(), sun(), batch, 600, text(b"PAY2"));
        assert!(carbon_credit::reversal_debt(sun()) == 0);
        scenario::issue_case(1, 2, b"BAT2", 9000);
        expect_whole(batch);
        assert!(event::emitted_events<carbon_credit::ReversalDebtRepaid>().length() == 2);
    }

    #[test]
    #[expected_failure(abort_code = carbon_credit::E_ABOVE_DEBT, location = carbon_credit)]
    fun nobody_pays_more_than_is_owed() {
        let batch = indebted();
        carbon_credit::repay_debt(&scenario::buyer(), sun(), batch, 1001, text(b"PAY1"));
    }

    #[test]
    #[expected_failure(abort_code = access_control::E_NOT_ISSUER, location = access_control)]
    fun only_an_issuer_reverses() {
        let batch = scenario::issued();
        carbon_credit::reverse(&scenario::developer(), batch, 1, text(b"REV1"), hash(1));
    }

    #[test]
    #[expected_failure(abort_code = inputs::E_NOT_32_BYTES, location = inputs)]
    fun a_reversal_has_evidence() {
        let batch = scenario::issued();
        carbon_credit::reverse(&scenario::issuer(), batch, 1, text(b"REV1"), b"fire");
    }

    #[test]
    #[expected_failure(abort_code = credit_batch::E_ZERO_GRAMS, location = credit_batch)]
    fun nothing_is_not_reversed() {
        let batch = scenario::issued();
        scenario::reverse(batch, 0, b"REV1");
    }

    #[test]
    #[expected_failure(abort_code = credit_batch::E_ABOVE_ISSUED, location = credit_batch)]
    fun no_more_is_reversed_than_was_issued() {
        let batch = scenario::issued();
        scenario::reverse(batch, 5000, b"REV1");
        scenario::reverse(batch, 4001, b"REV2");
    }

    #[test]
    #[expected_failure(abort_code = credit_batch::E_UNKNOWN_BATCH, location = credit_batch)]
    fun another_asset_is_not_reversed() {
        scenario::open();
        scenario::reverse(scenario::other_asset(), 1, b"REV1");
    }

    // Labels.

    #[test]
    fun labels_are_replaced() {
        let batch = scenario::issued();
        carbon_credit::set_labels(&scenario::issuer(), batch, 6);
        carbon_credit::set_labels(&scenario::issuer(), batch, 2);
        assert!(event::emitted_events<carbon_credit::LabelsChanged>().length() == 2);
    }

    #[test]
    #[expected_failure(abort_code = access_control::E_NOT_ISSUER, location = access_control)]
    fun only_an_issuer_labels() {
        let batch = scenario::issued();
        carbon_credit::set_labels(&scenario::developer(), batch, 6);
    }

    #[test]
    #[expected_failure(abort_code = credit_batch::E_UNKNOWN_BATCH, location = credit_batch)]
    fun another_asset_has_no_labels() {
        scenario::open();
        carbon_credit::set_labels(&scenario::issuer(), scenario::other_asset(), 6);
    }

    #[test, expected_failure(abort_code = batch_labels::E_UNKNOWN_BATCH, location = batch_labels)]
    fun no_labels_are_read_where_no_batch_is() {
        batch_labels::labels_of(@0xb1);
    }

    #[test, expected_failure(abort_code = batch_labels::E_NOT_THE_PUBLISHER, location = batch_labels)]
    fun nobody_else_gets_power_over_labels() {
        batch_labels::take_cap_for_test(&scenario::issuer());
    }

    #[test, expected_failure(abort_code = batch_labels::E_CAP_TAKEN, location = batch_labels)]
    fun power_over_labels_is_taken_once() {
        scenario::open();
        batch_labels::take_cap_for_test(&scenario::admin());
    }

    #[test]
    fun a_gift_to_the_buffer_helps_in_a_reversal() {
        let batch = scenario::issued();
        primary_fungible_store::transfer(
            &scenario::developer(), batch, credit_batch::registry_address(), 50
        );
        scenario::reverse(batch, 500, b"REV1");
        assert!(credit_batch::holding(@0xde, batch) == 8500);
        expect_whole(batch);
    }
}
