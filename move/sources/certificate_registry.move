/// Where burnt credits are written down, for ever: every retirement, cancellation and reversal with its
/// serials. The table is the truth; a certificate is a token that can never leave its holder, for wallets.
module carbon_market::certificate_registry {
    use std::option;
    use std::string::{Self, String};
    use aptos_std::table::{Self, Table};
    use aptos_framework::event;
    use aptos_framework::object::{Self, ExtendRef};
    use aptos_framework::timestamp;
    use aptos_token_objects::collection;
    use aptos_token_objects::token;
    use carbon_market::access_control;
    use carbon_market::inputs;

    friend carbon_market::carbon_credit;

    /// This id names an earlier retirement, cancellation or reversal.
    const E_ID_USED: u64 = 1;
    /// Nothing is recorded under this id.
    const E_UNKNOWN_RECORD: u64 = 2;

    const RETIRED: u8 = 1;
    const CANCELLED: u8 = 2;
    const REVERSED: u8 = 3;

    const SEED: vector<u8> = b"CARBONMARKET::CERTIFICATES";
    const COLLECTION: vector<u8> = b"Retirement certificates";
    /// Owns the collection's creator, so that no account has power over certificates.
    const NOBODY: address = @0x0;

    enum Record has copy, drop, store {
        V1 {
            kind: u8,
            batch: address,
            project: String,
            holder: address,
            grams: u64,
            serial_first: u64,
            serial_last: u64,
            /// To the beneficiary of a retirement, to the evidence of a reversal; empty for a cancellation.
            commitment: vector<u8>,
            reason: String,
            /// Where and when the retirement is claimed; "" and 0 for the other kinds.
            country: String,
            period_start: u64,
            period_end: u64,
            time: u64
        }
    }

    /// A record as views give it.
    struct RecordView has copy, drop {
        kind: u8,
        batch: address,
        project: String,
        holder: address,
        grams: u64,
        serial_first: u64,
        serial_last: u64,
        commitment: vector<u8>,
        reason: String,
        country: String,
        period_start: u64,
        period_end: u64,
        time: u64
    }

    struct Certificates has key {
        creator: ExtendRef,
        records: Table<String, Record>,
        count: u64,
        uri_prefix: String
    }

    #[event]
    struct CertificateUriChanged has drop, store {
        uri_old: String,
        uri_new: String
    }

    fun init_module(publisher: &signer) {
        let constructor = object::create_named_object(publisher, SEED);
        let creator = object::generate_signer(&constructor);
        collection::create_unlimited_collection(
            &creator,
            string::utf8(b"Carbon credits that were retired, and for what."),
            string::utf8(COLLECTION),
            option::none(),
            string::utf8(b"")
        );
        object::transfer_with_ref(
            object::generate_linear_transfer_ref(&object::generate_transfer_ref(&constructor)), NOBODY
        );
        move_to(
            publisher,
            Certificates {
                creator: object::generate_extend_ref(&constructor),
                records: table::new(),
                count: 0,
                uri_prefix: string::utf8(b"")
            }
        );
    }

    /// Certificates made from now on point to `prefix` followed by their id.
    public entry fun set_certificate_uri(admin: &signer, prefix: String) acquires Certificates {
        access_control::assert_admin(admin);
        inputs::assert_text(&prefix);
        let certificates = &mut Certificates[@carbon_market];
        let uri_old = certificates.uri_prefix;
        certificates.uri_prefix = prefix;
        event::emit(CertificateUriChanged { uri_old, uri_new: prefix });
    }

    /// Writes a retirement and gives the holder its certificate; gives the certificate's address.
    public(friend) fun record_retirement(
        id: String,
        batch: address,
        project: String,
        holder: address,
        grams: u64,
        serial_first: u64,
        serial_last: u64,
        commitment: vector<u8>,
        reason: String,
        country: String,
        period_start: u64,
        period_end: u64
    ): address acquires Certificates {
        record_under(
            id,
            Record::V1 {
                kind: RETIRED,
                batch,
                project,
                holder,
                grams,
                serial_first,
                serial_last,
                commitment,
                reason,
                country,
                period_start,
                period_end,
                time: timestamp::now_seconds()
            }
        );
        mint_certificate(id, holder)
    }

