#[test_only]
module carbon_market::project_registry_tests {
    use std::string::String;
    use aptos_framework::event;
    use carbon_market::access_control;
    use carbon_market::inputs;
    use carbon_market::methodology;
    use carbon_market::project_registry;
    use carbon_market::scenario::{Self, hash, solar, sun, text};

    fun register(id: String, organisation: vector<u8>, country: String, version: u64, metadata: vector<u8>) {
        project_registry::register(
            &scenario::issuer(), id, @0xde, organisation, country, solar(), version, metadata
        );
    }

    #[test]
    fun a_project_is_what_was_registered() {
        scenario::open();
        let (developer, organisation, country, methodology, version, metadata, active) =
            project_registry::project(sun());
        assert!(developer == @0xde && organisation == hash(0xdd) && country == text(b"US"));
        assert!(methodology == solar() && version == 1 && metadata == hash(0x33) && active);
        assert!(event::emitted_events<project_registry::ProjectRegistered>().length() == 1);
    }

    #[test]
    fun a_project_changes_by_its_issuer() {
        scenario::open();
        scenario::register_methodology(2, 1, 500);
        let issuer = scenario::issuer();
        project_registry::set_developer(&issuer, sun(), @0xb1);
        project_registry::set_active(&issuer, sun(), false);
        project_registry::set_methodology(&issuer, sun(), solar(), 2);
        project_registry::set_metadata(&issuer, sun(), hash(0x34));
        let (developer, _, _, _, version, metadata, active) = project_registry::project(sun());
        assert!(developer == @0xb1 && version == 2 && metadata == hash(0x34) && !active);
        assert!(event::emitted_events<project_registry::DeveloperChanged>().length() == 1);
        assert!(event::emitted_events<project_registry::ProjectActiveChanged>().length() == 1);
        assert!(event::emitted_events<project_registry::ProjectMethodologyChanged>().length() == 1);
        assert!(event::emitted_events<project_registry::ProjectMetadataChanged>().length() == 1);
    }

    #[test]
    #[expected_failure(abort_code = access_control::E_NOT_ISSUER, location = access_control)]
    fun only_an_issuer_registers() {
        scenario::open();
        project_registry::register(
            &scenario::admin(), text(b"SUN2"), @0xde, hash(1), text(b"US"), solar(), 1, hash(2)
        );
    }

    #[test]
    #[expected_failure(abort_code = access_control::E_NOT_ISSUER, location = access_control)]
    fun only_an_issuer_changes() {
        scenario::open();
        project_registry::set_developer(&scenario::developer(), sun(), @0xb1);
    }

    #[test]
    #[expected_failure(abort_code = project_registry::E_PROJECT_EXISTS, location = project_registry)]
    fun a_project_is_registered_once() {
        scenario::open();
        scenario::register_project(sun());
    }

    #[test]
    #[expected_failure(abort_code = inputs::E_BAD_ID, location = inputs)]
    fun a_project_has_a_plain_id() {
        scenario::open();
        scenario::register_project(text(b"sun-1"));
    }

    #[test]
    #[expected_failure(abort_code = inputs::E_NOT_32_BYTES, location = inputs)]
    fun an_organisation_is_a_commitment() {
        scenario::open();
        register(text(b"SUN2"), b"Sunny Ltd", text(b"US"), 1, hash(2));
    }

    #[test]
    #[expected_failure(abort_code = inputs::E_BAD_COUNTRY, location = inputs)]
    fun a_country_has_two_letters() {
        scenario::open();
        register(text(b"SUN2"), hash(1), text(b"USA"), 1, hash(2));
    }

    #[test]
    #[expected_failure(abort_code = inputs::E_NOT_32_BYTES, location = inputs)]
    fun metadata_is_a_hash() {
        scenario::open();
        register(text(b"SUN2"), hash(1), text(b"US"), 1, b"6 kW");
    }

    #[test]
    #[expected_failure(abort_code = methodology::E_UNKNOWN_VERSION, location = methodology)]
    fun a_project_follows_a_registered_methodology() {
        scenario::open();
        register(text(b"SUN2"), hash(1), text(b"US"), 9, hash(2));
    }

    #[test]
    #[expected_failure(abort_code = methodology::E_RETIRED, location = methodology)]
    fun a_new_project_does_not_take_up_a_retired_version() {
        scenario::open();
        methodology::retire(&scenario::admin(), solar(), 1);
        scenario::register_project(text(b"SUN2"));
    }

    #[test]
    #[expected_failure(abort_code = methodology::E_RETIRED, location = methodology)]
    fun a_project_does_not_move_to_a_retired_version() {
        scenario::open();
        scenario::register_methodology(2, 1, 500);
        methodology::retire(&scenario::admin(), solar(), 2);
        project_registry::set_methodology(&scenario::issuer(), sun(), solar(), 2);
    }

    #[test]
    #[expected_failure(abort_code = project_registry::E_UNKNOWN_PROJECT, location = project_registry)]
    fun an_unknown_project_cannot_be_changed() {
        scenario::open();
        project_registry::set_active(&scenario::issuer(), text(b"SUN2"), false);
    }

    #[test]
    #[expected_failure(abort_code = project_registry::E_UNKNOWN_PROJECT, location = project_registry)]
    fun an_unknown_project_cannot_be_read() {
        scenario::open();
        project_registry::project(text(b"SUN2"));
    }
}
