/// An ordered map of any size: a B+ tree whose nodes are table items, with the root inside the map itself.
/// An access reads one node per level; leaves are chained, so that walking in order reads each once.
module aptos_std::big_ordered_map {
    use std::cmp::{Self, Probe};
    use std::error;
    use std::option::{Self, Option};
    use aptos_std::ordered_map::{Self, OrderedMap};
    use aptos_std::table::{Self, Table};

    /// The key is there already.
    const EKEY_ALREADY_EXISTS: u64 = 1;
    /// The key is not there.
    const EKEY_NOT_FOUND: u64 = 2;
    /// The map has no items.
    const EMAP_EMPTY: u64 = 3;
    /// The degree is below the smallest or above the greatest that is allowed.
    const EINVALID_CONFIG_PARAMETER: u64 = 11;
    /// The map still has items.
    const EMAP_NOT_EMPTY: u64 = 12;

    /// No node: the end of the chain of leaves, or of the chain of vacant slots.
    const NIL: u64 = 0;
    /// The node inside the map itself.
    const ROOT: u64 = 1;
    const FIRST_SLOT: u64 = 10;

    const INNER_MIN_DEGREE: u16 = 4;
    const LEAF_MIN_DEGREE: u16 = 3;
    const MAX_DEGREE: u64 = 4096;
    const DEFAULT_DEGREE: u16 = 64;
    /// Bytes that a node aims at when only the sizes of keys and values are given.
    const TARGET_NODE_BYTES: u64 = 4096;

    enum BigOrderedMap<K: store, V: store> has store {
        BPlusTreeMap {
            root: Node<K, V>,
            nodes: Table<u64, Slot<K, V>>,
            /// First slot that was never used.
            next_slot: u64,
            /// First of the chain of vacant slots.
            vacant: u64,
            reuse_slots: bool,
            min_leaf: u64,
            max_leaf: u64,
            inner_max_degree: u16,
            leaf_max_degree: u16
        }
    }

    /// In a leaf, `values[i]` belongs to `keys[i]`, and `prev` and `next` are its neighbours. In an inner node,
    /// the keys of `children[i]` are below `keys[i]` and not below `keys[i - 1]`: one key fewer than children.
    enum Node<K: store, V: store> has store {
        V1 {
            is_leaf: bool,
            keys: vector<K>,
            values: vector<V>,
            children: vector<u64>,
            prev: u64,
            next: u64
        }
    }

    /// A table item: a node, or a place kept for one.
    enum Slot<K: store, V: store> has store {
        Occupied {
            node: Node<K, V>
        }
        Vacant {
            next: u64
        }
    }

    // Creation and end.

    public fun new<K: store, V: store>(): BigOrderedMap<K, V> {
        new_with_config(0, 0, false)
    }

    /// Degrees that suit the given sizes in bytes; a node stays below the size limit even for the greatest ones.
    public fun new_with_type_size_hints<K: store, V: store>(
        avg_key_bytes: u64, max_key_bytes: u64, avg_value_bytes: u64, max_value_bytes: u64
    ): BigOrderedMap<K, V> {
        assert!(
            avg_key_bytes > 0 && avg_key_bytes <= max_key_bytes && avg_value_bytes <= max_value_bytes,
            error::invalid_argument(EINVALID_CONFIG_PARAMETER)
        );
        let inner = degree_for(avg_key_bytes + 8, (INNER_MIN_DEGREE as u64));
        let leaf = degree_for(avg_key_bytes + avg_value_bytes, (LEAF_MIN_DEGREE as u64));
        new_with_config(inner, leaf, false)
    }

    /// The most children of an inner node and the most items of a leaf (0: the default). With `reuse_slots` the
    /// table items of merged nodes are kept for later ones.
    public fun new_with_config<K: store, V: store>(
        inner_max_degree: u16, leaf_max_degree: u16, reuse_slots: bool
    ): BigOrderedMap<K, V> {
        if (inner_max_degree == 0) inner_max_degree = DEFAULT_DEGREE;
        if (leaf_max_degree == 0) leaf_max_degree = DEFAULT_DEGREE;
        assert!(
            inner_max_degree >= INNER_MIN_DEGREE && (inner_max_degree as u64) <= MAX_DEGREE
                && leaf_max_degree >= LEAF_MIN_DEGREE && (leaf_max_degree as u64) <= MAX_DEGREE,
            error::invalid_argument(EINVALID_CONFIG_PARAMETER)
        );
        BigOrderedMap::BPlusTreeMap {
            root: new_leaf(vector[], vector[], NIL, NIL),
            nodes: table::new(),
            next_slot: FIRST_SLOT,
            vacant: NIL,
            reuse_slots,
            min_leaf: ROOT,
            max_leaf: ROOT,
            inner_max_degree,
            leaf_max_degree
        }
    }

