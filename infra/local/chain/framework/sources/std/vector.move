/// Growable arrays. The first block is instructions of the VM; the rest is plain Move on top of them.
module std::vector {
    /// The position is not inside the vector.
    const EINDEX_OUT_OF_BOUNDS: u64 = 0x20000;
    /// The range's start is after its end, or its end is after the vector's.
    const EINVALID_RANGE: u64 = 0x20001;
    /// The step of a range must be above zero.
    const EINVALID_STEP: u64 = 0x20003;

    #[bytecode_instruction]
    native public fun empty<Element>(): vector<Element>;
    #[bytecode_instruction]
    native public fun length<Element>(self: &vector<Element>): u64;
    #[bytecode_instruction]
    native public fun borrow<Element>(self: &vector<Element>, i: u64): &Element;
    #[bytecode_instruction]
    native public fun push_back<Element>(self: &mut vector<Element>, e: Element);
    #[bytecode_instruction]
    native public fun borrow_mut<Element>(self: &mut vector<Element>, i: u64): &mut Element;
    #[bytecode_instruction]
    native public fun pop_back<Element>(self: &mut vector<Element>): Element;
    #[bytecode_instruction]
    native public fun destroy_empty<Element>(self: vector<Element>);
    #[bytecode_instruction]
    native public fun swap<Element>(self: &mut vector<Element>, i: u64, j: u64);

    /// A vector of the one element `e`.
    public fun singleton<Element>(e: Element): vector<Element> {
        let v = empty();
        v.push_back(e);
        v
    }

    public fun is_empty<Element>(self: &vector<Element>): bool {
        self.length() == 0
    }

    public fun contains<Element>(self: &vector<Element>, e: &Element): bool {
        let (found, _) = self.index_of(e);
        found
    }

    /// (true, position of the first element equal to `e`), or (false, 0).
    public fun index_of<Element>(self: &vector<Element>, e: &Element): (bool, u64) {
        let len = self.length();
        let i = 0;
        while (i < len) {
            if (self.borrow(i) == e) return (true, i);
            i += 1;
        };
        (false, 0)
    }

    public fun reverse<Element>(self: &mut vector<Element>) {
        let len = self.length();
        self.reverse_slice(0, len);
    }

    /// Reverses the elements of [left, right).
    public fun reverse_slice<Element>(self: &mut vector<Element>, left: u64, right: u64) {
        assert!(left <= right, EINVALID_RANGE);
        if (left == right) return;
        right -= 1;
        while (left < right) {
            self.swap(left, right);
            left += 1;
            right -= 1;
        }
    }

    /// Moves all of `other` to the end of `self`.
    public fun append<Element>(self: &mut vector<Element>, other: vector<Element>) {
        other.reverse();
        self.reverse_append(other);
    }

    /// Moves all of `other`, last element first, to the end of `self`.
    public fun reverse_append<Element>(self: &mut vector<Element>, other: vector<Element>) {
        let left = other.length();
        while (left > 0) {
            self.push_back(other.pop_back());
            left -= 1;
        };
        other.destroy_empty();
    }

    /// Puts `e` at position `i`; later elements move up by one.
    public fun insert<Element>(self: &mut vector<Element>, i: u64, e: Element) {
        let len = self.length();
        assert!(i <= len, EINDEX_OUT_OF_BOUNDS);
        self.push_back(e);
        while (i < len) {
            self.swap(i, len);
            i += 1;
        }
    }

    /// Takes the element at `i` out; later elements move down by one.
    public fun remove<Element>(self: &mut vector<Element>, i: u64): Element {
        let len = self.length();
        assert!(i < len, EINDEX_OUT_OF_BOUNDS);
        len -= 1;
        while (i < len) {
            self.swap(i, i + 1);
            i += 1;
        };
        self.pop_back()
    }

    /// Takes the first element equal to `val` out: a vector of that element, or an empty one.
    public fun remove_value<Element>(self: &mut vector<Element>, val: &Element): vector<Element> {
        let (found, i) = self.index_of(val);
        if (found) singleton(self.remove(i)) else empty()
    }

