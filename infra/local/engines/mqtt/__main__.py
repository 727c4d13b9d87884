"""``python -m infra.local.engines.mqtt``: the bridge that runs the topic rules."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from pathlib import Path

import click

from infra.declarations import ROOT, DeclarationError, read_rules
from infra.local.deploy import client
from infra.local.engines.mqtt.authority import Authority
from infra.local.engines.mqtt.bridge import Bridge, Rules
from infra.local.engines.mqtt.broker import BRIDGE_USER
from infra.local.engines.mqtt.rules import RuleError

READY = "the rules run"


@click.command()
@click.option("--state", required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("--stage", required=True)
@click.option("--port", required=True, type=int, help="The broker's port.")
@click.option("--aws", required=True, help="The AWS endpoint's URL.")
@click.option("--rules", default=ROOT / "iot_rules", type=click.Path(file_okay=False, path_type=Path))
def main(state: Path, stage: str, port: int, aws: str, rules: Path) -> None:
    """Run the rules of a folder until a signal comes."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    try:
        read = Rules(read_rules(rules, stage))
    except (DeclarationError, RuleError) as error:
        raise click.ClickException(f"a rule in {rules.name}/ cannot be run: {error}") from None
    bridge = Bridge(read, client("sqs", aws), aws, stage)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _signal, _frame: bridge.stop())
    identity = Authority(state / "ca").issue(BRIDGE_USER)
    threading.Thread(target=_say_when_ready, args=(bridge, state), daemon=True).start()
    bridge.run(identity, port)


def _say_when_ready(bridge: Bridge, state: Path) -> None:
    bridge.wait_until_subscribed()
    (state / "bridge.ready").write_text(READY)
    sys.stdout.write(READY + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
