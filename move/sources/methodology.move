/// The formulas that turn anchored sums into grams. A version never changes once it is registered.
module carbon_market::methodology {
    use std::string::String;
    use aptos_std::table::{Self, Table};
    use aptos_framework::event;
    use carbon_market::access_control;
    use carbon_market::inputs;

    /// No such version of a methodology is registered.
    const E_UNKNOWN_VERSION: u64 = 1;
    /// This version is registered already; a change needs a new version.
    const E_VERSION_EXISTS: u64 = 2;
    /// The formula is none that the contract knows: 1 is linear.
    const E_UNKNOWN_FORMULA: u64 = 3;
    /// The numerator and the denominator must be above zero.
    const E_ZERO_FACTOR: u64 = 4;
    /// The buffer's share is given in basis points, at most 10,000.
    const E_BUFFER_ABOVE_ALL: u64 = 5;
    /// This version is retired: no project may take it up and nothing is issued under it.
    const E_RETIRED: u64 = 6;
    /// The sums give more grams than fit 64 bits.
    const E_CEILING_OVERFLOW: u64 = 7;
    /// A methodology's id is 1 to 64 bytes long.
    const E_BAD_METHODOLOGY_ID: u64 = 8;

    const FORMULA_LINEAR: u8 = 1;
    const ALL_BPS: u64 = 10000;
    const MAX_ID_BYTES: u64 = 64;
    const MAX_U64: u256 = 18446744073709551615;

    struct VersionKey has copy, drop, store {
        id: String,
        version: u64
    }

    enum Version has copy, drop, store {
        /// grams = floor((positive - negative) * numerator / denominator), sums in the methodology's unit
        /// (microjoules for energy).
        V1 {
            formula: u8,
            numerator: u128,
            denominator: u128,
            buffer_bps: u64,
            document_hash: vector<u8>,
            active: bool
        }
    }

    struct Methodologies has key {
        versions: Table<VersionKey, Version>
    }

    #[event]
    struct MethodologyRegistered has drop, store {
        id: String,
        version: u64,
        formula: u64,
        numerator: u128,
        denominator: u128,
        buffer_bps: u64,
        document_hash: vector<u8>
    }

    #[event]
    struct MethodologyRetired has drop, store {
        id: String,
        version: u64,
        active_old: bool,
        active_new: bool
    }

    fun init_module(publisher: &signer) {
        move_to(publisher, Methodologies { versions: table::new() });
    }

    /// Registers a version for ever. `buffer_bps` of what is issued under it goes to the buffer.
    public entry fun register(
        admin: &signer,
        id: String,
        version: u64,
        formula: u8,
        numerator: u128,
        denominator: u128,
        buffer_bps: u64,
        document_hash: vector<u8>
    ) acquires Methodologies {
        access_control::assert_admin(admin);
        assert!(!id.is_empty() && id.length() <= MAX_ID_BYTES, E_BAD_METHODOLOGY_ID);
        assert!(formula == FORMULA_LINEAR, E_UNKNOWN_FORMULA);
        assert!(numerator > 0 && denominator > 0, E_ZERO_FACTOR);
        assert!(buffer_bps <= ALL_BPS, E_BUFFER_ABOVE_ALL);
        inputs::assert_hash(&document_hash);
        let versions = &mut Methodologies[@carbon_market].versions;
        let key = VersionKey { id, version };
        assert!(!versions.contains(key), E_VERSION_EXISTS);
        versions.add(
            key,
            Version::V1 { formula, numerator, denominator, buffer_bps, document_hash, active: true }
        );
        event::emit(
            MethodologyRegistered {
                id,
                version,
                formula: formula as u64,
                numerator,
                denominator,
                buffer_bps,
                document_hash
            }
        );
    }

    /// Ends a version's use. What was issued under it stands.
    public entry fun retire(admin: &signer, id: String, version: u64) acquires Methodologies {
        access_control::assert_admin(admin);
        assert_active(id, version);
        let versions = &mut Methodologies[@carbon_market].versions;
        versions.borrow_mut(VersionKey { id, version }).active = false;
        event::emit(MethodologyRetired { id, version, active_old: true, active_new: false });
    }

    public fun assert_active(id: String, version: u64) acquires Methodologies {
        assert!(find(id, version).active, E_RETIRED);
    }

    /// What is set aside of an issuance: rounded up, against who receives the rest.
    public fun buffer_share(id: String, version: u64, grams: u64): u64 acquires Methodologies {
        let share = (grams as u128) * (find(id, version).buffer_bps as u128);
        ((share + (ALL_BPS as u128) - 1) / (ALL_BPS as u128)) as u64
    }

    #[view]
    /// The most that may be issued on these sums, rounded down; 0 when the negative sum outweighs.
    public fun ceiling_grams(
        id: String, version: u64, positive: u128, negative: u128
    ): u64 acquires Methodologies {
        let found = find(id, version);
        if (negative >= positive) return 0;
        let net = (positive - negative) as u256;
        let grams = net * (found.numerator as u256) / (found.denominator as u256);
        assert!(grams <= MAX_U64, E_CEILING_OVERFLOW);
        grams as u64
    }

    #[view]
    public fun exists_version(id: String, version: u64): bool acquires Methodologies {
        Methodologies[@carbon_market].versions.contains(VersionKey { id, version })
    }

    #[view]
    /// (formula, numerator, denominator, buffer's basis points, document's hash, active)
    public fun methodology(
        id: String, version: u64
    ): (u8, u128, u128, u64, vector<u8>, bool) acquires Methodologies {
        let found = find(id, version);
        (
            found.formula,
            found.numerator,
            found.denominator,
            found.buffer_bps,
            found.document_hash,
            found.active
        )
    }

    fun find(id: String, version: u64): Version acquires Methodologies {
        let versions = &Methodologies[@carbon_market].versions;
        let key = VersionKey { id, version };
        assert!(versions.contains(key), E_UNKNOWN_VERSION);
        *versions.borrow(key)
    }

    #[test_only]
    public fun init_for_test(publisher: &signer) {
        init_module(publisher);
    }
}
