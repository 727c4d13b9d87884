/// What the VM knows about the block that the transaction is part of.
module aptos_framework::block {
    friend aptos_framework::timestamp;

    /// (height, Unix time in seconds).
    native fun get_block_info(): (u64, u64);

    /// (height, Unix time in seconds), without the call of a view.
    public(friend) fun info(): (u64, u64) {
        get_block_info()
    }

    #[view]
    /// Height of the current block.
    public fun get_current_block_height(): u64 {
        let (height, _) = get_block_info();
        height
    }

    #[test_only]
    native public fun set_block_info(height: u64, timestamp_seconds: u64);
}
