"""``python -m edge``: replay a meter's series as one gateway's signed messages."""

from __future__ import annotations

from pathlib import Path

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from rich.console import Console

from edge.agent import BrokerRefused, EdgeAgent, Identity, Status
from edge.link import Endpoint, MqttLink
from edge.outbox import Outbox
from edge.sources import SourceError, read_csv

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--environment", required=True, help="The stage that messages are meant for.")
@click.option("--project", required=True, help="The project's id.")
@click.option("--gateway", required=True, help="The gateway's id, which its certificate names.")
@click.option("--device", required=True, help="The meter's id.")
@click.option("--type", "kind", default="solar_output", show_default=True, help="The meter's sensor type.")
@click.option("--interval", default=900, show_default=True, help="Seconds of one row's interval.")
@click.option("--csv", "source", required=True, type=_FILE, help="Rows of start time and watts.")
@click.option("--signing-key", required=True, type=_FILE, help="Ed25519 private key, PEM.")
@click.option("--host", required=True, help="The MQTT broker.")
@click.option("--port", default=8883, show_default=True)
@click.option("--certificate", required=True, type=_FILE, help="The gateway's certificate, PEM.")
@click.option("--key", required=True, type=_FILE, help="The certificate's private key, PEM.")
@click.option("--authority", type=_FILE, help="The broker's authority, PEM; Amazon's where not given.")
@click.option("--outbox", required=True, type=click.Path(dir_okay=False, path_type=Path))
def main(
    environment: str,
    project: str,
    gateway: str,
    device: str,
    kind: str,
    interval: int,
    source: Path,
    signing_key: Path,
    host: str,
    port: int,
    certificate: Path,
    key: Path,
    authority: Path | None,
    outbox: Path,
) -> None:
    """Sign, store and forward a series. A run that was cut off goes on where it was."""
    signer = load_pem_private_key(signing_key.read_bytes(), password=None)
    if not isinstance(signer, Ed25519PrivateKey):
        raise click.UsageError(f"{signing_key} holds no Ed25519 key")
    identity = Identity(
        environment=environment,
        project=project,
        gateway=gateway,
        device=device,
        type=kind,
        interval_seconds=interval,
    )
    endpoint = Endpoint(host=host, port=port, certificate=certificate, key=key, authority=authority)
    kept = Outbox(outbox)
    agent = EdgeAgent(identity, signer, kept, MqttLink(endpoint, gateway))
    console = Console(stderr=True)
    failures: set[str] = set()

    def show(status: Status) -> None:
        if status.failure and status.failure not in failures:
            failures.add(status.failure)
            console.print(
                f"the MQTT broker at {host}:{port} does not answer: {status.failure}. Readings are kept in "
                f"{outbox} and sent once it does. On one machine, `carbonmarket up` starts it.",
                soft_wrap=True,
            )
        state = "connected" if status.connected else "waiting for the broker"
        spinner.update(f"{status.readings} readings signed, {status.waiting} messages to deliver, {state}")

    try:
        with console.status("connecting") as spinner:
            agent.run(read_csv(source, after=kept.progress().line), show)
    except (BrokerRefused, SourceError) as error:
        raise click.ClickException(str(error)) from error
    faults = kept.faults()
    console.print(f"{kept.progress().readings} readings delivered, {len(faults)} rows could not be read")


if __name__ == "__main__":
    main()
