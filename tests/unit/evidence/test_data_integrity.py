"""Data Integrity proofs: the W3C's own vector, and what breaks one."""

from __future__ import annotations

from typing import Any

import base58
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from carbonmarket.certificate import data_integrity, multikey
from carbonmarket.errors import InvalidInput

# W3C Recommendation "Data Integrity EdDSA Cryptosuites v1.0", appendix B.2, eddsa-jcs-2022.
PUBLIC = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"
SECRET = "z3u2en7t5LR2WtQH5PfFqMqwVHBeXouLzo6haApm8XHqvjxq"
DOCUMENT: dict[str, Any] = {
    "@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"],
    "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
    "type": ["VerifiableCredential", "AlumniCredential"],
    "name": "Alumni Credential",
    "description": "A minimum viable example of an Alumni Credential.",
    "issuer": "https://vc.example/issuers/5678",
    "validFrom": "2023-01-01T00:00:00Z",
    "credentialSubject": {"id": "did:example:abcdefgh", "alumniOf": "The School of Examples"},
}
DOCUMENT_HASH = "59b7cb6251b8991add1ce0bc83107e3db9dbbab5bd2c28f687db1a03abc92f19"
OPTIONS_HASH = "66ab154f5c2890a140cb8388a22a160454f80575f6eae09e5a097cabe539a1db"
PROOF_VALUE = "z2HnFSSPPBzR36zdDgK8PbEHeXbR56YF24jwMpt3R1eHXQzJDMWS93FCzpvJpwTWd3GAVFuUfjoJdcnTMuVor51aX"


def key() -> Ed25519PrivateKey:
    """The vector's key: Multikey prefix 0x8026 and 32 bytes."""
    return Ed25519PrivateKey.from_private_bytes(base58.b58decode(SECRET[1:])[2:])


def secured() -> dict[str, Any]:
    signer = key()
    return data_integrity.add_proof(
        DOCUMENT,
        public_key=signer.public_key().public_bytes_raw(),
        sign=signer.sign,
        created="2023-02-24T23:36:38Z",
    )


def test_the_published_vector_is_made_bit_for_bit() -> None:
    proof = secured()["proof"]
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    assert data_integrity.hash_data(DOCUMENT, options).hex() == OPTIONS_HASH + DOCUMENT_HASH
    assert proof["verificationMethod"] == f"did:key:{PUBLIC}#{PUBLIC}"
    assert proof["proofValue"] == PROOF_VALUE


def test_the_published_vector_verifies() -> None:
    assert multikey.encode(data_integrity.verify_proof(secured())) == PUBLIC


def test_a_document_with_more_contexts_than_the_proof_is_checked_by_the_proofs() -> None:
    longer = secured()
    longer["@context"] = [*longer["@context"], "https://more.example/v1"]
    assert data_integrity.verify_proof(longer) == multikey.decode(PUBLIC)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"type": "Ed25519Signature2020"}, "type"),
        ({"cryptosuite": "eddsa-rdfc-2022"}, "cryptosuite"),
        ({"proofPurpose": "authentication"}, "proofPurpose"),
        ({"created": "2024-01-01T00:00:00Z"}, "changed after"),
        ({"@context": ["https://other.example"]}, "@context"),
        ({"verificationMethod": "https://issuer.example/#key"}, "did:key"),
        ({"verificationMethod": f"did:key:{PUBLIC}#other"}, "did:key"),
        ({"proofValue": "z111"}, "64 bytes"),
        ({"proofValue": "uAAAA"}, "base58"),
        ({"proofValue": "z0OIl"}, "base58"),
        ({"proofValue": None}, "base58"),
    ],
)
def test_a_changed_proof_is_broken(change: dict[str, Any], said: str) -> None:
    document = secured()
    document["proof"] = document["proof"] | change
    with pytest.raises(InvalidInput, match=said):
        data_integrity.verify_proof(document)


@given(st.sampled_from(sorted(set(DOCUMENT) - {"@context"})), st.text())
def test_a_changed_document_is_broken(field: str, text: str) -> None:
    document = secured()
    document[field] = text + "."
    with pytest.raises(data_integrity.BrokenProof, match="changed after"):
        data_integrity.verify_proof(document)


def test_a_document_without_a_proof_or_with_two_is_refused() -> None:
    for proof in (None, [], [secured()["proof"]] * 2):
        with pytest.raises(data_integrity.BrokenProof, match="no single proof"):
            data_integrity.verify_proof(DOCUMENT | {"proof": proof})


@given(st.binary(min_size=32, max_size=32))
def test_every_key_comes_back(raw: bytes) -> None:
    assert multikey.decode(multikey.encode(raw)) == raw


@pytest.mark.parametrize(
    "text", ["", "z", "z6Mk", PUBLIC[1:], PUBLIC + "1", "zQ3shokFTS3brHcDQrn82RUDfCZESWL1Z"]
)
def test_what_is_no_ed25519_key_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="Ed25519"):
        multikey.decode(text)
