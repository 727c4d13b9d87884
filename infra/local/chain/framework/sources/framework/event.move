/// What a transaction tells the world. Events are addressed by their type; the older handles exist because
/// resources carry them in their layout.
module aptos_framework::event {
    use aptos_framework::guid::GUID;

    friend aptos_framework::account;
    friend aptos_framework::object;

    struct EventHandle<phantom T: drop + store> has store {
        counter: u64,
        guid: GUID
    }

    /// Writes `msg` into the transaction's events. T must be marked #[event] and declared by the caller's module.
    public fun emit<T: drop + store>(msg: T) {
        emit_event(&msg)
    }

    public(friend) fun new_event_handle<T: drop + store>(guid: GUID): EventHandle<T> {
        EventHandle { counter: 0, guid }
    }

    public fun guid<T: drop + store>(handle_ref: &EventHandle<T>): &GUID {
        &handle_ref.guid
    }

    public fun counter<T: drop + store>(handle_ref: &EventHandle<T>): u64 {
        handle_ref.counter
    }

    public fun destroy_handle<T: drop + store>(handle: EventHandle<T>) {
        let EventHandle { counter: _, guid: _ } = handle;
    }

    native fun emit_event<T: drop + store>(msg: &T);

    #[test_only]
    /// All events of type T that the test has emitted.
    native public fun emitted_events<T: drop + store>(): vector<T>;

    #[test_only]
    /// Whether the test has emitted an event equal to `msg`.
    public fun was_event_emitted<T: drop + store>(msg: &T): bool {
        emitted_events<T>().contains(msg)
    }
}
