"""What the sagas tell people: each message has its schema's form, and is the same when it is sent again."""

from __future__ import annotations

import json
import time
from typing import Any, get_args

import pytest

from carbonmarket import schema
from carbonmarket.ports.notifications import NotificationType
from tests.sagas.dying import deadly
from tests.sagas.test_faults import CONTEXT
from tests.sagas.test_retire import order
from tests.sagas.world import Site, World

# Those of the sagas mint and retire; purchases have a test of their own.
TYPES = [
    type for type in get_args(NotificationType) if not type.startswith(("purchase.", "payout.", "case."))
]


class Inbox:
    """Whoever takes messages from the queue of notifications."""

    def __init__(self, world: World) -> None:
        self._sqs = world.aws.client("sqs")
        self._url = self._sqs.get_queue_url(QueueName=world.aws.name("notifications"))["QueueUrl"]
        self.messages: list[dict[str, Any]] = []

    def take(self) -> None:
        """Take all that is there."""
        while answer := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages"):
            for message in answer:
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
                self.messages.append(json.loads(message["Body"]))

    def take_until(self, *types: str, seconds: int = 60) -> None:
        """Take what comes until each of the types was among it."""
        deadline = time.monotonic() + seconds
        while not set(types) <= {message["type"] for message in self.messages}:
            assert time.monotonic() < deadline, f"{types} were not all sent: {self.messages}"
            self.take()
            time.sleep(0.1)


def reject(site: Site) -> None:
    """A period that reviewers refuse."""
    period = site.close()
    site.await_period(period, "in_review")
    for reviewer, task in site.tasks(period)[:2]:
        site.vote(period, reviewer, task, "refuse")
    site.await_period(period, "rejected")


def fail(site: Site, batch: str, patch: pytest.MonkeyPatch) -> None:
    """A retirement whose saga came to its undo, twice."""
    from functions.retire import steps

    with patch.context() as cut_off:
        deadly(cut_off)
        retirement = site.post("/v1/retirements", order(batch))["id"]
        for _ in range(2):
            steps.fail_retirement({"retirement": retirement, "error": {"Error": "AccountFrozen"}}, CONTEXT)


def test_every_notification_of_the_sagas_has_its_schemas_form(
    world: World, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = Inbox(world)
    site.send_day()
    reject(site)
    period = site.close()
    site.await_period(period, "in_review")
    site.approve(period)
    batch = site.await_period(period, "registered")["batch"]
    site.post("/v1/retirements", order(batch))
    fail(site, batch, monkeypatch)
    inbox.take_until(*TYPES)
    for message in inbox.messages:
        schema.check("events/" + message["type"].replace(".", "_"), message)


def test_a_notification_that_is_sent_again_is_the_same(
    world: World, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = Inbox(world)
    batch = site.mint()
    inbox.take()
    inbox.messages.clear()
    fail(site, batch, monkeypatch)
    inbox.take_until("retirement.failed")
    first, again = [m for m in inbox.messages if m["type"] == "retirement.failed"]
    assert first == again
