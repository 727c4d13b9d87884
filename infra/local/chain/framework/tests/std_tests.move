#[test_only]
module std::std_tests {
    use std::bit_vector;
    use std::cmp;
    use std::fixed_point32;
    use std::option;
    use std::string;
    use std::vector;
    use aptos_std::any;
    use aptos_std::fixed_point64;
    use aptos_std::from_bcs;
    use aptos_std::math128;
    use aptos_std::math64;
    use aptos_std::ordered_map;
    use aptos_std::simple_map;
    use aptos_std::string_utils;
    use aptos_std::table_with_length;
    use aptos_std::type_info;

    struct Point has copy, drop {
        x: u64,
        y: u64
    }

    #[test]
    fun vectors_are_cut_joined_and_turned() {
        let v = vector[1, 2, 3, 4, 5];
        assert!(v.trim(3) == vector[4, 5] && v == vector[1, 2, 3], 0);
        v.insert(1, 9);
        assert!(v == vector[1, 9, 2, 3], 1);
        assert!(v.remove(1) == 9 && v == vector[1, 2, 3], 2);
        v.append(vector[4, 5]);
        assert!(v.rotate(2) == 3 && v == vector[3, 4, 5, 1, 2], 3);
        assert!(v.swap_remove(0) == 3 && v == vector[2, 4, 5, 1], 4);
        assert!(v.replace(1, 8) == 4 && v == vector[2, 8, 5, 1], 5);
        assert!(v.slice(1, 3) == vector[8, 5], 6);
        let to = vector[0, 0];
        vector::move_range(&mut v, 1, 2, &mut to, 1);
        assert!(v == vector[2, 1] && to == vector[0, 8, 5, 0], 7);
        assert!(vector::range_with_step(1, 8, 3) == vector[1, 4, 7], 8);
        assert!(v.remove_value(&2) == vector[2] && v.remove_value(&7) == vector[], 9);
    }

    #[test]
    fun vectors_are_folded_and_filtered() {
        let v = vector[1, 2, 3, 4];
        assert!(v.fold(10, |sum, e| sum + e) == 20, 0);
        assert!(v.map(|e| e * e) == vector[1, 4, 9, 16], 1);
        assert!(v.filter(|e| *e % 2 == 0) == vector[2, 4], 2);
        assert!(v.any(|e| *e == 3) && !v.all(|e| *e == 3), 3);
        let (found, at) = v.find(|e| *e > 2);
        assert!(found && at == 2, 4);
        assert!(v.zip_map(vector[4, 3, 2, 1], |a, b| a * b) == vector[4, 6, 6, 4], 5);
    }

    #[test]
    #[expected_failure(abort_code = 0x20000, location = std::vector)]
    fun nothing_is_removed_behind_the_end() {
        vector[1].remove(1);
    }

    #[test]
    fun an_option_is_filled_and_emptied() {
        let o = option::none<u64>();
        o.fill(1);
        assert!(o.swap(2) == 1 && o.swap_or_fill(3) == option::some(2), 0);
        assert!(o.extract() == 3 && o.is_none(), 1);
        assert!(o.get_with_default(9) == 9 && option::some(4).map(|e| e + 1) == option::some(5), 2);
    }

    #[test]
    #[expected_failure(abort_code = 0x40001, location = std::option)]
    fun an_empty_option_has_no_value() {
        option::none<u64>().destroy_some();
    }

    #[test]
    fun text_is_cut_at_characters() {
        let s = string::utf8(x"61c3a462");
        assert!(s.length() == 4 && s.sub_string(1, 3) == string::utf8(x"c3a4"), 0);
        assert!(s.index_of(&string::utf8(b"b")) == 3, 1);
        s.insert(3, string::utf8(b"-"));
        assert!(s == string::utf8(x"61c3a42d62"), 2);
        assert!(string::try_utf8(x"c3").is_none(), 3);
    }

    #[test]
    #[expected_failure(abort_code = 2, location = std::string)]
    fun text_is_not_cut_inside_a_character() {
        string::utf8(x"61c3a462").sub_string(0, 2);
    }

    #[test]
    fun values_are_shown_as_text() {
        assert!(string_utils::to_string(&18446744073709551615u64) == string::utf8(b"18446744073709551615"), 0);
        assert!(string_utils::format2(&b"{} of {}", 3u8, true) == string::utf8(b"3 of true"), 1);
        assert!(type_info::type_name<Point>() == string::utf8(b"0x1::std_tests::Point"), 2);
    }

    #[test]
    fun numbers_come_back_from_their_bytes() {
        assert!(from_bcs::to_u64(x"0102030000000000") == 0x030201, 0);
        assert!(from_bcs::to_string(x"026869") == string::utf8(b"hi"), 1);
        assert!(any::pack(7u64).unpack::<u64>() == 7, 2);
    }