    public fun new_from<K: copy + drop + store, V: store>(
        keys: vector<K>, values: vector<V>
    ): BigOrderedMap<K, V> {
        let map = new();
        map.add_all(keys, values);
        map
    }

    /// Makes `num_to_allocate` slots now, so that later additions need not pay for new ones.
    public fun allocate_spare_slots<K: store, V: store>(
        self: &mut BigOrderedMap<K, V>, num_to_allocate: u64
    ) {
        assert!(self.reuse_slots, error::invalid_argument(EINVALID_CONFIG_PARAMETER));
        while (num_to_allocate > 0) {
            let index = self.next_slot;
            self.next_slot += 1;
            self.nodes.add(index, Slot::Vacant { next: self.vacant });
            self.vacant = index;
            num_to_allocate -= 1;
        }
    }

    public fun destroy_empty<K: store, V: store>(self: BigOrderedMap<K, V>) {
        let BigOrderedMap::BPlusTreeMap {
            root,
            nodes,
            next_slot: _,
            vacant,
            reuse_slots: _,
            min_leaf: _,
            max_leaf: _,
            inner_max_degree: _,
            leaf_max_degree: _
        } = self;
        let Node::V1 { is_leaf, keys, values, children, prev: _, next: _ } = root;
        assert!(is_leaf && keys.is_empty(), error::invalid_state(EMAP_NOT_EMPTY));
        keys.destroy_empty();
        values.destroy_empty();
        children.destroy_empty();
        while (vacant != NIL) vacant = unwrap_vacant(nodes.remove(vacant));
        nodes.destroy_known_empty_unsafe();
    }

    // Reading.

    public fun is_empty<K: store, V: store>(self: &BigOrderedMap<K, V>): bool {
        self.root.keys.is_empty()
    }

    /// The number of items. Reads every leaf.
    public fun compute_length<K: store, V: store>(self: &BigOrderedMap<K, V>): u64 {
        let count = 0;
        let leaf = self.min_leaf;
        while (leaf != NIL) {
            let node = self.node(leaf);
            count += node.keys.length();
            leaf = node.next;
        };
        count
    }

    public fun contains<K: copy + drop + store, V: store>(self: &BigOrderedMap<K, V>, key: &K): bool {
        let (found, _, _) = self.locate(key);
        found
    }

    public fun borrow<K: copy + drop + store, V: store>(self: &BigOrderedMap<K, V>, key: &K): &V {
        let (found, leaf, i) = self.locate(key);
        assert!(found, error::invalid_argument(EKEY_NOT_FOUND));
        self.node(leaf).values.borrow(i)
    }

    public fun borrow_mut<K: copy + drop + store, V: store>(
        self: &mut BigOrderedMap<K, V>, key: &K
    ): &mut V {
        let (found, leaf, i) = self.locate(key);
        assert!(found, error::invalid_argument(EKEY_NOT_FOUND));
        self.node_mut(leaf).values.borrow_mut(i)
    }

    /// The smallest key and its value.
    public fun borrow_front<K: copy + drop + store, V: store>(self: &BigOrderedMap<K, V>): (K, &V) {
        let node = self.node(self.min_leaf);
        assert!(!node.keys.is_empty(), error::invalid_state(EMAP_EMPTY));
        (*node.keys.borrow(0), node.values.borrow(0))
    }

    /// The greatest key and its value.
    public fun borrow_back<K: copy + drop + store, V: store>(self: &BigOrderedMap<K, V>): (K, &V) {
        let node = self.node(self.max_leaf);
        assert!(!node.keys.is_empty(), error::invalid_state(EMAP_EMPTY));
        let last = node.keys.length() - 1;
        (*node.keys.borrow(last), node.values.borrow(last))
    }

    /// The greatest key below `key`, which need not be there itself.
    public fun prev_key<K: copy + drop + store, V: store>(
        self: &BigOrderedMap<K, V>, key: &K
    ): Option<K> {
        let (_, leaf, i) = self.locate(key);
        let node = self.node(leaf);
        if (i > 0) return option::some(*node.keys.borrow(i - 1));
        if (node.prev == NIL) return option::none();
        let before = self.node(node.prev);
        option::some(*before.keys.borrow(before.keys.length() - 1))
    }

