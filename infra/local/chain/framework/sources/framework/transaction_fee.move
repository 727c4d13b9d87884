/// What a transaction cost. The server takes the fee and writes this event itself, behind the transaction's own.
module aptos_framework::transaction_fee {
    #[event]
    /// In gas units, storage in octas.
    struct FeeStatement has drop, store {
        total_charge_gas_units: u64,
        execution_gas_units: u64,
        io_gas_units: u64,
        storage_fee_octas: u64,
        storage_fee_refund_octas: u64
    }
}
