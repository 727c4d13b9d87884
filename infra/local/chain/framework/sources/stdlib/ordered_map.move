/// A map in one sorted vector, for at most some hundred items; `big_ordered_map` is for more.
module aptos_std::ordered_map {
    use std::cmp;
    use std::error;
    use std::option::{Self, Option};

    friend aptos_std::big_ordered_map;

    /// The key is there already.
    const EKEY_ALREADY_EXISTS: u64 = 1;
    /// The key is not there.
    const EKEY_NOT_FOUND: u64 = 2;
    /// The map has no items.
    const EMAP_EMPTY: u64 = 3;
    /// The map still has items.
    const EMAP_NOT_EMPTY: u64 = 12;

    struct Entry<K, V> has copy, drop, store {
        key: K,
        value: V
    }

    enum OrderedMap<K, V> has copy, drop, store {
        SortedVectorMap {
            entries: vector<Entry<K, V>>
        }
    }

    public fun new<K, V>(): OrderedMap<K, V> {
        OrderedMap::SortedVectorMap { entries: vector[] }
    }

    public fun new_from<K, V>(keys: vector<K>, values: vector<V>): OrderedMap<K, V> {
        let map = new();
        map.add_all(keys, values);
        map
    }

    public fun length<K, V>(self: &OrderedMap<K, V>): u64 {
        self.entries.length()
    }

    public fun is_empty<K, V>(self: &OrderedMap<K, V>): bool {
        self.entries.is_empty()
    }

    public fun contains<K, V>(self: &OrderedMap<K, V>, key: &K): bool {
        let (found, _) = self.search(key);
        found
    }

    public fun add<K, V>(self: &mut OrderedMap<K, V>, key: K, value: V) {
        let (found, i) = self.search(&key);
        assert!(!found, error::invalid_argument(EKEY_ALREADY_EXISTS));
        self.entries.insert(i, Entry { key, value })
    }

    public fun add_all<K, V>(self: &mut OrderedMap<K, V>, keys: vector<K>, values: vector<V>) {
        keys.zip(values, |key, value| self.add(key, value))
    }

    /// Puts the value in place of the old one, which comes back.
    public fun upsert<K: drop, V>(self: &mut OrderedMap<K, V>, key: K, value: V): Option<V> {
        let (found, i) = self.search(&key);
        if (!found) {
            self.entries.insert(i, Entry { key, value });
            return option::none()
        };
        let Entry { key: _, value: old } = self.entries.replace(i, Entry { key, value });
        option::some(old)
    }

    public fun upsert_all<K: drop, V: drop>(
        self: &mut OrderedMap<K, V>, keys: vector<K>, values: vector<V>
    ) {
        keys.zip(values, |key, value| {
            self.upsert(key, value);
        })
    }

    /// Takes over all of `other`; its value wins where a key is in both.
    public fun append<K: drop, V: drop>(self: &mut OrderedMap<K, V>, other: OrderedMap<K, V>) {
        let OrderedMap::SortedVectorMap { entries } = other;
        entries.for_each(|e| {
            let Entry { key, value } = e;
            self.upsert(key, value);
        })
    }

    /// As `append`; aborts if a key is in both.
    public fun append_disjoint<K, V>(self: &mut OrderedMap<K, V>, other: OrderedMap<K, V>) {
        let OrderedMap::SortedVectorMap { entries } = other;
        entries.for_each(|e| {
            let Entry { key, value } = e;
            self.add(key, value);
        })
    }

    /// Cuts to the first `at` items and gives the others.
    public fun trim<K, V>(self: &mut OrderedMap<K, V>, at: u64): OrderedMap<K, V> {
        OrderedMap::SortedVectorMap { entries: self.entries.trim(at) }
    }

    public fun remove<K: drop, V>(self: &mut OrderedMap<K, V>, key: &K): V {
        let (found, i) = self.search(key);
        assert!(found, error::invalid_argument(EKEY_NOT_FOUND));
        let Entry { key: _, value } = self.entries.remove(i);
        value
    }

