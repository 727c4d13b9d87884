/// What people do with credits: issue, give, retire, cancel, reverse. Each is one entry function and one
/// event. Grams are grams of CO2 equivalent.
module carbon_market::carbon_credit {
    use std::signer;
    use std::string::{Self, String};
    use aptos_std::table::{Self, Table};
    use aptos_framework::event;
    use aptos_framework::fungible_asset::Metadata;
    use aptos_framework::object::{Self, Object};
    use carbon_market::access_control;
    use carbon_market::certificate_registry;
    use carbon_market::credit_batch;
    use carbon_market::data_anchor;
    use carbon_market::inputs;
    use carbon_market::methodology;
    use carbon_market::project_registry;
    use carbon_market::reviews;

    /// More grams than the methodology gives on the period's anchored sums.
    const E_ABOVE_ANCHORED_SUMS: u64 = 1;
    /// The project owes reversed credits; they must be repaid before anything is issued to it.
    const E_REVERSAL_DEBT: u64 = 2;
    /// A retirement is claimed for a period that ends after it starts.
    const E_BAD_CLAIM_PERIOD: u64 = 3;
    /// More grams than the project owes.
    const E_ABOVE_DEBT: u64 = 4;
    /// Credits of another registry are reversed there, and repay no debt here.
    const E_IMPORTED: u64 = 5;
    /// A batch that is issued on readings of its own cannot be labelled "not measured here".
    const E_MEASURED_HERE: u64 = 6;

    /// Reversed grams that neither the buffer nor the developer could cover, by project.
    struct Debts has key {
        debts: Table<String, u64>
    }

    #[event]
    struct BatchIssued has drop, store {
        batch: address,
        batch_id: String,
        project: String,
        period_number: u64,
        period_start: u64,
        period_end: u64,
        developer: address,
        serial_first: u64,
        serial_last: u64,
        issued: u64,
        buffered: u64,
        labels: u64,
        report_hash: vector<u8>,
        methodology: String,
        methodology_version: u64,
        country: String,
        uri: String
    }

    #[event]
    struct CreditsGiven has drop, store {
        batch: address,
        from: address,
        to: address,
        grams: u64
    }

    #[event]
    struct CreditsRetired has drop, store {
        retirement_id: String,
        batch: address,
        batch_id: String,
        project: String,
        holder: address,
        grams: u64,
        serial_first: u64,
        serial_last: u64,
        beneficiary_commitment: vector<u8>,
        reason: String,
        country: String,
        period_start: u64,
        period_end: u64,
        certificate: address,
        retired_old: u64,
        retired_new: u64
    }

    #[event]
    struct CreditsCancelled has drop, store {
        cancellation_id: String,
        batch: address,
        batch_id: String,
        project: String,
        holder: address,
        grams: u64,
        serial_first: u64,
        serial_last: u64,
        reason: String,
        cancelled_old: u64,
        cancelled_new: u64
    }

    #[event]
    /// Serials are 0 if nothing was burnt.
    struct CreditsReversed has drop, store {
        reversal_id: String,
        batch: address,
        batch_id: String,
        project: String,
        developer: address,
        grams: u64,
        evidence_hash: vector<u8>,
        from_buffer: u64,
        from_developer: u64,
        serial_first: u64,
        serial_last: u64,
        buffer_old: u64,
        buffer_new: u64,
        cancelled_old: u64,
        cancelled_new: u64,
        debt_old: u64,
        debt_new: u64
    }

    #[event]
    struct ReversalDebtRepaid has drop, store {
        project: String,
        cancellation_id: String,
        debt_old: u64,
        debt_new: u64
    }

    #[event]
    struct LabelsChanged has drop, store {
        batch: address,
        labels_old: u64,
        labels_new: u64
    }

    fun init_module(publisher: &signer) {
        move_to(publisher, Debts { debts: table::new() });
    }

