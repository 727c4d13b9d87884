/// Order of values without the VM's own comparison, which this one lacks: integers by size, false before true,
/// addresses, strings and byte vectors byte by byte. Other structs cannot be ordered from outside, so they are
/// refused rather than ordered wrongly.
module std::cmp {
    use std::bcs;
    use std::error;
    use std::vector;
    use aptos_std::from_bcs;
    use aptos_std::type_info;

    friend aptos_std::big_ordered_map;
    friend aptos_std::ordered_map;

    /// Values of this type cannot be ordered here: use integers, addresses, booleans, strings or vector<u8>.
    const EUNORDERED_TYPE: u64 = 1;

    const KIND_U64: u8 = 0;
    const KIND_U128: u8 = 1;
    const KIND_ADDRESS: u8 = 2;
    const KIND_U256: u8 = 3;
    const KIND_U8: u8 = 4;
    const KIND_U16: u8 = 5;
    const KIND_U32: u8 = 6;
    const KIND_BYTES: u8 = 7;

    enum Ordering has copy, drop {
        Less,
        Equal,
        Greater
    }

    /// One side of many comparisons, decoded once: a number, or bytes.
    struct Probe has drop {
        kind: u8,
        number: u256,
        bytes: vector<u8>
    }

    /// How `first` stands to `second`.
    public fun compare<T>(first: &T, second: &T): Ordering {
        let probe = probe(second);
        probe.compare_to(first)
    }

    public fun is_eq(self: &Ordering): bool {
        self is Ordering::Equal
    }

    public fun is_ne(self: &Ordering): bool {
        !(self is Ordering::Equal)
    }

    public fun is_lt(self: &Ordering): bool {
        self is Ordering::Less
    }

    public fun is_le(self: &Ordering): bool {
        !(self is Ordering::Greater)
    }

    public fun is_gt(self: &Ordering): bool {
        self is Ordering::Greater
    }

    public fun is_ge(self: &Ordering): bool {
        !(self is Ordering::Less)
    }

    /// `value`, ready to be compared with many others of its type.
    public(friend) fun probe<T>(value: &T): Probe {
        let kind = kind_of<T>();
        if (kind == KIND_BYTES) Probe { kind, number: 0, bytes: to_content(value) }
        else Probe { kind, number: to_number(kind, value), bytes: vector[] }
    }

    /// How `value` stands to the probe.
    public(friend) fun compare_to<T>(self: &Probe, value: &T): Ordering {
        if (self.kind == KIND_BYTES) return compare_bytes(&to_content(value), &self.bytes);
        let number = to_number(self.kind, value);
        if (number < self.number) Ordering::Less
        else if (number == self.number) Ordering::Equal
        else Ordering::Greater
    }

    /// (whether the probe is in the sorted `keys`, position of the first key that is not below it).
    public(friend) fun search<T>(self: &Probe, keys: &vector<T>): (bool, u64) {
        if (self.kind == KIND_U128) return search_u128((self.number as u128), keys);
        let low = 0;
        let high = vector::length(keys);
        while (low < high) {
            let middle = (low + high) / 2;
            let order = self.compare_to(vector::borrow(keys, middle));
            if (order.is_eq()) return (true, middle);
            if (order.is_lt()) low = middle + 1 else high = middle;
        };
        (false, low)
    }

    /// As `search`, with all keys decoded in one call instead of one call each: order books compare keys at every
    /// node, and calls into other modules are most of what that costs.
    fun search_u128<T>(number: u128, keys: &vector<T>): (bool, u64) {
        let numbers: vector<u128> = from_bcs::from_bytes(bcs::to_bytes(keys));
        let low = 0;
        let high = numbers.length();
        while (low < high) {
            let middle = (low + high) / 2;
            let key = numbers[middle];
            if (key < number) low = middle + 1
            else if (key == number) return (true, middle)
            else high = middle;
        };
        (false, low)
    }

    fun kind_of<T>(): u8 {
        let name = type_info::type_name<T>();
        let name = name.bytes();
        if (name == &b"u64") KIND_U64
        else if (name == &b"u128") KIND_U128
        else if (name == &b"address") KIND_ADDRESS
        else if (name == &b"0x1::string::String" || name == &b"vector<u8>") KIND_BYTES
        else if (name == &b"u8" || name == &b"bool") KIND_U8
        else if (name == &b"u16") KIND_U16
        else if (name == &b"u32") KIND_U32
        else {
            assert!(name == &b"u256", error::not_implemented(EUNORDERED_TYPE));
            KIND_U256
        }
    }

    fun to_number<T>(kind: u8, value: &T): u256 {
        let bytes = bcs::to_bytes(value);
        if (kind == KIND_U64) (from_bcs::to_u64(bytes) as u256)
        else if (kind == KIND_U128) (from_bcs::to_u128(bytes) as u256)
        else if (kind == KIND_ADDRESS) {
            // An address counts from its first byte, an integer's encoding from its last.
            bytes.reverse();
            from_bcs::to_u256(bytes)
        } else if (kind == KIND_U8) (bytes[0] as u256)
        else if (kind == KIND_U16) (from_bcs::to_u16(bytes) as u256)
        else if (kind == KIND_U32) (from_bcs::to_u32(bytes) as u256)
        else from_bcs::to_u256(bytes)
    }

    /// The bytes of a string or byte vector without their length in front.
    fun to_content<T>(value: &T): vector<u8> {
        from_bcs::to_bytes(bcs::to_bytes(value))
    }

    fun compare_bytes(first: &vector<u8>, second: &vector<u8>): Ordering {
        let first_len = first.length();
        let second_len = second.length();
        let i = 0;
        while (i < first_len && i < second_len) {
            let a = first[i];
            let b = second[i];
            if (a < b) return Ordering::Less;
            if (a > b) return Ordering::Greater;
            i += 1;
        };
        if (first_len < second_len) Ordering::Less
        else if (first_len == second_len) Ordering::Equal
        else Ordering::Greater
    }
}
