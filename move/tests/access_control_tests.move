#[test_only]
module carbon_market::access_control_tests {
    use std::bcs;
    use aptos_framework::event;
    use aptos_framework::object;
    use carbon_market::access_control;
    use carbon_market::approvals;
    use carbon_market::inputs;
    use carbon_market::scenario::{Self, hash, text};
    use carbon_market::transfer_policy;

    // Hand-over of the admin.

    #[test]
    fun admin_changes_when_the_proposed_account_accepts() {
        scenario::publish();
        access_control::propose_admin(&scenario::admin(), @0xbad);
        assert!(access_control::admin() == @carbon_market);
        assert!(access_control::proposed_admin() == @0xbad);
        access_control::accept_admin(&scenario::stranger());
        assert!(access_control::admin() == @0xbad);
        assert!(access_control::proposed_admin() == @0x0);
        assert!(event::emitted_events<access_control::AdminProposed>().length() == 1);
        assert!(event::emitted_events<access_control::AdminChanged>().length() == 1);
    }

    #[test]
    #[expected_failure(abort_code = access_control::E_NOT_ADMIN, location = access_control)]
    fun the_old_admin_is_admin_no_more() {
        scenario::publish();
        access_control::propose_admin(&scenario::admin(), @0xbad);
        access_control::accept_admin(&scenario::stranger());
        access_control::grant_role(&scenario::admin(), 1, @0x1);
    }

    #[test]
    #[expected_failure(abort_code = access_control::E_NOT_ADMIN, location = access_control)]
    fun only_the_admin_proposes() {
        scenario::publish();
        access_control::propose_admin(&scenario::stranger(), @0xbad);
    }

    #[test]
    #[expected_failure(abort_code = access_control::E_NOT_PROPOSED, location = access_control)]
    fun only_the_proposed_account_accepts() {
        scenario::publish();
        access_control::propose_admin(&scenario::admin(), @0xb1);
        access_control::accept_admin(&scenario::stranger());
    }

    #[test]
    #[expected_failure(abort_code = access_control::E_NOT_PROPOSED, location = access_control)]
    fun a_cancelled_proposal_cannot_be_accepted() {
        scenario::publish();
        access_control::propose_admin(&scenario::admin(), @0xbad);
        access_control::cancel_admin_proposal(&scenario::admin());
        access_control::accept_admin(&scenario::stranger());
    }

    #[test]
    #[expected_failure(abort_code = access_control::E_NOTHING_PROPOSED, location = access_control)]
    fun without_a_proposal_there_is_nothing_to_cancel() {
        scenario::publish();
        access_control::cancel_admin_proposal(&scenario::admin());
    }

    #[test]
    #[expected_failure(abort_code = access_control::E_NOT_ADMIN, location = access_control)]
    fun only_the_admin_cancels_a_proposal() {
        scenario::publish();
        access_control::cancel_admin_proposal(&scenario::stranger());
    }

    #[test]
    #[expected_failure(abort_code = access_control::E_BAD_PROPOSAL, location = access_control)]
    fun nobody_cannot_be_proposed() {
        scenario::publish();
        access_control::propose_admin(&scenario::admin(), @0x0);
    }

    #[test]
    #[expected_failure(abort_code = access_control::E_BAD_PROPOSAL, location = access_control)]
    fun the_admin_cannot_propose_itself() {
        scenario::publish();
        access_control::propose_admin(&scenario::admin(), @carbon_market);
    }

    // Roles.

    #[test]
    fun a_role_is_granted_and_taken() {
        scenario::publish();
        access_control::grant_role(&scenario::admin(), 2, @0xb1);
        assert!(access_control::has_role(2, @0xb1));
        assert!(!access_control::has_role(1, @0xb1));
        access_control::revoke_role(&scenario::admin(), 2, @0xb1);
        assert!(!access_control::has_role(2, @0xb1));
        assert!(event::emitted_events<access_control::RoleChanged>().length() == 2);
    }

    #[test]
    #[expected_failure(abort_code = access_control::E_NOT_ADMIN, location = access_control)]
    fun only_the_admin_grants_roles() {
        scenario::publish();
        access_control::grant_role(&scenario::stranger(), 1, @0xbad);
    }

