/// What a transaction cost.
module aptos_framework::transaction_fee {
    use aptos_framework::event;

    friend aptos_framework::transaction_validation;

    #[event]
    /// In gas units, storage in octas.
    struct FeeStatement has drop, store {
        total_charge_gas_units: u64,
        execution_gas_units: u64,
        io_gas_units: u64,
        storage_fee_octas: u64,
        storage_fee_refund_octas: u64
    }

    public(friend) fun emit_fee_statement(
        total_charge_gas_units: u64,
        execution_gas_units: u64,
        io_gas_units: u64,
        storage_fee_octas: u64,
        storage_fee_refund_octas: u64
    ) {
        event::emit(
            FeeStatement {
                total_charge_gas_units,
                execution_gas_units,
                io_gas_units,
                storage_fee_octas,
                storage_fee_refund_octas
            }
        )
    }
}
