/// Counters and their snapshots with the layout that they have on Aptos. There the VM lets transactions count in
/// parallel; here they run one by one, so that plain values do.
module aptos_framework::aggregator_v2 {
    use std::bcs;
    use std::error;
    use std::string::String;
    use aptos_std::from_bcs;
    use aptos_std::string_utils;
    use aptos_std::type_info;
    use aptos_framework::util;

    /// The counter would go above its maximum.
    const EAGGREGATOR_OVERFLOW: u64 = 1;
    /// The counter would go below zero.
    const EAGGREGATOR_UNDERFLOW: u64 = 2;
    /// Counters are of u64 or u128.
    const EUNSUPPORTED_AGGREGATOR_TYPE: u64 = 7;

    const MAX_U64: u128 = 18446744073709551615;
    const MAX_U128: u128 = 340282366920938463463374607431768211455;

    struct Aggregator<IntElement> has drop, store {
        value: IntElement,
        max_value: IntElement
    }

    /// A counter's value at one time.
    struct AggregatorSnapshot<IntElement> has drop, store {
        value: IntElement
    }

    /// Text made of a snapshot. The padding keeps its size; it is empty here.
    struct DerivedStringSnapshot has drop, store {
        value: String,
        padding: vector<u8>
    }

    /// A counter at zero that goes up to `max_value`.
    public fun create_aggregator<IntElement: copy + drop>(max_value: IntElement): Aggregator<IntElement> {
        Aggregator { value: narrow<IntElement>(0), max_value }
    }

    /// A counter at zero that goes up to the greatest value of its type.
    public fun create_unbounded_aggregator<IntElement: copy + drop>(): Aggregator<IntElement> {
        create_aggregator(narrow<IntElement>(if (is_u64<IntElement>()) MAX_U64 else MAX_U128))
    }

    /// Adds, unless that goes above the maximum; gives whether it did.
    public fun try_add<IntElement: copy + drop>(
        self: &mut Aggregator<IntElement>, value: IntElement
    ): bool {
        let added = widen(&value);
        let current = widen(&self.value);
        if (widen(&self.max_value) - current < added) return false;
        self.value = narrow(current + added);
        true
    }

    public fun add<IntElement: copy + drop>(self: &mut Aggregator<IntElement>, value: IntElement) {
        assert!(self.try_add(value), error::out_of_range(EAGGREGATOR_OVERFLOW));
    }

    /// Takes away, unless that goes below zero; gives whether it did.
    public fun try_sub<IntElement: copy + drop>(
        self: &mut Aggregator<IntElement>, value: IntElement
    ): bool {
        let taken = widen(&value);
        let current = widen(&self.value);
        if (current < taken) return false;
        self.value = narrow(current - taken);
        true
    }

    public fun sub<IntElement: copy + drop>(self: &mut Aggregator<IntElement>, value: IntElement) {
        assert!(self.try_sub(value), error::out_of_range(EAGGREGATOR_UNDERFLOW));
    }

    public fun read<IntElement: copy + drop>(self: &Aggregator<IntElement>): IntElement {
        self.value
    }

    public fun max_value<IntElement: copy + drop>(self: &Aggregator<IntElement>): IntElement {
        self.max_value
    }

    public fun snapshot<IntElement: copy + drop>(
        self: &Aggregator<IntElement>
    ): AggregatorSnapshot<IntElement> {
        AggregatorSnapshot { value: self.value }
    }

    public fun create_snapshot<IntElement: copy + drop>(value: IntElement): AggregatorSnapshot<IntElement> {
        AggregatorSnapshot { value }
    }

    public fun read_snapshot<IntElement: copy + drop>(
        self: &AggregatorSnapshot<IntElement>
    ): IntElement {
        self.value
    }

    public fun create_derived_string(value: String): DerivedStringSnapshot {
        DerivedStringSnapshot { value, padding: vector[] }
    }

    public fun read_derived_string(self: &DerivedStringSnapshot): String {
        self.value
    }

    /// `before`, the snapshot in decimal digits, `after`.
    public fun derive_string_concat<IntElement: copy + drop>(
        before: String, snapshot: &AggregatorSnapshot<IntElement>, after: String
    ): DerivedStringSnapshot {
        before.append(string_utils::to_string(&snapshot.value));
        before.append(after);
        create_derived_string(before)
    }

    fun is_u64<IntElement>(): bool {
        let name = type_info::type_name<IntElement>();
        let is_u64 = name.bytes() == &b"u64";
        assert!(
            is_u64 || name.bytes() == &b"u128", error::invalid_argument(EUNSUPPORTED_AGGREGATOR_TYPE)
        );
        is_u64
    }

    fun widen<IntElement>(value: &IntElement): u128 {
        let bytes = bcs::to_bytes(value);
        if (is_u64<IntElement>()) (from_bcs::to_u64(bytes) as u128) else from_bcs::to_u128(bytes)
    }

    fun narrow<IntElement>(value: u128): IntElement {
        if (is_u64<IntElement>()) util::from_bytes(bcs::to_bytes(&(value as u64)))
        else util::from_bytes(bcs::to_bytes(&value))
    }
}
