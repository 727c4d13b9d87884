/// Order of values by their canonical bytes: total and stable, but not the order of numbers.
module aptos_std::comparator {
    use std::bcs;

    const EQUAL: u8 = 0;
    const SMALLER: u8 = 1;
    const GREATER: u8 = 2;

    struct Result has drop {
        inner: u8
    }

    public fun is_equal(self: &Result): bool {
        self.inner == EQUAL
    }

    public fun is_smaller_than(self: &Result): bool {
        self.inner == SMALLER
    }

    public fun is_greater_than(self: &Result): bool {
        self.inner == GREATER
    }

    public fun compare<T>(left: &T, right: &T): Result {
        compare_u8_vector(bcs::to_bytes(left), bcs::to_bytes(right))
    }

    public fun compare_u8_vector(left: vector<u8>, right: vector<u8>): Result {
        let left_len = left.length();
        let right_len = right.length();
        let i = 0;
        while (i < left_len && i < right_len) {
            if (left[i] < right[i]) return Result { inner: SMALLER };
            if (left[i] > right[i]) return Result { inner: GREATER };
            i += 1;
        };
        if (left_len < right_len) Result { inner: SMALLER }
        else if (left_len > right_len) Result { inner: GREATER }
        else Result { inner: EQUAL }
    }
}