    /// The smallest key above `key`, which need not be there itself.
    public fun next_key<K: copy + drop + store, V: store>(
        self: &BigOrderedMap<K, V>, key: &K
    ): Option<K> {
        let (found, leaf, i) = self.locate(key);
        if (found) i += 1;
        let node = self.node(leaf);
        if (i < node.keys.length()) return option::some(*node.keys.borrow(i));
        if (node.next == NIL) return option::none();
        option::some(*self.node(node.next).keys.borrow(0))
    }

    /// All keys in order. Reads every leaf.
    public fun keys<K: copy + drop + store, V: copy + store>(self: &BigOrderedMap<K, V>): vector<K> {
        let keys = vector[];
        let leaf = self.min_leaf;
        while (leaf != NIL) {
            let node = self.node(leaf);
            keys.append(node.keys);
            leaf = node.next;
        };
        keys
    }

    /// A copy in one vector. Reads every leaf.
    public fun to_ordered_map<K: copy + drop + store, V: copy + store>(
        self: &BigOrderedMap<K, V>
    ): OrderedMap<K, V> {
        let map = ordered_map::new();
        let leaf = self.min_leaf;
        while (leaf != NIL) {
            let node = self.node(leaf);
            let i = 0;
            while (i < node.keys.length()) {
                map.push_back_sorted(*node.keys.borrow(i), *node.values.borrow(i));
                i += 1;
            };
            leaf = node.next;
        };
        map
    }

    /// Gives each item to `f`, in order. Looks each key up anew: use `to_ordered_map` where values can be copied.
    public inline fun for_each_ref<K: copy + drop + store, V: store>(
        self: &BigOrderedMap<K, V>, f: |&K, &V|
    ) {
        if (!self.is_empty()) {
            let (key, front) = self.borrow_front();
            f(&key, front);
            let next = self.next_key(&key);
            while (next.is_some()) {
                key = next.destroy_some();
                f(&key, self.borrow(&key));
                next = self.next_key(&key);
            }
        }
    }

    // Writing.

    public fun add<K: copy + drop + store, V: store>(self: &mut BigOrderedMap<K, V>, key: K, value: V) {
        let probe = cmp::probe(&key);
        let (leaf, path) = self.descend(&probe);
        let leaf_max = (self.leaf_max_degree as u64);
        let node = self.node_mut(leaf);
        let (found, i) = probe.search(&node.keys);
        assert!(!found, error::invalid_argument(EKEY_ALREADY_EXISTS));
        node.keys.insert(i, key);
        node.values.insert(i, value);
        if (node.keys.length() > leaf_max) self.split(leaf, path);
    }

    public fun add_all<K: copy + drop + store, V: store>(
        self: &mut BigOrderedMap<K, V>, keys: vector<K>, values: vector<V>
    ) {
        keys.zip(values, |key, value| self.add(key, value))
    }

    /// Puts the value in place of the old one, which comes back.
    public fun upsert<K: copy + drop + store, V: store>(
        self: &mut BigOrderedMap<K, V>, key: K, value: V
    ): Option<V> {
        let (found, leaf, i) = self.locate(&key);
        if (found) return option::some(self.node_mut(leaf).values.replace(i, value));
        self.add(key, value);
        option::none()
    }

    public fun remove<K: copy + drop + store, V: store>(self: &mut BigOrderedMap<K, V>, key: &K): V {
        let probe = cmp::probe(key);
        let (leaf, path) = self.descend(&probe);
        let leaf_min = min_degree(self.leaf_max_degree);
        let node = self.node_mut(leaf);
        let (found, i) = probe.search(&node.keys);
        assert!(found, error::invalid_argument(EKEY_NOT_FOUND));
        node.keys.remove(i);
        let value = node.values.remove(i);
        if (leaf != ROOT && node.keys.length() < leaf_min) self.refill(leaf, path);
        value
    }

    public fun pop_front<K: copy + drop + store, V: store>(self: &mut BigOrderedMap<K, V>): (K, V) {
        let (key, _) = self.borrow_front();
        let value = self.remove(&key);
        (key, value)
    }

    public fun pop_back<K: copy + drop + store, V: store>(self: &mut BigOrderedMap<K, V>): (K, V) {
        let (key, _) = self.borrow_back();
        let value = self.remove(&key);
        (key, value)
    }

    // Finding the way.