    /// Issues a closed period's credits, once: the buffer's share to the buffer, the rest to the developer.
    /// `signatures` are the drawn reviewers' over `reviews::approval_bytes`; `labels` is a bit set.
    public entry fun issue(
        issuer: &signer,
        project: String,
        period_number: u64,
        batch_id: String,
        grams: u64,
        report_hash: vector<u8>,
        signers: vector<address>,
        signatures: vector<vector<u8>>,
        labels: u64,
        uri: String
    ) acquires Debts {
        access_control::assert_issuer(issuer);
        access_control::assert_not_paused();
        inputs::assert_id(&batch_id);
        inputs::assert_hash(&report_hash);
        inputs::assert_text(&uri);
        assert!(labels & credit_batch::not_measured_here() == 0, E_MEASURED_HERE);
        project_registry::assert_may_issue(project);
        assert!(reversal_debt(project) == 0, E_REVERSAL_DEBT);
        let (developer, organisation, country, methodology, methodology_version, _, _) =
            project_registry::project(project);
        let batch = credit_batch::batch_address(batch_id);
        let (period_start, period_end, positive, negative) =
            data_anchor::issue_period(project, period_number, batch);
        let ceiling = methodology::ceiling_grams(methodology, methodology_version, positive, negative);
        assert!(grams <= ceiling, E_ABOVE_ANCHORED_SUMS);
        let approval = reviews::approval_bytes(project, period_start, period_end, grams, report_hash);
        reviews::assert_approved(approval, report_hash, organisation, signers, signatures);
        let buffered = methodology::buffer_share(methodology, methodology_version, grams);
        let (serial_first, serial_last) =
            credit_batch::create(
                batch_id,
                developer,
                project,
                country,
                methodology,
                methodology_version,
                period_number,
                period_start,
                period_end,
                report_hash,
                grams,
                buffered,
                labels,
                uri
            );
        event::emit(
            BatchIssued {
                batch,
                batch_id,
                project,
                period_number,
                period_start,
                period_end,
                developer,
                serial_first,
                serial_last,
                issued: grams,
                buffered,
                labels,
                report_hash,
                methodology,
                methodology_version,
                country,
                uri
            }
        );
    }

    /// Moves credits to another account.
    public entry fun give(from: &signer, batch: Object<Metadata>, to: address, grams: u64) {
        access_control::assert_not_paused();
        credit_batch::give(from, batch, to, grams);
        event::emit(
            CreditsGiven { batch: object::object_address(&batch), from: signer::address_of(from), to, grams }
        );
    }

    /// Uses credits up for a claim. `retirement_id` is the caller's own and works once, so that a repeated
    /// call cannot retire twice. The commitment hides who the beneficiary is; `reason` names no person.
    public entry fun retire(
        holder: &signer,
        batch: Object<Metadata>,
        grams: u64,
        retirement_id: String,
        beneficiary_commitment: vector<u8>,
        reason: String,
        country: String,
        period_start: u64,
        period_end: u64
    ) {
        inputs::assert_hash(&beneficiary_commitment);
        inputs::assert_text(&reason);
        inputs::assert_country(&country);
        assert!(period_start < period_end, E_BAD_CLAIM_PERIOD);
        let (serial_first, serial_last, retired_old, retired_new) =
            credit_batch::retire(holder, batch, grams);
        let holder = signer::address_of(holder);
        let batch = object::object_address(&batch);
        let project = credit_batch::project_of(batch);
        let certificate =
            certificate_registry::record_retirement(
                retirement_id,
                batch,
                project,
                holder,
                grams,
                serial_first,
                serial_last,
                beneficiary_commitment,
                reason,
                country,
                period_start,
                period_end
            );
        event::emit(
            CreditsRetired {
                retirement_id,
                batch,
                batch_id: credit_batch::id_of(batch),
                project,
                holder,
                grams,
                serial_first,
                serial_last,
                beneficiary_commitment,
                reason,
                country,
                period_start,
                period_end,
                certificate,
                retired_old,
                retired_new
            }
        );
    }

