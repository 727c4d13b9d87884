"""Idempotency-Key against a real table: one effect, one answer."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

import pytest

from carbonmarket.errors import Conflict, IdempotencyMismatch
from carbonmarket.records.principal import Principal
from carbonmarket_adapters.http import once
from tests.fixtures.machine import AwsEndpoint

_numbers = itertools.count(1)
CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 29_000)


class Asked:
    """One caller who sends requests under one key."""

    def __init__(self, aws: AwsEndpoint, subject: str = "p1", key: str = "key") -> None:
        self.aws, self.key, self.done = aws, key, 0
        self.caller = Principal(subject=subject, organisation=f"ORG{next(_numbers)}", roles=frozenset())

    def send(
        self, request: dict[str, Any], work: Any = None, caller: Principal | None = None, **told: Any
    ) -> Any:
        """The answer; without ``work`` it is the number of times work was done."""

        def count() -> dict[str, Any]:
            self.done += 1
            return {"done": self.done}

        return once.once(
            work or count,
            key=self.key,
            request=request,
            caller=caller or self.caller,
            settings=self.aws.settings,
            client=self.aws.client("dynamodb"),
            context=CONTEXT,
            **told,
        )


@pytest.fixture
def asked(aws: AwsEndpoint) -> Asked:
    return Asked(aws)


def test_a_repeated_request_gets_the_first_answer(asked: Asked) -> None:
    assert [asked.send({"grams": "1"}) for _ in range(3)] == [{"done": 1}] * 3


def test_what_was_not_finished_is_asked_again_by_the_same_request_alone(asked: Asked) -> None:
    def send(grams: str) -> Any:
        return asked.send({"grams": grams}, tells_more=lambda kept: kept["done"] == 1)

    assert [send("1") for _ in range(3)] == [{"done": 1}, {"done": 2}, {"done": 3}]
    with pytest.raises(IdempotencyMismatch):
        send("2")


def test_another_body_under_the_same_key_is_refused(asked: Asked) -> None:
    asked.send({"grams": "1"})
    with pytest.raises(IdempotencyMismatch):
        asked.send({"grams": "2"})


def test_another_person_does_not_get_the_answer(asked: Asked) -> None:
    asked.send({"grams": "1"})
    other = Principal(subject="p2", organisation=asked.caller.organisation, roles=frozenset())
    with pytest.raises(IdempotencyMismatch):
        asked.send({"grams": "1"}, caller=other)


def test_another_organisation_has_keys_of_its_own(asked: Asked) -> None:
    asked.send({"grams": "1"})
    other = Principal(subject="p1", organisation=f"ORG{next(_numbers)}", roles=frozenset())
    assert asked.send({"grams": "1"}, caller=other) == {"done": 2}


def test_a_request_that_is_still_running_is_not_run_again(asked: Asked) -> None:
    with pytest.raises(once.StillRunning):
        asked.send({"grams": "1"}, work=lambda: asked.send({"grams": "1"}))


def test_a_refused_request_may_be_sent_again(asked: Asked) -> None:
    def refuse() -> dict[str, Any]:
        raise Conflict("not now")

    with pytest.raises(Conflict):
        asked.send({"grams": "1"}, work=refuse)
    assert asked.send({"grams": "1"}) == {"done": 1}
