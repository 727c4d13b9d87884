/// The labels that a batch has now. Whoever trades with batches asks here, and so loads none of what issues
/// and retires them.
///
/// A leaf: it declares no friend, since a friend's module, and all that it uses, is loaded with each call.
module carbon_market::batch_labels {
    use std::signer;

    /// There is no batch at this address.
    const E_UNKNOWN_BATCH: u64 = 1;
    /// Only the package's own account may take the capability.
    const E_NOT_THE_PUBLISHER: u64 = 2;
    /// The capability was taken.
    const E_CAP_TAKEN: u64 = 3;

    /// At the batch's address.
    enum Labels has key {
        V1 {
            bits: u64
        }
    }

    /// Power to label batches. There is one, and `credit_batch` has it.
    struct LabelCap has store {}

    /// At the package's address once the capability was given away.
    struct CapTaken has key {}

    /// For the initialiser of `credit_batch`.
    public fun take_cap(publisher: &signer): LabelCap {
        assert!(signer::address_of(publisher) == @carbon_market, E_NOT_THE_PUBLISHER);
        assert!(!exists<CapTaken>(@carbon_market), E_CAP_TAKEN);
        move_to(publisher, CapTaken {});
        LabelCap {}
    }

    /// The first labels of a new batch.
    public fun create(_cap: &LabelCap, batch: &signer, bits: u64) {
        move_to(batch, Labels::V1 { bits });
    }

    /// Gives the labels before; there must be such a batch.
    public fun replace(_cap: &LabelCap, batch: address, bits: u64): u64 acquires Labels {
        let labels = &mut Labels[batch];
        let bits_old = labels.bits;
        labels.bits = bits;
        bits_old
    }

    /// Whether there is a batch at this address.
    public fun is_batch(batch: address): bool {
        exists<Labels>(batch)
    }

    #[view]
    /// The bits of the labels that the batch has now.
    public fun labels_of(batch: address): u64 acquires Labels {
        assert!(is_batch(batch), E_UNKNOWN_BATCH);
        Labels[batch].bits
    }

    #[test_only]
    public fun take_cap_for_test(publisher: &signer) {
        let LabelCap {} = take_cap(publisher);
    }
}
