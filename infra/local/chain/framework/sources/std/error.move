/// Error codes: the category in bits 16..23, the module's own reason in bits 0..15.
module std::error {
    const INVALID_ARGUMENT: u64 = 0x1;
    const OUT_OF_RANGE: u64 = 0x2;
    const INVALID_STATE: u64 = 0x3;
    const UNAUTHENTICATED: u64 = 0x4;
    const PERMISSION_DENIED: u64 = 0x5;
    const NOT_FOUND: u64 = 0x6;
    const ABORTED: u64 = 0x7;
    const ALREADY_EXISTS: u64 = 0x8;
    const RESOURCE_EXHAUSTED: u64 = 0x9;
    const INTERNAL: u64 = 0xB;
    const NOT_IMPLEMENTED: u64 = 0xC;
    const UNAVAILABLE: u64 = 0xD;

    /// `reason` within `category`.
    public fun canonical(category: u64, reason: u64): u64 {
        (category << 16) + reason
    }

    /// The caller gave an argument that is wrong in any state.
    public fun invalid_argument(r: u64): u64 {
        canonical(INVALID_ARGUMENT, r)
    }

    /// The caller gave a position or quantity outside what exists.
    public fun out_of_range(r: u64): u64 {
        canonical(OUT_OF_RANGE, r)
    }

    /// The state does not allow the operation now.
    public fun invalid_state(r: u64): u64 {
        canonical(INVALID_STATE, r)
    }

    /// The caller did not prove who it is.
    public fun unauthenticated(r: u64): u64 {
        canonical(UNAUTHENTICATED, r)
    }

    /// The caller may not do this.
    public fun permission_denied(r: u64): u64 {
        canonical(PERMISSION_DENIED, r)
    }

    /// What the caller named does not exist.
    public fun not_found(r: u64): u64 {
        canonical(NOT_FOUND, r)
    }

    /// The operation lost against another one.
    public fun aborted(r: u64): u64 {
        canonical(ABORTED, r)
    }

    /// What the caller wants to create exists.
    public fun already_exists(r: u64): u64 {
        canonical(ALREADY_EXISTS, r)
    }

    /// A limit is used up.
    public fun resource_exhausted(r: u64): u64 {
        canonical(RESOURCE_EXHAUSTED, r)
    }

    /// A fault of the module itself.
    public fun internal(r: u64): u64 {
        canonical(INTERNAL, r)
    }

    /// The operation is not offered.
    public fun not_implemented(r: u64): u64 {
        canonical(NOT_IMPLEMENTED, r)
    }

    /// The operation is offered, but not now.
    public fun unavailable(r: u64): u64 {
        canonical(UNAVAILABLE, r)
    }
}
