#[test_only]
module carbon_market::reviews_tests {
    use carbon_market::access_control;
    use carbon_market::approvals;
    use carbon_market::reviews;
    use carbon_market::scenario::{Self, hash, sun};

    /// Case 0 was drawn in the order of `approvals::drawn`, and the verifier 0xe000 was not.
    fun review(signers: vector<address>, keys: vector<address>) {
        scenario::measured();
        scenario::issue_signed(0, 1, b"BAT1", 9000, signers, keys);
    }

    #[test]
    fun reviewers_sign_what_the_core_package_encodes() {
        scenario::open();
        let approval =
            reviews::approval_bytes(
                sun(), scenario::day(0), scenario::day(2), 9000, approvals::report_hash(0)
            );
        assert!(approval == approvals::approval(0));
    }

    #[test]
    fun two_of_the_drawn_suffice() {
        let drawn = approvals::drawn(0);
        review(vector[drawn[2], drawn[0]], vector[drawn[2], drawn[0]]);
    }

    #[test]
    fun all_three_may_sign() {
        review(approvals::drawn(0), approvals::drawn(0));
    }

    #[test]
    #[expected_failure(abort_code = reviews::E_TOO_FEW_SIGNATURES, location = reviews)]
    fun one_signature_is_not_enough() {
        let first = approvals::drawn(0)[0];
        review(vector[first], vector[first]);
    }

    #[test]
    #[expected_failure(abort_code = reviews::E_SIGNED_TWICE, location = reviews)]
    fun one_verifier_does_not_count_twice() {
        let first = approvals::drawn(0)[0];
        review(vector[first, first], vector[first, first]);
    }

    #[test]
    #[expected_failure(abort_code = reviews::E_STRANGER, location = reviews)]
    fun a_stranger_does_not_review() {
        let first = approvals::drawn(0)[0];
        review(vector[first, @0xe005], vector[first, @0xe005]);
    }

    #[test]
    #[expected_failure(abort_code = reviews::E_STRANGER, location = reviews)]
    fun a_removed_verifier_is_a_stranger() {
        scenario::measured();
        let drawn = approvals::drawn(0).slice(0, 2);
        access_control::remove_verifier(&scenario::admin(), drawn[1]);
        scenario::issue_signed(0, 1, b"BAT1", 9000, drawn, drawn);
    }

    #[test]
    #[expected_failure(abort_code = reviews::E_OWN_ORGANISATION, location = reviews)]
    fun the_developers_own_organisation_does_not_review() {
        let first = approvals::drawn(0)[0];
        review(vector[first, @0xe003], vector[first, @0xe003]);
    }

    #[test]
    #[expected_failure(abort_code = reviews::E_NOT_DRAWN, location = reviews)]
    fun a_verifier_who_was_not_drawn_does_not_review() {
        let first = approvals::drawn(0)[0];
        review(vector[first, @0xe000], vector[first, @0xe000]);
    }

    #[test]
    #[expected_failure(abort_code = reviews::E_BAD_SIGNATURE, location = reviews)]
    fun nobody_signs_with_anothers_key() {
        let drawn = approvals::drawn(0);
        review(vector[drawn[0], drawn[1]], vector[drawn[0], drawn[2]]);
    }

    #[test]
    #[expected_failure(abort_code = reviews::E_BAD_SIGNATURE, location = reviews)]
    fun a_signature_is_64_bytes() {
        scenario::open();
        let drawn = approvals::drawn(0).slice(0, 2);
        reviews::assert_approved(
            approvals::approval(0), approvals::report_hash(0), hash(0xdd), drawn, vector[b"short", b"short"]
        );
    }

    #[test]
    #[expected_failure(abort_code = reviews::E_BAD_SIGNATURE, location = reviews)]
    fun an_approved_number_is_not_another_number() {
        scenario::measured();
        let drawn = approvals::drawn(0).slice(0, 2);
        scenario::issue_signed(0, 1, b"BAT1", 8999, drawn, drawn);
    }

    #[test]
    #[expected_failure(abort_code = reviews::E_BAD_SIGNATURE, location = reviews)]
    fun an_approved_period_is_not_another_period() {
        scenario::measured();
        let drawn = approvals::drawn(0).slice(0, 2);
        scenario::issue_signed(0, 2, b"BAT1", 9000, drawn, drawn);
    }

    #[test]
    #[expected_failure(abort_code = reviews::E_BAD_LISTS, location = reviews)]
    fun every_signer_has_a_signature() {
        let drawn = approvals::drawn(0);
        review(drawn, vector[drawn[0], drawn[1]]);
    }
}