    #[test]
    #[expected_failure(abort_code = access_control::E_NOT_ADMIN, location = access_control)]
    fun only_the_admin_takes_roles() {
        scenario::open();
        access_control::revoke_role(&scenario::stranger(), 1, @0x1551);
    }

    #[test]
    #[expected_failure(abort_code = access_control::E_UNKNOWN_ROLE, location = access_control)]
    fun there_is_no_role_0() {
        scenario::publish();
        access_control::grant_role(&scenario::admin(), 0, @0xb1);
    }

    #[test]
    #[expected_failure(abort_code = access_control::E_UNKNOWN_ROLE, location = access_control)]
    fun there_is_no_role_4() {
        scenario::publish();
        access_control::grant_role(&scenario::admin(), 4, @0xb1);
    }

    #[test]
    #[expected_failure(abort_code = access_control::E_ROLE_ALREADY_GRANTED, location = access_control)]
    fun a_role_is_granted_once() {
        scenario::open();
        access_control::grant_role(&scenario::admin(), 1, @0x1551);
    }

    #[test]
    #[expected_failure(abort_code = access_control::E_ROLE_NOT_GRANTED, location = access_control)]
    fun a_role_that_was_not_granted_cannot_be_taken() {
        scenario::open();
        access_control::revoke_role(&scenario::admin(), 1, @0xb1);
    }

    // Pause and freezes.

    #[test]
    fun the_pauser_pauses_and_the_admin_ends_it() {
        scenario::open();
        access_control::pause(&scenario::pauser());
        assert!(access_control::is_paused());
        access_control::unpause(&scenario::admin());
        assert!(!access_control::is_paused());
        assert!(event::emitted_events<access_control::PauseChanged>().length() == 2);
    }

    #[test]
    #[expected_failure(abort_code = access_control::E_NOT_PAUSER, location = access_control)]
    fun the_admin_without_the_role_cannot_pause() {
        scenario::open();
        access_control::pause(&scenario::admin());
    }

    #[test]
    #[expected_failure(abort_code = access_control::E_NOT_ADMIN, location = access_control)]
    fun the_pauser_cannot_end_the_pause() {
        scenario::open();
        access_control::pause(&scenario::pauser());
        access_control::unpause(&scenario::pauser());
    }

    #[test]
    #[expected_failure(abort_code = access_control::E_PAUSED, location = access_control)]
    fun a_paused_market_cannot_be_paused() {
        scenario::open();
        access_control::pause(&scenario::pauser());
        access_control::pause(&scenario::pauser());
    }

    #[test]
    #[expected_failure(abort_code = access_control::E_NOT_PAUSED, location = access_control)]
    fun a_running_market_cannot_be_unpaused() {
        scenario::open();
        access_control::unpause(&scenario::admin());
    }

    #[test]
    fun an_account_is_frozen_and_freed() {
        scenario::open();
        access_control::freeze_account(&scenario::pauser(), @0xb1, text(b"case 17"));
        assert!(transfer_policy::is_frozen(@0xb1));
        assert!(transfer_policy::freeze_reason(@0xb1) == text(b"case 17"));
        access_control::unfreeze_account(&scenario::pauser(), @0xb1, text(b"case 17 closed"));
        assert!(!transfer_policy::is_frozen(@0xb1));
        assert!(transfer_policy::freeze_reason(@0xb1) == text(b""));
        assert!(event::emitted_events<transfer_policy::AccountFreezeChanged>().length() == 2);
    }

    #[test]
    #[expected_failure(abort_code = access_control::E_NOT_PAUSER, location = access_control)]
    fun only_a_pauser_freezes() {
        scenario::open();
        access_control::freeze_account(&scenario::admin(), @0xb1, text(b""));
    }

    #[test]
    #[expected_failure(abort_code = access_control::E_NOT_PAUSER, location = access_control)]
    fun only_a_pauser_unfreezes() {
        scenario::open();
        access_control::freeze_account(&scenario::pauser(), @0xbad, text(b""));
        access_control::unfreeze_account(&scenario::stranger(), @0xbad, text(b""));
    }

    #[test]
    #[expected_failure(abort_code = transfer_policy::E_ALREADY_FROZEN, location = transfer_policy)]
    fun a_frozen_account_cannot_be_frozen() {
        scenario::open();
        access_control::freeze_account(&scenario::pauser(), @0xb1, text(b""));
        access_control::freeze_account(&scenario::pauser(), @0xb1, text(b""));
    }

