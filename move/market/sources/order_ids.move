/// An order's id is its place: side (1 bit), price (63 bits), sequence (64 bits), turned so that the order
/// that is matched first has the greatest key. Matching takes from the end of a leaf, which shifts nothing.
///
/// All is inlined where it is used: an id is taken apart several times in each call.
module carbon_market::order_ids {
    /// `price` is at most `max_price()`.
    public inline fun order_id(is_bid: bool, price: u64, sequence: u64): u128 {
        let later = (0xffffffffffffffff - sequence) as u128;
        if (is_bid) (1u128 << 127) | ((price as u128) << 64) | later
        else ((max_price() - price as u128) << 64) | later
    }

    public inline fun max_price(): u64 {
        0x7fffffffffffffff
    }

    public inline fun is_bid(id: u128): bool {
        id >= (1u128 << 127)
    }

    /// The price in the id.
    public inline fun price(id: u128): u64 {
        let part = ((id >> 64) as u64) & max_price();
        if (is_bid(id)) part else max_price() - part
    }
}
