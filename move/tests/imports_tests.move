#[test_only]
module carbon_market::imports_tests {
    use std::string::String;
    use aptos_framework::event;
    use aptos_framework::fungible_asset::Metadata;
    use aptos_framework::object::{Self, Object};
    use carbon_market::access_control;
    use carbon_market::carbon_credit;
    use carbon_market::batch_labels;
    use carbon_market::credit_batch;
    use carbon_market::imports;
    use carbon_market::inputs;
    use carbon_market::scenario::{Self, hash, sun, text};

    const OWNER: address = @0xb1;
    const GRAMS: u64 = 5000000;
    const CCP: u64 = 1;
    const NOT_MEASURED_HERE: u64 = 64;

    fun bring(id: vector<u8>, serial: vector<u8>) {
        bring_as(id, text(b"ACR"), text(serial), text(b"ACR102"), text(b"US"), 1, 2, GRAMS);
    }

    fun bring_as(
        id: vector<u8>,
        registry: String,
        serial: String,
        project: String,
        country: String,
        start: u64,
        end: u64,
        grams: u64
    ) {
        imports::import_batch(
            &scenario::issuer(),
            OWNER,
            text(id),
            registry,
            serial,
            project,
            text(b"Air Bag Gas Substitution"),
            country,
            text(b"Industrial Gas Substitution, Version 1.0"),
            start,
            end,
            grams,
            CCP,
            text(b"https://example.org/ACR102")
        );
    }

    fun imported(): Object<Metadata> {
        scenario::open();
        bring(b"IMP1", b"ACR-US-102-2005-1 to 5");
        scenario::batch(b"IMP1")
    }

    #[test]
    fun imported_credits_are_their_owners_and_say_where_they_come_from() {
        let batch = imported();
        let addr = object::object_address(&batch);
        assert!(credit_batch::holding(OWNER, batch) == GRAMS);
        assert!(credit_batch::supply(batch) == GRAMS);
        assert!(credit_batch::buffer_balance(batch) == 0);
        assert!(credit_batch::is_imported(addr));
        assert!(batch_labels::labels_of(addr) == CCP | NOT_MEASURED_HERE);
        assert!(imports::was_imported(text(b"ACR"), text(b"ACR-US-102-2005-1 to 5")));
        assert!(!imports::was_imported(text(b"VCS"), text(b"ACR-US-102-2005-1 to 5")));
        let (registry, serial, project) = imports::origin(addr);
        assert!(registry == text(b"ACR") && serial == text(b"ACR-US-102-2005-1 to 5"));
        assert!(project == text(b"Air Bag Gas Substitution"));
        let (methodology, country, start) = credit_batch::traits_of(addr);
        assert!(methodology == text(b"Industrial Gas Substitution, Version 1.0"));
        assert!(country == text(b"US") && start == 1);
        assert!(event::emitted_events<imports::CreditsImported>().length() == 1);
    }

    #[test]
    fun they_are_given_and_retired_like_others() {
        let batch = imported();
        let owner = scenario::buyer();
        carbon_credit::give(&owner, batch, @0xdead, 1000000);
        scenario::retire(&owner, batch, 2000000, b"RET1");
        scenario::cancel(&owner, batch, 500000, b"CAN1");
        let (issued, buffered, retired, cancelled, _, _) =
            credit_batch::counts_for_test(object::object_address(&batch));
        assert!(issued == GRAMS && buffered == 0 && retired == 2000000 && cancelled == 500000);
        assert!(credit_batch::supply(batch) == GRAMS - 2500000);
    }

    #[test]
    fun their_serials_follow_those_of_measured_batches() {
        scenario::issued();
        bring(b"IMP1", b"S1");
        let (first, last) = credit_batch::serials_for_test(credit_batch::batch_address(text(b"IMP1")));
        assert!(first == 9001 && last == 9000 + GRAMS);
    }

    #[test]
    fun two_registries_may_have_the_same_serial() {
        imported();
        bring_as(b"IMP2", text(b"VCS"), text(b"ACR-US-102-2005-1 to 5"), text(b"P1"), text(b"US"), 1, 2, 1);
        assert!(credit_batch::batch_exists(credit_batch::batch_address(text(b"IMP2"))));
    }

    #[test]
    #[expected_failure(abort_code = credit_batch::E_TOO_MANY_GRAMS, location = credit_batch)]
    fun one_import_does_not_use_up_the_serials_of_all() {
        imported();
        bring_as(b"IMP2", text(b"VCS"), text(b"S2"), text(b"P1"), text(b"US"), 1, 2, 1000000000000001);
    }

    #[test]
    #[expected_failure(abort_code = imports::E_IMPORTED_BEFORE, location = imports)]
    fun a_serial_is_imported_once() {
        imported();
        bring(b"IMP2", b"ACR-US-102-2005-1 to 5");
    }

    #[test]
    #[expected_failure(abort_code = imports::E_IMPORTED_BEFORE, location = imports)]
    fun a_repeated_import_is_told_from_another_batch_of_its_id() {
        imported();
        bring(b"IMP1", b"ACR-US-102-2005-1 to 5");
    }

    #[test]
    #[expected_failure(abort_code = credit_batch::E_BATCH_EXISTS, location = credit_batch)]
    fun a_batch_id_is_used_once() {
        imported();
        bring(b"IMP1", b"S2");
    }

