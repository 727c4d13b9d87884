/// The authority to act for an address.
module std::signer {
    /// Reference to the address that `s` may act for.
    native public fun borrow_address(s: &signer): &address;

    /// Address that `s` may act for.
    public fun address_of(s: &signer): address {
        *borrow_address(s)
    }
}
