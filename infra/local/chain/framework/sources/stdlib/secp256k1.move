/// ECDSA signatures on secp256k1.
module aptos_std::secp256k1 {
    use std::error;
    use std::option::{Self, Option};

    /// The public key or signature is not 64 bytes long, or the message is not a digest of 32 bytes.
    const E_DESERIALIZE: u64 = 1;

    const RAW_PUBLIC_KEY_NUM_BYTES: u64 = 64;
    const SIGNATURE_NUM_BYTES: u64 = 64;
    const DIGEST_NUM_BYTES: u64 = 32;

    struct ECDSARawPublicKey has copy, drop, store {
        bytes: vector<u8>
    }

    struct ECDSASignature has copy, drop, store {
        bytes: vector<u8>
    }

    public fun ecdsa_signature_from_bytes(bytes: vector<u8>): ECDSASignature {
        assert!(bytes.length() == SIGNATURE_NUM_BYTES, error::invalid_argument(E_DESERIALIZE));
        ECDSASignature { bytes }
    }

    public fun ecdsa_raw_public_key_from_64_bytes(bytes: vector<u8>): ECDSARawPublicKey {
        assert!(bytes.length() == RAW_PUBLIC_KEY_NUM_BYTES, error::invalid_argument(E_DESERIALIZE));
        ECDSARawPublicKey { bytes }
    }

    public fun ecdsa_raw_public_key_to_bytes(pk: &ECDSARawPublicKey): vector<u8> {
        pk.bytes
    }

    public fun ecdsa_signature_to_bytes(sig: &ECDSASignature): vector<u8> {
        sig.bytes
    }

    /// The key that made `signature` over the digest `message`, or none if there is no such key.
    public fun ecdsa_recover(
        message: vector<u8>, recovery_id: u8, signature: &ECDSASignature
    ): Option<ECDSARawPublicKey> {
        assert!(message.length() == DIGEST_NUM_BYTES, error::invalid_argument(E_DESERIALIZE));
        let (bytes, found) = recover_public_key_internal(recovery_id, message, signature.bytes, false);
        if (found) option::some(ecdsa_raw_public_key_from_64_bytes(bytes)) else option::none()
    }

    native fun recover_public_key_internal(
        recovery_id: u8, message: vector<u8>, signature: vector<u8>, compressed: bool
    ): (vector<u8>, bool);
}