    public fun borrow<K, V>(self: &OrderedMap<K, V>, key: &K): &V {
        let (found, i) = self.search(key);
        assert!(found, error::invalid_argument(EKEY_NOT_FOUND));
        &self.entries.borrow(i).value
    }

    public fun borrow_mut<K, V>(self: &mut OrderedMap<K, V>, key: &K): &mut V {
        let (found, i) = self.search(key);
        assert!(found, error::invalid_argument(EKEY_NOT_FOUND));
        &mut self.entries.borrow_mut(i).value
    }

    /// The smallest key and its value.
    public fun borrow_front<K, V>(self: &OrderedMap<K, V>): (&K, &V) {
        assert!(!self.is_empty(), error::invalid_state(EMAP_EMPTY));
        let entry = self.entries.borrow(0);
        (&entry.key, &entry.value)
    }

    /// The greatest key and its value.
    public fun borrow_back<K, V>(self: &OrderedMap<K, V>): (&K, &V) {
        assert!(!self.is_empty(), error::invalid_state(EMAP_EMPTY));
        let entry = self.entries.borrow(self.entries.length() - 1);
        (&entry.key, &entry.value)
    }

    public fun pop_front<K, V>(self: &mut OrderedMap<K, V>): (K, V) {
        assert!(!self.is_empty(), error::invalid_state(EMAP_EMPTY));
        let Entry { key, value } = self.entries.remove(0);
        (key, value)
    }

    public fun pop_back<K, V>(self: &mut OrderedMap<K, V>): (K, V) {
        assert!(!self.is_empty(), error::invalid_state(EMAP_EMPTY));
        let Entry { key, value } = self.entries.pop_back();
        (key, value)
    }

    /// The greatest key below `key`, which need not be there itself.
    public fun prev_key<K: copy, V>(self: &OrderedMap<K, V>, key: &K): Option<K> {
        let (_, i) = self.search(key);
        if (i == 0) option::none() else option::some(self.entries.borrow(i - 1).key)
    }

    /// The smallest key above `key`, which need not be there itself.
    public fun next_key<K: copy, V>(self: &OrderedMap<K, V>, key: &K): Option<K> {
        let (found, i) = self.search(key);
        if (found) i += 1;
        if (i == self.entries.length()) option::none() else option::some(self.entries.borrow(i).key)
    }

    public fun keys<K: copy, V>(self: &OrderedMap<K, V>): vector<K> {
        self.entries.map_ref(|e| e.key)
    }

    public fun values<K, V: copy>(self: &OrderedMap<K, V>): vector<V> {
        self.entries.map_ref(|e| e.value)
    }

    public fun to_vec_pair<K, V>(self: OrderedMap<K, V>): (vector<K>, vector<V>) {
        let keys = vector[];
        let values = vector[];
        let OrderedMap::SortedVectorMap { entries } = self;
        entries.for_each(|e| {
            let Entry { key, value } = e;
            keys.push_back(key);
            values.push_back(value);
        });
        (keys, values)
    }

    public fun destroy_empty<K, V>(self: OrderedMap<K, V>) {
        let OrderedMap::SortedVectorMap { entries } = self;
        assert!(entries.is_empty(), error::invalid_state(EMAP_NOT_EMPTY));
        entries.destroy_empty()
    }

    /// Appends an item whose key is above all others, without looking for its place.
    public(friend) fun push_back_sorted<K, V>(self: &mut OrderedMap<K, V>, key: K, value: V) {
        self.entries.push_back(Entry { key, value })
    }

    /// (whether the key is there, position of the first key that is not below it).
    fun search<K, V>(self: &OrderedMap<K, V>, key: &K): (bool, u64) {
        let probe = cmp::probe(key);
        let low = 0;
        let high = self.entries.length();
        while (low < high) {
            let middle = (low + high) / 2;
            let order = probe.compare_to(&self.entries.borrow(middle).key);
            if (order.is_eq()) return (true, middle);
            if (order.is_lt()) low = middle + 1 else high = middle;
        };
        (false, low)
    }
}
