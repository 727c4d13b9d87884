/// The framework's own use of `from_bytes`, on types that hold no authority.
module aptos_framework::util {
    use aptos_std::from_bcs;

    friend aptos_framework::aggregator_v2;
    friend aptos_framework::code;

    public(friend) fun from_bytes<T>(bytes: vector<u8>): T {
        from_bcs::from_bytes(bytes)
    }
}
