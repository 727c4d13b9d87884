/// A little of everything that the REST API shows.
module probe::counter {
    use std::option::{Self, Option};
    use std::signer;
    use std::string::String;
    use aptos_std::table::{Self, Table};
    use aptos_framework::event;
    use aptos_framework::object::{Self, Object};
    use aptos_framework::timestamp;

    /// The step is thirteen, which brings bad luck.
    const EUNLUCKY_STEP: u64 = 1;

    struct Counter has key {
        total: u64,
        steps: Table<u64, Step>,
        last_note: Option<String>,
        shape: Shape,
        big: u256,
        small: u8,
        raw: vector<u8>,
        home: Object<object::ObjectCore>
    }

    struct Step has copy, drop, store {
        amount: u64,
        at_seconds: u64
    }

    enum Shape has copy, drop, store {
        Round { radius: u64 },
        Square { side: u64, tilted: bool }
    }

    #[event]
    struct Stepped has drop, store {
        who: address,
        amount: u64,
        note: Option<String>,
        raw: vector<u8>,
        none: Option<u64>,
        home: Object<object::ObjectCore>
    }

    struct Gone has key {}

    public entry fun start(owner: &signer) {
        let constructor = object::create_named_object(owner, b"home");
        move_to(
            owner,
            Counter {
                total: 0,
                steps: table::new(),
                last_note: option::none(),
                shape: Shape::Square { side: 2, tilted: true },
                big: 1 << 200,
                small: 7,
                raw: x"c0ffee",
                home: object::object_from_constructor_ref(&constructor)
            }
        );
        move_to(owner, Gone {});
    }

    public entry fun step(owner: &signer, amount: u64, note: String) acquires Counter {
        let who = signer::address_of(owner);
        let counter = &mut Counter[who];
        counter.total += amount;
        let total = counter.total;
        counter.steps.add(total, Step { amount, at_seconds: timestamp::now_seconds() });
        counter.last_note = option::some(note);
        assert!(amount != 13, EUNLUCKY_STEP);
        event::emit(
            Stepped {
                who,
                amount,
                note: counter.last_note,
                raw: vector[],
                none: option::none(),
                home: counter.home
            }
        );
    }

    public entry fun vanish(owner: &signer) acquires Gone {
        let Gone {} = move_from<Gone>(signer::address_of(owner));
    }

    public entry fun forget(owner: &signer, total: u64) acquires Counter {
        let counter = &mut Counter[signer::address_of(owner)];
        counter.steps.remove(total);
    }

    public entry fun both(first: &signer, second: &signer) acquires Counter {
        Counter[signer::address_of(first)].total += 1;
        Counter[signer::address_of(second)].total += 1;
    }

    public entry fun endless() {
        loop {}
    }

    public entry fun divide(by: u64) {
        assert!(1 / by < 2, 99);
    }

    #[view]
    public fun total(owner: address): u64 acquires Counter {
        Counter[owner].total
    }

    #[view]
    public fun described(owner: address, raw: vector<u8>): (u64, Option<String>, vector<u8>, Shape, Object<object::ObjectCore>) acquires Counter {
        let counter = &Counter[owner];
        (counter.total, counter.last_note, raw, counter.shape, counter.home)
    }
}
