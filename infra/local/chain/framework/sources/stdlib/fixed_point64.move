/// Unsigned numbers with 64 binary digits after the point.
module aptos_std::fixed_point64 {
    /// The denominator is zero.
    const EDENOMINATOR: u64 = 0x10001;
    /// The quotient is above u128.
    const EDIVISION: u64 = 0x20002;
    /// The product is above u128.
    const EMULTIPLICATION: u64 = 0x20003;
    /// The divisor is zero.
    const EDIVISION_BY_ZERO: u64 = 0x10004;
    /// The ratio or sum cannot be represented.
    const ERATIO_OUT_OF_RANGE: u64 = 0x20005;
    /// More is taken away than there is.
    const ENEGATIVE_RESULT: u64 = 0x10006;

    const MAX_U128: u256 = 340282366920938463463374607431768211455;
    const ONE: u256 = 1 << 64;

    struct FixedPoint64 has copy, drop, store {
        value: u128
    }

    public fun add(self: FixedPoint64, y: FixedPoint64): FixedPoint64 {
        let sum = (self.value as u256) + (y.value as u256);
        assert!(sum <= MAX_U128, ERATIO_OUT_OF_RANGE);
        FixedPoint64 { value: (sum as u128) }
    }

    public fun sub(self: FixedPoint64, y: FixedPoint64): FixedPoint64 {
        assert!(self.value >= y.value, ENEGATIVE_RESULT);
        FixedPoint64 { value: self.value - y.value }
    }

    /// val * multiplier, rounded down.
    public fun multiply_u128(val: u128, multiplier: FixedPoint64): u128 {
        let product = ((val as u256) * (multiplier.value as u256)) >> 64;
        assert!(product <= MAX_U128, EMULTIPLICATION);
        (product as u128)
    }

    /// val / divisor, rounded down.
    public fun divide_u128(val: u128, divisor: FixedPoint64): u128 {
        assert!(divisor.value != 0, EDIVISION_BY_ZERO);
        let quotient = ((val as u256) << 64) / (divisor.value as u256);
        assert!(quotient <= MAX_U128, EDIVISION);
        (quotient as u128)
    }

    /// numerator / denominator, rounded down to a multiple of 1 / 2^64.
    public fun create_from_rational(numerator: u128, denominator: u128): FixedPoint64 {
        assert!(denominator != 0, EDENOMINATOR);
        let quotient = ((numerator as u256) << 64) / (denominator as u256);
        assert!((quotient != 0 || numerator == 0) && quotient <= MAX_U128, ERATIO_OUT_OF_RANGE);
        FixedPoint64 { value: (quotient as u128) }
    }

    public fun create_from_raw_value(value: u128): FixedPoint64 {
        FixedPoint64 { value }
    }

    public fun create_from_u128(val: u128): FixedPoint64 {
        let value = (val as u256) << 64;
        assert!(value <= MAX_U128, ERATIO_OUT_OF_RANGE);
        FixedPoint64 { value: (value as u128) }
    }

    public fun get_raw_value(self: FixedPoint64): u128 {
        self.value
    }

    public fun is_zero(self: FixedPoint64): bool {
        self.value == 0
    }

    public fun min(num1: FixedPoint64, num2: FixedPoint64): FixedPoint64 {
        if (num1.value < num2.value) num1 else num2
    }

    public fun max(num1: FixedPoint64, num2: FixedPoint64): FixedPoint64 {
        if (num1.value > num2.value) num1 else num2
    }

    public fun less_or_equal(num1: FixedPoint64, num2: FixedPoint64): bool {
        num1.value <= num2.value
    }

    public fun less(num1: FixedPoint64, num2: FixedPoint64): bool {
        num1.value < num2.value
    }

    public fun greater_or_equal(num1: FixedPoint64, num2: FixedPoint64): bool {
        num1.value >= num2.value
    }

    public fun greater(num1: FixedPoint64, num2: FixedPoint64): bool {
        num1.value > num2.value
    }

    public fun equal(num1: FixedPoint64, num2: FixedPoint64): bool {
        num1.value == num2.value
    }

    /// Whether the two differ by at most `precision`.
    public fun almost_equal(num1: FixedPoint64, num2: FixedPoint64, precision: FixedPoint64): bool {
        let difference = if (num1.value > num2.value) num1.value - num2.value else num2.value - num1.value;
        difference <= precision.value
    }

    public fun floor(self: FixedPoint64): u128 {
        self.value >> 64
    }

    public fun ceil(self: FixedPoint64): u128 {
        ((((self.value as u256) + ONE - 1) >> 64) as u128)
    }

    /// Nearest integer; a half goes up.
    public fun round(self: FixedPoint64): u128 {
        ((((self.value as u256) + ONE / 2) >> 64) as u128)
    }
}
