/// The state that the chain begins with.
module aptos_framework::genesis {
    use std::error;
    use std::signer;
    use aptos_framework::account;
    use aptos_framework::aptos_coin;
    use aptos_framework::chain_id;
    use aptos_framework::coin;
    use aptos_framework::function_info;

    /// Only the framework's account starts the chain.
    const ENOT_FRAMEWORK: u64 = 1;

    /// Makes the chain's id, its own accounts and APT. Called once, by the server.
    entry fun initialize(aptos_framework: &signer, id: u8) {
        assert!(
            signer::address_of(aptos_framework) == @aptos_framework,
            error::permission_denied(ENOT_FRAMEWORK)
        );
        function_info::enable_dispatch(aptos_framework);
        start(aptos_framework, id)
    }

    fun start(aptos_framework: &signer, id: u8) {
        chain_id::initialize(aptos_framework, id);
        account::create_account_unchecked(@aptos_framework);
        account::create_account_unchecked(@0x4);
        coin::initialize_conversion_map(aptos_framework);
        aptos_coin::initialize(aptos_framework);
    }

    #[test_only]
    /// The chain as a test finds it: started, with chain id 4.
    public fun setup() {
        start(&account::create_signer(@aptos_framework), 4)
    }
}
