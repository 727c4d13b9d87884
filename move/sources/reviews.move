/// What makes an issuance approved: two of the three verifiers drawn for its report signed its number.
module carbon_market::reviews {
    use std::bcs;
    use std::string::String;
    use aptos_std::ed25519;
    use aptos_framework::chain_id;
    use carbon_market::access_control;

    /// There must be one signature for each signer.
    const E_BAD_LISTS: u64 = 1;
    /// Fewer than two verifiers signed.
    const E_TOO_FEW_SIGNATURES: u64 = 2;
    /// A verifier is named twice.
    const E_SIGNED_TWICE: u64 = 3;
    /// A signer is not a registered verifier.
    const E_STRANGER: u64 = 4;
    /// A signer belongs to the developer's own organisation, which never reviews its projects.
    const E_OWN_ORGANISATION: u64 = 5;
    /// A signer is a verifier, but was not drawn for this report.
    const E_NOT_DRAWN: u64 = 6;
    /// A signature is not the signer's over exactly this issuance on this chain.
    const E_BAD_SIGNATURE: u64 = 7;

    const QUORUM: u64 = 2;
    const SIGNATURE_BYTES: u64 = 64;
    const DOMAIN: vector<u8> = b"CARBONMARKET::ISSUE::V1";

    /// What a reviewer signs, as BCS. The grams are part of it: a quorum approves a number.
    struct IssueApproval has copy, drop {
        domain: vector<u8>,
        chain_id: u8,
        module_address: address,
        project: String,
        period_start: u64,
        period_end: u64,
        grams: u64,
        report_hash: vector<u8>
    }

    #[view]
    /// The bytes that reviewers sign on this chain.
    public fun approval_bytes(
        project: String, period_start: u64, period_end: u64, grams: u64, report_hash: vector<u8>
    ): vector<u8> {
        bcs::to_bytes(
            &IssueApproval {
                domain: DOMAIN,
                chain_id: chain_id::get(),
                module_address: @carbon_market,
                project,
                period_start,
                period_end,
                grams,
                report_hash
            }
        )
    }

    /// `approval` is from `approval_bytes`; `organisation` is the developer's.
    public fun assert_approved(
        approval: vector<u8>,
        report_hash: vector<u8>,
        organisation: vector<u8>,
        signers: vector<address>,
        signatures: vector<vector<u8>>
    ) {
        let count = signers.length();
        assert!(signatures.length() == count, E_BAD_LISTS);
        assert!(count >= QUORUM, E_TOO_FEW_SIGNATURES);
        let drawn = access_control::draw_reviewers(report_hash, organisation);
        for (i in 0..count) {
            let account = signers[i];
            let (_, first) = signers.index_of(&account);
            assert!(first == i, E_SIGNED_TWICE);
            assert!(access_control::is_verifier(account), E_STRANGER);
            let (public_key, employer) = access_control::verifier(account);
            assert!(employer != organisation, E_OWN_ORGANISATION);
            assert!(drawn.contains(&account), E_NOT_DRAWN);
            assert!(signature_is_valid(public_key, approval, signatures[i]), E_BAD_SIGNATURE);
        };
    }

    fun signature_is_valid(public_key: vector<u8>, message: vector<u8>, signature: vector<u8>): bool {
        signature.length() == SIGNATURE_BYTES
            && ed25519::signature_verify_strict(
                &ed25519::new_signature_from_bytes(signature),
                &ed25519::new_unvalidated_public_key_from_bytes(public_key),
                message
            )
    }
}