    /// Takes credits out of the world without a claim. `cancellation_id` works once.
    public entry fun cancel(
        holder: &signer,
        batch: Object<Metadata>,
        grams: u64,
        cancellation_id: String,
        reason: String
    ) {
        inputs::assert_text(&reason);
        let (serial_first, serial_last, cancelled_old, cancelled_new) =
            credit_batch::cancel(holder, batch, grams);
        let holder = signer::address_of(holder);
        let batch = object::object_address(&batch);
        let project = credit_batch::project_of(batch);
        certificate_registry::record_cancellation(
            cancellation_id, batch, project, holder, grams, serial_first, serial_last, reason
        );
        event::emit(
            CreditsCancelled {
                cancellation_id,
                batch,
                batch_id: credit_batch::id_of(batch),
                project,
                holder,
                grams,
                serial_first,
                serial_last,
                reason,
                cancelled_old,
                cancelled_new
            }
        );
    }

    /// Undoes credits whose reduction was lost: from the buffer, then from what the developer itself holds;
    /// the rest becomes the project's debt. Other people's credits are never touched.
    public entry fun reverse(
        issuer: &signer,
        batch: Object<Metadata>,
        grams: u64,
        reversal_id: String,
        evidence_hash: vector<u8>
    ) acquires Debts {
        access_control::assert_issuer(issuer);
        inputs::assert_hash(&evidence_hash);
        let object = batch;
        let batch = object::object_address(&batch);
        let project = credit_batch::project_of(batch);
        assert!(!credit_batch::is_imported(batch), E_IMPORTED);
        let (developer, _, _, _, _, _, _) = project_registry::project(project);
        let (from_buffer, from_developer, serial_first, serial_last, cancelled_new) =
            credit_batch::reverse(object, developer, grams);
        let buffer_new = credit_batch::buffer_balance(object);
        let burnt = from_buffer + from_developer;
        certificate_registry::record_reversal(
            reversal_id, batch, project, developer, burnt, serial_first, serial_last, evidence_hash
        );
        let (debt_old, debt_new) = set_debt(project, reversal_debt(project) + grams - burnt);
        event::emit(
            CreditsReversed {
                reversal_id,
                batch,
                batch_id: credit_batch::id_of(batch),
                project,
                developer,
                grams,
                evidence_hash,
                from_buffer,
                from_developer,
                serial_first,
                serial_last,
                buffer_old: buffer_new + from_buffer,
                buffer_new,
                cancelled_old: cancelled_new - burnt,
                cancelled_new,
                debt_old,
                debt_new
            }
        );
    }

    /// Pays a project's debt by cancelling credits, of whichever holder and batch that was measured here.
    public entry fun repay_debt(
        holder: &signer,
        project: String,
        batch: Object<Metadata>,
        grams: u64,
        cancellation_id: String
    ) acquires Debts {
        let debt = reversal_debt(project);
        assert!(grams <= debt, E_ABOVE_DEBT);
        assert!(!credit_batch::is_imported(object::object_address(&batch)), E_IMPORTED);
        cancel(holder, batch, grams, cancellation_id, string::utf8(b"repays a reversal"));
        let (debt_old, debt_new) = set_debt(project, debt - grams);
        event::emit(ReversalDebtRepaid { project, cancellation_id, debt_old, debt_new });
    }

    /// Gives (debt before, debt after).
    fun set_debt(project: String, debt_new: u64): (u64, u64) acquires Debts {
        let debts = &mut Debts[@carbon_market].debts;
        let debt = debts.borrow_mut_with_default(project, 0);
        let debt_old = *debt;
        *debt = debt_new;
        (debt_old, debt_new)
    }

    /// `labels` replaces the batch's bit set.
    public entry fun set_labels(issuer: &signer, batch: Object<Metadata>, labels: u64) {
        access_control::assert_issuer(issuer);
        let batch = object::object_address(&batch);
        let labels_old = credit_batch::set_labels(batch, labels);
        event::emit(LabelsChanged { batch, labels_old, labels_new: labels });
    }

    #[view]
    /// Grams that the project owes; nothing is issued to it until they are repaid.
    public fun reversal_debt(project: String): u64 acquires Debts {
        *Debts[@carbon_market].debts.borrow_with_default(project, &0)
    }

    #[test_only]
    public fun init_for_test(publisher: &signer) {
        init_module(publisher);
    }
}
