"""What the contracts refuse an issuer and an oracle, on a real chain: in words, and with nothing changed."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from carbonmarket.chain import calls
from carbonmarket.chain.calls import EntryCall
from carbonmarket.errors import ChainRefused
from infra.local.chain.process import Running
from tests.chain.market import (
    BATCH_ID,
    DAY_S,
    DEVELOPERS,
    JOULES,
    PROJECT,
    REPORT,
    REVIEWERS,
    REVIEWERS_ORGANISATION,
    START_S,
    Market,
)

pytestmark = [pytest.mark.chain, pytest.mark.engines]

ISSUED_DAY, CLOSED_DAY = 1, 2
"""The periods' numbers of the first day, on which a batch was issued, and of the second, which waits."""
_keys = itertools.count()
SUMS_GRAMS = 24 * (10**6 - 1)
"""What the methodology gives on a day of the market's anchors."""


@pytest.fixture(scope="module")
def shared(
    dynamodb_url: str, chain_localnet: Running, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Market]:
    """One market for all refusals, since none of them changes it: a day issued on, and a day closed."""
    with pytest.MonkeyPatch.context() as environment:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            environment.setenv(name, "test")
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        market = Market(chain_localnet, dynamodb_url, tmp_path_factory.mktemp("refusals"), "refusals")
        market.publish()
        market.register()
        market.anchor(hours=48)
        market.issue()
        market.do("oracle", calls.close_period(PROJECT, START_S + DAY_S, START_S + 2 * DAY_S))
        market.signer.create("insider")
        insider = market.signer.public_key("insider").key
        market.do("admin", calls.register_verifier(market.address("insider"), insider, DEVELOPERS))
        for name in ("extra1", "extra2"):
            market.signer.create(name)
            key = market.signer.public_key(name).key
            market.do("admin", calls.register_verifier(market.address(name), key, REVIEWERS_ORGANISATION))
        yield market


def standing(market: Market) -> list[Any]:
    """All that an issuance, an anchor or a closing would change."""

    def view(function: str, *words: Any) -> list[Any]:
        return market.outbox.view(function, [], list(words))

    return [
        view("credit_batch::next_serial"),
        view("data_anchor::last_period", PROJECT),
        *(view("data_anchor::period", PROJECT, str(number)) for number in (ISSUED_DAY, CLOSED_DAY)),
        *(view("data_anchor::day", PROJECT, str(START_S + day * DAY_S)) for day in range(3)),
        view("data_anchor::next_part", PROJECT, str(START_S)),
    ]


def refusal(market: Market, sender: str, call: EntryCall) -> ChainRefused:
    """Why the contract refused the call; everything stands as before."""
    before = standing(market)
    with pytest.raises(ChainRefused) as refused:
        # A key of its own: the outbox answers a key that it knows from what it has stored.
        market.do(sender, call, key=f"refusal/{next(_keys)}")
    assert standing(market) == before
    return refused.value


def drawn(market: Market) -> list[str]:
    """The names of the reviewers whom the report's hash draws."""
    words = ["0x" + REPORT.hex(), "0x" + DEVELOPERS.hex()]
    addresses = market.outbox.view("access_control::draw_reviewers", [], words)[0]
    by_address = {int(market.address(name), 16): name for name in (*REVIEWERS, "extra1", "extra2")}
    return [by_address[int(address, 16)] for address in addresses]


def issuance(
    market: Market,
    signers: Sequence[str],
    *,
    grams: int = 1_000,
    signed_grams: int | None = None,
    period: int = CLOSED_DAY,
    batch: str = "BATAGAIN",
) -> EntryCall:
    """An issuance that those signed, over ``signed_grams`` if they differ."""
    start = START_S + (period - 1) * DAY_S
    words = [PROJECT, str(start), str(start + DAY_S), str(signed_grams or grams), "0x" + REPORT.hex()]
    message = bytes.fromhex(market.outbox.view("reviews::approval_bytes", [], words)[0][2:])
    return calls.issue(
        PROJECT,
        period,
        batch,
        grams,
        REPORT,
        [market.address(name) for name in signers],
        [market.signer.sign(name, message) for name in signers],
        0,
        "",
    )


def test_a_period_is_minted_once(shared: Market) -> None:
    refused = refusal(shared, "issuer", issuance(shared, drawn(shared)[:2], period=ISSUED_DAY))
    assert refused.abort == "data_anchor::E_PERIOD_ISSUED"
    assert "can neither be issued again" in refused.reason


