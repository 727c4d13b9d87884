/// What the running transaction is.
module aptos_framework::transaction_context {
    /// An address that no other creation has.
    struct AUID has drop, store {
        unique_address: address
    }

    /// SHA3-256 of the transaction.
    public native fun get_transaction_hash(): vector<u8>;

    native fun generate_unique_address(): address;

    /// An address derived from the transaction's hash and a counter.
    public fun generate_auid_address(): address {
        generate_unique_address()
    }

    public fun generate_auid(): AUID {
        AUID { unique_address: generate_unique_address() }
    }

    public fun auid_address(auid: &AUID): address {
        auid.unique_address
    }
}
