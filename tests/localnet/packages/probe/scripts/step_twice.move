// What no single entry function does: two steps in one transaction.
script {
    use std::string;
    use probe::counter;

    fun step_twice(owner: &signer, amount: u64) {
        counter::step(owner, amount, string::utf8(b"first"));
        counter::step(owner, amount + 1, string::utf8(b"second"));
    }
}
