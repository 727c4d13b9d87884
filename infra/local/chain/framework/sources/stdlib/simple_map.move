/// A map in one vector, for few items: keys are found by looking at each.
module aptos_std::simple_map {
    use std::error;
    use std::option::{Self, Option};

    /// The key is there already.
    const EKEY_ALREADY_EXISTS: u64 = 1;
    /// The key is not there.
    const EKEY_NOT_FOUND: u64 = 2;

    struct SimpleMap<Key, Value> has copy, drop, store {
        data: vector<Element<Key, Value>>
    }

    struct Element<Key, Value> has copy, drop, store {
        key: Key,
        value: Value
    }

    public fun length<Key: store, Value: store>(self: &SimpleMap<Key, Value>): u64 {
        self.data.length()
    }

    public fun new<Key: store, Value: store>(): SimpleMap<Key, Value> {
        SimpleMap { data: vector[] }
    }

    public fun new_from<Key: store, Value: store>(
        keys: vector<Key>, values: vector<Value>
    ): SimpleMap<Key, Value> {
        let map = new();
        map.add_all(keys, values);
        map
    }

    /// The older name of `new`.
    public fun create<Key: store, Value: store>(): SimpleMap<Key, Value> {
        new()
    }

    public fun borrow<Key: store, Value: store>(self: &SimpleMap<Key, Value>, key: &Key): &Value {
        let (found, i) = self.find(key);
        assert!(found, error::invalid_argument(EKEY_NOT_FOUND));
        &self.data.borrow(i).value
    }

    public fun borrow_mut<Key: store, Value: store>(
        self: &mut SimpleMap<Key, Value>, key: &Key
    ): &mut Value {
        let (found, i) = self.find(key);
        assert!(found, error::invalid_argument(EKEY_NOT_FOUND));
        &mut self.data.borrow_mut(i).value
    }

    public fun contains_key<Key: store, Value: store>(self: &SimpleMap<Key, Value>, key: &Key): bool {
        let (found, _) = self.find(key);
        found
    }

    public fun destroy_empty<Key: store, Value: store>(self: SimpleMap<Key, Value>) {
        let SimpleMap { data } = self;
        data.destroy_empty()
    }

    public fun add<Key: store, Value: store>(self: &mut SimpleMap<Key, Value>, key: Key, value: Value) {
        let (found, _) = self.find(&key);
        assert!(!found, error::invalid_argument(EKEY_ALREADY_EXISTS));
        self.data.push_back(Element { key, value })
    }

    public fun add_all<Key: store, Value: store>(
        self: &mut SimpleMap<Key, Value>, keys: vector<Key>, values: vector<Value>
    ) {
        keys.zip(values, |key, value| self.add(key, value))
    }

    /// Puts the value in place of the old one, which comes back with the old key.
    public fun upsert<Key: store, Value: store>(
        self: &mut SimpleMap<Key, Value>, key: Key, value: Value
    ): (Option<Key>, Option<Value>) {
        let (found, i) = self.find(&key);
        if (!found) {
            self.data.push_back(Element { key, value });
            return (option::none(), option::none())
        };
        let Element { key: old_key, value: old_value } = self.data.replace(i, Element { key, value });
        (option::some(old_key), option::some(old_value))
    }

    public fun keys<Key: copy, Value>(self: &SimpleMap<Key, Value>): vector<Key> {
        self.data.map_ref(|e| e.key)
    }

    public fun values<Key, Value: copy>(self: &SimpleMap<Key, Value>): vector<Value> {
        self.data.map_ref(|e| e.value)
    }

    public fun to_vec_pair<Key: store, Value: store>(
        self: SimpleMap<Key, Value>
    ): (vector<Key>, vector<Value>) {
        let keys = vector[];
        let values = vector[];
        let SimpleMap { data } = self;
        data.for_each(|e| {
            let Element { key, value } = e;
            keys.push_back(key);
            values.push_back(value);
        });
        (keys, values)
    }

    /// The last item takes the place of the removed one.
    public fun remove<Key: store, Value: store>(
        self: &mut SimpleMap<Key, Value>, key: &Key
    ): (Key, Value) {
        let (found, i) = self.find(key);
        assert!(found, error::invalid_argument(EKEY_NOT_FOUND));
        let Element { key, value } = self.data.swap_remove(i);
        (key, value)
    }

    fun find<Key, Value>(self: &SimpleMap<Key, Value>, key: &Key): (bool, u64) {
        let len = self.data.length();
        let i = 0;
        while (i < len) {
            if (&self.data.borrow(i).key == key) return (true, i);
            i += 1;
        };
        (false, 0)
    }
}
