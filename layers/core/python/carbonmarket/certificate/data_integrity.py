"""Data Integrity proofs with the cryptosuite ``eddsa-jcs-2022`` (W3C vc-di-eddsa 1.0, section 3.3).

The signature covers SHA-256 of the canonical proof options followed by SHA-256 of the canonical document.
Any conforming verifier can check what is made here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import base58
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from carbonmarket import canonical
from carbonmarket.certificate import multikey
from carbonmarket.errors import InvalidInput

CRYPTOSUITE = "eddsa-jcs-2022"
PURPOSE = "assertionMethod"
SIGNATURE_BYTES = 64

Document = dict[str, Any]


class BrokenProof(InvalidInput):
    """The proof's form is wrong, or it is not the named key's over this document."""

    code = "broken-proof"


def hash_data(document: Document, options: Document) -> bytes:
    """The 64 bytes that are signed: hash of the proof options, hash of the document without proof."""
    return canonical.digest(options) + canonical.digest(document)


def add_proof(
    document: Document, *, public_key: bytes, sign: Callable[[bytes], bytes], created: str
) -> Document:
    """``document`` with its proof. ``sign`` gives Ed25519 over the bytes it is handed."""
    options: Document = {
        "type": "DataIntegrityProof",
        "cryptosuite": CRYPTOSUITE,
        "created": created,
        "verificationMethod": multikey.verification_method(public_key),
        "proofPurpose": PURPOSE,
        "@context": document["@context"],
    }
    signature = sign(hash_data(document, options))
    proof = options | {"proofValue": "z" + base58.b58encode(signature).decode()}
    return document | {"proof": proof}


def verify_proof(secured: Document) -> bytes:
    """The public key (32 bytes) whose proof ``secured`` carries; BrokenProof says what is wrong with it.

    Who that key is, and whether to trust it, is the caller's question.
    """
    document = {name: value for name, value in secured.items() if name != "proof"}
    proof = secured.get("proof")
    if not isinstance(proof, dict):
        raise BrokenProof("the document carries no single proof", field="proof")
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    expected = {"type": "DataIntegrityProof", "cryptosuite": CRYPTOSUITE, "proofPurpose": PURPOSE}
    for name, value in expected.items():
        if options.get(name) != value:
            raise BrokenProof(
                f"the proof's {name} is {options.get(name)!r}, not {value!r}", field=f"proof/{name}"
            )
    if "@context" in options:
        _require_context(document, options["@context"])
        document["@context"] = options["@context"]
    key = multikey.key_of_method(str(options.get("verificationMethod")))
    signature = _signature(proof.get("proofValue"))
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, hash_data(document, options))
    except (InvalidSignature, ValueError):
        raise BrokenProof(
            "the document was changed after it was signed, or another key signed it", field="proof/proofValue"
        ) from None
    return key


def _require_context(document: Document, proof_context: Any) -> None:
    own = document.get("@context")
    own = own if isinstance(own, list) else [own]
    signed = proof_context if isinstance(proof_context, list) else [proof_context]
    if own[: len(signed)] != signed:
        raise BrokenProof("the document's @context does not begin with the proof's", field="@context")


def _signature(value: Any) -> bytes:
    broken = BrokenProof("the proof's value is no base58 signature of 64 bytes", field="proof/proofValue")
    if not isinstance(value, str) or value[:1] != "z":
        raise broken
    try:
        raw = base58.b58decode(value[1:])
    except ValueError:
        raise broken from None
    if len(raw) != SIGNATURE_BYTES:
        raise broken
    return raw
