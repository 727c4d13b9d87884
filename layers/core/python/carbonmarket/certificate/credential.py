"""What a retirement certificate says, as a W3C Verifiable Credential 2.0.

Every quantity is a string, so that no reader rounds it. The beneficiary stands as a commitment, never by
name: what is signed for good can't be erased.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from carbonmarket import canonical, serials
from carbonmarket.certificate import data_integrity, multikey
from carbonmarket.errors import InvalidInput
from carbonmarket.quantities import parse_grams

CONTEXT = ("https://www.w3.org/ns/credentials/v2", {"@vocab": "https://carbonmarket.dev/vocabulary#"})
TYPES = ("VerifiableCredential", "RetirementCertificate")

# \Z, since $ would let a newline stand behind.
Hash = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
Address = Annotated[str, msgspec.Meta(pattern=r"^0x[0-9a-f]{64}\Z")]
Transaction = Annotated[str, msgspec.Meta(pattern=r"^0x[0-9a-f]{64}\Z")]
Digits = Annotated[str, msgspec.Meta(pattern=r"^(0|[1-9][0-9]{0,38})\Z")]
Time = Annotated[
    str, msgspec.Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z\Z")
]
Country = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}\Z")]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=512)]


class Span(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """From ``start`` up to, not including, ``end``."""

    start: Time
    end: Time


class Project(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """The project whose reductions were retired."""

    id: Text
    name: Text
    country: Country


class Batch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """The batch: its address on chain, the whole block of its serials, and, where it was issued on evidence,
    the transaction that did."""

    id: Text
    address: Address
    serials: Text
    issuance_transaction: Transaction | UnsetType = UNSET


class Methodology(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """The version that computed the grams, and SHA-256 of its document.

    Of imported credits only a text is known: the version is 0, and there is no document.
    """

    id: Text
    version: Digits
    document: Hash | UnsetType = UNSET


class Chain(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """Where the retirement stands. ``holder`` retired; ``version`` is the transaction's number."""

    chain_id: Digits
    module_address: Address
    transaction: Transaction
    version: Digits
    holder: Address
    time: Time


class Gateway(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """A gateway whose messages are the evidence, with its Ed25519 key (hex)."""

    id: Text
    public_key: Hash


class Evidence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """What the grams stand on: the report, the root over the period's anchors, and the bundle's manifest."""

    report: Hash
    anchors_root: Hash
    anchors: Digits
    manifest: Hash


class Origin(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """The registry that issued imported credits, and its own serial. It stands in the evidence's place."""

    registry: Text
    serial: Text
    statement: Literal["not measured here"] = "not measured here"

    def __str__(self) -> str:
        return f"{self.statement}: imported from {self.registry}, serial {self.serial}"


class Subject(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """The retirement itself. ``country`` is where the grams are claimed.

    Measured credits have ``evidence`` and the gateways that signed it, imported ones their ``origin``: never
    both, never neither.
    """

    retirement: Text
    beneficiary_commitment: Hash
    retiring_organisation: Text
    grams: Digits
    serials: Text
    batch: Batch
    project: Project
    vintage: Span
    methodology: Methodology
    labels: tuple[Text, ...]
    reason: Text
    country: Country
    consumption: Span
    chain: Chain
    gateways: tuple[Gateway, ...]
    evidence: Evidence | UnsetType = UNSET
    origin: Origin | UnsetType = UNSET


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed certificate: what it says, who says it, and the whole document with its proof."""

    url: str
    issuer: str
    valid_from: str
    subject: Subject
    document: dict[str, Any]


def issue_certificate(
    *, url: str, subject: Subject, issued: str, public_key: bytes, sign: Callable[[bytes], bytes]
) -> bytes:
    """The certificate's canonical bytes, signed by the platform's key.

    ``issued`` is an ISO 8601 time with Z; ``sign`` gives Ed25519 over the 64 bytes it is handed. Raises
    InvalidInput where the subject contradicts itself, so that no such certificate is ever signed.
    """
    document: dict[str, Any] = {
        "@context": list(CONTEXT),
        "id": url,
        "type": list(TYPES),
        "issuer": multikey.did(public_key),
        "validFrom": issued,
        "credentialSubject": msgspec.to_builtins(subject),
    }
    secured = data_integrity.add_proof(document, public_key=public_key, sign=sign, created=issued)
    data = canonical.dumps(secured)
    certified = parse_certificate(data).subject
    check_origin(certified)
    check_quantity(certified)
    check_block(certified)
    return data


def parse_certificate(data: bytes) -> Certificate:
    """The certificate in canonical bytes; InvalidInput says where its form is wrong. Checks no proof."""
    document = canonical.loads(data, "the certificate")
    if not isinstance(document, dict):
        raise InvalidInput("the certificate is not a JSON object")
    try:
        form = msgspec.convert(document, _Form)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"the certificate does not have the form of one: {error}") from None
    if form.context != list(CONTEXT) or form.type != TYPES:
        raise InvalidInput("the certificate is a credential of another type", field="type")
    return Certificate(
        url=form.id, issuer=form.issuer, valid_from=form.valid_from, subject=form.subject, document=document
    )


def check_origin(subject: Subject) -> None:
    """InvalidInput unless the grams are either measured here or said to be imported."""
    if isinstance(subject.origin, Origin) == isinstance(subject.evidence, Evidence):
        raise InvalidInput(
            "a certificate names either the evidence of its credits or the registry that they come from",
            field="evidence",
        )
    named = {subject.methodology.document is not UNSET, subject.batch.issuance_transaction is not UNSET}
    named.add(bool(subject.gateways))
    if named != {isinstance(subject.evidence, Evidence)}:
        raise InvalidInput(
            "gateways, the methodology's document and the issuance go with evidence, and with nothing else",
            field="evidence",
        )


def check_quantity(subject: Subject) -> None:
    """InvalidInput unless the grams are exactly the serials of the range."""
    retired = serials.parse(subject.serials)
    grams = parse_grams(subject.grams, "grams")
    if retired.grams != grams:
        raise InvalidInput(f"the certificate says {grams} g, its serials are {retired.grams}", field="grams")


def check_block(subject: Subject) -> None:
    """InvalidInput unless the range lies in the batch's block and names this project, country and vintage."""
    retired, block = serials.parse(subject.serials), serials.parse(subject.batch.serials)
    if not block.contains(retired):
        raise InvalidInput(f"serials {retired} are not in the batch's block {block}", field="serials")
    named = (block.project, block.country, block.batch, f"{block.vintage:04}")
    said = (subject.project.id, subject.project.country, subject.batch.id, subject.vintage.start[:4])
    if named != said:
        raise InvalidInput(
            f"the serials name {'-'.join(named)}, the certificate {'-'.join(said)}", field="serials"
        )


class _Form(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    context: list[Any] = msgspec.field(name="@context")
    id: Text
    type: tuple[str, ...]
    issuer: Text
    valid_from: Time = msgspec.field(name="validFrom")
    subject: Subject = msgspec.field(name="credentialSubject")
    proof: _Proof


class _Proof(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    context: list[Any] = msgspec.field(name="@context")
    type: Literal["DataIntegrityProof"]
    cryptosuite: str
    created: Time
    verification_method: str = msgspec.field(name="verificationMethod")
    purpose: str = msgspec.field(name="proofPurpose")
    value: str = msgspec.field(name="proofValue")
