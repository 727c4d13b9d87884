/// Arithmetic on u128 beyond the operators.
module aptos_std::math128 {
    use std::error;
    use std::fixed_point32::{Self, FixedPoint32};
    use aptos_std::fixed_point64::{Self, FixedPoint64};

    /// The logarithm of zero was asked for.
    const EINVALID_ARG_FLOOR_LOG2: u64 = 1;
    /// The interval's lower end is above its upper end.
    const EINVALID_INTERVAL: u64 = 2;

    public fun max(a: u128, b: u128): u128 {
        if (a >= b) a else b
    }

    public fun min(a: u128, b: u128): u128 {
        if (a < b) a else b
    }

    /// (a + b) / 2, rounded down.
    public fun average(a: u128, b: u128): u128 {
        (a & b) + ((a ^ b) >> 1)
    }

    /// The value of [lower, upper] nearest to x.
    public fun clamp(x: u128, lower: u128, upper: u128): u128 {
        assert!(lower <= upper, error::invalid_argument(EINVALID_INTERVAL));
        min(upper, max(lower, x))
    }

    /// n to the power e; aborts above u128.
    public fun pow(n: u128, e: u128): u128 {
        let result = 1;
        while (e > 0) {
            if (e & 1 == 1) result *= n;
            e >>= 1;
            if (e > 0) n *= n;
        };
        result
    }

    /// Greatest integer whose power of two is not above x.
    public fun floor_log2(x: u128): u8 {
        assert!(x != 0, error::invalid_argument(EINVALID_ARG_FLOOR_LOG2));
        let log = 0;
        let step = 64;
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
    public fun log2(x: u128): FixedPoint32 {
        fixed_point32::create_from_raw_value(((log2_raw(x) >> 32) as u64))
    }

    /// Binary logarithm to 64 digits after the point, rounded down.
    public fun log2_64(x: u128): FixedPoint64 {
        fixed_point64::create_from_raw_value(log2_raw(x))
    }

    /// log2(x) * 2^64.
    fun log2_raw(x: u128): u128 {
        let integer = floor_log2(x);
        // The mantissa in [1, 2) with 127 digits after the point; each squaring gives the next digit.
        let mantissa = (x as u256) << (127 - integer);
        let fraction = 0;
        let digit = 1 << 63;
        while (digit > 0) {
            mantissa = (mantissa * mantissa) >> 127;
            if (mantissa >= (1 << 128)) {
                mantissa >>= 1;
                fraction += digit;
            };
            digit >>= 1;
        };
        ((integer as u128) << 64) + fraction
    }

    /// Square root, rounded down.
    public fun sqrt(x: u128): u128 {
        if (x == 0) return 0;
        let guess = 1 << (floor_log2(x) / 2 + 1);
        loop {
            let next = (guess + x / guess) / 2;
            if (next >= guess) return guess;
            guess = next;
        }
    }

    /// a * b / c with a product of any size, rounded down.
    public inline fun mul_div(a: u128, b: u128, c: u128): u128 {
        (((a as u256) * (b as u256) / (c as u256)) as u128)
    }

    /// a / b, rounded up. Aborts with 0x10001 where b is zero: inline functions name no constants.
    public inline fun ceil_div(a: u128, b: u128): u128 {
        if (a == 0) {
            assert!(b != 0, 0x10001);
            0
        } else (a - 1) / b + 1
    }

    /// Greatest common divisor.
    public inline fun gcd(a: u128, b: u128): u128 {
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
