/// Arithmetic on u64 beyond the operators.
module aptos_std::math64 {
    use std::error;
    use std::fixed_point32::{Self, FixedPoint32};

    /// The logarithm of zero was asked for.
    const EINVALID_ARG_FLOOR_LOG2: u64 = 1;
    /// The interval's lower end is above its upper end.
    const EINVALID_INTERVAL: u64 = 2;

    public fun max(a: u64, b: u64): u64 {
        if (a >= b) a else b
    }

    public fun min(a: u64, b: u64): u64 {
        if (a < b) a else b
    }

    /// (a + b) / 2, rounded down.
    public fun average(a: u64, b: u64): u64 {
        (a & b) + ((a ^ b) >> 1)
    }

    /// The value of [lower, upper] nearest to x.
    public fun clamp(x: u64, lower: u64, upper: u64): u64 {
        assert!(lower <= upper, error::invalid_argument(EINVALID_INTERVAL));
        min(upper, max(lower, x))
    }

    /// n to the power e; aborts above u64.
    public fun pow(n: u64, e: u64): u64 {
        let result = 1;
        while (e > 0) {
            if (e & 1 == 1) result *= n;
            e >>= 1;
            if (e > 0) n *= n;
        };
        result
    }

    /// Greatest integer whose power of two is not above x.
    public fun floor_log2(x: u64): u8 {
        assert!(x != 0, error::invalid_argument(EINVALID_ARG_FLOOR_LOG2));
        let log = 0;
        let step = 32;
        while (step > 0) {
            if (x >= (1 << step)) {
                x >>= step;
                log += step;
            };
            step >>= 1;
        };
        log
    }

    /// Binary logarithm to 32 digits after the point, rounded down.
    public fun log2(x: u64): FixedPoint32 {
        let integer = floor_log2(x);
        // The mantissa in [1, 2) with 63 digits after the point; each squaring gives the next digit.
        let mantissa = (x as u128) << (63 - integer);
        let fraction = 0;
        let digit = 1 << 31;
        while (digit > 0) {
            mantissa = (mantissa * mantissa) >> 63;
            if (mantissa >= (1 << 64)) {
                mantissa >>= 1;
                fraction += digit;
            };
            digit >>= 1;
        };
        fixed_point32::create_from_raw_value(((integer as u64) << 32) + fraction)
    }

    /// Square root, rounded down.
    public fun sqrt(x: u64): u64 {
        if (x == 0) return 0;
        let guess = 1 << (floor_log2(x) / 2 + 1);
        loop {
            let next = (guess + x / guess) / 2;
            if (next >= guess) return guess;
            guess = next;
        }
    }

    /// a * b / c with a product of any size, rounded down.
    public inline fun mul_div(a: u64, b: u64, c: u64): u64 {
        (((a as u128) * (b as u128) / (c as u128)) as u64)
    }

    /// a / b, rounded up. Aborts with 0x10001 where b is zero: inline functions name no constants.
    public inline fun ceil_div(a: u64, b: u64): u64 {
        if (a == 0) {
            assert!(b != 0, 0x10001);
            0
        } else (a - 1) / b + 1
    }

    /// Greatest common divisor.
    public inline fun gcd(a: u64, b: u64): u64 {
        let x = a;
        let y = b;
        while (y != 0) {
            let rest = x % y;
            x = y;
            y = rest;
        };
        x
    }
}
