/// A fixed number of flags.
module std::bit_vector {
    use std::vector;

    /// The index is at or above the length.
    const EINDEX: u64 = 0x20000;
    /// The length is zero or at least 1,024.
    const ELENGTH: u64 = 0x20001;

    const MAX_SIZE: u64 = 1024;

    struct BitVector has copy, drop, store {
        length: u64,
        bit_field: vector<bool>
    }

    /// `length` flags, none set.
    public fun new(length: u64): BitVector {
        assert!(length > 0 && length < MAX_SIZE, ELENGTH);
        let bit_field = vector::empty();
        let i = 0;
        while (i < length) {
            bit_field.push_back(false);
            i += 1;
        };
        BitVector { length, bit_field }
    }

    public fun set(self: &mut BitVector, bit_index: u64) {
        assert!(bit_index < self.length, EINDEX);
        *self.bit_field.borrow_mut(bit_index) = true;
    }

    public fun unset(self: &mut BitVector, bit_index: u64) {
        assert!(bit_index < self.length, EINDEX);
        *self.bit_field.borrow_mut(bit_index) = false;
    }

    public fun is_index_set(self: &BitVector, bit_index: u64): bool {
        assert!(bit_index < self.length, EINDEX);
        *self.bit_field.borrow(bit_index)
    }

    public fun length(self: &BitVector): u64 {
        self.length
    }

    /// Moves each flag `amount` positions down; the freed positions at the end are unset.
    public fun shift_left(self: &mut BitVector, amount: u64) {
        let i = 0;
        while (i < self.length) {
            let moved = i + amount < self.length && *self.bit_field.borrow(i + amount);
            *self.bit_field.borrow_mut(i) = moved;
            i += 1;
        }
    }

    /// How many flags in a row are set, from `start_index` on.
    public fun longest_set_sequence_starting_at(self: &BitVector, start_index: u64): u64 {
        assert!(start_index < self.length, EINDEX);
        let i = start_index;
        while (i < self.length && *self.bit_field.borrow(i)) i += 1;
        i - start_index
    }
}
