/// The layout of a counter that lies in a table, as `optional_aggregator` names it.
module aptos_framework::aggregator {
    struct Aggregator has store {
        handle: address,
        key: address,
        limit: u128
    }
}
