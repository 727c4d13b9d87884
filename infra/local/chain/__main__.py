"""``python -m infra.local.chain``: the chain alone."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from infra.local.chain.compiler import MoveCompileError
from infra.local.chain.genesis import GenesisFailed
from infra.local.chain.ledger import WrongChain
from infra.local.chain.movelib import MoveLibraryMissing
from infra.local.chain.server import CHAIN_ID, PortTaken, serve
from infra.local.chain.state import StateInUse


@click.command()
@click.option("--port", default=8080, show_default=True, help="The REST API's port; 0 takes a free one.")
@click.option("--faucet-port", default=8081, show_default=True)
@click.option(
    "--state", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The state file."
)
@click.option("--chain-id", default=CHAIN_ID, show_default=True, type=click.IntRange(1, 255))
def main(port: int, faucet_port: int, state: Path, chain_id: int) -> None:
    """Run the localnet on 127.0.0.1 until Ctrl-C; the state file keeps the chain."""

    def ready(node: str, faucet: str) -> None:
        click.echo(f"localnet: node {node} faucet {faucet}")
        sys.stdout.flush()

    try:
        serve(port, faucet_port, state, chain_id, ready)
    except (PortTaken, StateInUse, WrongChain, MoveLibraryMissing, MoveCompileError, GenesisFailed) as error:
        raise click.ClickException(str(error)) from None


if __name__ == "__main__":
    main()
