"""Saga retire, step 4: the certificate, its PDF and its evidence, kept for good.

The same retirement always gives the same bytes: times are the chain's, the signature is Ed25519, the archive
has no dates. So the step can be repeated whenever it died.
"""

from __future__ import annotations

import hashlib

import msgspec

from carbonmarket import readings, serials
from carbonmarket.certificate import bundle, credential, pdf
from carbonmarket.errors import Conflict, NotFound
from carbonmarket.intake.parts import build_part
from carbonmarket.methodologies import registry as methodologies
from carbonmarket.operations.create_retirement import certificate_url
from carbonmarket.operations.fates import final_fate
from carbonmarket.operations.find_credits import named_batch
from carbonmarket.operations.issue_batch import issue_key
from carbonmarket.operations.quantify import closing_key, counted_parts
from carbonmarket.operations.retire_grams import load_retirement, retire_key
from carbonmarket.ports.accounts import AccountsStore
from carbonmarket.ports.chain import ChainAccess, Fate, SignerPort
from carbonmarket.ports.devices import AnchorStore, DevicesStore
from carbonmarket.ports.documents import CertificateFiles, ReportFiles
from carbonmarket.ports.evidence import EvidenceStore, SaltSecrets
from carbonmarket.ports.registry import RegistryStore
from carbonmarket.records.audit import SYSTEM, told
from carbonmarket.records.chain import Origin
from carbonmarket.records.credits import Retirement
from carbonmarket.records.devices import AnchorPart
from carbonmarket.records.registry import Batch
from carbonmarket.times import MICROSECONDS, format_us

_NOT_MEASURED_HERE = "not-measured-here"


class Issuer(msgspec.Struct, frozen=True, kw_only=True):
    """Who certifies: the signer with the platform's key id, under which URL, for which contracts."""

    signer: SignerPort
    key: str
    public_url: str
    chain_id: int
    module_address: str


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """Where everything that a certificate tells of is kept."""

    registry: RegistryStore
    accounts: AccountsStore
    devices: DevicesStore
    anchors: AnchorStore
    evidence: EvidenceStore
    salts: SaltSecrets
    reports: ReportFiles
    certificates: CertificateFiles
    chain: ChainAccess


def render_certificate(retirement: str, *, kept: Kept, issuer: Issuer, now_us: int) -> str:
    """Render and keep the certificate, its PDF and, of credits measured here, their evidence; returns the
    SHA-256 (hex) of the certificate's bytes."""
    stored = load_retirement(retirement, kept.registry)
    found = stored.record
    batch = named_batch(found.batch, registry=kept.registry, chain=kept.chain)
    subject, archive = _grounded(found, batch, kept, issuer)
    public_key = issuer.signer.public_key(issuer.key).key
    certificate = credential.issue_certificate(
        # A retirement ordered before its address was kept is certified under today's.
        url=found.certificate_url or certificate_url(issuer.public_url, found.id),
        subject=subject,
        issued=format_us(_known(found.retired_us, found.id)),
        public_key=public_key,
        sign=lambda message: issuer.signer.sign(issuer.key, message),
    )
    if archive is not None:
        kept.certificates.put(found.id, "evidence.zip", archive)
    kept.certificates.put(found.id, "certificate.pdf", pdf.render(certificate))
    # Last, since it is what says that the others are there.
    kept.certificates.put(found.id, "certificate.json", certificate)
    if found.state == "final":
        certified = msgspec.structs.replace(found, state="certified")
        entry = told(SYSTEM, "render_certificate", found.id, "certified", now_us)
        kept.registry.save_retirement(certified, stored.revision, entry)
    return hashlib.sha256(certificate).hexdigest()


def gather_evidence(retirement: Retirement, batch: Batch, kept: Kept) -> bundle.Evidence:
    """From the signed messages to the anchored roots of the batch's period, with both transactions."""
    period = kept.registry.period(batch.project, batch.period)
    report = kept.reports.report(batch.project, batch.period, batch.report_hash)
    if period is None or report is None:
        raise NotFound(f"the period or the report of batch {batch.id} is missing")
    closed = final_fate(kept.chain, closing_key(batch.period))
    parts = counted_parts(period.record, closed, kept.anchors)
    secret = kept.salts.of(batch.project)
    refs = [message for part in parts for message in part.messages]
    stored = kept.evidence.messages(batch.project, refs)
    methodology = methodologies.get(batch.methodology.id, batch.methodology.version)
    return bundle.Evidence(
        report=report,
        methodology_document=methodology.document_bytes,
        anchors=tuple(_anchor(part, stored, secret, methodology.measures) for part in parts),
        salts=_salts(stored, secret),
        messages={(gateway, sequence): content for (gateway, sequence, _), content in stored.items()},
        transactions={
            "issuance": _transaction(final_fate(kept.chain, issue_key(batch.period))),
            "retirement": _transaction(final_fate(kept.chain, retire_key(retirement.id))),
        },
    )


def _anchor(
    part: AnchorPart,
    stored: dict[tuple[str, int, str], bytes],
    secret: bytes,
    measured: frozenset[str],
) -> bundle.Anchor:
    built = build_part(part, stored, secret, measured)
    if built.root != part.root:
        raise Conflict(f"the kept messages of hour {format_us(part.hour_us)} do not give the anchored root")
    leaves = msgspec.json.decode(built.content)["leaves"]
    return bundle.Anchor(
        hour=part.hour_us // MICROSECONDS,
        part=part.part,
        root=built.root,
        count=built.count,
        positive_uj=str(built.positive_uj),
        negative_uj=str(built.negative_uj),
        uri=part.uri,
        transaction=part.transaction,
        leaves=tuple(
            bundle.LeafRef(gateway=leaf["gateway"], sequence=leaf["sequence"], index=leaf["index"])
            for leaf in leaves
        ),
    )


