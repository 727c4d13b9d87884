#[test_only]
module aptos_std::big_ordered_map_tests {
    use std::option;
    use std::string;
    use aptos_std::big_ordered_map::{Self, BigOrderedMap};
    use aptos_std::ordered_map::{Self, OrderedMap};

    /// A fixed sequence of numbers that looks random.
    fun next(seed: u64): u64 {
        (((seed as u128) * 6364136223846793005 + 1442695040888963407) % 18446744073709551616 as u64)
    }

    fun assert_same(map: &BigOrderedMap<u64, u64>, model: &OrderedMap<u64, u64>) {
        assert!(map.to_ordered_map() == *model, 0);
        assert!(map.compute_length() == model.length(), 1);
        if (!model.is_empty()) {
            let (first, first_value) = map.borrow_front();
            let (model_first, model_first_value) = model.borrow_front();
            assert!(first == *model_first && *first_value == *model_first_value, 2);
            let (last, _) = map.borrow_back();
            let (model_last, _) = model.borrow_back();
            assert!(last == *model_last, 3);
        }
    }

    /// Random additions and removals, in a growing and then in a shrinking mood, against one sorted vector.
    fun agree_with_model(inner: u16, leaf: u16, reuse_slots: bool) {
        let map = big_ordered_map::new_with_config<u64, u64>(inner, leaf, reuse_slots);
        let model = ordered_map::new<u64, u64>();
        let seed = 7;
        let step = 0;
        while (step < 600) {
            seed = next(seed);
            let key = (seed >> 33) % 150;
            let grow = if (step < 300) 7 else 2;
            if ((seed >> 20) % 10 < grow) {
                assert!(map.upsert(key, step) == model.upsert(key, step), 10);
            } else if (model.contains(&key)) {
                assert!(map.remove(&key) == model.remove(&key), 11);
            };
            assert!(map.contains(&key) == model.contains(&key), 12);
            assert!(map.next_key(&key) == model.next_key(&key), 13);
            assert!(map.prev_key(&key) == model.prev_key(&key), 14);
            if (step % 25 == 0) assert_same(&map, &model);
            step += 1;
        };
        while (!model.is_empty()) {
            let (key, value) = map.pop_front();
            let (model_key, model_value) = model.pop_front();
            assert!(key == model_key && value == model_value, 15);
        };
        model.destroy_empty();
        map.destroy_empty();
    }

    #[test]
    /// Keys of order books: above 64 bits, compared as numbers and not as bytes.
    fun wide_keys_come_back_in_ascending_order() {
        let map = big_ordered_map::new_with_config<u128, u64>(4, 3, true);
        let seed = 7;
        for (i in 0..60) {
            seed = next(seed);
            map.add(((seed as u128) << 64) | (i as u128), i);
        };
        let keys = map.keys();
        assert!(keys.length() == 60, 20);
        for (i in 1..60) { assert!(keys[i - 1] < keys[i], 21); };
        for (i in 0..60) {
            assert!(*map.borrow(&keys[i]) == ((keys[i] & 0xff) as u64), 22);
            map.remove(&keys[i]);
        };
        map.destroy_empty();
    }

    #[test]
    fun smallest_nodes_agree_with_one_sorted_vector() {
        agree_with_model(4, 3, false);
    }

    #[test]
    fun reused_slots_agree_with_one_sorted_vector() {
        agree_with_model(5, 4, true);
    }

    #[test]
    fun leaves_alone_agree_with_one_sorted_vector() {
        agree_with_model(64, 64, true);
    }

    #[test]
    fun ascending_keys_are_popped_from_the_back_in_descending_order() {
        let map = big_ordered_map::new_with_config<u64, u64>(4, 3, true);
        map.allocate_spare_slots(3);
        for (i in 0..100) map.add(i, i * 10);
        for (i in 0..100) {
            let (key, value) = map.pop_back();
            assert!(key == 99 - i && value == key * 10, 0);
        };
        map.destroy_empty();
    }

    #[test]
    fun a_value_is_changed_in_its_place() {
        let map = big_ordered_map::new_with_config<u64, u64>(4, 3, false);
        map.add_all(vector[5, 1, 9, 3, 7], vector[50, 10, 90, 30, 70]);
        *map.borrow_mut(&9) += 5;
        assert!(*map.borrow(&9) == 95, 0);
        assert!(map.upsert(9, 1) == option::some(95), 1);
        assert!(map.keys() == vector[1, 3, 5, 7, 9], 2);
        let sum = 0;
        map.for_each_ref(|key, value| sum += *key * *value);
        assert!(sum == 1 * 10 + 3 * 30 + 5 * 50 + 7 * 70 + 9, 3);
        for (i in 0..5) map.pop_front();
        map.destroy_empty();
    }

    #[test]
    fun strings_and_addresses_are_ordered_by_their_bytes() {
        let map = big_ordered_map::new_from(
            vector[string::utf8(b"b"), string::utf8(b"ab"), string::utf8(b"a")], vector[1u8, 2, 3]
        );
        assert!(map.keys() == vector[string::utf8(b"a"), string::utf8(b"ab"), string::utf8(b"b")], 0);
        for (i in 0..3) map.pop_front();
        map.destroy_empty();
        let map = big_ordered_map::new_from(vector[@0x100, @0x2, @0xff], vector[1u8, 2, 3]);
        assert!(map.keys() == vector[@0x2, @0xff, @0x100], 1);
        for (i in 0..3) map.pop_front();
        map.destroy_empty();
    }

    #[test]
    #[expected_failure(abort_code = 0x10001, location = aptos_std::big_ordered_map)]
    fun a_key_is_added_once() {
        let map = big_ordered_map::new_from(vector[1u64], vector[1u64]);
        map.add(1, 2);
        map.pop_front();
        map.destroy_empty();
    }

    #[test]
    #[expected_failure(abort_code = 0x10002, location = aptos_std::big_ordered_map)]
    fun an_absent_key_is_not_removed() {
        let map = big_ordered_map::new_from(vector[1u64], vector[1u64]);
        map.remove(&2);
        map.pop_front();
        map.destroy_empty();
    }

    #[test]
    #[expected_failure(abort_code = 0x30003, location = aptos_std::big_ordered_map)]
    fun an_empty_map_has_no_front() {
        let map = big_ordered_map::new<u64, u64>();
        map.pop_front();
        map.destroy_empty();
    }

    #[test]
    #[expected_failure(abort_code = 0x3000c, location = aptos_std::big_ordered_map)]
    fun a_map_with_items_is_not_destroyed() {
        big_ordered_map::new_from(vector[1u64], vector[1u64]).destroy_empty();
    }

    #[test]
    #[expected_failure(abort_code = 0x1000b, location = aptos_std::big_ordered_map)]
    fun a_leaf_of_two_items_is_refused() {
        big_ordered_map::new_with_config<u64, u64>(4, 2, false).destroy_empty();
    }
}
