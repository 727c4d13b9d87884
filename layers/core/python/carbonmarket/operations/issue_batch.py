"""Saga mint, steps 3 to 5: issue on chain with the approvals, await finality, register the batch."""

from __future__ import annotations

import msgspec

from carbonmarket import ids
from carbonmarket.chain import calls
from carbonmarket.chain.addresses import canonical
from carbonmarket.errors import Conflict, NotFound
from carbonmarket.operations.fates import event_of, final_fate
from carbonmarket.operations.quantify import load_period
from carbonmarket.ports.chain import ChainAccess, Fate
from carbonmarket.ports.registry import Kept, RegistryStore
from carbonmarket.records.audit import SYSTEM, told
from carbonmarket.records.registry import Batch, MethodologyRef, Period, Review
from carbonmarket.reviewers import QUORUM


class NoQuorum(Conflict):
    """Fewer approvals than an issuance needs."""

    code = "no-quorum"


def issue_key(period: str) -> str:
    """The chain key of the period's issuance."""
    return f"issue/{period}"


def batch_id(period: str) -> str:
    """The id of the batch that comes of a period."""
    return ids.derive("BAT", period)


def batch_uri(public_url: str, batch: str) -> str:
    """The address that an issuance gives its batch."""
    return f"{public_url}/v1/batches/{batch}"


def decide_signers(period: Period, reviews: list[Review], *, public_url: str) -> Period:
    """The period with the approvals and the address that its issuance will carry, settled before anything is
    sent.

    Neither a third approval that comes a moment later nor another public URL may change the call between two
    tries.
    """
    approving = sorted(
        (review for review in reviews if review.vote == "approve"),
        key=lambda review: (review.voted_us or 0, review.reviewer),
    )
    if len(approving) < QUORUM:
        raise NoQuorum(f"{len(approving)} reviewers approved; the contract asks for {QUORUM}")
    signers = tuple(review.reviewer for review in approving[:QUORUM])
    batch = batch_id(period.id)
    return msgspec.structs.replace(
        period, state="minting", signers=signers, batch=batch, uri=batch_uri(public_url, batch)
    )


def issue_batch(
    project: str,
    period: str,
    *,
    registry: RegistryStore,
    chain: ChainAccess,
    issuer: str,
    public_url: str,
    now_us: int,
) -> str:
    """Submit the issuance; returns the transaction's hash. Repeated, the same bytes are sent."""
    kept = load_period(project, period, registry)
    reviews = registry.reviews(project, period)
    found = kept.record
    if found.state in ("closing", "in_review"):
        found = decide_signers(found, reviews, public_url=public_url)
        registry.save_period(found, kept.revision, told(SYSTEM, "issue_batch", period, "minting", now_us))
    if found.number is None or found.grams is None:
        raise Conflict(f"period {period} was not quantified")
    signatures = {review.reviewer: bytes.fromhex(review.signature) for review in reviews}
    call = calls.issue(
        project=project,
        period_number=found.number,
        batch_id=found.batch,
        grams=found.grams,
        report_hash=bytes.fromhex(found.report_hash),
        signers=found.signers,
        signatures=[signatures[signer] for signer in found.signers],
        labels=0,
        # A period settled before its address was kept goes on under today's.
        uri=found.uri or batch_uri(public_url, found.batch),
    )
    return chain.submit(issue_key(period), issuer, call)


def await_issuance(project: str, period: str, *, registry: RegistryStore, chain: ChainAccess) -> Fate:
    """The issuance's final fate; errors as of :func:`carbonmarket.operations.fates.final_fate`."""
    load_period(project, period, registry)
    return final_fate(chain, issue_key(period))


def register_batch(
    project: str, period: str, *, registry: RegistryStore, chain: ChainAccess, now_us: int
) -> Batch:
    """Keep the batch as the chain's own event tells of it."""
    kept = load_period(project, period, registry)
    existing = registry.batch(batch_id(period))
    if existing is not None:
        return existing.record
    fate = final_fate(chain, issue_key(period))
    batch = decide_batch(kept.record, fate)
    registered = Kept(msgspec.structs.replace(kept.record, state="registered"), kept.revision)
    registry.save_batch(batch, registered, told(SYSTEM, "register_batch", batch.id, "registered", now_us))
    return batch


def decide_batch(period: Period, fate: Fate) -> Batch:
    """The record of the batch that the event BatchIssued announces."""
    event = event_of(fate, "carbon_credit::BatchIssued")
    if (event["batch_id"], event["report_hash"].removeprefix("0x")) != (period.batch, period.report_hash):
        raise Conflict(f"transaction {fate.hash} issued {event['batch_id']}, not the period's batch")
    if fate.version is None or fate.hash is None or fate.timestamp_us is None:
        raise NotFound(f"the issuance of {period.batch} has no place on chain yet")
    return Batch(
        id=period.batch,
        project=period.project,
        organisation=period.organisation,
        period=period.id,
        address=canonical(event["batch"]),
        grams=int(event["issued"]),
        buffered=int(event["buffered"]),
        serial_first=int(event["serial_first"]),
        serial_last=int(event["serial_last"]),
        country=event["country"],
        methodology=MethodologyRef(id=event["methodology"], version=int(event["methodology_version"])),
        report_hash=period.report_hash,
        start_us=period.start_us,
        end_us=period.end_us,
        transaction=fate.hash,
        version=fate.version,
        issued_us=fate.timestamp_us,
    )


def batch_of(project: str, period: str, *, registry: RegistryStore) -> Batch:
    """The registered batch of a period."""
    load_period(project, period, registry)
    kept = registry.batch(batch_id(period))
    if kept is None:
        raise NotFound(f"period {period} has no registered batch yet")
    return kept.record
