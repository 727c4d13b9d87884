"""A drawn reviewer votes on a report. Two signed approvals of three make a quorum."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from carbonmarket.authorise import require_role
from carbonmarket.chain.addresses import canonical
from carbonmarket.errors import Conflict, InvalidInput, NotAllowed, NotFound
from carbonmarket.issuance import IssueApproval, verify_approval
from carbonmarket.ports.accounts import AccountsStore
from carbonmarket.ports.registry import RegistryStore
from carbonmarket.ports.sagas import ReviewTasks, Sagas
from carbonmarket.records.accounts import Organisation
from carbonmarket.records.audit import told
from carbonmarket.records.principal import REVIEWER, Principal
from carbonmarket.records.registry import Period, Review
from carbonmarket.records.registry import Vote as Choice
from carbonmarket.reviewers import QUORUM
from carbonmarket.times import MICROSECONDS


class Vote(msgspec.Struct, frozen=True, kw_only=True):
    """``reviewer`` is the verifier's account on chain; ``signature`` is asked of approvals only."""

    vote: Choice
    reviewer: str
    signature: str = ""
    comment: str = ""


class Market(msgspec.Struct, frozen=True, kw_only=True):
    """Where approvals count: the chain and the package's address. Signatures name both."""

    chain_id: int
    address: str


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """Where the votes have led: ``signers`` of a quorum, or that it has become ``impossible``, or neither."""

    signers: tuple[str, ...] = ()
    impossible: bool = False


def approval(period: Period, market: Market) -> IssueApproval:
    """What a reviewer of the period signs."""
    if period.grams is None:
        raise Conflict("the period is not quantified yet")
    return IssueApproval(
        chain_id=market.chain_id,
        module_address=market.address,
        project=period.project,
        period_start=period.start_us // MICROSECONDS,
        period_end=period.end_us // MICROSECONDS,
        grams=period.grams,
        report_hash=period.report_hash,
    )


def decide_vote(
    review: Review, period: Period, request: Vote, *, reviewer: Organisation, market: Market, now_us: int
) -> Review:
    """The review with its vote. One vote each: the same again changes nothing, another is a Conflict."""
    if review.vote is not None:
        if (review.vote, review.signature) == (request.vote, request.signature):
            return review
        raise Conflict(f"this reviewer has voted to {review.vote}; a vote can't be changed", field="vote")
    if period.state != "in_review":
        raise Conflict(f"the period is {period.state}; it takes votes only while in review")
    if reviewer.id == period.organisation:
        raise NotAllowed("the developer's own organisation never reviews its project")
    if request.vote == "approve":
        signature = bytes.fromhex(request.signature)
        if not verify_approval(approval(period, market), bytes.fromhex(reviewer.reviewer_key), signature):
            raise InvalidInput(
                "the signature is not the reviewer's over this approval: chain, package, project, period, "
                "grams and report hash must be exactly those of the review",
                field="signature",
            )
    elif request.signature:
        raise InvalidInput("a refusal carries no signature", field="signature")
    return msgspec.structs.replace(
        review, vote=request.vote, signature=request.signature, comment=request.comment, voted_us=now_us
    )


def tally(reviews: Sequence[Review]) -> Outcome:
    """Whether a quorum approves, or can't any more."""
    signers = tuple(review.reviewer for review in reviews if review.vote == "approve")
    if len(signers) >= QUORUM:
        return Outcome(signers=signers)
    open_votes = sum(review.vote is None for review in reviews)
    return Outcome(impossible=len(signers) + open_votes < QUORUM)


def settle(project: str, period: str, *, registry: RegistryStore, tasks: ReviewTasks, sagas: Sagas) -> None:
    """Tell the waiting saga, if its votes have decided. Telling it twice changes nothing."""
    task = tasks.task(project, period)
    outcome = tally(registry.reviews(project, period))
    if task is None:
        return
    if outcome.signers:
        sagas.succeed(task.token, {"report_hash": task.report_hash})
    elif outcome.impossible:
        sagas.fail(task.token, "ReviewRefused", "the drawn reviewers refused the report")


def vote(
    project: str,
    period: str,
    request: Vote,
    *,
    caller: Principal,
    registry: RegistryStore,
    accounts: AccountsStore,
    tasks: ReviewTasks,
    sagas: Sagas,
    market: Market,
    now_us: int,
) -> Review:
    """Cast a drawn reviewer's vote; the last one that decides ends the saga's wait."""
    require_role(caller, REVIEWER)
    address = canonical(request.reviewer)
    reviewer = accounts.organisation_at(address)
    if reviewer is None or reviewer.id != caller.organisation:
        raise NotAllowed("you can vote only for a reviewer of your own organisation")
    kept_period = registry.period(project, period)
    if kept_period is None:
        raise NotFound("the project has no period with this id", field="period")
    kept = registry.review(project, period, address)
    if kept is None:
        raise NotAllowed("this reviewer was not drawn for the period's report")
    voted = decide_vote(
        kept.record, kept_period.record, request, reviewer=reviewer, market=market, now_us=now_us
    )
    if voted is not kept.record:
        registry.save_review(voted, kept.revision, told(caller, "vote", kept.record.id, request.vote, now_us))
    settle(project, period, registry=registry, tasks=tasks, sagas=sagas)
    return voted


def list_reviews(
    after: str | None, *, caller: Principal, registry: RegistryStore
) -> Iterator[tuple[str, Review]]:
    """The reviews that the caller's organisation was drawn for, in the order they were asked."""
    require_role(caller, REVIEWER)
    return registry.reviews_of(caller.organisation, after)
