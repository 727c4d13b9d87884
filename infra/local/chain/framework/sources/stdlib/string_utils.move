/// Values as text.
module aptos_std::string_utils {
    use std::string::String;

    /// A list of values of different types, for `format...`.
    struct Cons<T, N> has copy, drop, store {
        car: T,
        cdr: N
    }

    struct NIL has copy, drop, store {}

    /// As text, with addresses as short as possible.
    public fun to_string<T>(s: &T): String {
        native_format(s, false, false, true, false)
    }

    /// As text, with addresses of 64 digits.
    public fun to_string_with_canonical_addresses<T>(s: &T): String {
        native_format(s, false, true, true, false)
    }

    /// As text, with the type behind each number.
    public fun to_string_with_integer_types<T>(s: &T): String {
        native_format(s, false, true, true, true)
    }

    /// As text over many lines, with types.
    public fun debug_string<T>(s: &T): String {
        native_format(s, true, false, false, false)
    }

    /// `fmt` with each {} replaced by the next value.
    public fun format1<T0: drop>(fmt: &vector<u8>, a: T0): String {
        native_format_list(fmt, &Cons { car: a, cdr: NIL {} })
    }

    public fun format2<T0: drop, T1: drop>(fmt: &vector<u8>, a: T0, b: T1): String {
        native_format_list(fmt, &Cons { car: a, cdr: Cons { car: b, cdr: NIL {} } })
    }

    public fun format3<T0: drop, T1: drop, T2: drop>(fmt: &vector<u8>, a: T0, b: T1, c: T2): String {
        native_format_list(
            fmt, &Cons { car: a, cdr: Cons { car: b, cdr: Cons { car: c, cdr: NIL {} } } }
        )
    }

    public fun format4<T0: drop, T1: drop, T2: drop, T3: drop>(
        fmt: &vector<u8>, a: T0, b: T1, c: T2, d: T3
    ): String {
        native_format_list(
            fmt,
            &Cons { car: a, cdr: Cons { car: b, cdr: Cons { car: c, cdr: Cons { car: d, cdr: NIL {} } } } }
        )
    }

    native fun native_format<T>(
        s: &T, type_tag: bool, canonicalize: bool, single_line: bool, include_int_types: bool
    ): String;
    native fun native_format_list<T>(fmt: &vector<u8>, val: &T): String;
}