    #[test]
    #[expected_failure(abort_code = imports::E_PROJECT_OF_HERE, location = imports)]
    fun a_project_of_here_gets_no_imports() {
        scenario::open();
        bring_as(b"IMP1", text(b"ACR"), text(b"S1"), sun(), text(b"US"), 1, 2, 1);
    }

    #[test]
    #[expected_failure(abort_code = imports::E_BAD_VINTAGE, location = imports)]
    fun a_vintage_ends_after_it_starts() {
        scenario::open();
        bring_as(b"IMP1", text(b"ACR"), text(b"S1"), text(b"P1"), text(b"US"), 2, 2, 1);
    }

    #[test]
    #[expected_failure(abort_code = credit_batch::E_ZERO_GRAMS, location = credit_batch)]
    fun nothing_is_not_imported() {
        scenario::open();
        bring_as(b"IMP1", text(b"ACR"), text(b"S1"), text(b"P1"), text(b"US"), 1, 2, 0);
    }

    #[test]
    #[expected_failure(abort_code = inputs::E_BAD_ID, location = inputs)]
    fun a_registry_is_named_by_an_id() {
        scenario::open();
        bring_as(b"IMP1", text(b"the acr"), text(b"S1"), text(b"P1"), text(b"US"), 1, 2, 1);
    }

    #[test]
    #[expected_failure(abort_code = inputs::E_BAD_COUNTRY, location = inputs)]
    fun a_country_has_its_form() {
        scenario::open();
        bring_as(b"IMP1", text(b"ACR"), text(b"S1"), text(b"P1"), text(b"USA"), 1, 2, 1);
    }

    #[test]
    #[expected_failure(abort_code = imports::E_BAD_SERIAL, location = imports)]
    fun a_serial_is_needed() {
        scenario::open();
        bring(b"IMP1", b"");
    }

    #[test]
    #[expected_failure(abort_code = imports::E_BAD_SERIAL, location = imports)]
    fun a_space_at_the_end_makes_no_other_serial() {
        imported();
        bring(b"IMP2", b"ACR-US-102-2005-1 to 5 ");
    }

    #[test]
    #[expected_failure(abort_code = imports::E_BAD_SERIAL, location = imports)]
    fun a_serial_is_printable() {
        scenario::open();
        bring(b"IMP1", b"S\n1");
    }

    #[test]
    #[expected_failure(abort_code = imports::E_NOT_IMPORTED, location = imports)]
    fun a_measured_batch_has_no_other_origin() {
        imports::origin(object::object_address(&scenario::issued()));
    }

    #[test]
    #[expected_failure(abort_code = access_control::E_NOT_ISSUER, location = access_control)]
    fun only_the_issuer_imports() {
        scenario::open();
        imports::import_batch(
            &scenario::stranger(),
            OWNER,
            text(b"IMP1"),
            text(b"ACR"),
            text(b"S1"),
            text(b"P1"),
            text(b"a project"),
            text(b"US"),
            text(b"a methodology"),
            1,
            2,
            1,
            0,
            text(b"")
        );
    }

    #[test]
    #[expected_failure(abort_code = access_control::E_PAUSED, location = access_control)]
    fun a_pause_stops_imports() {
        scenario::open();
        access_control::pause(&scenario::pauser());
        bring(b"IMP1", b"S1");
    }

    // What never changes.

    #[test]
    fun other_labels_of_theirs_change() {
        let batch = imported();
        carbon_credit::set_labels(&scenario::issuer(), batch, NOT_MEASURED_HERE | 2);
        assert!(batch_labels::labels_of(object::object_address(&batch)) == NOT_MEASURED_HERE | 2);
    }

    #[test]
    #[expected_failure(abort_code = credit_batch::E_ORIGIN_LABEL, location = credit_batch)]
    fun they_never_become_measured() {
        carbon_credit::set_labels(&scenario::issuer(), imported(), CCP);
    }

    #[test]
    #[expected_failure(abort_code = credit_batch::E_ORIGIN_LABEL, location = credit_batch)]
    fun measured_credits_stay_measured() {
        carbon_credit::set_labels(&scenario::issuer(), scenario::issued(), NOT_MEASURED_HERE);
    }

    #[test]
    #[expected_failure(abort_code = carbon_credit::E_MEASURED_HERE, location = carbon_credit)]
    fun a_measured_batch_is_not_issued_as_an_import() {
        scenario::measured();
        carbon_credit::issue(
            &scenario::issuer(),
            sun(),
            1,
            text(b"BAT1"),
            1,
            hash(1),
            vector[],
            vector[],
            NOT_MEASURED_HERE,
            text(b"")
        );
    }

    #[test]
    #[expected_failure(abort_code = carbon_credit::E_IMPORTED, location = carbon_credit)]
    fun they_are_reversed_where_they_come_from() {
        scenario::reverse(imported(), 1, b"REV1");
    }

    #[test]
    #[expected_failure(abort_code = carbon_credit::E_IMPORTED, location = carbon_credit)]
    fun they_repay_no_debt() {
        let measured = scenario::issued();
        let developer = scenario::developer();
        carbon_credit::give(&developer, measured, @0xdead, credit_batch::holding(@0xde, measured));
        scenario::reverse(measured, 1000, b"REV1");
        bring(b"IMP1", b"S1");
        carbon_credit::repay_debt(&scenario::buyer(), sun(), scenario::batch(b"IMP1"), 1, text(b"CAN1"));
    }
}
