/// Orders of one side of a book, sorted by price, then by time. What they mean is `market_book`'s.
///
/// An order's id is its place: side (1 bit), price (63 bits), sequence (64 bits), turned so that the order
/// that is matched first has the greatest key. Matching takes from the end of a leaf, which shifts nothing.
module carbon_market::order_book {
    use aptos_std::big_ordered_map::{Self, BigOrderedMap};

    friend carbon_market::market_book;

    const MAX_PRICE: u64 = 0x7fffffffffffffff;
    const MAX_U64: u64 = 0xffffffffffffffff;
    const BID_BIT: u128 = 1 << 127;
    /// Orders lie in the leaves themselves, so that placing or filling one touches no other table item. Nodes
    /// of these degrees stay about one kilobyte, above which this chain's writes cost by the byte.
    const INNER_DEGREE: u16 = 64;
    const LEAF_DEGREE: u16 = 10;

    enum Order has copy, drop, store {
        V1 {
            account: address,
            /// Still open.
            grams: u64,
            /// Fees of its placing, in basis points.
            maker_bps: u64,
            taker_bps: u64,
            /// As `market_fees::fee` has it.
            carry: u64,
            /// The batch must have these at each fill.
            labels: u64,
            /// Unix seconds; 0 is never.
            expires_at: u64
        }
    }

    enum Side has store {
        V1 {
            orders: BigOrderedMap<u128, Order>
        }
    }

    public(friend) fun new_side(): Side {
        Side::V1 { orders: big_ordered_map::new_with_config(INNER_DEGREE, LEAF_DEGREE, true) }
    }

    public(friend) fun new_order(
        account: address,
        grams: u64,
        maker_bps: u64,
        taker_bps: u64,
        labels: u64,
        expires_at: u64
    ): Order {
        Order::V1 { account, grams, maker_bps, taker_bps, carry: 0, labels, expires_at }
    }

    // Ids.

    /// `price` is at most `max_price()`.
    public fun order_id(is_bid: bool, price: u64, sequence: u64): u128 {
        let later = (MAX_U64 - sequence) as u128;
        if (is_bid) BID_BIT | ((price as u128) << 64) | later
        else (((MAX_PRICE - price) as u128) << 64) | later
    }

    public fun max_price(): u64 {
        MAX_PRICE
    }

    public fun is_bid(id: u128): bool {
        id >= BID_BIT
    }

    /// The price in the id.
    public fun price(id: u128): u64 {
        let part = ((id >> 64) as u64) & MAX_PRICE;
        if (is_bid(id)) part else MAX_PRICE - part
    }

    // Orders.

    public(friend) fun account(self: &Order): address {
        self.account
    }

    public(friend) fun grams(self: &Order): u64 {
        self.grams
    }

    public(friend) fun maker_bps(self: &Order): u64 {
        self.maker_bps
    }

    public(friend) fun taker_bps(self: &Order): u64 {
        self.taker_bps
    }

    public(friend) fun carry(self: &Order): u64 {
        self.carry
    }

    public(friend) fun labels(self: &Order): u64 {
        self.labels
    }

    public(friend) fun expires_at(self: &Order): u64 {
        self.expires_at
    }

    /// What is open and what is carried after a fill or an amendment.
    public(friend) fun set(self: &mut Order, grams: u64, carry: u64) {
        self.grams = grams;
        self.carry = carry;
    }

    // Sides.

    public(friend) fun is_empty(self: &Side): bool {
        self.orders.is_empty()
    }

    /// The order that is matched next, with its id. There must be one.
    public(friend) fun best(self: &Side): (u128, Order) {
        let (id, order) = self.orders.borrow_back();
        (id, *order)
    }

    /// The id of the order that is matched next. There must be one.
    public(friend) fun best_id(self: &Side): u128 {
        let (id, _) = self.orders.borrow_back();
        id
    }

    public(friend) fun has(self: &Side, id: u128): bool {
        self.orders.contains(&id)
    }

    /// There must be such an order.
    public(friend) fun order(self: &Side, id: u128): Order {
        *self.orders.borrow(&id)
    }

    public(friend) fun insert(self: &mut Side, id: u128, order: Order) {
        self.orders.add(id, order);
    }

    public(friend) fun replace(self: &mut Side, id: u128, order: Order) {
        self.orders.upsert(id, order);
    }

    public(friend) fun remove(self: &mut Side, id: u128): Order {
        self.orders.remove(&id)
    }

    /// Up to `count` ids in the order of matching, of those that come after `after` (0: from the best).
    public(friend) fun ids(self: &Side, after: u128, count: u64): vector<u128> {
        let found = vector[];
        if (self.is_empty()) return found;
        let next = if (after == 0) std::option::some(self.best_id()) else self.orders.prev_key(&after);
        while (next.is_some() && found.length() < count) {
            let id = next.destroy_some();
            found.push_back(id);
            next = self.orders.prev_key(&id);
        };
        found
    }
}
