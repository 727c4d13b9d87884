"""What the registry decides, without any store."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from carbonmarket.errors import Conflict, InvalidInput, MarketError, NotAllowed, NotYetFinal
from carbonmarket.issuance import approval_bytes
from carbonmarket.operations.advance_project import (
    decide_advance,
    decide_validation,
    kept_hashes,
    registration,
)
from carbonmarket.operations.close_period import ClosePeriod, decide_period
from carbonmarket.operations.create_document import decide_completion
from carbonmarket.operations.create_organisation import CreateOrganisation, decide_organisation
from carbonmarket.operations.fates import was_never_taken
from carbonmarket.operations.issue_batch import NoQuorum, decide_signers
from carbonmarket.operations.vote import Market, Vote, approval, decide_vote, tally
from carbonmarket.ports.chain import Fate
from carbonmarket.ports.documents import StoredObject
from carbonmarket.records.accounts import Organisation
from carbonmarket.records.principal import Principal
from carbonmarket.records.registry import (
    Document,
    Location,
    MethodologyRef,
    Period,
    Project,
    Review,
    StateChange,
)
from carbonmarket.times import parse_us

NOW_US = parse_us("2016-08-01T00:00:00Z", "now")
MARKET = Market(chain_id=4, address="0xcafe")
KEY = Ed25519PrivateKey.generate()


def person(organisation: str, *roles: str) -> Principal:
    return Principal(subject=f"{organisation}-person", organisation=organisation, roles=frozenset(roles))


DEVELOPER = person("ORGDEV", "developer")
VALIDATOR = person("ORGVAL", "validator")
OPERATOR = person("ORGOPS", "operator")


def project(state: str = "draft", by: Principal = DEVELOPER) -> Project:
    change = StateChange(state=state, by=by.subject, organisation=by.organisation, at_us=0)
    return Project(
        id="PRJ1",
        organisation="ORGDEV",
        name="East",
        description="",
        country="US",
        location=Location(latitude_udeg=0, longitude_udeg=0),
        technology="solar",
        capacity_w=6000,
        commissioned_us=0,
        methodology=MethodologyRef(id="M", version=1),
        state=state,  # type: ignore[arg-type]
        history=(change,),
        created_us=0,
    )


def period(**changes: Any) -> Period:
    told: dict[str, Any] = {
        "id": "PER1",
        "project": "PRJ1",
        "organisation": "ORGDEV",
        "start_us": parse_us("2016-07-01T00:00:00Z", "start"),
        "end_us": parse_us("2016-08-01T00:00:00Z", "end"),
        "state": "in_review",
        "closed_by": "someone",
        "created_us": 0,
        "number": 1,
        "grams": 500,
        "report_hash": "ab" * 32,
    }
    return Period(**{**told, **changes})


def review(reviewer: str = "0x1", **changes: Any) -> Review:
    told: dict[str, Any] = {
        "id": "REV1",
        "project": "PRJ1",
        "period": "PER1",
        "reviewer": reviewer,
        "organisation": "ORGREV",
        "report_hash": "ab" * 32,
        "grams": 500,
        "asked_us": 0,
    }
    return Review(**{**told, **changes})


def document(**changes: Any) -> Document:
    told: dict[str, Any] = {
        "id": "DOC1",
        "project": "PRJ1",
        "name": "D",
        "kind": "design",
        "media_type": "text/plain",
        "sha256": "ab" * 32,
        "size": 4,
        "state": "awaited",
        "created_us": 0,
    }
    return Document(**{**told, **changes})


def verifier(id: str = "ORGREV") -> Organisation:
    return Organisation(
        id=id,
        name="V",
        kind="verifier",
        country="US",
        account_address="0x1",
        key_id=id,
        commitment="00" * 32,
        commitment_salt="00" * 32,
        created_us=0,
        reviewer_key=KEY.public_key().public_bytes_raw().hex(),
    )


def signed(of: Period, key: Ed25519PrivateKey = KEY) -> Vote:
    signature = key.sign(approval_bytes(approval(of, MARKET))).hex()
    return Vote(vote="approve", reviewer="0x1", signature=signature)


@pytest.mark.parametrize(
    ("state", "action", "caller", "after"),
    [
        ("draft", "submit_project", DEVELOPER, "submitted"),
        ("submitted", "validate_project", VALIDATOR, "validated"),
        ("validated", "approve_project", OPERATOR, "approved"),
        ("submitted", "reject_project", VALIDATOR, "rejected"),
        ("validated", "reject_project", OPERATOR, "rejected"),
    ],
)
def test_a_project_goes_its_way(state: str, action: str, caller: Principal, after: str) -> None:
    moved = decide_advance(project(state), action, caller=caller, comment="because", now_us=NOW_US)
    assert (moved.state, moved.history[-1].by, moved.history[-1].comment) == (
        after,
        caller.subject,
        "because",
    )


@pytest.mark.parametrize(
    ("state", "action", "caller", "error"),
    [
        ("draft", "validate_project", VALIDATOR, Conflict),
        ("submitted", "approve_project", OPERATOR, Conflict),
        ("approved", "reject_project", OPERATOR, Conflict),
        ("draft", "submit_project", VALIDATOR, NotAllowed),
        ("draft", "submit_project", person("ORGOTHER", "developer"), NotAllowed),
        ("submitted", "validate_project", person("ORGDEV", "validator"), NotAllowed),
        ("validated", "approve_project", person("ORGDEV", "operator"), NotAllowed),
    ],
)
def test_a_project_goes_no_other_way(
    state: str, action: str, caller: Principal, error: type[MarketError]
) -> None:
    with pytest.raises(error):
        decide_advance(project(state), action, caller=caller, comment="", now_us=NOW_US)


def test_the_same_step_again_changes_nothing() -> None:
    validated = project("validated", by=VALIDATOR)
    again = decide_advance(validated, "validate_project", caller=VALIDATOR, comment="", now_us=NOW_US)
    assert again is validated


def test_a_project_commits_to_the_documents_that_were_validated() -> None:
    validated = decide_validation(
        project("submitted"), ("aa", "bb"), caller=VALIDATOR, comment="", now_us=NOW_US
    )
    later = decide_validation(validated, ("aa", "bb", "cc"), caller=VALIDATOR, comment="", now_us=NOW_US)
    assert later.document_hashes == ("aa", "bb")
    others = msgspec.structs.replace(validated, document_hashes=("aa", "cc"))
    assert registration(validated, verifier()) != registration(others, verifier())


def test_only_kept_documents_are_committed_to_in_the_order_of_their_hashes() -> None:
    documents = [
        document(id=sha256, sha256=sha256, state=state)
        for sha256, state in (("cc", "kept"), ("bb", "awaited"), ("aa", "kept"), ("cc", "kept"))
    ]
    assert kept_hashes(documents) == ("aa", "cc")


def test_a_period_that_overlaps_one_that_stands_is_refused() -> None:
    request = ClosePeriod(start="2016-07-31T00:00:00Z", end="2016-08-01T00:00:00Z")
    with pytest.raises(Conflict, match="overlaps"):
        decide_period(project(), request, id="PER2", caller=DEVELOPER, others=[period()], now_us=NOW_US)


def test_a_rejected_period_is_free_again() -> None:
    request = ClosePeriod(start="2016-07-01T00:00:00Z", end="2016-08-01T00:00:00Z")
    rejected = period(state="rejected")
    made = decide_period(project(), request, id="PER2", caller=DEVELOPER, others=[rejected], now_us=NOW_US)
    assert made.state == "closing"


@pytest.mark.parametrize(
    ("start", "end", "field"),
    [
        ("2016-07-01T01:00:00Z", "2016-07-02T00:00:00Z", "start"),
        ("2016-07-01T00:00:00Z", "2016-07-02T00:00:01Z", "end"),
        ("2016-07-02T00:00:00Z", "2016-07-01T00:00:00Z", "end"),
        ("2014-07-01T00:00:00Z", "2016-07-01T00:00:00Z", "end"),
        ("2016-08-01T00:00:00Z", "2016-08-02T00:00:00Z", "end"),
    ],
)
def test_a_period_is_whole_past_days(start: str, end: str, field: str) -> None:
    request = ClosePeriod(start=start, end=end)
    with pytest.raises(InvalidInput) as refused:
        decide_period(project(), request, id="PER2", caller=DEVELOPER, others=[], now_us=NOW_US)
    assert refused.value.field == field


def test_a_signed_approval_counts() -> None:
    voted = decide_vote(review(), period(), signed(period()), reviewer=verifier(), market=MARKET, now_us=5)
    assert (voted.vote, voted.voted_us) == ("approve", 5)


@pytest.mark.parametrize(
    "other", [{"grams": 501}, {"report_hash": "cd" * 32}, {"project": "PRJ2"}, {"end_us": NOW_US + 1_000_000}]
)
def test_a_signature_over_another_approval_does_not(other: dict[str, Any]) -> None:
    request = signed(period(**other))
    with pytest.raises(InvalidInput, match="signature"):
        decide_vote(review(), period(), request, reviewer=verifier(), market=MARKET, now_us=5)


def test_a_strangers_signature_does_not() -> None:
    request = signed(period(), Ed25519PrivateKey.generate())
    with pytest.raises(InvalidInput, match="signature"):
        decide_vote(review(), period(), request, reviewer=verifier(), market=MARKET, now_us=5)


def test_the_developers_own_organisation_never_votes() -> None:
    own = verifier("ORGDEV")
    with pytest.raises(NotAllowed, match="own organisation"):
        decide_vote(review(), period(), signed(period()), reviewer=own, market=MARKET, now_us=5)


def test_a_vote_is_cast_once() -> None:
    request = signed(period())
    voted = decide_vote(review(), period(), request, reviewer=verifier(), market=MARKET, now_us=5)
    again = decide_vote(voted, period(), request, reviewer=verifier(), market=MARKET, now_us=9)
    assert again is voted
    refusal = Vote(vote="refuse", reviewer="0x1")
    with pytest.raises(Conflict, match="changed"):
        decide_vote(voted, period(), refusal, reviewer=verifier(), market=MARKET, now_us=9)


@pytest.mark.parametrize(
    ("votes", "signers", "impossible"),
    [
        ((None, None, None), 0, False),
        (("approve", None, None), 0, False),
        (("approve", "approve", None), 2, False),
        (("approve", "refuse", None), 0, False),
        (("refuse", "refuse", None), 0, True),
        (("approve", "refuse", "refuse"), 0, True),
        (("approve", "approve", "approve"), 3, False),
        (("refuse", None), 0, True),
    ],
)
def test_two_of_three_decide(votes: tuple[Any, ...], signers: int, impossible: bool) -> None:
    outcome = tally([review(str(number), vote=vote) for number, vote in enumerate(votes)])
    assert (len(outcome.signers), outcome.impossible) == (signers, impossible)


def test_an_issuance_carries_the_first_two_approvals_whatever_comes_later() -> None:
    votes = [review(f"0x{n}", vote="approve", voted_us=10 - n) for n in range(3)]
    assert decide_signers(period(), votes, public_url="https://a").signers == ("0x2", "0x1")


def test_one_approval_is_no_quorum() -> None:
    with pytest.raises(NoQuorum):
        decide_signers(
            period(), [review(vote="approve"), review("0x2", vote="refuse")], public_url="https://a"
        )


def test_an_upload_must_be_what_was_declared() -> None:
    declared = document()
    assert decide_completion(declared, StoredObject(sha256="ab" * 32, size=4)).state == "kept"
    with pytest.raises(Conflict):
        decide_completion(declared, None)
    with pytest.raises(InvalidInput, match="SHA-256"):
        decide_completion(declared, StoredObject(sha256="cd" * 32, size=4))


@pytest.mark.parametrize(("kind", "key"), [("verifier", ""), ("buyer", "ab" * 32)])
def test_a_reviewers_key_is_for_verifiers(kind: Any, key: str) -> None:
    request = CreateOrganisation(name="X", kind=kind, country="US", reviewer_key=key)
    with pytest.raises(InvalidInput) as refused:
        decide_organisation(request, id="ORG1", address="", salt=bytes(32), now_us=0)
    assert refused.value.field == "reviewer_key"


class Told:
    """A chain that answers one fate."""

    def __init__(self, **fate: Any) -> None:
        self._fate = Fate(**fate)

    def fate(self, key: str) -> Fate:
        return self._fate


@pytest.mark.parametrize(
    ("fate", "undoable"),
    [
        ({"state": "unknown"}, True),
        ({"state": "dead", "hash": "0x1"}, True),
        ({"state": "committed", "hash": "0x1", "success": False}, True),
        ({"state": "committed", "hash": "0x1", "success": True}, False),
    ],
)
def test_what_can_have_no_effect_may_be_undone(fate: dict[str, Any], undoable: bool) -> None:
    assert was_never_taken(Told(**fate), "key") is undoable  # type: ignore[arg-type]


@pytest.mark.parametrize("state", ["unknown", "pending"])
def test_nothing_is_undone_while_a_fate_is_unknown(state: Any) -> None:
    with pytest.raises(NotYetFinal):
        was_never_taken(Told(state=state, hash="0x1"), "key")  # type: ignore[arg-type]


def test_records_refuse_what_they_do_not_know() -> None:
    stored = msgspec.to_builtins(period()) | {"surplus": 1}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(stored, Period)
