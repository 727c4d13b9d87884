#[test_only]
module probe::counter_tests {
    use std::string;
    use probe::counter;

    #[test(owner = @0x5)]
    fun steps_add_up(owner: &signer) {
        counter::start(owner);
        counter::step(owner, 2, string::utf8(b"two"));
        counter::step(owner, 3, string::utf8(b"three"));
        assert!(counter::total(@0x5) == 5, 0);
    }

    #[test(owner = @0x5)]
    #[expected_failure(abort_code = 1, location = probe::counter)]
    fun thirteen_is_refused(owner: &signer) {
        counter::start(owner);
        counter::step(owner, 13, string::utf8(b"ouch"));
    }
}
