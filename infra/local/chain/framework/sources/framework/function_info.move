/// Functions as values, for hooks.
module aptos_framework::function_info {
    use std::error;
    use std::signer;
    use std::string::{Self, String};
    use aptos_framework::transaction_context;

    friend aptos_framework::dispatchable_fungible_asset;
    friend aptos_framework::fungible_asset;
    friend aptos_framework::genesis;

    /// The name is no identifier of Move.
    const EINVALID_IDENTIFIER: u64 = 1;

    /// The transaction that the unit-test runner says it runs, and a view.
    const NO_TRANSACTION: vector<u8> = x"0000000000000000000000000000000000000000000000000000000000000000";

    /// Marks a chain that was started by a server.
    struct Dispatch has key {}

    struct FunctionInfo has copy, drop, store {
        module_address: address,
        module_name: String,
        function_name: String
    }

    public fun new_function_info(
        module_signer: &signer, module_name: String, function_name: String
    ): FunctionInfo {
        new_function_info_from_address(signer::address_of(module_signer), module_name, function_name)
    }

    public fun new_function_info_from_address(
        module_address: address, module_name: String, function_name: String
    ): FunctionInfo {
        assert!(
            is_identifier(module_name.bytes()) && is_identifier(function_name.bytes()),
            error::invalid_argument(EINVALID_IDENTIFIER)
        );
        FunctionInfo { module_address, module_name, function_name }
    }

    /// Whether `hook` can stand in for the framework's function `name` of the module `module_name`.
    public(friend) fun fits(self: &FunctionInfo, module_name: vector<u8>, name: vector<u8>): bool {
        if (!can_dispatch()) return true;
        load_function_impl(self);
        let dispatcher = FunctionInfo {
            module_address: @aptos_framework,
            module_name: string::utf8(module_name),
            function_name: string::utf8(name)
        };
        check_dispatch_type_compatibility_impl(&dispatcher, self)
    }

    /// Whether functions can be called by name: always, but for the unit-test runner, whose VM finds none. There
    /// hooks are neither checked nor called.
    public(friend) fun can_dispatch(): bool {
        transaction_context::get_transaction_hash() != NO_TRANSACTION || exists<Dispatch>(@aptos_framework)
    }

    public(friend) fun enable_dispatch(aptos_framework: &signer) {
        move_to(aptos_framework, Dispatch {})
    }

    /// Brings the hook's module into the VM; a dispatch to a module that was not loaded fails.
    public(friend) fun load(self: &FunctionInfo) {
        load_function_impl(self)
    }

    native fun check_dispatch_type_compatibility_impl(lhs: &FunctionInfo, r: &FunctionInfo): bool;
    native fun is_identifier(s: &vector<u8>): bool;
    native fun load_function_impl(f: &FunctionInfo);
}