    #[test]
    #[expected_failure(abort_code = transfer_policy::E_NOT_FROZEN, location = transfer_policy)]
    fun a_free_account_cannot_be_unfrozen() {
        scenario::open();
        access_control::unfreeze_account(&scenario::pauser(), @0xb1, text(b""));
    }

    // Verifiers.

    #[test]
    fun verifiers_are_registered_and_removed() {
        scenario::open();
        assert!(access_control::verifiers().length() == 5);
        let (key, organisation) = access_control::verifier(@0xe001);
        assert!(key == approvals::key(1) && organisation == hash(0xa1));
        access_control::remove_verifier(&scenario::admin(), @0xe001);
        assert!(!access_control::is_verifier(@0xe001));
        assert!(access_control::verifiers() == vector[@0xe000, @0xe002, @0xe003, @0xe004]);
        assert!(event::emitted_events<access_control::VerifierRegistered>().length() == 5);
        assert!(event::emitted_events<access_control::VerifierRemoved>().length() == 1);
    }

    #[test]
    #[expected_failure(abort_code = access_control::E_NOT_ADMIN, location = access_control)]
    fun only_the_admin_registers_verifiers() {
        scenario::open();
        access_control::register_verifier(&scenario::stranger(), @0xbad, hash(1), hash(2));
    }

    #[test]
    #[expected_failure(abort_code = access_control::E_NOT_ADMIN, location = access_control)]
    fun only_the_admin_removes_verifiers() {
        scenario::open();
        access_control::remove_verifier(&scenario::stranger(), @0xe001);
    }

    #[test]
    #[expected_failure(abort_code = access_control::E_VERIFIER_EXISTS, location = access_control)]
    fun a_verifier_is_registered_once() {
        scenario::open();
        access_control::register_verifier(&scenario::admin(), @0xe001, hash(1), hash(2));
    }

    #[test]
    #[expected_failure(abort_code = inputs::E_NOT_32_BYTES, location = inputs)]
    fun a_verifiers_key_is_32_bytes() {
        scenario::open();
        access_control::register_verifier(&scenario::admin(), @0xe009, b"short", hash(2));
    }

    #[test]
    #[expected_failure(abort_code = access_control::E_NOT_A_VERIFIER, location = access_control)]
    fun a_stranger_cannot_be_removed() {
        scenario::open();
        access_control::remove_verifier(&scenario::admin(), @0xbad);
    }

    #[test]
    #[expected_failure(abort_code = access_control::E_NOT_A_VERIFIER, location = access_control)]
    fun a_stranger_has_no_key() {
        scenario::open();
        access_control::verifier(@0xbad);
    }

    #[test]
    #[expected_failure(abort_code = access_control::E_TOO_MANY_VERIFIERS, location = access_control)]
    fun there_are_at_most_100_verifiers() {
        scenario::publish();
        let admin = scenario::admin();
        for (i in 0..101) {
            let account = object::create_object_address(&@0x1, bcs::to_bytes(&i));
            access_control::register_verifier(&admin, account, hash(1), hash(2));
        };
    }

    #[test]
    fun reviewers_are_drawn_by_the_published_rule() {
        scenario::open();
        for (case in 0..5) {
            let drawn = access_control::draw_reviewers(approvals::report_hash(case), hash(0xdd));
            assert!(drawn == approvals::drawn(case));
        };
    }

    #[test]
    fun where_few_are_eligible_fewer_are_drawn() {
        scenario::publish();
        let admin = scenario::admin();
        access_control::register_verifier(&admin, @0xe003, approvals::key(3), hash(0xdd));
        access_control::register_verifier(&admin, @0xe004, approvals::key(4), hash(0xa4));
        assert!(access_control::draw_reviewers(hash(9), hash(0xdd)) == vector[@0xe004]);
    }

    #[test]
    #[expected_failure(abort_code = inputs::E_TEXT_TOO_LONG, location = inputs)]
    fun the_reason_of_a_freeze_is_short() {
        scenario::open();
        let long = vector[];
        for (i in 0..9) long.append(hash(65));
        access_control::freeze_account(&scenario::pauser(), @0xb1, text(long));
    }
}
