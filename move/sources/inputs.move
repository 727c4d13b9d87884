/// The forms that ids, hashes, countries and texts must have, the same in every module.
module carbon_market::inputs {
    use std::string::String;

    /// An id is 1 to 16 characters, capital letters and digits only.
    const E_BAD_ID: u64 = 1;
    /// A country is two capital letters, as in ISO 3166-1.
    const E_BAD_COUNTRY: u64 = 2;
    /// A hash or commitment is exactly 32 bytes.
    const E_NOT_32_BYTES: u64 = 3;
    /// A text is at most 256 bytes.
    const E_TEXT_TOO_LONG: u64 = 4;

    const MAX_ID_BYTES: u64 = 16;
    const MAX_TEXT_BYTES: u64 = 256;
    const HASH_BYTES: u64 = 32;

    /// Ids of projects, batches and records.
    public fun assert_id(id: &String) {
        let bytes = id.bytes();
        assert!(!bytes.is_empty() && bytes.length() <= MAX_ID_BYTES, E_BAD_ID);
        assert!(bytes.all(|character| is_capital(*character) || is_digit(*character)), E_BAD_ID);
    }

    public fun assert_country(country: &String) {
        let bytes = country.bytes();
        assert!(bytes.length() == 2, E_BAD_COUNTRY);
        assert!(bytes.all(|character| is_capital(*character)), E_BAD_COUNTRY);
    }

    public fun assert_hash(hash: &vector<u8>) {
        assert!(hash.length() == HASH_BYTES, E_NOT_32_BYTES);
    }

    /// Reasons and URIs.
    public fun assert_text(text: &String) {
        assert!(text.length() <= MAX_TEXT_BYTES, E_TEXT_TOO_LONG);
    }

    fun is_capital(character: u8): bool {
        character >= 65 && character <= 90
    }

    fun is_digit(character: u8): bool {
        character >= 48 && character <= 57
    }
}
