/// The ledger's time, which is the block's.
module aptos_framework::timestamp {
    use aptos_framework::block;

    const MICRO_CONVERSION_FACTOR: u64 = 1000000;

    #[view]
    /// Unix time in microseconds. This chain's blocks are stamped in whole seconds.
    public fun now_microseconds(): u64 {
        now_seconds() * MICRO_CONVERSION_FACTOR
    }

    #[view]
    /// Unix time in seconds.
    public fun now_seconds(): u64 {
        let (_, seconds) = block::info();
        seconds
    }

    #[test_only]
    public fun set_time_has_started_for_testing(_account: &signer) {
        block::set_block_info(1, 0)
    }

    #[test_only]
    /// Sets the time; it may not go back.
    public fun update_global_time_for_test(timestamp_microsecs: u64) {
        assert!(now_microseconds() < timestamp_microsecs, 0x10002);
        block::set_block_info(1, timestamp_microsecs / MICRO_CONVERSION_FACTOR)
    }

    #[test_only]
    public fun update_global_time_for_test_secs(timestamp_seconds: u64) {
        update_global_time_for_test(timestamp_seconds * MICRO_CONVERSION_FACTOR)
    }

    #[test_only]
    public fun fast_forward_seconds(timestamp_seconds: u64) {
        update_global_time_for_test_secs(now_seconds() + timestamp_seconds)
    }
}
