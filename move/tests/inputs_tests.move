#[test_only]
module carbon_market::inputs_tests {
    use carbon_market::inputs;
    use carbon_market::scenario::{hash, text};

    #[test]
    fun capitals_and_digits_make_an_id() {
        inputs::assert_id(&text(b"PRJ0123456789ABC"));
        inputs::assert_id(&text(b"A"));
    }

    #[test]
    #[expected_failure(abort_code = inputs::E_BAD_ID, location = inputs)]
    fun an_id_is_not_empty() {
        inputs::assert_id(&text(b""));
    }

    #[test]
    #[expected_failure(abort_code = inputs::E_BAD_ID, location = inputs)]
    fun an_id_is_at_most_16_characters() {
        inputs::assert_id(&text(b"PRJ0123456789ABCD"));
    }

    #[test]
    #[expected_failure(abort_code = inputs::E_BAD_ID, location = inputs)]
    fun an_id_has_no_small_letters() {
        inputs::assert_id(&text(b"sun1"));
    }

    #[test]
    fun two_capitals_make_a_country() {
        inputs::assert_country(&text(b"DE"));
    }

    #[test]
    #[expected_failure(abort_code = inputs::E_BAD_COUNTRY, location = inputs)]
    fun three_letters_are_no_country() {
        inputs::assert_country(&text(b"DEU"));
    }

    #[test]
    #[expected_failure(abort_code = inputs::E_BAD_COUNTRY, location = inputs)]
    fun a_digit_is_no_country() {
        inputs::assert_country(&text(b"D1"));
    }

    #[test]
    #[expected_failure(abort_code = inputs::E_NOT_32_BYTES, location = inputs)]
    fun a_hash_is_32_bytes() {
        let short = hash(1);
        short.pop_back();
        inputs::assert_hash(&short);
    }

    #[test]
    #[expected_failure(abort_code = inputs::E_TEXT_TOO_LONG, location = inputs)]
    fun a_text_is_at_most_256_bytes() {
        let bytes = vector[];
        for (i in 0..257) bytes.push_back(65);
        inputs::assert_text(&text(bytes));
    }
}
