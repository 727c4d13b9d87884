/// The layout of a coin's own supply counter. Coins of this chain keep none: their paired asset counts.
module aptos_framework::optional_aggregator {
    use std::option::Option;
    use aptos_framework::aggregator::Aggregator;

    struct Integer has store {
        value: u128,
        limit: u128
    }

    struct OptionalAggregator has store {
        aggregator: Option<Aggregator>,
        integer: Option<Integer>
    }
}
