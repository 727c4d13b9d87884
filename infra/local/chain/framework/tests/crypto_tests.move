#[test_only]
/// Keys, digests and signatures of other programs (Python's cryptography and hashlib).
module aptos_std::crypto_tests {
    use std::hash;
    use aptos_std::ed25519;
    use aptos_std::secp256k1;

    const KEY: vector<u8> = x"d04ab232742bb4ab3a1368bd4615e4e6d0224ab71a016baf8520a332c9778737";
    const SIGNATURE: vector<u8> = x"88cf04602c3abd6d2d1fa4b8cd9a59eb0732a9b9b66d4f66e48c6b36b63f978d275d5a6a4971d2df643713d58cc8087316b19b39744bc9472bc28f1a3b37bc0a";

    const DIGEST: vector<u8> = x"64ab3fda418615cc35e612868196d809835f8367a5430aa1bb9e305a90779cff";
    const ECDSA_KEY: vector<u8> = x"4f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa385b6b1b8ead809ca67454d9683fcf2ba03456d6fe2c4abe2b07f0fbdbb2f1c1";
    const ECDSA_SIGNATURE: vector<u8> = x"40a42890cf194d4845c057bf16ccbdbdd423622bd695e730b14a9720d336adf7075582dd1a37ed6dac4fc76b40d118b4507b76646dbdf388d31c3507c7a6e68a";

    fun signs(message: vector<u8>): bool {
        ed25519::signature_verify_strict(
            &ed25519::new_signature_from_bytes(SIGNATURE),
            &ed25519::new_unvalidated_public_key_from_bytes(KEY),
            message
        )
    }

    #[test]
    fun an_ed25519_signature_is_of_one_message() {
        assert!(signs(b"gram") && !signs(b"grams"), 0);
    }

    #[test]
    fun a_key_gives_the_address_that_the_sdk_computes() {
        let key = ed25519::new_unvalidated_public_key_from_bytes(KEY);
        assert!(
            ed25519::unvalidated_public_key_to_authentication_key(&key)
                == x"147e4d3a5b10eaed2a93536e284c23096dfcea9ac61f0a8420e5d01fbd8f0ea8",
            0
        );
    }

    #[test]
    #[expected_failure(abort_code = 0x10001, location = aptos_std::ed25519)]
    fun a_short_key_is_refused() {
        ed25519::new_unvalidated_public_key_from_bytes(x"00");
    }

    #[test]
    fun an_ecdsa_signature_gives_its_key() {
        assert!(hash::sha3_256(b"gram") == DIGEST, 0);
        let signature = secp256k1::ecdsa_signature_from_bytes(ECDSA_SIGNATURE);
        let zero = secp256k1::ecdsa_recover(DIGEST, 0, &signature).destroy_some();
        let one = secp256k1::ecdsa_recover(DIGEST, 1, &signature).destroy_some();
        assert!(
            secp256k1::ecdsa_raw_public_key_to_bytes(&zero) == ECDSA_KEY
                || secp256k1::ecdsa_raw_public_key_to_bytes(&one) == ECDSA_KEY,
            1
        );
    }
}
