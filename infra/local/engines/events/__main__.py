"""``python -m infra.local.engines.events``: the pollers and the scheduler of a stage."""

from __future__ import annotations

import logging
import signal
import threading
from pathlib import Path

import click

from infra.declarations import declarations
from infra.local.deploy import client
from infra.local.engines.events.poller import Poller
from infra.local.engines.events.scheduler import Scheduler


@click.command()
@click.option("--stage", required=True)
@click.option("--aws", required=True, help="The AWS endpoint's URL.")
@click.option("--ready", required=True, type=click.Path(path_type=Path), help="A file made once all run.")
def main(stage: str, aws: str, ready: Path) -> None:
    """Poll the declared queues and keep the declared schedules until a signal comes."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _signal, _frame: stopping.set())
    declared = declarations(stage)
    pollers = [
        Poller(source, client("sqs", aws), client("lambda", aws), aws, stage)
        for source in declared.queue_sources
    ]
    schedulers = [Scheduler(schedule, client("lambda", aws), stage) for schedule in declared.schedules]
    for run in (*(poller.run for poller in pollers), *(one.run for one in schedulers)):
        threading.Thread(target=run, args=(stopping,), daemon=True).start()
    ready.write_text("")
    stopping.wait()


if __name__ == "__main__":
    main()
