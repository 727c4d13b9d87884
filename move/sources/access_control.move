/// Who may do what: the admin, the roles that it grants, the verifiers that it registers, and the pause.
module carbon_market::access_control {
    use std::bcs;
    use std::hash;
    use std::signer;
    use std::string::String;
    use aptos_std::comparator;
    use aptos_std::table::{Self, Table};
    use aptos_framework::event;
    use carbon_market::inputs;
    use carbon_market::transfer_policy;

    /// Only the admin may do this.
    const E_NOT_ADMIN: u64 = 1;
    /// Only the account that the admin proposed may accept.
    const E_NOT_PROPOSED: u64 = 2;
    /// No hand-over is proposed that could be cancelled.
    const E_NOTHING_PROPOSED: u64 = 3;
    /// There is no such role: 1 is issuer, 2 oracle, 3 pauser.
    const E_UNKNOWN_ROLE: u64 = 4;
    /// The account has the role already.
    const E_ROLE_ALREADY_GRANTED: u64 = 5;
    /// The account does not have the role that is to be taken from it.
    const E_ROLE_NOT_GRANTED: u64 = 6;
    /// Only an issuer may do this.
    const E_NOT_ISSUER: u64 = 7;
    /// Only an oracle may do this.
    const E_NOT_ORACLE: u64 = 8;
    /// Only a pauser may do this.
    const E_NOT_PAUSER: u64 = 9;
    /// The market is paused; retiring and cancelling go on.
    const E_PAUSED: u64 = 10;
    /// The market is not paused.
    const E_NOT_PAUSED: u64 = 11;
    /// The account is registered as a verifier already.
    const E_VERIFIER_EXISTS: u64 = 12;
    /// The account is not a registered verifier.
    const E_NOT_A_VERIFIER: u64 = 13;
    /// There are 100 verifiers; remove one first.
    const E_TOO_MANY_VERIFIERS: u64 = 14;
    /// The proposed admin is the admin already, or nobody (0x0).
    const E_BAD_PROPOSAL: u64 = 15;

    const ISSUER: u8 = 1;
    const ORACLE: u8 = 2;
    const PAUSER: u8 = 3;

    const MAX_VERIFIERS: u64 = 100;
    const REVIEWERS_DRAWN: u64 = 3;
    /// Stands for "none proposed".
    const NOBODY: address = @0x0;

    struct RoleKey has copy, drop, store {
        role: u8,
        account: address
    }

    enum Verifier has copy, drop, store {
        V1 {
            account: address,
            /// Ed25519.
            public_key: vector<u8>,
            /// Commitment to the organisation that it belongs to.
            organisation: vector<u8>
        }
    }

    struct Access has key {
        admin: address,
        proposed_admin: address,
        roles: Table<RoleKey, bool>,
        verifiers: vector<Verifier>,
        paused: bool
    }

    #[event]
    /// 0x0 stands for nobody.
    struct AdminProposed has drop, store {
        admin: address,
        proposed_old: address,
        proposed_new: address
    }

    #[event]
    struct AdminChanged has drop, store {
        admin_old: address,
        admin_new: address
    }

    #[event]
    struct RoleChanged has drop, store {
        role: u64,
        account: address,
        granted_old: bool,
        granted_new: bool
    }

    #[event]
    struct PauseChanged has drop, store {
        paused_old: bool,
        paused_new: bool,
        by: address
    }

    #[event]
    struct VerifierRegistered has drop, store {
        account: address,
        public_key: vector<u8>,
        organisation: vector<u8>
    }

    #[event]
    struct VerifierRemoved has drop, store {
        account: address,
        public_key: vector<u8>,
        organisation: vector<u8>
    }

    fun init_module(publisher: &signer) {
        move_to(
            publisher,
            Access {
                admin: signer::address_of(publisher),
                proposed_admin: NOBODY,
                roles: table::new(),
                verifiers: vector[],
                paused: false
            }
        );
    }

    // The admin.

    /// First step of a hand-over. Nothing changes until the proposed account accepts, so that a mistyped
    /// address cannot lose the market.
    public entry fun propose_admin(admin: &signer, proposed: address) acquires Access {
        assert_admin(admin);
        assert!(proposed != NOBODY && proposed != signer::address_of(admin), E_BAD_PROPOSAL);
        propose(proposed);
    }

