"""The commands of ``carbonmarket`` that run engines; each imports what it needs when it is called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from infra.local.settings import MachineSettings

_DEFAULTS = MachineSettings()


def _ports(command: Any) -> Any:
    """Add an option for every port of the machine."""
    for name, port in reversed(_DEFAULTS.ports().items()):
        option = "--" + name.replace("_", "-")
        command = click.option(option, type=click.IntRange(1, 65535), default=port, show_default=True)(
            command
        )
    return command


def _guarded(work: Callable[[], None]) -> None:
    """Run; an engine that is missing or has died becomes a sentence and exit code 1."""
    from infra.local.engines.process import EngineError

    try:
        work()
    except EngineError as error:
        raise click.ClickException(str(error)) from None


@click.command("up")
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    default=_DEFAULTS.state,
    help="Folder of everything the machine keeps.  [default: var/machine in the checkout]",
)
@_ports
def up_command(state: Path, **ports: int) -> None:
    """Start the machine and leave it running until Ctrl-C.

    It goes on from the state it left. Everything listens on 127.0.0.1 alone.
    """
    from infra.local.run import run_until_interrupted

    settings = replace(MachineSettings(state=state.resolve()), **ports)
    _guarded(lambda: run_until_interrupted(settings))


@click.command("demo")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("var/demo"),
    show_default=True,
    help="Folder for the certificate, the evidence and the summary; what an earlier demo left is replaced.",
)
@_ports
def demo_command(out: Path, **ports: int) -> None:
    """Run the main job end to end on real data.

    10,000 readings of a solar array become credits; a buyer retires some of them; the certificate is
    verified offline and against the chain. Takes some minutes and ends with a table of what happened.
    """
    from infra.local.demo.story import run_demo

    _guarded(lambda: run_demo(out.resolve(), ports))


@click.command("token")
@click.option("--organisation", required=True, help="The organisation the token acts for (ORG…).")
@click.option(
    "--role", "roles", multiple=True, required=True, help="developer, buyer, validator, …; repeatable."
)
@click.option("--subject", default="developer", show_default=True, help="The person's id; never a name.")
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    default=_DEFAULTS.state,
    help="The state folder of the machine that runs.  [default: var/machine in the checkout]",
)
def token_command(organisation: str, roles: tuple[str, ...], subject: str, state: Path) -> None:
    """Print a bearer token for the API of the machine that `carbonmarket up` started. Good for four hours."""
    from infra.local.demo.client import development_token

    key = MachineSettings(state=state.resolve()).market_settings("0x0").development_key
    click.echo(development_token(key, subject=subject, organisation=organisation, roles=roles))


@click.command("rebuild")
@click.option(
    "--state",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=_DEFAULTS.state,
    help="The state folder of the machine that runs.",
)
@click.pass_context
def rebuild_command(context: click.Context, state: Path) -> None:
    """Fold the chain anew from version 0 and compare it with the projection in place.

    Needs a machine that runs (`carbonmarket up`). Changes nothing. Exit code 0 if they are equal, 1 if not.
    """
    import json
    import os

    from carbonmarket.chain.addresses import canonical
    from carbonmarket.projection.watch import differences, rebuilt
    from carbonmarket_adapters.wiring import chain, settings
    from infra.local.settings import CREDENTIALS

    environment = MachineSettings(state=state.resolve()).environment_file
    if not environment.exists():
        raise click.ClickException(f"no machine runs on {state}; start it with `carbonmarket up`")
    os.environ.update(json.loads(environment.read_text()), **CREDENTIALS)
    cursor = chain.projection().cursor()
    if cursor is None:
        raise click.ClickException("nothing was projected yet; the watcher runs once a minute")
    projected = chain.projection().everything()
    afresh = rebuilt(chain.chain_source(), canonical(settings().market_address), cursor.version)
    found = differences(projected, afresh)
    for difference in found:
        click.echo(difference)
    click.echo(f"{len(projected)} records up to version {cursor.version}, {len(found)} differences")
    context.exit(1 if found else 0)
