/// Types as values.
module aptos_std::type_info {
    use std::bcs;
    use std::string::String;

    struct TypeInfo has copy, drop, store {
        account_address: address,
        module_name: vector<u8>,
        struct_name: vector<u8>
    }

    public fun account_address(self: &TypeInfo): address {
        self.account_address
    }

    public fun module_name(self: &TypeInfo): vector<u8> {
        self.module_name
    }

    public fun struct_name(self: &TypeInfo): vector<u8> {
        self.struct_name
    }

    /// Where the struct T is declared; aborts if T is no struct.
    public native fun type_of<T>(): TypeInfo;

    /// T as text, as in "0x1::coin::Coin<0x1::aptos_coin::AptosCoin>".
    public native fun type_name<T>(): String;

    /// Size of the value's canonical bytes.
    public fun size_of_val<T>(val_ref: &T): u64 {
        bcs::serialized_size(val_ref)
    }
}
