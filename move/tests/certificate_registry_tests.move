#[test_only]
module carbon_market::certificate_registry_tests {
    use aptos_framework::event;
    use aptos_framework::fungible_asset::Metadata;
    use aptos_framework::object::{Self, Object};
    use aptos_token_objects::token::{Self, Token};
    use carbon_market::access_control;
    use carbon_market::certificate_registry;
    use carbon_market::inputs;
    use carbon_market::scenario::{Self, text};

    /// One gram retired by the developer as RET1.
    fun retired(): Object<Metadata> {
        let batch = scenario::issued();
        scenario::retire(&scenario::developer(), batch, 1, b"RET1");
        batch
    }

    fun certificate(): Object<Token> {
        object::address_to_object(certificate_registry::certificate_address(text(b"RET1")))
    }

    #[test]
    fun a_retirement_gives_its_holder_a_certificate() {
        scenario::issued();
        certificate_registry::set_certificate_uri(&scenario::admin(), text(b"https://example.org/"));
        scenario::retire(&scenario::developer(), scenario::batch(b"BAT1"), 1, b"RET1");
        assert!(object::owner(certificate()) == @0xde);
        assert!(token::name(certificate()) == text(b"RET1"));
        assert!(token::uri(certificate()) == text(b"https://example.org/RET1"));
        assert!(token::creator(certificate()) == certificate_registry::certificate_creator());
        assert!(certificate_registry::record_exists(text(b"RET1")));
        assert!(event::emitted_events<certificate_registry::CertificateUriChanged>().length() == 1);
    }

    #[test]
    // ENO_UNGATED_TRANSFERS, permission denied.
    #[expected_failure(abort_code = 0x50003, location = aptos_framework::object)]
    fun a_certificate_stays_with_its_holder() {
        retired();
        object::transfer(&scenario::developer(), certificate(), @0xb1);
    }

    #[test]
    #[expected_failure(abort_code = certificate_registry::E_ID_USED, location = certificate_registry)]
    fun a_repeated_retirement_retires_once() {
        let batch = retired();
        scenario::retire(&scenario::developer(), batch, 1, b"RET1");
    }

    #[test]
    #[expected_failure(abort_code = certificate_registry::E_ID_USED, location = certificate_registry)]
    fun a_cancellation_does_not_take_a_retirements_id() {
        let batch = retired();
        scenario::cancel(&scenario::developer(), batch, 1, b"RET1");
    }

    #[test]
    #[expected_failure(abort_code = certificate_registry::E_ID_USED, location = certificate_registry)]
    fun a_repeated_reversal_reverses_once() {
        let batch = retired();
        scenario::reverse(batch, 1, b"REV1");
        scenario::reverse(batch, 1, b"REV1");
    }

    #[test]
    #[expected_failure(abort_code = inputs::E_BAD_ID, location = inputs)]
    fun a_retirement_has_a_plain_id() {
        let batch = scenario::issued();
        scenario::retire(&scenario::developer(), batch, 1, b"ret-1");
    }

    #[test]
    #[expected_failure(abort_code = certificate_registry::E_UNKNOWN_RECORD, location = certificate_registry)]
    fun what_was_not_recorded_cannot_be_read() {
        scenario::issued();
        certificate_registry::record(text(b"RET1"));
    }

    #[test]
    #[expected_failure(abort_code = access_control::E_NOT_ADMIN, location = access_control)]
    fun only_the_admin_says_where_certificates_are() {
        scenario::open();
        certificate_registry::set_certificate_uri(&scenario::stranger(), text(b"https://example.org/"));
    }
}
