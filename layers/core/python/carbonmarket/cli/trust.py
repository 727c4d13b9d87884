"""``carbonmarket trust``: whose certificates this user believes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from carbonmarket import trust
from carbonmarket.errors import MarketError


def default_store() -> Path:
    """The user's trust store, in the folder where the system keeps applications' settings."""
    return Path(click.get_app_dir("carbonmarket")) / "trusted-keys.json"


def believed(store: Path | None) -> trust.TrustStore:
    """The production keys and those of ``store`` (None: the user's own)."""
    return trust.production() | trust.load(store or default_store())


store_option = click.option(
    "--store",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The trust store's file; without it the user's own.",
)


@click.group("trust")
def trust_group() -> None:
    """Keys whose certificates you believe."""


@trust_group.command("list")
@store_option
def list_command(store: Path | None) -> None:
    """Show the keys: those that ship with the package, and yours."""
    with _refusals():
        shipped = trust.production()
        for key, label in believed(store).items():
            click.echo(f"{key}  {label}{'  (ships with the package)' if key in shipped else ''}")
        if not believed(store):
            click.echo("No key is trusted yet. Add one: carbonmarket trust add z6Mk… --label NAME")


@trust_group.command("add")
@click.argument("key")
@click.option("--label", required=True, help="Whose key it is, for you to recognise it by.")
@store_option
def add_command(key: str, label: str, store: Path | None) -> None:
    """Believe certificates signed by KEY (z6Mk…)."""
    path = store or default_store()
    with _refusals():
        trust.save(path, trust.add(trust.load(path), key, label))
    click.echo(f"Added {key} ({label}) to {path}")


@trust_group.command("remove")
@click.argument("key")
@store_option
def remove_command(key: str, store: Path | None) -> None:
    """Believe certificates signed by KEY no longer."""
    path = store or default_store()
    with _refusals():
        trust.save(path, trust.remove(trust.load(path), key))
    click.echo(f"Removed {key} from {path}")


@contextmanager
def _refusals() -> Iterator[None]:
    """Turns a refusal into click's one-line error and exit code 1."""
    try:
        yield
    except MarketError as error:
        raise click.ClickException(error.reason) from None
