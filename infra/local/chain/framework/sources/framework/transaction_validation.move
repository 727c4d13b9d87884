/// What the server runs behind each transaction, as the framework's own account.
module aptos_framework::transaction_validation {
    use std::error;
    use std::signer;
    use aptos_framework::account;
    use aptos_framework::fungible_asset::{Self, Metadata};
    use aptos_framework::object;
    use aptos_framework::primary_fungible_store;
    use aptos_framework::transaction_fee;

    /// Only the framework's account ends transactions.
    const ENOT_FRAMEWORK: u64 = 1;

    /// Takes the fee from `payer` (the sender, or whoever sponsors it), counts the transaction to `sender`, and
    /// says what it cost. The fee is burnt.
    entry fun epilogue(
        aptos_framework: &signer,
        sender: address,
        payer: address,
        gas_unit_price: u64,
        gas_units: u64,
        execution_gas_units: u64,
        io_gas_units: u64,
        storage_fee_octas: u64
    ) {
        assert_framework(aptos_framework);
        account::create_account_if_does_not_exist(sender);
        account::increment_sequence_number(sender);
        let fee = gas_unit_price * gas_units;
        if (fee > 0) {
            let apt = object::address_to_object<Metadata>(@0xa);
            let store = primary_fungible_store::primary_store_address(payer, apt);
            fungible_asset::burn_internal(fungible_asset::unchecked_withdraw(store, fee));
        };
        transaction_fee::emit_fee_statement(
            gas_units, execution_gas_units, io_gas_units, storage_fee_octas, 0
        );
    }

    fun assert_framework(account: &signer) {
        assert!(
            signer::address_of(account) == @aptos_framework, error::permission_denied(ENOT_FRAMEWORK)
        );
    }
}