    /// Takes the element at `i` out; the last element takes its place.
    public fun swap_remove<Element>(self: &mut vector<Element>, i: u64): Element {
        let len = self.length();
        assert!(len > 0, EINDEX_OUT_OF_BOUNDS);
        self.swap(i, len - 1);
        self.pop_back()
    }

    /// Puts `val` at `i` and gives back what was there.
    public fun replace<Element>(self: &mut vector<Element>, i: u64, val: Element): Element {
        let last = self.length();
        assert!(i < last, EINDEX_OUT_OF_BOUNDS);
        self.push_back(val);
        self.swap(i, last);
        self.pop_back()
    }

    /// Cuts `self` to its first `new_len` elements and gives the rest, in order.
    public fun trim<Element>(self: &mut vector<Element>, new_len: u64): vector<Element> {
        let rest = self.trim_reverse(new_len);
        rest.reverse();
        rest
    }

    /// Cuts `self` to its first `new_len` elements and gives the rest, last element first.
    public fun trim_reverse<Element>(self: &mut vector<Element>, new_len: u64): vector<Element> {
        let len = self.length();
        assert!(new_len <= len, EINDEX_OUT_OF_BOUNDS);
        let rest = empty();
        while (new_len < len) {
            rest.push_back(self.pop_back());
            len -= 1;
        };
        rest
    }

    /// Moves `length` elements of `from`, starting at `removal_position`, into `to` at `insert_position`.
    public fun move_range<T>(
        from: &mut vector<T>, removal_position: u64, length: u64, to: &mut vector<T>, insert_position: u64
    ) {
        assert!(removal_position + length <= from.length(), EINDEX_OUT_OF_BOUNDS);
        let from_tail = from.trim_reverse(removal_position + length);
        let moved = from.trim_reverse(removal_position);
        from.reverse_append(from_tail);
        let to_tail = to.trim_reverse(insert_position);
        to.reverse_append(moved);
        to.reverse_append(to_tail);
    }

    /// A copy of [start, end).
    public fun slice<Element: copy>(self: &vector<Element>, start: u64, end: u64): vector<Element> {
        assert!(start <= end && end <= self.length(), EINVALID_RANGE);
        let v = empty();
        while (start < end) {
            v.push_back(*self.borrow(start));
            start += 1;
        };
        v
    }

    /// Moves the first `rot` elements behind the others; gives the new position of the old first element.
    public fun rotate<Element>(self: &mut vector<Element>, rot: u64): u64 {
        let len = self.length();
        self.rotate_slice(0, rot, len)
    }

    /// `rotate` of [left, right) about position `rot`.
    public fun rotate_slice<Element>(self: &mut vector<Element>, left: u64, rot: u64, right: u64): u64 {
        self.reverse_slice(left, rot);
        self.reverse_slice(rot, right);
        self.reverse_slice(left, right);
        left + (right - rot)
    }

    /// start, start + 1, ... below `end`.
    public fun range(start: u64, end: u64): vector<u64> {
        range_with_step(start, end, 1)
    }

    /// start, start + step, ... below `end`.
    public fun range_with_step(start: u64, end: u64, step: u64): vector<u64> {
        assert!(step > 0, EINVALID_STEP);
        let v = vector[];
        while (start < end) {
            v.push_back(start);
            start += step;
        };
        v
    }

    /// Gives each element to `f`, in order.
    public inline fun for_each<Element>(self: vector<Element>, f: |Element|) {
        self.reverse();
        self.for_each_reverse(|e| f(e));
    }

    /// Gives each element to `f`, last first.
    public inline fun for_each_reverse<Element>(self: vector<Element>, f: |Element|) {
        let left = self.length();
        while (left > 0) {
            f(self.pop_back());
            left -= 1;
        };
        self.destroy_empty()
    }

