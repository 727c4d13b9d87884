/// Values from their canonical bytes. `from_bytes` itself stays among friends: with it anybody could make a
/// `signer` of any address out of 32 bytes.
module aptos_std::from_bcs {
    use std::string::{Self, String};

    friend std::cmp;
    friend aptos_std::any;
    friend aptos_std::copyable_any;
    friend aptos_framework::util;

    public fun to_bool(v: vector<u8>): bool {
        from_bytes<bool>(v)
    }

    public fun to_u8(v: vector<u8>): u8 {
        from_bytes<u8>(v)
    }

    public fun to_u16(v: vector<u8>): u16 {
        from_bytes<u16>(v)
    }

    public fun to_u32(v: vector<u8>): u32 {
        from_bytes<u32>(v)
    }

    public fun to_u64(v: vector<u8>): u64 {
        from_bytes<u64>(v)
    }

    public fun to_u128(v: vector<u8>): u128 {
        from_bytes<u128>(v)
    }

    public fun to_u256(v: vector<u8>): u256 {
        from_bytes<u256>(v)
    }

    public fun to_address(v: vector<u8>): address {
        from_bytes<address>(v)
    }

    public fun to_bytes(v: vector<u8>): vector<u8> {
        from_bytes<vector<u8>>(v)
    }

    /// Aborts if the bytes are not UTF-8, which `from_bytes` would not see.
    public fun to_string(v: vector<u8>): String {
        let text = from_bytes<String>(v);
        assert!(string::internal_check_utf8(text.bytes()), EINVALID_UTF8);
        text
    }

    /// The bytes of the string are not UTF-8.
    const EINVALID_UTF8: u64 = 0x10001;

    public(friend) native fun from_bytes<T>(bytes: vector<u8>): T;
}