    /// The leaf whose range holds the probe, and the inner nodes from the root down to it.
    fun descend<K: store, V: store>(self: &BigOrderedMap<K, V>, probe: &Probe): (u64, vector<u64>) {
        let path = vector[];
        let index = ROOT;
        loop {
            let node = self.node(index);
            if (node.is_leaf) return (index, path);
            path.push_back(index);
            let (found, i) = probe.search(&node.keys);
            if (found) i += 1;
            index = *node.children.borrow(i);
        }
    }

    /// (whether the key is there, its leaf, position of the first key of that leaf that is not below it).
    fun locate<K: store, V: store>(self: &BigOrderedMap<K, V>, key: &K): (bool, u64, u64) {
        let probe = cmp::probe(key);
        let (leaf, _) = self.descend(&probe);
        let (found, i) = probe.search(&self.node(leaf).keys);
        (found, leaf, i)
    }

    fun node<K: store, V: store>(self: &BigOrderedMap<K, V>, index: u64): &Node<K, V> {
        if (index == ROOT) &self.root else &self.nodes.borrow(index).node
    }

    fun node_mut<K: store, V: store>(self: &mut BigOrderedMap<K, V>, index: u64): &mut Node<K, V> {
        if (index == ROOT) &mut self.root else &mut self.nodes.borrow_mut(index).node
    }

    // Growing: a node that is too full is halved, and its parent gets one child more.

    fun split<K: copy + drop + store, V: store>(
        self: &mut BigOrderedMap<K, V>, index: u64, path: vector<u64>
    ) {
        if (index == ROOT) index = self.push_root_down() else ();
        let parent = if (path.is_empty()) ROOT else path.pop_back();
        let right_index = self.reserve_slot();
        let (separator, right) = halve(self.node_mut(index), index);
        if (right.is_leaf) {
            let after = right.next;
            self.node_mut(index).next = right_index;
            if (after == NIL) self.max_leaf = right_index else self.node_mut(after).prev = right_index;
        };
        self.fill_slot(right_index, right);
        let inner_max = (self.inner_max_degree as u64);
        let node = self.node_mut(parent);
        let (_, i) = node.children.index_of(&index);
        node.keys.insert(i, separator);
        node.children.insert(i + 1, right_index);
        if (node.children.length() > inner_max) self.split(parent, path);
    }

    /// Moves the root's content to a node of its own, which becomes the root's only child.
    fun push_root_down<K: store, V: store>(self: &mut BigOrderedMap<K, V>): u64 {
        let index = self.reserve_slot();
        let root = &mut self.root;
        let is_leaf = root.is_leaf;
        let node = Node::V1 {
            is_leaf,
            keys: root.keys.trim(0),
            values: root.values.trim(0),
            children: root.children.trim(0),
            prev: NIL,
            next: NIL
        };
        root.is_leaf = false;
        root.children.push_back(index);
        if (is_leaf) {
            self.min_leaf = index;
            self.max_leaf = index;
        };
        self.fill_slot(index, node);
        index
    }

    /// Cuts the node in two: the upper half comes back with the key that parts them.
    fun halve<K: copy + drop + store, V: store>(self: &mut Node<K, V>, index: u64): (K, Node<K, V>) {
        if (self.is_leaf) {
            let half = self.keys.length() / 2;
            let right = new_leaf(self.keys.trim(half), self.values.trim(half), index, self.next);
            (*right.keys.borrow(0), right)
        } else {
            let half = self.children.length() / 2;
            let children = self.children.trim(half);
            let keys = self.keys.trim(half);
            (self.keys.pop_back(), new_inner(keys, children))
        }
    }

    // Shrinking: a node that is too empty is joined with a neighbour, and the two are parted again if they
    // are too many for one node.

    fun refill<K: copy + drop + store, V: store>(
        self: &mut BigOrderedMap<K, V>, index: u64, path: vector<u64>
    ) {
        let parent = path.pop_back();
        let (_, position) = self.node(parent).children.index_of(&index);
        let first = if (position > 0) position - 1 else 0;
        let left_index = *self.node(parent).children.borrow(first);
        let right_index = *self.node(parent).children.borrow(first + 1);
        let separator = self.node_mut(parent).keys.remove(first);
        let right = self.vacate_slot(right_index);
        let max = if (right.is_leaf) (self.leaf_max_degree as u64) else (self.inner_max_degree as u64);
        let left = self.node_mut(left_index);
        let after = join(left, right, separator);
        if (left.size() > max) {
            let (separator, right) = halve(left, left_index);
            if (right.is_leaf) left.next = right_index;
            self.nodes.add(right_index, Slot::Occupied { node: right });
            self.node_mut(parent).keys.insert(first, separator);
            return
        };
        let left_is_leaf = left.is_leaf;
        if (left_is_leaf) {
            if (after == NIL) self.max_leaf = left_index else self.node_mut(after).prev = left_index;
        };
        self.node_mut(parent).children.remove(first + 1);
        self.free_slot(right_index);
        self.shrink_parent(parent, path);
    }

