/// Binary Canonical Serialization of any Move value.
module std::bcs {
    /// The canonical bytes of `v`.
    native public fun to_bytes<MoveValue>(v: &MoveValue): vector<u8>;

    /// How many bytes `to_bytes` would give.
    native public fun serialized_size<MoveValue>(v: &MoveValue): u64;
}