    public entry fun cancel_admin_proposal(admin: &signer) acquires Access {
        assert_admin(admin);
        assert!(Access[@carbon_market].proposed_admin != NOBODY, E_NOTHING_PROPOSED);
        propose(NOBODY);
    }

    fun propose(proposed: address) acquires Access {
        let access = &mut Access[@carbon_market];
        let proposed_old = access.proposed_admin;
        access.proposed_admin = proposed;
        event::emit(AdminProposed { admin: access.admin, proposed_old, proposed_new: proposed });
    }

    /// Second step: the proposed account takes over.
    public entry fun accept_admin(proposed: &signer) acquires Access {
        let access = &mut Access[@carbon_market];
        let account = signer::address_of(proposed);
        assert!(access.proposed_admin == account, E_NOT_PROPOSED);
        let admin_old = access.admin;
        access.admin = account;
        access.proposed_admin = NOBODY;
        event::emit(AdminChanged { admin_old, admin_new: account });
    }

    public fun assert_admin(account: &signer) acquires Access {
        assert!(signer::address_of(account) == Access[@carbon_market].admin, E_NOT_ADMIN);
    }

    // Roles.

    public entry fun grant_role(admin: &signer, role: u8, account: address) acquires Access {
        assert_admin(admin);
        assert!(role >= ISSUER && role <= PAUSER, E_UNKNOWN_ROLE);
        let roles = &mut Access[@carbon_market].roles;
        let key = RoleKey { role, account };
        assert!(!roles.contains(key), E_ROLE_ALREADY_GRANTED);
        roles.add(key, true);
        event::emit(RoleChanged { role: role as u64, account, granted_old: false, granted_new: true });
    }

    public entry fun revoke_role(admin: &signer, role: u8, account: address) acquires Access {
        assert_admin(admin);
        let roles = &mut Access[@carbon_market].roles;
        let key = RoleKey { role, account };
        assert!(roles.contains(key), E_ROLE_NOT_GRANTED);
        roles.remove(key);
        event::emit(RoleChanged { role: role as u64, account, granted_old: true, granted_new: false });
    }

    public fun assert_issuer(account: &signer) acquires Access {
        assert!(has_role(ISSUER, signer::address_of(account)), E_NOT_ISSUER);
    }

    public fun assert_oracle(account: &signer) acquires Access {
        assert!(has_role(ORACLE, signer::address_of(account)), E_NOT_ORACLE);
    }

    public fun assert_pauser(account: &signer) acquires Access {
        assert!(has_role(PAUSER, signer::address_of(account)), E_NOT_PAUSER);
    }

    // Pause and freezes.

    /// Stops issuing and giving. Ending it is the admin's, so that one stolen key cannot do both.
    public entry fun pause(pauser: &signer) acquires Access {
        assert_pauser(pauser);
        assert_not_paused();
        set_paused(pauser, true);
    }

    public entry fun unpause(admin: &signer) acquires Access {
        assert_admin(admin);
        assert!(Access[@carbon_market].paused, E_NOT_PAUSED);
        set_paused(admin, false);
    }

    fun set_paused(by: &signer, paused: bool) acquires Access {
        Access[@carbon_market].paused = paused;
        event::emit(PauseChanged { paused_old: !paused, paused_new: paused, by: signer::address_of(by) });
    }

    public fun assert_not_paused() acquires Access {
        assert!(!Access[@carbon_market].paused, E_PAUSED);
    }

    /// `reason` names a case, never a person.
    public entry fun freeze_account(pauser: &signer, account: address, reason: String) acquires Access {
        assert_pauser(pauser);
        inputs::assert_text(&reason);
        transfer_policy::freeze_account(account, reason);
    }

    public entry fun unfreeze_account(pauser: &signer, account: address, reason: String) acquires Access {
        assert_pauser(pauser);
        inputs::assert_text(&reason);
        transfer_policy::unfreeze_account(account, reason);
    }

    // Verifiers.