def test_a_batch_is_minted_once(shared: Market) -> None:
    refused = refusal(shared, "issuer", issuance(shared, drawn(shared)[:2], batch=BATCH_ID))
    assert refused.abort == "credit_batch::E_BATCH_EXISTS"
    assert "exists already" in refused.reason


@pytest.mark.parametrize(("first", "end"), [(0, 1), (1, 2), (0, 3), (1, 3)])
def test_a_period_that_overlaps_another_is_not_closed(shared: Market, first: int, end: int) -> None:
    call = calls.close_period(PROJECT, START_S + first * DAY_S, START_S + end * DAY_S)
    refused = refusal(shared, "oracle", call)
    assert refused.abort == "data_anchor::E_PERIOD_OVERLAPS"
    assert "belongs to another closed period" in refused.reason


def test_no_quorum_mints_above_the_anchored_sums(shared: Market) -> None:
    refused = refusal(shared, "issuer", issuance(shared, drawn(shared)[:2], grams=SUMS_GRAMS + 1))
    assert refused.abort == "carbon_credit::E_ABOVE_ANCHORED_SUMS"
    assert "anchored sums" in refused.reason


def test_a_quorum_for_another_number_mints_nothing(shared: Market) -> None:
    call = issuance(shared, drawn(shared)[:2], grams=1_001, signed_grams=1_000)
    assert refusal(shared, "issuer", call).abort == "reviews::E_BAD_SIGNATURE"


def test_one_verifier_is_no_quorum(shared: Market) -> None:
    refused = refusal(shared, "issuer", issuance(shared, drawn(shared)[:1]))
    assert (refused.abort, refused.reason) == (
        "reviews::E_TOO_FEW_SIGNATURES",
        "Fewer than two verifiers signed.",
    )


def test_one_verifier_twice_is_no_quorum(shared: Market) -> None:
    refused = refusal(shared, "issuer", issuance(shared, drawn(shared)[:1] * 2))
    assert refused.abort == "reviews::E_SIGNED_TWICE"


@pytest.mark.parametrize(
    ("signer", "abort", "word"),
    [
        ("buyer", "reviews::E_STRANGER", "not a registered verifier"),
        ("insider", "reviews::E_OWN_ORGANISATION", "developer's own organisation"),
    ],
)
def test_who_may_not_review_completes_no_quorum(shared: Market, signer: str, abort: str, word: str) -> None:
    refused = refusal(shared, "issuer", issuance(shared, [*drawn(shared)[:1], signer]))
    assert refused.abort == abort
    assert word in refused.reason


def test_a_verifier_who_was_not_drawn_completes_no_quorum(shared: Market) -> None:
    (idle, *_) = {*REVIEWERS, "extra1", "extra2"} - set(drawn(shared))
    refused = refusal(shared, "issuer", issuance(shared, [*drawn(shared)[:1], idle]))
    assert refused.abort == "reviews::E_NOT_DRAWN"


@pytest.mark.parametrize("sender", ["developer", "oracle"])
def test_only_an_issuer_mints(shared: Market, sender: str) -> None:
    refused = refusal(shared, sender, issuance(shared, drawn(shared)[:2]))
    assert refused.abort == "access_control::E_NOT_ISSUER"


def anchor(hour: int, part: int) -> EntryCall:
    """One part of an hour, of other readings than those anchored."""
    root = hashlib.sha256(b"others").digest()
    at = START_S + hour * 3_600
    return calls.anchor(PROJECT, [at], [part], [root], [4], [JOULES], [0], ["s3://evidence/again"])


def test_an_hours_part_is_anchored_once(shared: Market) -> None:
    refused = refusal(shared, "oracle", anchor(0, 0))
    assert refused.abort == "data_anchor::E_ALREADY_ANCHORED"
    assert "late readings are the next part" in refused.reason


def test_no_part_is_skipped(shared: Market) -> None:
    assert refusal(shared, "oracle", anchor(0, 2)).abort == "data_anchor::E_PART_SKIPPED"


def test_only_an_oracle_anchors(shared: Market) -> None:
    assert refusal(shared, "developer", anchor(0, 1)).abort == "access_control::E_NOT_ORACLE"


def test_a_drawn_quorum_mints_all_that_was_measured(shared: Market) -> None:
    call = issuance(shared, drawn(shared)[:2], grams=SUMS_GRAMS, batch="BATLATER")
    assert shared.do("issuer", call).success
    shared.watch()
    batch = shared.projection.batch("BATLATER")
    assert batch is not None and batch.issued == SUMS_GRAMS