    public inline fun for_each_ref<Element>(self: &vector<Element>, f: |&Element|) {
        let i = 0;
        let len = self.length();
        while (i < len) {
            f(self.borrow(i));
            i += 1;
        }
    }

    public inline fun for_each_mut<Element>(self: &mut vector<Element>, f: |&mut Element|) {
        let i = 0;
        let len = self.length();
        while (i < len) {
            f(self.borrow_mut(i));
            i += 1;
        }
    }

    public inline fun enumerate_ref<Element>(self: &vector<Element>, f: |u64, &Element|) {
        let i = 0;
        let len = self.length();
        while (i < len) {
            f(i, self.borrow(i));
            i += 1;
        }
    }

    public inline fun enumerate_mut<Element>(self: &mut vector<Element>, f: |u64, &mut Element|) {
        let i = 0;
        let len = self.length();
        while (i < len) {
            f(i, self.borrow_mut(i));
            i += 1;
        }
    }

    /// Gives the elements of two vectors of one length to `f`, pair by pair. Aborts with 0x20002 where the lengths
    /// differ: inline functions name no constants.
    public inline fun zip<A, B>(self: vector<A>, other: vector<B>, f: |A, B|) {
        self.reverse();
        other.reverse();
        let left = self.length();
        assert!(left == other.length(), 0x20002);
        while (left > 0) {
            f(self.pop_back(), other.pop_back());
            left -= 1;
        };
        self.destroy_empty();
        other.destroy_empty();
    }

    /// As `zip`, by reference.
    public inline fun zip_ref<A, B>(self: &vector<A>, other: &vector<B>, f: |&A, &B|) {
        let len = self.length();
        assert!(len == other.length(), 0x20002);
        let i = 0;
        while (i < len) {
            f(self.borrow(i), other.borrow(i));
            i += 1;
        }
    }

    public inline fun fold<Accumulator, Element>(
        self: vector<Element>, init: Accumulator, f: |Accumulator, Element| Accumulator
    ): Accumulator {
        let accu = init;
        self.for_each(|e| accu = f(accu, e));
        accu
    }

    public inline fun map<A, B>(self: vector<A>, f: |A| B): vector<B> {
        let result = vector<B>[];
        self.for_each(|e| result.push_back(f(e)));
        result
    }

    public inline fun map_ref<A, B>(self: &vector<A>, f: |&A| B): vector<B> {
        let result = vector<B>[];
        self.for_each_ref(|e| result.push_back(f(e)));
        result
    }

    public inline fun zip_map<A, B, C>(self: vector<A>, other: vector<B>, f: |A, B| C): vector<C> {
        let result = vector<C>[];
        self.zip(other, |a, b| result.push_back(f(a, b)));
        result
    }

    public inline fun filter<Element: drop>(self: vector<Element>, p: |&Element| bool): vector<Element> {
        let result = vector<Element>[];
        self.for_each(|e| if (p(&e)) result.push_back(e));
        result
    }

    public inline fun any<Element>(self: &vector<Element>, p: |&Element| bool): bool {
        let found = false;
        let i = 0;
        let len = self.length();
        while (i < len && !found) {
            found = p(self.borrow(i));
            i += 1;
        };
        found
    }

    public inline fun all<Element>(self: &vector<Element>, p: |&Element| bool): bool {
        let holds = true;
        let i = 0;
        let len = self.length();
        while (i < len && holds) {
            holds = p(self.borrow(i));
            i += 1;
        };
        holds
    }

    /// (true, position of the first element that `p` accepts), or (false, 0).
    public inline fun find<Element>(self: &vector<Element>, p: |&Element| bool): (bool, u64) {
        let found = false;
        let at = 0;
        let i = 0;
        let len = self.length();
        while (i < len && !found) {
            found = p(self.borrow(i));
            if (found) at = i;
            i += 1;
        };
        (found, at)
    }

    public inline fun destroy<Element>(self: vector<Element>, d: |Element|) {
        self.for_each_reverse(|e| d(e))
    }
}