    /// `public_key` is the verifier's Ed25519 key, `organisation` the 32-byte commitment to its employer.
    public entry fun register_verifier(
        admin: &signer, account: address, public_key: vector<u8>, organisation: vector<u8>
    ) acquires Access {
        assert_admin(admin);
        inputs::assert_hash(&public_key);
        inputs::assert_hash(&organisation);
        let verifiers = &mut Access[@carbon_market].verifiers;
        assert!(verifiers.length() < MAX_VERIFIERS, E_TOO_MANY_VERIFIERS);
        assert!(!verifiers.any(|known| known.account == account), E_VERIFIER_EXISTS);
        verifiers.push_back(Verifier::V1 { account, public_key, organisation });
        event::emit(VerifierRegistered { account, public_key, organisation });
    }

    public entry fun remove_verifier(admin: &signer, account: address) acquires Access {
        assert_admin(admin);
        let (found, index) = find_verifier(account);
        assert!(found, E_NOT_A_VERIFIER);
        let verifiers = &mut Access[@carbon_market].verifiers;
        let removed = verifiers.remove(index);
        event::emit(
            VerifierRemoved { account, public_key: removed.public_key, organisation: removed.organisation }
        );
    }

    fun find_verifier(account: address): (bool, u64) acquires Access {
        Access[@carbon_market].verifiers.find(|known| known.account == account)
    }

    // Views.

    #[view]
    public fun admin(): address acquires Access {
        Access[@carbon_market].admin
    }

    #[view]
    /// 0x0 when no hand-over is proposed.
    public fun proposed_admin(): address acquires Access {
        Access[@carbon_market].proposed_admin
    }

    #[view]
    public fun has_role(role: u8, account: address): bool acquires Access {
        Access[@carbon_market].roles.contains(RoleKey { role, account })
    }

    #[view]
    public fun is_paused(): bool acquires Access {
        Access[@carbon_market].paused
    }

    #[view]
    public fun is_verifier(account: address): bool acquires Access {
        let (found, _) = find_verifier(account);
        found
    }

    #[view]
    /// The verifier's Ed25519 key and the commitment to its organisation.
    public fun verifier(account: address): (vector<u8>, vector<u8>) acquires Access {
        let (found, index) = find_verifier(account);
        assert!(found, E_NOT_A_VERIFIER);
        let known = &Access[@carbon_market].verifiers[index];
        (known.public_key, known.organisation)
    }

    #[view]
    public fun verifiers(): vector<address> acquires Access {
        Access[@carbon_market].verifiers.map_ref(|known| known.account)
    }

    #[view]
    /// Who reviews a report: of the verifiers outside the developer's organisation, the three with the
    /// smallest SHA-256(report hash, address), smallest first. Whoever writes the report can choose them only
    /// by choosing its hash, and everybody can repeat the draw.
    public fun draw_reviewers(
        report_hash: vector<u8>, excluded_organisation: vector<u8>
    ): vector<address> acquires Access {
        let ranks = vector[];
        let drawn = vector[];
        Access[@carbon_market].verifiers.for_each_ref(|known| {
            if (known.organisation != excluded_organisation) {
                let seed = report_hash;
                seed.append(bcs::to_bytes(&known.account));
                let rank = hash::sha2_256(seed);
                let place = place_of(&ranks, rank);
                if (place < REVIEWERS_DRAWN) {
                    ranks.insert(place, rank);
                    drawn.insert(place, known.account);
                    if (ranks.length() > REVIEWERS_DRAWN) {
                        ranks.pop_back();
                        drawn.pop_back();
                    };
                };
            };
        });
        drawn
    }

    /// How many of the sorted ranks are smaller.
    fun place_of(ranks: &vector<vector<u8>>, rank: vector<u8>): u64 {
        let place = 0;
        while (place < ranks.length() && is_smaller(ranks[place], rank)) {
            place += 1;
        };
        place
    }

    fun is_smaller(left: vector<u8>, right: vector<u8>): bool {
        comparator::is_smaller_than(&comparator::compare_u8_vector(left, right))
    }

    #[test_only]
    public fun init_for_test(publisher: &signer) {
        init_module(publisher);
    }
}