    fun shrink_parent<K: copy + drop + store, V: store>(
        self: &mut BigOrderedMap<K, V>, parent: u64, path: vector<u64>
    ) {
        let children = self.node(parent).children.length();
        if (parent == ROOT) {
            if (children == 1) self.pull_root_up();
        } else if (children < min_degree(self.inner_max_degree)) self.refill(parent, path);
    }

    /// The reverse of `push_root_down`.
    fun pull_root_up<K: store, V: store>(self: &mut BigOrderedMap<K, V>) {
        let index = self.root.children.pop_back();
        let Node::V1 { is_leaf, keys, values, children, prev: _, next: _ } = self.vacate_slot(index);
        let root = &mut self.root;
        root.is_leaf = is_leaf;
        root.keys.append(keys);
        root.values.append(values);
        root.children.append(children);
        if (is_leaf) {
            self.min_leaf = ROOT;
            self.max_leaf = ROOT;
        };
        self.free_slot(index);
    }

    /// Puts the content of the right neighbour behind that of `left`; gives the leaf after both.
    fun join<K: drop + store, V: store>(self: &mut Node<K, V>, right: Node<K, V>, separator: K): u64 {
        let Node::V1 { is_leaf, keys, values, children, prev: _, next } = right;
        if (!is_leaf) self.keys.push_back(separator);
        self.keys.append(keys);
        self.values.append(values);
        self.children.append(children);
        self.next = next;
        next
    }

    // Slots.

    /// A slot for a node that is about to be put in with `fill_slot`.
    fun reserve_slot<K: store, V: store>(self: &mut BigOrderedMap<K, V>): u64 {
        if (self.vacant == NIL) {
            let index = self.next_slot;
            self.next_slot += 1;
            return index
        };
        let index = self.vacant;
        self.vacant = unwrap_vacant(self.nodes.remove(index));
        index
    }

    fun fill_slot<K: store, V: store>(self: &mut BigOrderedMap<K, V>, index: u64, node: Node<K, V>) {
        self.nodes.add(index, Slot::Occupied { node })
    }

    /// Takes the node out; the slot is then filled again or given to `free_slot`.
    fun vacate_slot<K: store, V: store>(self: &mut BigOrderedMap<K, V>, index: u64): Node<K, V> {
        let Slot::Occupied { node } = self.nodes.remove(index);
        node
    }

    fun free_slot<K: store, V: store>(self: &mut BigOrderedMap<K, V>, index: u64) {
        if (self.reuse_slots) {
            self.nodes.add(index, Slot::Vacant { next: self.vacant });
            self.vacant = index;
        }
    }

    fun unwrap_vacant<K: store, V: store>(slot: Slot<K, V>): u64 {
        let Slot::Vacant { next } = slot;
        next
    }

    // Nodes.

    fun new_leaf<K: store, V: store>(
        keys: vector<K>, values: vector<V>, prev: u64, next: u64
    ): Node<K, V> {
        Node::V1 { is_leaf: true, keys, values, children: vector[], prev, next }
    }

    fun new_inner<K: store, V: store>(keys: vector<K>, children: vector<u64>): Node<K, V> {
        Node::V1 { is_leaf: false, keys, values: vector[], children, prev: NIL, next: NIL }
    }

    /// Items of a leaf, children of an inner node.
    fun size<K: store, V: store>(self: &Node<K, V>): u64 {
        if (self.is_leaf) self.keys.length() else self.children.length()
    }

    /// Two nodes at or below this fit into one.
    fun min_degree(max_degree: u16): u64 {
        (max_degree as u64) / 2
    }

    fun degree_for(entry_bytes: u64, smallest: u64): u16 {
        let degree = TARGET_NODE_BYTES / entry_bytes;
        if (degree < smallest) degree = smallest;
        if (degree > MAX_DEGREE) degree = MAX_DEGREE;
        (degree as u16)
    }
}
