"""Queues and the clock invoke functions; what fails comes back and ends in the dead-letter queue."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from infra.declarations import QueueSource, Schedule
from infra.local.engines.events.poller import Poller
from infra.local.engines.events.schedule import Rate, ScheduleError, parse
from infra.local.engines.events.scheduler import Scheduler
from tests.fixtures.machine import AwsEndpoint
from tests.infra_local.conftest import eventually


@pytest.mark.engines
def test_done_messages_are_deleted_and_failed_ones_end_in_the_dead_letter_queue(
    samples: AwsEndpoint, tmp_path: Path
) -> None:
    sqs = samples.client("sqs")
    url = sqs.get_queue_url(QueueName=samples.name("work"))["QueueUrl"]
    dead = sqs.get_queue_url(QueueName=samples.name("work-dlq"))["QueueUrl"]
    # A process that starts may take longer than messages stay invisible, and they would come back.
    samples.client("lambda").invoke(FunctionName=samples.name("take-batch"), Payload=b'{"Records": []}')
    for body in (f"{tmp_path}|one", "bad two", f"{tmp_path}|three"):
        sqs.send_message(QueueUrl=url, MessageBody=body)
    source = QueueSource("work", "take-batch", batch_size=10, window_seconds=1)
    poller = Poller(source, sqs, samples.client("lambda"), samples.url, samples.stage)

    def dead_letters() -> list[str]:
        poller.poll_once()
        answer = sqs.receive_message(QueueUrl=dead)
        return [message["Body"] for message in answer.get("Messages", [])]

    assert eventually(dead_letters) == ["bad two"]
    assert sorted((tmp_path / "taken").read_text().split()) == ["one", "three"]


@pytest.mark.engines
def test_a_batch_whose_function_dies_comes_back(samples: AwsEndpoint, tmp_path: Path) -> None:
    sqs = samples.client("sqs")
    url = sqs.get_queue_url(QueueName=samples.name("work"))["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=f"{tmp_path}|kept")
    functions = samples.client("lambda")
    Poller(QueueSource("work", "die"), sqs, functions, samples.url, samples.stage).poll_once()
    poller = Poller(QueueSource("work", "take-batch"), sqs, functions, samples.url, samples.stage)

    def taken() -> bool:
        poller.poll_once()
        return (tmp_path / "taken").exists()

    eventually(taken)
    assert (tmp_path / "taken").read_text() == "kept\n"


def at(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("expression", "minute", "holds"),
    [
        ("cron(15 3 * * ? *)", "2026-11-24T03:15", True),
        ("cron(15 3 * * ? *)", "2026-11-24T03:16", False),
        ("cron(0/10 * * * ? *)", "2026-11-24T03:40", True),
        ("cron(0/10 * * * ? *)", "2026-11-24T03:45", False),
        ("cron(0 8-17 ? * 2-6 *)", "2026-11-24T09:00", True),
        ("cron(0 8-17 ? * 2-6 *)", "2026-11-22T09:00", False),
        ("cron(0 0 1 1,7 ? 2026)", "2026-07-01T00:00", True),
        ("cron(0 0 1 1,7 ? 2026)", "2027-07-01T00:00", False),
    ],
)
def test_when_a_cron_expression_holds(expression: str, minute: str, holds: bool) -> None:
    cron = parse(expression)
    assert not isinstance(cron, Rate)
    assert cron.holds(at(minute)) is holds


@pytest.mark.parametrize(("expression", "seconds"), [("rate(1 minute)", 60), ("rate(2 hours)", 7200)])
def test_a_rate_is_so_many_seconds(expression: str, seconds: int) -> None:
    assert parse(expression) == Rate(seconds)


@pytest.mark.parametrize(
    "expression",
    ["rate(0 minutes)", "every minute", "cron(* * *)", "cron(61 * * * ? *)", "cron(0 0 L * ? *)"],
)
def test_an_expression_that_is_not_understood_is_refused(expression: str) -> None:
    with pytest.raises(ScheduleError):
        Scheduler(Schedule("wrong", expression, "echo"), None, "test")