    #[test]
    #[expected_failure(abort_code = 0x10000, location = aptos_std::any)]
    fun bytes_of_an_address_are_no_signer() {
        let s = any::pack(@0x1).unpack::<signer>();
        std::signer::address_of(&s);
    }

    #[test]
    #[expected_failure(abort_code = 0x10001, location = aptos_std::from_bcs)]
    fun bytes_that_are_not_utf8_are_no_text() {
        from_bcs::to_string(x"01c3");
    }

    #[test]
    fun values_are_compared_by_size() {
        assert!(cmp::compare(&1u64, &256).is_lt() && cmp::compare(&300u16, &299).is_gt(), 0);
        assert!(cmp::compare(&@0x2, &@0x100).is_lt() && cmp::compare(&7u256, &7).is_eq(), 1);
        assert!(cmp::compare(&b"ab", &b"b").is_lt() && cmp::compare(&b"ab", &b"a").is_gt(), 2);
        assert!(cmp::compare(&false, &true).is_lt() && cmp::compare(&1u128, &2).is_le(), 3);
    }

    #[test]
    #[expected_failure(abort_code = 0xc0001, location = std::cmp)]
    fun structs_are_not_ordered() {
        cmp::compare(&Point { x: 1, y: 2 }, &Point { x: 2, y: 1 });
    }

    #[test]
    fun arithmetic_rounds_as_it_says() {
        assert!(math64::sqrt(99) == 9 && math64::sqrt(18446744073709551615) == 4294967295, 0);
        assert!(math128::sqrt(340282366920938463463374607431768211455) == 18446744073709551615, 1);
        assert!(math64::pow(3, 40) == 12157665459056928801 && math64::floor_log2(1023) == 9, 2);
        assert!(math64::mul_div(18446744073709551615, 6, 9) == 12297829382473034410, 3);
        assert!(math64::ceil_div(7, 2) == 4 && math64::gcd(12, 18) == 6, 4);
        assert!(math64::average(18446744073709551615, 18446744073709551613) == 18446744073709551614, 5);
        assert!(math64::clamp(5, 6, 9) == 6 && math128::clamp(10, 6, 9) == 9, 6);
        assert!(math64::log2(8) == fixed_point32::create_from_u64(3), 7);
        // log2(10) = 3.32192809488736234787...
        assert!(math64::log2(10).get_raw_value() == 14267572527, 8);
        assert!(math128::log2_64(10).get_raw_value() == 61278757397652712441, 9);
    }

    #[test]
    fun fractions_round_as_they_say() {
        let third = fixed_point32::create_from_rational(1, 3);
        assert!(fixed_point32::multiply_u64(3, third) == 0 && third.round() == 0 && third.ceil() == 1, 0);
        assert!(fixed_point32::divide_u64(1, third) == 3, 1);
        let half = fixed_point64::create_from_rational(1, 2);
        assert!(half.add(half) == fixed_point64::create_from_u128(1) && half.round() == 1, 2);
        assert!(fixed_point64::multiply_u128(7, half) == 3 && half.sub(half).is_zero(), 3);
    }

    #[test]
    fun maps_give_back_what_they_hold() {
        let simple = simple_map::new_from(vector[1, 2], vector[10, 20]);
        let (old_key, old_value) = simple.upsert(2, 21);
        assert!(old_key == option::some(2) && old_value == option::some(20), 0);
        assert!(simple.keys() == vector[1, 2] && simple.values() == vector[10, 21], 1);
        let ordered = ordered_map::new_from(vector[3, 1, 2], vector[30, 10, 20]);
        assert!(ordered.keys() == vector[1, 2, 3] && ordered.next_key(&1) == option::some(2), 2);
        let upper = ordered.trim(1);
        assert!(ordered.values() == vector[10] && upper.values() == vector[20, 30], 3);
        ordered.append_disjoint(upper);
        assert!(ordered.length() == 3, 4);
        let table = table_with_length::new<u64, u64>();
        table.upsert(1, 10);
        *table.borrow_mut_with_default(2, 0) += 5;
        assert!(table.length() == 2 && table.remove(1) == 10 && table.remove(2) == 5, 5);
        table.destroy_empty();
    }

    #[test]
    fun flags_move_down() {
        let flags = bit_vector::new(5);
        flags.set(3);
        flags.set(4);
        flags.shift_left(2);
        assert!(flags.is_index_set(1) && flags.longest_set_sequence_starting_at(1) == 2, 0);
        flags.unset(1);
        assert!(!flags.is_index_set(1), 1);
    }
}
