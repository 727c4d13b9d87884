"""Saga mint, step 2: draw the reviewers, ask them, and wait under a task token."""

from __future__ import annotations

import msgspec

from carbonmarket import ids
from carbonmarket.errors import Conflict
from carbonmarket.operations.quantify import load_period
from carbonmarket.operations.vote import settle
from carbonmarket.ports.accounts import AccountsStore
from carbonmarket.ports.chain import ChainAccess
from carbonmarket.ports.notifications import Notifications
from carbonmarket.ports.registry import RegistryStore
from carbonmarket.ports.sagas import ReviewTasks, Sagas
from carbonmarket.records.accounts import Organisation
from carbonmarket.records.audit import SYSTEM, told
from carbonmarket.records.registry import Period, Review
from carbonmarket.records.sagas import ReviewTask
from carbonmarket.reviewers import QUORUM, Verifier, draw


class TooFewReviewers(Conflict):
    """Not enough registered verifiers outside the developer's organisation."""

    code = "too-few-reviewers"


class DrawDisagrees(Conflict):
    """The contract draws others than the published rule."""

    code = "draw-disagrees"


def drawn_reviewers(report_hash: str, developer: Organisation, *, chain: ChainAccess) -> tuple[str, ...]:
    """The addresses drawn by the rule, which must be those the contract draws."""
    verifiers = []
    for address in chain.view("access_control::verifiers", [], [])[0]:
        _, organisation = chain.view("access_control::verifier", [], [address])
        verifiers.append(Verifier(address=address, organisation=organisation.removeprefix("0x")))
    ours = draw(bytes.fromhex(report_hash), verifiers, developer.commitment)
    theirs = chain.view(
        "access_control::draw_reviewers", [], ["0x" + report_hash, "0x" + developer.commitment]
    )[0]
    if [verifier.address for verifier in ours] != theirs:
        raise DrawDisagrees("the contract draws other reviewers than the published rule")
    if len(ours) < QUORUM:
        raise TooFewReviewers(f"{len(ours)} verifiers can be drawn; a quorum needs {QUORUM}")
    return tuple(verifier.address for verifier in ours)


def ask_reviewers(
    project: str,
    period: str,
    token: str,
    *,
    registry: RegistryStore,
    accounts: AccountsStore,
    chain: ChainAccess,
    tasks: ReviewTasks,
    sagas: Sagas,
    notifications: Notifications,
    now_us: int,
) -> tuple[str, ...]:
    """Keep the newest token and ask each drawn reviewer once.

    An execution that is run again finds the votes there are; if they have decided, its wait ends at once.
    """
    kept = load_period(project, period, registry)
    developer = accounts.organisation(kept.record.organisation)
    if developer is None:
        raise Conflict(f"organisation {kept.record.organisation} has not been admitted")
    if kept.record.state == "closing":
        reviewers = drawn_reviewers(kept.record.report_hash, developer, chain=chain)
        asked = [_review(kept.record, reviewer, accounts, now_us) for reviewer in reviewers]
        in_review = msgspec.structs.replace(kept.record, state="in_review")
        entry = told(SYSTEM, "ask_reviewers", period, "in_review", now_us)
        registry.save_period(in_review, kept.revision, entry, asked)
    reviews = registry.reviews(project, period)
    tasks.save_task(
        ReviewTask(
            project=project,
            period=period,
            token=token,
            report_hash=kept.record.report_hash,
            reviewers=tuple(review.reviewer for review in reviews),
            created_us=now_us,
        )
    )
    for review in reviews:
        if review.vote is None:
            notifications.send(
                f"{review.id}/asked",
                "review.asked",
                review.organisation,
                {"review": review.id, "project": project, "period": period, "grams": str(review.grams)},
            )
    settle(project, period, registry=registry, tasks=tasks, sagas=sagas)
    return tuple(review.reviewer for review in reviews)


def _review(period: Period, reviewer: str, accounts: AccountsStore, now_us: int) -> Review:
    organisation = accounts.organisation_at(reviewer)
    if organisation is None:
        raise TooFewReviewers(f"verifier {reviewer} is registered on chain but is no organisation here")
    return Review(
        id=ids.derive("REV", period.id, reviewer),
        project=period.project,
        period=period.id,
        reviewer=reviewer,
        organisation=organisation.id,
        report_hash=period.report_hash,
        grams=period.grams or 0,
        asked_us=now_us,
    )
