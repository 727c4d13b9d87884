/// Identifiers that no other creation shares: the creator's address and a number it never used before.
module aptos_framework::guid {
    friend aptos_framework::account;
    friend aptos_framework::object;

    struct GUID has drop, store {
        id: ID
    }

    struct ID has copy, drop, store {
        creation_num: u64,
        addr: address
    }

    /// The next identifier of `addr`; the caller keeps the counter and proves that it may.
    public(friend) fun create(addr: address, creation_num_ref: &mut u64): GUID {
        let creation_num = *creation_num_ref;
        *creation_num_ref = creation_num + 1;
        GUID { id: ID { creation_num, addr } }
    }

    public fun create_id(addr: address, creation_num: u64): ID {
        ID { creation_num, addr }
    }

    public fun id(self: &GUID): ID {
        self.id
    }

    public fun creator_address(self: &GUID): address {
        self.id.addr
    }

    public fun id_creator_address(id: &ID): address {
        id.addr
    }

    public fun creation_num(self: &GUID): u64 {
        self.id.creation_num
    }

    public fun id_creation_num(id: &ID): u64 {
        id.creation_num
    }

    public fun eq_id(guid: &GUID, id: &ID): bool {
        &guid.id == id
    }
}