def _salts(stored: dict[tuple[str, int, str], bytes], secret: bytes) -> tuple[bundle.Salt, ...]:
    salts = []
    for (gateway, sequence, _), content in sorted(stored.items()):
        devices = {reading["device"] for reading in readings.parse_message(content).readings}
        for device in sorted(devices):
            salt = readings.leaf_salt(secret, gateway, sequence, device).hex()
            salts.append(bundle.Salt(gateway=gateway, sequence=sequence, device=device, salt=salt))
    return tuple(salts)


def _transaction(fate: Fate) -> dict[str, object]:
    return {"hash": fate.hash, "version": str(fate.version), "events": list(fate.events)}


def _grounded(
    retirement: Retirement, batch: Batch, kept: Kept, issuer: Issuer
) -> tuple[credential.Subject, bytes | None]:
    if batch.origin is None:
        return _measured(retirement, batch, kept, issuer)
    return _imported(retirement, batch, batch.origin, kept, issuer), None


def _measured(
    retirement: Retirement, batch: Batch, kept: Kept, issuer: Issuer
) -> tuple[credential.Subject, bytes]:
    """What the certificate says of credits that were issued here, and the archive of their evidence."""
    project = kept.registry.project(batch.project)
    if project is None:
        raise NotFound(f"the project of retirement {retirement.id} is missing")
    evidence = gather_evidence(retirement, batch, kept)
    archive = bundle.write(evidence)
    methodology = methodologies.get(batch.methodology.id, batch.methodology.version)
    stated = _subject(retirement, batch, project.record.name, kept, issuer)
    subject = msgspec.structs.replace(
        stated,
        batch=msgspec.structs.replace(stated.batch, issuance_transaction=batch.transaction),
        methodology=msgspec.structs.replace(stated.methodology, document=methodology.document_hash.hex()),
        gateways=_gateways(evidence, kept),
        evidence=credential.Evidence(
            report=batch.report_hash,
            anchors_root=bundle.anchors_root(batch.project, evidence.anchors).hex(),
            anchors=str(len(evidence.anchors)),
            manifest=bundle.manifest_hash(archive).hex(),
        ),
    )
    return subject, archive


def _imported(
    retirement: Retirement, batch: Batch, origin: Origin, kept: Kept, issuer: Issuer
) -> credential.Subject:
    """What the certificate says of another registry's credits: that nothing of them was measured here."""
    stated = _subject(retirement, batch, origin.project_name, kept, issuer)
    named = credential.Origin(registry=origin.registry, serial=origin.serial)
    return msgspec.structs.replace(stated, labels=(_NOT_MEASURED_HERE,), origin=named)


def _subject(
    retirement: Retirement, batch: Batch, project_name: str, kept: Kept, issuer: Issuer
) -> credential.Subject:
    """What every certificate says; evidence or origin is still to come."""
    first, last = (
        _known(retirement.serial_first, retirement.id),
        _known(retirement.serial_last, retirement.id),
    )
    holder = kept.accounts.organisation(retirement.organisation)
    if holder is None:
        raise NotFound(f"organisation {retirement.organisation} is missing")
    return credential.Subject(
        retirement=retirement.id,
        beneficiary_commitment=retirement.beneficiary,
        retiring_organisation=retirement.organisation,
        grams=str(retirement.grams),
        serials=serial_text(batch, first, last),
        batch=credential.Batch(
            id=batch.id,
            address=batch.address,
            serials=serial_text(batch, batch.serial_first, batch.serial_last),
        ),
        project=credential.Project(id=batch.project, name=project_name, country=batch.country),
        vintage=_span(batch.start_us, batch.end_us),
        methodology=credential.Methodology(id=batch.methodology.id, version=str(batch.methodology.version)),
        labels=(),
        reason=retirement.reason,
        country=retirement.country,
        consumption=_span(retirement.start_us, retirement.end_us),
        chain=credential.Chain(
            chain_id=str(issuer.chain_id),
            module_address=issuer.module_address,
            transaction=retirement.transaction,
            version=str(retirement.version),
            holder=holder.account_address,
            time=format_us(_known(retirement.retired_us, retirement.id)),
        ),
        gateways=(),
    )


def serial_text(batch: Batch, first: int, last: int) -> str:
    """A range of a batch's serials as it is written."""
    return str(
        serials.SerialRange(
            prefix=serials.PREFIX,
            country=batch.country,
            project=batch.project,
            vintage=int(format_us(batch.start_us)[:4]),
            batch=batch.id,
            first=first,
            last=last,
        )
    )


def _gateways(evidence: bundle.Evidence, kept: Kept) -> tuple[credential.Gateway, ...]:
    found = []
    for id in sorted({gateway for gateway, _ in evidence.messages}):
        gateway = kept.devices.gateway(id)
        if gateway is None:
            raise NotFound(f"gateway {id} is missing")
        found.append(credential.Gateway(id=id, public_key=gateway.public_key))
    return tuple(found)


def _span(start_us: int, end_us: int) -> credential.Span:
    return credential.Span(start=format_us(start_us), end=format_us(end_us))


def _known(value: int | None, retirement: str) -> int:
    if value is None:
        raise Conflict(f"retirement {retirement} is not final yet")
    return value
