/// UTF-8 text.
module std::string {
    use std::option::{Self, Option};

    /// The bytes are not UTF-8.
    const EINVALID_UTF8: u64 = 1;
    /// The position is outside the text or inside a character.
    const EINVALID_INDEX: u64 = 2;

    struct String has copy, drop, store {
        bytes: vector<u8>
    }

    /// The text whose bytes are `bytes`; aborts if they are not UTF-8.
    public fun utf8(bytes: vector<u8>): String {
        assert!(internal_check_utf8(&bytes), EINVALID_UTF8);
        String { bytes }
    }

    /// The text whose bytes are `bytes`, or none if they are not UTF-8.
    public fun try_utf8(bytes: vector<u8>): Option<String> {
        if (internal_check_utf8(&bytes)) option::some(String { bytes }) else option::none()
    }

    public fun bytes(self: &String): &vector<u8> {
        &self.bytes
    }

    public fun is_empty(self: &String): bool {
        self.bytes.is_empty()
    }

    /// Length in bytes.
    public fun length(self: &String): u64 {
        self.bytes.length()
    }

    public fun append(self: &mut String, r: String) {
        let String { bytes } = r;
        self.bytes.append(bytes)
    }

    public fun append_utf8(self: &mut String, bytes: vector<u8>) {
        self.append(utf8(bytes))
    }

    /// Puts `o` before byte `at`, which must begin a character.
    public fun insert(self: &mut String, at: u64, o: String) {
        let len = self.length();
        assert!(at <= len && internal_is_char_boundary(&self.bytes, at), EINVALID_INDEX);
        let tail = self.bytes.trim(at);
        self.append(o);
        self.bytes.append(tail);
    }

    /// Bytes [i, j), both at the edge of characters.
    public fun sub_string(self: &String, i: u64, j: u64): String {
        assert!(
            j <= self.length() && i <= j
                && internal_is_char_boundary(&self.bytes, i)
                && internal_is_char_boundary(&self.bytes, j),
            EINVALID_INDEX
        );
        String { bytes: internal_sub_string(&self.bytes, i, j) }
    }

    /// Byte position of the first occurrence of `r`, or the length of `self` if there is none.
    public fun index_of(self: &String, r: &String): u64 {
        internal_index_of(&self.bytes, &r.bytes)
    }

    public native fun internal_check_utf8(v: &vector<u8>): bool;
    native fun internal_is_char_boundary(v: &vector<u8>, i: u64): bool;
    native fun internal_sub_string(v: &vector<u8>, i: u64, j: u64): vector<u8>;
    native fun internal_index_of(v: &vector<u8>, r: &vector<u8>): u64;
}