    public(friend) fun record_cancellation(
        id: String,
        batch: address,
        project: String,
        holder: address,
        grams: u64,
        serial_first: u64,
        serial_last: u64,
        reason: String
    ) acquires Certificates {
        let record =
            unclaimed(CANCELLED, batch, project, holder, grams, serial_first, serial_last, vector[], reason);
        record_under(id, record);
    }

    /// `holder` is the developer, `evidence_hash` the commitment; serials are 0 if nothing was burnt.
    public(friend) fun record_reversal(
        id: String,
        batch: address,
        project: String,
        developer: address,
        grams: u64,
        serial_first: u64,
        serial_last: u64,
        evidence_hash: vector<u8>
    ) acquires Certificates {
        let reason = string::utf8(b"");
        let record =
            unclaimed(
                REVERSED, batch, project, developer, grams, serial_first, serial_last, evidence_hash, reason
            );
        record_under(id, record);
    }

    fun unclaimed(
        kind: u8,
        batch: address,
        project: String,
        holder: address,
        grams: u64,
        serial_first: u64,
        serial_last: u64,
        commitment: vector<u8>,
        reason: String
    ): Record {
        Record::V1 {
            kind,
            batch,
            project,
            holder,
            grams,
            serial_first,
            serial_last,
            commitment,
            reason,
            country: string::utf8(b""),
            period_start: 0,
            period_end: 0,
            time: timestamp::now_seconds()
        }
    }

    fun record_under(id: String, record: Record) acquires Certificates {
        inputs::assert_id(&id);
        let certificates = &mut Certificates[@carbon_market];
        assert!(!certificates.records.contains(id), E_ID_USED);
        certificates.records.add(id, record);
        certificates.count += 1;
    }

    fun mint_certificate(id: String, holder: address): address acquires Certificates {
        let certificates = &Certificates[@carbon_market];
        let uri = certificates.uri_prefix;
        uri.append(id);
        let constructor =
            token::create_named_token(
                &object::generate_signer_for_extending(&certificates.creator),
                string::utf8(COLLECTION),
                string::utf8(b"Proof of retirement. It stays with its holder."),
                id,
                option::none(),
                uri
            );
        let transfer_ref = object::generate_transfer_ref(&constructor);
        object::transfer_with_ref(object::generate_linear_transfer_ref(&transfer_ref), holder);
        object::disable_ungated_transfer(&transfer_ref);
        object::address_from_constructor_ref(&constructor)
    }

    #[view]
    /// The creator of certificates.
    public fun certificate_creator(): address {
        object::create_object_address(&@carbon_market, SEED)
    }

    #[view]
    /// Where the certificate of a retirement is, or would be.
    public fun certificate_address(retirement_id: String): address {
        token::create_token_address(
            &certificate_creator(), &string::utf8(COLLECTION), &retirement_id
        )
    }

    #[view]
    public fun record_exists(id: String): bool acquires Certificates {
        Certificates[@carbon_market].records.contains(id)
    }

    #[view]
    public fun record(id: String): RecordView acquires Certificates {
        let records = &Certificates[@carbon_market].records;
        assert!(records.contains(id), E_UNKNOWN_RECORD);
        let found = *records.borrow(id);
        RecordView {
            kind: found.kind,
            batch: found.batch,
            project: found.project,
            holder: found.holder,
            grams: found.grams,
            serial_first: found.serial_first,
            serial_last: found.serial_last,
            commitment: found.commitment,
            reason: found.reason,
            country: found.country,
            period_start: found.period_start,
            period_end: found.period_end,
            time: found.time
        }
    }

    #[view]
    /// How many records there are.
    public fun count(): u64 acquires Certificates {
        Certificates[@carbon_market].count
    }

    #[test_only]
    public fun init_for_test(publisher: &signer) {
        init_module(publisher);
    }

    #[test_only]
    /// (kind, batch, holder, grams, first serial, last serial)
    public fun record_for_test(id: String): (u8, address, address, u64, u64, u64) acquires Certificates {
        let view = record(id);
        (view.kind, view.batch, view.holder, view.grams, view.serial_first, view.serial_last)
    }
}
